"""A workspace whose administrator draws processes, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner
from trellis.process.engine import Engine
from trellis.process.moving import Moving
from trellis.process.own import Draft, OwnProcesses
from trellis.process.tables import ProcessInstance
from trellis.process.tasks import Tasks
from trellis.records.door import Records
from trellis.security.identities import add_user
from trellis.security.recognition import by_email
from trellis.workspace import Workspace


class Office:
    """A workspace with an administrator, who draws processes."""

    def __init__(self, installation: Installation, workspace: Workspace) -> None:
        self.installation, self.workspace = installation, workspace
        add_user(installation, workspace, "admin@acme.test", "Ada", ["administrator"])

    @contextmanager
    def door(self) -> Iterator[Records]:
        with self.workspace.write() as session:
            known = by_email(self.workspace, session, "admin@acme.test", "web")
            assert known is not None
            yield Records(session, known.edition, known.actor)

    @contextmanager
    def drafts(self) -> Iterator[OwnProcesses]:
        with self.door() as door:
            yield OwnProcesses(door.session, door.edition, door.actor)

    def publish(self, title: str, diagram: bytes, **said: object) -> str:
        with self.drafts() as drafts:
            name = drafts.create(Draft(title=title, **said), diagram).name  # type: ignore[arg-type]
            drafts.publish(name)
        return name

    def redraw(self, name: str, diagram: bytes) -> None:
        with self.drafts() as drafts:
            drafts.save(name, Draft.from_json(drafts.get(name).draft), diagram)
            drafts.publish(name)

    def start(self, name: str, record: int | None = None) -> int:
        with self.door() as door:
            return Engine(door).start(name, record) or 0

    def do(self, element: str) -> None:
        with self.door() as door:
            tasks = Tasks(door)
            tasks.complete(next(one.id for one in tasks.mine(50) if one.element == element), {})

    def move(self, instance: int) -> None:
        with self.door() as door:
            Moving(door).move(instance)

    def instances(self) -> list[ProcessInstance]:
        with self.workspace.read() as session:
            found = list(session.scalars(sa.select(ProcessInstance).order_by(ProcessInstance.id)))
            session.expunge_all()
            return found

    def work(self) -> int:
        return Runner(self.installation, JOB_KINDS).drain()
