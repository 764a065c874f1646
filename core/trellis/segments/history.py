"""How segments changed: who entered and left between two moments, and how large a segment was over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.edition import Edition
from trellis.records.days import local_day
from trellis.records.events import ENTERED, LEFT
from trellis.records.types import DateTime
from trellis.security.actor import Actor
from trellis.segments.engine import find, members, readable
from trellis.segments.tables import SEGMENT_EVENT
from trellis.system import Event

_event = SEGMENT_EVENT.c


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day on which somebody entered or left, and the size at its end."""

    day: date
    entered: int
    left: int
    size: int

    def to_json(self) -> dict[str, Any]:
        """One row of the history."""
        return {"day": self.day.isoformat(), "entered": self.entered, "left": self.left, "size": self.size}


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A record that entered (or left) a segment: by the hand of somebody (``by``), or as its rule says."""

    record_id: int
    entered: bool
    at: datetime
    by: str | None

    def to_json(self) -> dict[str, Any]:
        """One row of ``moves``."""
        at = DateTime().to_json(self.at)
        return {"record_id": self.record_id, "entered": self.entered, "at": at, "by": self.by}


def history(session: Session, edition: Edition, actor: Actor, name: str, since: date) -> list[Day]:
    """The days since ``since`` on which the segment changed, of the records that the reader may see now."""
    segment = find(edition, name)
    entity = edition.entity(segment.entity).entity
    day = local_day(_event.at, edition.settings.timezone)
    entered, left = _counts()
    query = sa.select(day, entered, left).where(_event.segment == name).group_by(day).order_by(day.desc())
    query = query.where(_event.record_id == entity.id, *readable(entity, actor))
    size = (
        session.scalar(sa.select(sa.func.count()).select_from(members(edition, actor, name).subquery())) or 0
    )
    found = []
    for row in session.execute(query.where(day >= since)):
        found.append(Day(day=row[0], entered=row[1], left=row[2], size=size))
        size += row[2] - row[1]
    return found[::-1]


def latest(session: Session, edition: Edition, actor: Actor, name: str, limit: int = 20) -> list[Moved]:
    """Those who entered or left last, of the records that the reader may see; the newest first."""
    segment = find(edition, name)
    entity = edition.entity(segment.entity).entity
    query = sa.select(_event.record_id, _event.change, _event.at).where(_event.segment == name)
    query = query.where(_event.record_id == entity.id, *readable(entity, actor))
    rows = session.execute(query.order_by(_event.at.desc(), _event.id.desc()).limit(limit)).all()
    by = _by_hand(session, segment, {row[0] for row in rows}, {row[2] for row in rows})
    return [
        Moved(record_id=record, entered=change > 0, at=at, by=by.get((record, at)))
        for record, change, at in rows
    ]


def _by_hand(
    session: Session, segment: Segment, records: set[int], moments: set[datetime]
) -> dict[tuple[int, datetime], str]:
    """Who put records into a list and took them out of it, as the event log has it."""
    if not segment.listed or not records:
        return {}
    query = sa.select(Event.record_id, Event.at, Event.actor_name).where(
        Event.entity == segment.entity,
        Event.record_id.in_(records),
        Event.action.in_((ENTERED, LEFT)),
        Event.at.in_(moments),
        Event.actor_id.is_not(None),
    )
    return {(row[0] or 0, row[1]): row[2] for row in session.execute(query)}


def _counts() -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
    return sa.func.count().filter(_event.change == 1), sa.func.count().filter(_event.change == -1)


def movements(
    session: Session, edition: Edition, actor: Actor, since: datetime, until: datetime | None = None
) -> dict[str, tuple[int, int]]:
    """How many of the records that the reader may see entered and left each segment between two moments."""
    found: dict[str, tuple[int, int]] = {}
    for name in dict.fromkeys(
        one.entity for one in edition.all(Segment).values() if actor.may(one.entity, "read")
    ):
        entity = edition.entity(name).entity
        segments = [one.name for one in edition.all(Segment).values() if one.entity == name]
        entered, left = _counts()
        query = sa.select(_event.segment, entered, left).where(
            _event.segment.in_(segments), _event.at >= since
        )
        query = query.where(_event.record_id == entity.id, *readable(entity, actor)).group_by(_event.segment)
        if until is not None:
            query = query.where(_event.at < until)
        found |= {row[0]: (row[1], row[2]) for row in session.execute(query)}
    return found
