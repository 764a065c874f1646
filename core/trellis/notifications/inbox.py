"""What somebody was told: how much of it is unread, the newest first, and marking it as read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import NotificationKind
from trellis.edition import Edition
from trellis.errors import RecordNotFound
from trellis.i18n import translator
from trellis.notifications.tables import Notification
from trellis.notifications.words import sentence
from trellis.records.prepared import Fixed
from trellis.records.query import ListQuery
from trellis.security.actor import Actor

_ = translator("trellis")

MOST_COUNTED = 100
KEPT = timedelta(days=180)

_note = Notification.__table__.c
_me = sa.bindparam("me", 0, sa.BigInteger())
_COUNTED = Fixed(
    sa.select(sa.func.count()).select_from(
        sa.select(_note.id)
        .where(_note.user_id == _me, _note.in_app, _note.read_at.is_(None))
        .limit(MOST_COUNTED)
        .subquery()
    ),
    _me,
)  # each page counts: building the statement takes longer than running it


@dataclass(frozen=True)
class Entry:
    """A notification as its reader sees it. ``path`` is where it leads, inside the workspace; empty when nowhere any more."""

    id: int
    kind: NotificationKind
    at: datetime
    text: str
    path: str
    entity: str | None
    record_id: int | None
    read: bool


class Inbox:
    """The notifications of one person, in the app."""

    def __init__(self, session: Session, edition: Edition, actor: Actor) -> None:
        self._session = session
        self._edition = actor.sees(edition)
        self._actor = actor

    def unread(self) -> int:
        """How many are unread, up to :data:`MOST_COUNTED`."""
        ((number,),) = _COUNTED.rows(self._session.connection(), self._actor.user_id)
        return int(number)

    def page(self, limit: int, before: int | None = None, *, unread: bool = False) -> list[Entry]:
        """The newest, or those before a number; of kinds that this edition has."""
        known = list(self._edition.all(NotificationKind))
        query = sa.select(Notification.__table__).where(*self._mine(), _note.kind.in_(known))
        query = query.where(_note.id < before) if before is not None else query
        query = query.where(_unread()) if unread else query
        return self.entries(self._session.execute(query.order_by(_note.id.desc()).limit(limit)).all())

    def entries(self, rows: Sequence[Any]) -> list[Entry]:
        """Rows as their reader sees them: one query for each entity that they are about."""
        titles = self._titles(rows)
        return [self._entry(row, titles) for row in rows]

    def find(self, number: int) -> Entry:
        """One of them. Raises RecordNotFound."""
        query = sa.select(Notification.__table__).where(*self._mine(), _note.id == number)
        row = self._session.execute(query).first()
        if row is None or row.kind not in self._edition.all(NotificationKind):
            raise RecordNotFound()
        return self.entries([row])[0]

    def mark(self, number: int, *, read: bool = True) -> None:
        """Marks one as read or as unread. Raises RecordNotFound."""
        self.find(number)
        self._write([_note.id == number], datetime.now(UTC) if read else None)

    def mark_all(self) -> None:
        """Marks all as read."""
        self._write([_unread()], datetime.now(UTC))

    def _write(self, where: Iterable[sa.ColumnElement[bool]], read_at: datetime | None) -> None:
        statement = sa.update(Notification).where(*self._mine(), *where).values(read_at=read_at)
        self._session.execute(statement.execution_options(synchronize_session=False))

    def _mine(self) -> list[sa.ColumnElement[bool]]:
        return [_note.user_id == self._actor.user_id, _note.in_app]

    def _titles(self, rows: Sequence[Any]) -> dict[tuple[str, int], str]:
        """What the records are called that the reader may see now."""
        wanted: dict[str, set[int]] = {}
        for row in rows:
            if row.entity in self._edition.entities and self._actor.may(row.entity, "read"):
                wanted.setdefault(row.entity, set()).add(row.record_id)
        found = {}
        for entity, ids in wanted.items():
            view = self._edition.entity(entity)
            fields = [name for name in (view.info.title_field,) if name in view.fields]
            query = ListQuery(
                view, self._edition, self._actor, ids=sorted(ids), fields=fields, limit=len(ids)
            )
            for record in query.page(self._session).items:
                title = record.titles.get(view.info.title_field) or record.values.get(view.info.title_field)
                found[entity, record.id] = str(title) if title is not None else f"#{record.id}"
        return found

    def _entry(self, row: Any, titles: dict[tuple[str, int], str]) -> Entry:
        kind = self._edition.all(NotificationKind)[row.kind]
        about = None if row.entity is None else (row.entity, row.record_id)
        if about is not None and about not in titles:
            text, path = str(_("This was about a record that is not there for you any more")), ""
        else:
            view = self._edition.entity(row.entity) if about is not None else None
            title = titles[about] if about is not None else ""
            text = sentence(kind, row.told, row.who, title, str(view.info.title) if view else "")
            path = row.path or (f"{row.entity}/{row.record_id}" if about is not None else "")
        return Entry(row.id, kind, row.at, text, path, row.entity, row.record_id, row.read_at is not None)


def _unread() -> sa.ColumnElement[bool]:
    return _note.read_at.is_(None)


def forget_old(session: Session) -> None:
    """Removes what was told long ago."""
    session.execute(sa.delete(Notification).where(_note.at < datetime.now(UTC) - KEPT))
