"""A workspace with processes that run in it, for tests."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from samples import plugin
from trellis.contributions import Operation, Process, Segment
from trellis.enabling import enable
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.process.engine import Engine
from trellis.process.tables import ProcessInstance
from trellis.process.tasks import Tasks
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.security.recognition import by_email
from trellis.workspace import Workspace

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class World:
    """The workspace, with processes named ``probe.<name>`` about customers, and people in it."""

    def __init__(self, installation: Installation, workspace: Workspace) -> None:
        self.installation, self.workspace = installation, workspace
        self.processes: dict[str, Process] = {}
        self.operations: list[Operation] = []
        self.segments: list[Segment] = []
        self.sent: list[str] = []
        self._module = plugin(
            "probe",
            trellis_processes=lambda: list(self.processes.values()),
            trellis_operations=lambda: self.operations,
            trellis_segments=lambda: self.segments,
        )
        installation.plugins.add(self._module)

    def bring(self, **diagrams: bytes | Process) -> None:
        """Enables the plugin with these processes, or gives it new ones."""
        for name, one in diagrams.items():
            made = (
                one
                if isinstance(one, Process)
                else Process(name=f"probe.{name}", title=Text(name.title()), diagram=one, entity="customer")
            )
            self.processes[made.name] = made
        enable(self.workspace, "probe")
        with self.workspace.write() as session:
            self.workspace.save_settings(session, {})

    def user(self, email: str, *roles: str) -> int:
        return add_user(self.installation, self.workspace, email, email.partition("@")[0].title(), roles)

    def door(self, session: Any, email: str = "") -> Records:
        if not email:
            return Records(session, self.workspace.edition(session), SYSTEM)
        known = by_email(self.workspace, session, email, "rest")
        assert known is not None
        return Records(session, known.edition, known.actor)

    def customer(self, **values: Any) -> int:
        with self.workspace.write() as session:
            return self.door(session).create("customer", {"name": "Ann", **values}).id

    def start(self, name: str, record: int | None, email: str = "", **given: Any) -> int:
        with self.workspace.write() as session:
            return Engine(self.door(session, email)).start(f"probe.{name}", record, given) or 0

    def tasks(self, email: str) -> list[str]:
        with self.workspace.read() as session:
            return [one.element for one in Tasks(self.door(session, email)).mine(50)]

    def do(self, email: str, element: str, **values: Any) -> None:
        with self.workspace.write() as session:
            tasks = Tasks(self.door(session, email))
            step = next(one.id for one in tasks.mine(50) if one.element == element)
            tasks.complete(step, values)

    def instance(self, number: int) -> ProcessInstance:
        with self.workspace.read() as session:
            found = session.get_one(ProcessInstance, number)
            session.expunge(found)
            return found

    def instances(self) -> list[ProcessInstance]:
        with self.workspace.read() as session:
            found = list(session.scalars(sa.select(ProcessInstance).order_by(ProcessInstance.id)))
            session.expunge_all()
            return found

    def later(self) -> None:
        """As if time had gone by: what a timer waits for is due, and workers did what is due."""
        with self.workspace.write() as session:
            for one in session.scalars(sa.select(ProcessInstance).where(ProcessInstance.flow != b"")):
                one.flow = _earlier(one.flow)
            session.execute(sa.update(Job).where(Job.finished_at.is_(None)).values(due_at=LONG_AGO))
        self.work()

    def work(self) -> int:
        return Runner(self.installation, JOB_KINDS).drain()


def _earlier(flow: bytes) -> bytes:
    return re.sub(rb'"event_value":"20\d\d', b'"event_value":"2020', flow)
