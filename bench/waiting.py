"""What instances cost that wait: many with a timer far ahead and a task, and few whose timers are due while they do.

Prints, without and with those that wait: what an idle runner takes of a core, how late timers fire, how many instances run from
start to end, and how long the tasks of one person take to be listed.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import cast

import sqlalchemy as sa
import trellis
from trellis.contributions import Process
from trellis.enabling import enable
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.process.engine import Engine
from trellis.process.runs import TIMER_JOB
from trellis.process.tables import INSTANCES, STEPS, ProcessInstance
from trellis.process.tasks import Tasks
from trellis.records.door import Records
from trellis.security.actor import Actor
from trellis.security.identities import add_user
from trellis.workspace import Workspace

from bench.processes import DIAGRAM, NAME, rate, whole
from bench.setting import arguments, installed

HEAD = b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:bench">'
WAITS = (
    HEAD
    + b"""<process id="p" isExecutable="true"><startEvent id="start"/><userTask id="ask" name="Ask"/>
<boundaryEvent id="late" attachedToRef="ask"><timerEventDefinition><timeDuration>P365D</timeDuration></timerEventDefinition></boundaryEvent>
<endEvent id="end"/><endEvent id="gone"/><sequenceFlow id="f1" sourceRef="start" targetRef="ask"/>
<sequenceFlow id="f2" sourceRef="ask" targetRef="end"/><sequenceFlow id="f3" sourceRef="late" targetRef="gone"/></process></definitions>"""
)
FIRES = (
    HEAD
    + b"""<process id="p" isExecutable="true"><startEvent id="start"/><intermediateCatchEvent id="wait"><timerEventDefinition>
<timeDuration>PT2S</timeDuration></timerEventDefinition></intermediateCatchEvent><endEvent id="end"/>
<sequenceFlow id="f1" sourceRef="start" targetRef="wait"/><sequenceFlow id="f2" sourceRef="wait" targetRef="end"/></process></definitions>"""
)
PEOPLE = 1000
JOBS = cast(sa.Table, Job.__table__)
CHUNK = 5000
IDLE = 20.0
"""Seconds that the runner is looked at while nothing is due."""
TIMERS = 20

manifest = trellis.Manifest(name="bench", title=Text("Bench"), version="1.0", package="json")


@trellis.hookimpl
def trellis_processes() -> list[Process]:
    found = ((NAME, DIAGRAM), ("bench.waits", WAITS), ("bench.fires", FIRES))
    return [Process(name=name, title=Text(name), diagram=diagram) for name, diagram in found]


def fill(workspace: Workspace, actor: Actor, number: int) -> None:
    """Copies of one instance that waits, each with its task and the job of its timer."""
    with workspace.write() as session:
        first = Engine(Records(session, workspace.edition(session), actor)).start("bench.waits")
        instance = dict(session.execute(sa.select(INSTANCES).where(INSTANCES.c.id == first)).mappings().one())
        step = dict(session.execute(sa.select(STEPS).where(STEPS.c.instance_id == first)).mappings().one())
        job = dict(
            session.execute(sa.select(JOBS).where(Job.kind == TIMER_JOB).order_by(Job.id.desc()).limit(1))
            .mappings()
            .one()
        )
    for row in (instance, step, job):
        del row["id"]
    top = int(first or 0)
    for start in range(1, number, CHUNK):
        ids = [top + place for place in range(start, min(start + CHUNK, number))]
        with workspace.write() as session:
            session.execute(sa.insert(INSTANCES), [{**instance, "id": 10_000_000 + one} for one in ids])
            steps = [{**step, "instance_id": 10_000_000 + one, "person_id": 2 + one % PEOPLE} for one in ids]
            session.execute(sa.insert(STEPS), steps)
            jobs = [{**job, "arguments": {"instance": 10_000_000 + one}} for one in ids]
            session.execute(sa.insert(JOBS), jobs)


def idle(installation: Installation) -> float:
    """The share of a core that a runner takes while nothing is due."""
    runner = Runner(installation, JOB_KINDS)
    thread = runner.start()
    time.sleep(2)
    begun, clock = time.process_time(), time.perf_counter()
    time.sleep(IDLE)
    used = (time.process_time() - begun) / (time.perf_counter() - clock)
    runner.stop()
    thread.join()
    return used


def lateness(installation: Installation, workspace: Workspace, actor: Actor) -> list[float]:
    """Seconds between when timers are due and when their instances have ended."""
    runner = Runner(installation, JOB_KINDS)
    thread = runner.start()
    with workspace.write() as session:
        engine = Engine(Records(session, workspace.edition(session), actor))
        started = [engine.start("bench.fires") for _number in range(TIMERS)]
        wanted = sa.select(ProcessInstance.id, ProcessInstance.due_at).where(ProcessInstance.id.in_(started))
        due = {number: at for number, at in session.execute(wanted) if at is not None}
    ended: dict[int, datetime] = {}
    until = datetime.now(UTC) + timedelta(minutes=2)
    while len(ended) < TIMERS and datetime.now(UTC) < until:
        time.sleep(0.1)
        with workspace.read() as session:
            found = sa.select(ProcessInstance.id, ProcessInstance.ended_at).where(
                ProcessInstance.id.in_(started), ProcessInstance.ended_at.is_not(None)
            )
            ended |= {number: at for number, at in session.execute(found) if at is not None}
    runner.stop()
    thread.join()
    return sorted((at - due[number]).total_seconds() for number, at in ended.items())


def listed(workspace: Workspace, actor: Actor) -> float:
    """Milliseconds in which the tasks of one person are listed."""
    times = []
    for _round in range(20):
        with workspace.read() as session:
            begun = time.perf_counter()
            Tasks(Records(session, workspace.edition(session), actor)).mine(50)
            times.append((time.perf_counter() - begun) * 1000)
    return min(times)


def told(name: str, installation: Installation, workspace: Workspace, actor: Actor) -> None:
    """Prints one line of figures."""
    whole(workspace, actor)
    cores = max(rate(whole, workspace, actor, 100)[1] for _round in range(3))
    late = lateness(installation, workspace, actor)
    print(
        f"{name}: idle runner {idle(installation):.1%} of a core; {len(late)} timers fired "
        f"{statistics.median(late):.2f} s late, at most {late[-1]:.2f} s; {cores:.0f} instances a second of core; "
        f"my tasks in {listed(workspace, actor):.1f} ms",
        flush=True,
    )


def main() -> None:
    given = arguments(size=100_000)
    with installed(given.database) as (installation, workspace):
        installation.plugins.add(sys.modules[__name__])
        enable(workspace, "bench")
        person = add_user(installation, workspace, "bench@example.com", "Bench", ["manager"])
        actor = Actor(user_id=person, name="Bench", roles=("manager",), administrator=True)
        told(f"{given.database}, nothing waits", installation, workspace, actor)
        fill(workspace, actor, given.size)
        told(f"{given.database}, {given.size} wait", installation, workspace, actor)


if __name__ == "__main__":
    main()
