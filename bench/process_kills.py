"""Random SIGKILLs of what runs processes: each instance ends once, no step is done twice, no mail leaves twice, no timer is lost.

    uv run python -m bench.process_kills --kills 30 --database postgresql

Programs that create customers, complete tasks and work through the queue (two at once on PostgreSQL) are killed at random moments,
also while they start. Each customer starts a process with services, a wait for an event, a timer, a mail, a task of a person and an
element that runs several times. After the last kill one of them works to the end, and everything is counted. The seed is printed.
Ends with 1 when something is lost or doubled.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import trellis
from aiosmtpd.controller import Controller
from sqlalchemy.orm import Session
from trellis.config import Config
from trellis.contributions import Process
from trellis.enabling import enable
from trellis.errors import TrellisError
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner, queue
from trellis.process.tables import OPEN, ProcessInstance
from trellis.process.tasks import Tasks
from trellis.records.door import Records
from trellis.security.actor import SYSTEM, Actor
from trellis.workspace import Workspace

from bench.kept import DAILY
from bench.server import free_port
from bench.setting import installed

NAME = "bench.round"
DIAGRAM = Path(__file__).parent / "round.bpmn"
NOTES = Counter(["one", "two", "two", "two"])
"""What the steps of one instance write."""
LONGEST_LIFE = 12.0
"""Seconds that a program lives at most before it is killed."""
LEASE = timedelta(seconds=5)
LONGEST_END = 900.0
MOST = 400
"""Customers that are made in all."""

manifest = trellis.Manifest(name="bench", title=Text("Bench"), version="1.0", package="json")


@trellis.hookimpl
def trellis_processes() -> list[Process]:
    return [
        Process(
            name=NAME, title=Text("Round"), diagram=DIAGRAM, entity="customer", managers=["administrator"]
        )
    ]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--work", nargs=3, metavar=("HOME", "URL", "SMTP"))
    asked = parser.parse_args()
    if asked.work:
        work(*asked.work)
        return 0
    print(f"{asked.kills} kills on {asked.database}, seed {asked.seed}", flush=True)
    post = Post()
    port = free_port()
    mails = Controller(post, hostname="127.0.0.1", port=port)
    mails.start()
    try:
        with installed(asked.database) as (installation, workspace):
            installation.plugins.add(sys.modules[__name__])
            enable(workspace, "bench")
            smtp = f"smtp://127.0.0.1:{port}"
            _kill(installation, smtp, asked.kills, random.Random(asked.seed))
            _finish(installation, workspace, smtp)
            found = list(problems(workspace, post.taken))
    finally:
        mails.stop()
    print("\n".join(found) or "every instance ended once, no step and no mail is doubled, no timer lost")
    return 1 if found else 0


class Post:
    """A mail server that counts what it takes, by subject."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        lines = envelope.content.decode().splitlines()
        self.taken[next(line for line in lines if line.startswith("Subject: "))] += 1
        return "250 OK"


def work(home: str, url: str, smtp: str) -> None:
    """One program: it makes customers and completes tasks while a runner works, until it is killed."""
    sys.modules.setdefault("bench.process_kills", sys.modules[__name__])
    config = Config(home=Path(home), database_url=url)
    installation = Installation(config)
    mailing = {"smtp_url": smtp, "mail_from": "crm@acme.test", "url": "https://acme.test"}
    installation.config = dataclasses.replace(config, **mailing)
    installation.plugins.add(sys.modules[__name__])
    queue.LEASE, queue.RENEWED_EVERY = LEASE, LEASE / 5
    workspace = installation.workspace("bench")
    Runner(installation, JOB_KINDS, threads=2).start()
    person = threading.Thread(target=_complete, args=[workspace], daemon=True)
    person.start()
    chance = random.Random()
    while True:
        with workspace.write() as session:
            records = Records(session, workspace.edition(session), SYSTEM)
            if records.count("customer") < MOST:
                records.create("customer", {"name": f"K{time.time_ns()}", "email": "k@x.test"})
        time.sleep(chance.uniform(0, 0.2))


