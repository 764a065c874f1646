"""Instances of a process from start over a task of people to the end, with state kept: per second in one process.

Beside it, the plain writes that one instance needs (its row and that of its step, changed once) in as many transactions.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
import trellis
from trellis.contributions import Process
from trellis.enabling import enable
from trellis.i18n import Text
from trellis.process.engine import Engine
from trellis.process.tables import ProcessInstance, ProcessStep
from trellis.process.tasks import Tasks
from trellis.records.door import Records
from trellis.security.actor import Actor
from trellis.security.identities import add_user
from trellis.workspace import Workspace

from bench.setting import arguments, installed

DIAGRAM = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:bench">
<process id="p" isExecutable="true"><startEvent id="start"/><userTask id="ask" name="Ask"/><endEvent id="end"/>
<sequenceFlow id="f1" sourceRef="start" targetRef="ask"/><sequenceFlow id="f2" sourceRef="ask" targetRef="end"/>
</process></definitions>"""
NAME = "bench.ask"

manifest = trellis.Manifest(name="bench", title=Text("Bench"), version="1.0", package="json")


def whole(workspace: Workspace, actor: Actor) -> None:
    """One instance: started in one transaction, its task completed in another."""
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), actor)
        number = Engine(door).start(NAME) or 0
    with workspace.write() as session:
        tasks = Tasks(Records(session, workspace.edition(session), actor))
        (task,) = tasks.of_instance(number)
        tasks.complete(task.id, {})


def plain(workspace: Workspace, _actor: Actor) -> None:
    """The rows that one instance needs, written by hand."""
    now = datetime.now(UTC)
    row = {"process": "plain", "version_id": 1, "state": "running", "flow": b"x" * 2500, "variables": {}}
    more = {"done": ["start"], "active": ["ask"], "problem": "", "stuck": "", "started_at": now, "version": 1}
    step = {"process": "plain", "element": "ask", "kind": "userTask", "token": "t", "title": "Ask"}
    with workspace.write() as session:
        made = sa.insert(ProcessInstance).values(**row, **more).returning(ProcessInstance.id)
        number = session.scalar(made)
        session.execute(sa.insert(ProcessStep).values(**step, instance_id=number, entered_at=now))
    with workspace.write() as session:
        steps = sa.update(ProcessStep).where(ProcessStep.instance_id == number)
        session.execute(steps.values(left_at=now).execution_options(synchronize_session=False))
        done = sa.update(ProcessInstance).where(ProcessInstance.id == number)
        session.execute(done.values(state="done", flow=b"").execution_options(synchronize_session=False))


def rate(
    one: Callable[[Workspace, Actor], None], workspace: Workspace, actor: Actor, size: int
) -> tuple[float, float]:
    """How many a second by the clock, and by the time of this process on its core."""
    clock, core = time.perf_counter(), time.process_time()
    for _number in range(size):
        one(workspace, actor)
    return size / (time.perf_counter() - clock), size / (time.process_time() - core)


@trellis.hookimpl
def trellis_processes() -> list[Process]:
    return [Process(name=NAME, title=Text("Bench"), diagram=DIAGRAM)]


def main() -> None:
    given = arguments(size=300, rounds=5)
    with installed(given.database) as (installation, workspace):
        installation.plugins.add(sys.modules[__name__])
        enable(workspace, "bench")
        person = add_user(installation, workspace, "bench@example.com", "Bench", ["manager"])
        actor = Actor(user_id=person, name="Bench", roles=("manager",), administrator=True)
        whole(workspace, actor)
        rates = {
            name: [rate(one, workspace, actor, given.size) for _round in range(given.rounds)]
            for name, one in (("instances", whole), ("plain writes", plain))
        }
    for name, found in rates.items():
        clock, core = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"{name}, {given.database}: {clock:.0f} a second by the clock, {core:.0f} by the core")


if __name__ == "__main__":
    main()
