"""The audit trail: everything that was written in a workspace, filtered; for administrators."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.jobs import Work, enqueue
from trellis.records.events import ENTERED, LEFT
from trellis.records.export_job import told
from trellis.records.setup import KINDS
from trellis.records.tables import writing
from trellis.security.actor import Actor
from trellis.system import Event

KIND = "audit"
AT_ONCE = 1000
SET_UP = "setup"
"""What stands for all kinds of set-up where an entity is asked for."""
SOURCES = ("web", "rest", "cli", "import", "process", "system")
ACTIONS = ("created", "updated", "deleted", "restored", "erased", ENTERED, LEFT)

COLUMNS = ("id", "at", "actor_id", "actor_name", "source", "entity", "record_id", "action", "changes")

_event = Event.__table__.c


@dataclass(frozen=True, kw_only=True)
class Trail:
    """Which entries: by whom, of which entity and record, which act, through which face, from and before which moment.

    ``field`` are those that changed this field.
    """

    actor_id: int | None = None
    entity: str | None = None
    record_id: int | None = None
    action: str | None = None
    source: str | None = None
    field: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    def page(
        self, session: Session, actor: Actor, limit: int, below: int | None = None
    ) -> list[dict[str, Any]]:
        """The newest entries, or those before the entry ``below``. Raises PermissionRefused."""
        actor.require_administrator()
        query = sa.select(Event.__table__).where(*self._conditions(session)).order_by(_event.id.desc())
        query = query.where(_event.id < below) if below else query
        return [dict(row) for row in session.execute(query.limit(limit)).mappings()]

    def all(self, session: Session, actor: Actor) -> Iterator[Mapping[str, Any]]:
        """All entries, the newest first, at flat memory. Raises PermissionRefused."""
        below = None
        while rows := self.page(session, actor, AT_ONCE, below):
            yield from rows
            below = rows[-1]["id"]

    def _conditions(self, session: Session) -> Iterator[sa.ColumnElement[bool]]:
        named = {
            "actor_id": self.actor_id,
            "record_id": self.record_id,
            "action": self.action,
            "source": self.source,
        }
        for name, value in named.items():
            if value is not None:
                yield _event[name] == value
        if self.entity is not None:
            yield _event.entity.in_(KINDS if self.entity == SET_UP else (self.entity,))
        if self.field is not None:
            yield _changed(session, self.field)
        # entries are numbered as time goes by, so a period is a range of numbers, and the list walks down the key
        if self.since is not None:
            first = sa.select(sa.func.min(_event.id)).where(_event.at >= self.since)
            yield _event.id >= sa.func.coalesce(session.scalar(first), sa.literal(2**62))
        if self.before is not None:
            last = sa.select(sa.func.max(_event.id)).where(_event.at < self.before)
            yield _event.id <= sa.func.coalesce(session.scalar(last), 0)


def start_export(session: Session, actor: Actor, trail: Trail, ending: str) -> int:
    """Puts an export of entries, ``csv`` or ``xlsx``, into the queue; returns the number of the job. Raises PermissionRefused."""
    actor.require_administrator()
    asked = {name: getattr(trail, name) for name in ("since", "before")}
    days = {name: moment.isoformat() for name, moment in asked.items() if moment is not None}
    return enqueue(session, KIND, {**dataclasses.asdict(trail), **days, "ending": ending}, actor.user_id)


def work(work: Work) -> None:
    """The job: all entries in a file."""
    asked = dict(work.arguments)
    ending = asked.pop("ending", "csv")  # those that waited through an upgrade have none
    days = {name: datetime.fromisoformat(asked[name]) for name in ("since", "before") if asked[name]}
    trail = Trail(**{**asked, **days})
    with TemporaryDirectory(prefix="trellis-audit-") as folder:
        path = Path(folder) / f"audit.{ending}"
        with work.workspace.read() as session, writing(path, COLUMNS) as write:
            for row in told(work, trail.all(session, work.actor), 0):
                write(row)
        work.finish_with(path, f"audit-{work.workspace.name}.{ending}")


def _changed(session: Session, field: str) -> sa.ColumnElement[bool]:
    if session.get_bind().dialect.name == "postgresql":
        return _event.changes.op("?")(field)
    return sa.func.json_type(_event.changes, f'$."{field}"').is_not(None)