def _complete(workspace: Workspace) -> None:
    """A person who does whatever waits."""
    actor = Actor(user_id=1, name="Bench", roles=("administrator",), administrator=True)
    while True:
        time.sleep(0.2)
        with workspace.read() as session:
            tasks = Tasks(Records(session, workspace.edition(session), actor)).mine(20)
        for task in tasks:
            try:
                with workspace.write() as session:
                    Tasks(Records(session, workspace.edition(session), actor)).complete(task.id, {})
            except TrellisError:
                continue  # somebody else was faster


def _start(installation: Installation, smtp: str) -> subprocess.Popen[bytes]:
    config = installation.config
    told = [
        sys.executable,
        "-m",
        "bench.process_kills",
        "--work",
        str(config.home),
        config.database_url,
        smtp,
    ]
    return subprocess.Popen(told, start_new_session=True, stderr=subprocess.DEVNULL)


def _kill(installation: Installation, smtp: str, kills: int, chance: random.Random) -> None:
    programs = 2 if installation.config.on_postgresql else 1
    running = [_start(installation, smtp) for _number in range(programs)]
    for number in range(1, kills + 1):
        time.sleep(chance.uniform(0.2, LONGEST_LIFE))
        place = chance.randrange(programs)
        os.killpg(running[place].pid, signal.SIGKILL)
        running[place].wait()
        running[place] = _start(installation, smtp)
        if number % 10 == 0:
            print(f"{number} kills", flush=True)
    for one in running:
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()


def _finish(installation: Installation, workspace: Workspace, smtp: str) -> None:
    """Works to the end: no instance is open, and no job waits but those of every night."""
    last = _start(installation, smtp)
    until = time.monotonic() + LONGEST_END
    waiting = sa.select(sa.func.count()).select_from(Job)
    waiting = waiting.where(Job.finished_at.is_(None), Job.kind.not_in(DAILY))
    running = sa.select(sa.func.count()).where(ProcessInstance.state.in_(OPEN))
    try:
        while time.monotonic() < until:
            time.sleep(1)
            with workspace.read() as session:
                made = Records(session, workspace.edition(session), SYSTEM).count("customer")
                if made >= MOST and not session.scalar(waiting) and not session.scalar(running):
                    return
    finally:
        os.killpg(last.pid, signal.SIGKILL)
        last.wait()


def problems(workspace: Workspace, taken: Counter[str]) -> Iterator[str]:
    """What is lost or doubled."""
    with workspace.read() as session:
        customers = set(session.scalars(sa.text("SELECT id FROM customer")))
        rows = session.execute(sa.select(ProcessInstance.record_id, ProcessInstance.state)).all()
        instances = Counter(record for record, _state in rows)
        states = Counter(state for _record, state in rows)
        lost = set(session.scalars(sa.text("SELECT name FROM customer"))) - {one.split()[1] for one in taken}
        unsure = _unsure(session)
        notes: dict[int, Counter[str]] = {}
        for customer, subject in session.execute(sa.text("SELECT customer_id, subject FROM activity")):
            notes.setdefault(customer, Counter())[subject] += 1
    print(
        f"{len(customers)} customers, instances {dict(states)}, {sum(taken.values())} mails, "
        f"{len(lost)} not sent again because they may have left",
        flush=True,
    )
    if instances != Counter(customers):
        yield f"{len(customers - set(instances))} customers without an instance, {sum((instances - Counter(customers)).values())} twice"
    if set(states) != {"done"}:
        yield f"not all instances have ended: {dict(states)}"
    wrong = [one for one in customers if notes.get(one) != NOTES]
    if wrong:
        yield f"{len(wrong)} instances did not do each step once: {notes.get(wrong[0])}"
    twice = [subject for subject, number in taken.items() if number > 1]
    if twice:
        yield f"{len(twice)} mails were sent twice"
    if len(lost) > unsure:
        yield f"{len(lost)} mails were not sent, and only {unsure} jobs say why"


def _unsure(session: Session) -> int:
    """Jobs of mails that ended because their mail may have left."""
    found = sa.select(sa.func.count()).where(Job.kind == "process_mail", Job.state == "failed")
    return session.scalar(found) or 0


if __name__ == "__main__":
    sys.exit(main())
