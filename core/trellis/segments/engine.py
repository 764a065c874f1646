"""The segment engine: computes membership set-based, keeps who entered and left, answers within rights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.guard import limited
from trellis.i18n import translator
from trellis.kpi.periods import today_in
from trellis.plugins import CORE, Fault
from trellis.records.entity import Entity
from trellis.records.events import Saved
from trellis.records.rules import RuleContext, matching, parse
from trellis.security.actor import SYSTEM, Actor
from trellis.segments.query import SegmentQuery
from trellis.segments.tables import SEGMENT_EVENT, SEGMENT_MEMBER

_ = translator("trellis")

_member = SEGMENT_MEMBER.c
_event = SEGMENT_EVENT.c


class SegmentNotFound(TrellisError):
    """The edition has no segment of this name."""

    status = 404
    code = "segment_not_found"

    def __init__(self, name: str, known: list[str]) -> None:
        close = get_close_matches(name, known, 1, 0.5)
        if close:
            text = _(
                "There is no segment “%(name)s” in this edition; did you mean “%(close)s”?",
                name=name[:80],
                close=close[0],
            )
        else:
            listed = ", ".join(known)
            text = _(
                "There is no segment “%(name)s” in this edition; there are: %(known)s",
                name=name[:80],
                known=listed,
            )
        super().__init__(text)


@dataclass(frozen=True, kw_only=True)
class SegmentSize:
    """How many records of a segment the reader may see, and their share of all that the reader may see."""

    segment: Segment
    members: int
    share: float | None

    def to_json(self) -> dict[str, Any]:
        """One row of the answer of ``segment W``."""
        return {
            "segment": self.segment.name,
            "title": str(self.segment.title),
            "plugin": self.segment.owner,
            "entity": self.segment.entity,
            "members": self.members,
            "share": self.share,
        }


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a refresh did: by segment, how many entered and left; and the segments that failed."""

    changes: dict[str, tuple[int, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def find(edition: Edition, name: str) -> Segment:
    """The segment of that name, or :class:`SegmentNotFound`."""
    segments = edition.all(Segment)
    if name not in segments:
        raise SegmentNotFound(name, sorted(segments))
    return segments[name]


def candidates(edition: Edition, segment: Segment, today: date) -> sa.Select[Any]:
    """The ids of the records that belong to a segment now."""
    view = edition.entity(segment.entity)
    entity = view.entity
    ids = sa.select(entity.id.label("id")).where(entity.deleted_at.is_(None))
    select = segment.select
    if select is not None:
        query = SegmentQuery(edition, today)
        members = select(query) if segment.owner == CORE else limited(lambda: select(query))
        return ids.where(entity.id.in_(members))
    if segment.rule is None:
        raise TypeError(f"the segment {segment.name} needs a rule or a select")
    context = RuleContext(edition=edition, actor=SYSTEM, today=today)
    return matching(ids, parse(segment.rule, view, edition), view, context)


def refresh(
    session: Session,
    edition: Edition,
    names: Iterable[str] | None = None,
    *,
    today: date | None = None,
    now: datetime | None = None,
) -> Refreshed:
    """Brings membership up to date. A segment that fails is left as it was, and reported with its plugin."""
    _lock(session)
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    segments = (
        list(edition.all(Segment).values()) if names is None else [find(edition, name) for name in names]
    )
    done = Refreshed()
    for segment in segments:
        try:
            with session.begin_nested():
                done.changes[segment.name] = _refresh(
                    session, edition, segment, today, now or datetime.now(UTC)
                )
        except Exception as error:  # a select is code of a plugin: it may raise anything
            done.faults.append(Fault.of(segment.owner, "trellis_segments", error))
    return done


def _refresh(
    session: Session, edition: Edition, segment: Segment, today: date, now: datetime
) -> tuple[int, int]:
    """One evaluation of the segment: its difference from the members is logged, then applied from the log."""
    before = session.scalar(sa.select(sa.func.coalesce(sa.func.max(_event.id), 0)))
    belong = candidates(edition, segment, today).add_columns(sa.literal_column("1").label("side"))
    known = sa.select(_member.record_id, sa.literal_column("-1")).where(_member.segment == segment.name)
    both = sa.union_all(belong, known).subquery("both")
    side = sa.func.sum(both.c.side)
    changed = (
        sa.select(sa.literal(segment.name), both.c.id, side, sa.literal(now, _event.at.type))
        .group_by(both.c.id)
        .having(side != 0)
    )
    session.execute(sa.insert(SEGMENT_EVENT).from_select(["segment", "record_id", "change", "at"], changed))
    ours = sa.and_(_event.id > before, _event.segment == segment.name)
    counted = sa.select(_event.change, sa.func.count()).where(ours).group_by(_event.change)
    numbers: dict[int, int] = {row[0]: row[1] for row in session.execute(counted)}
    if numbers.get(1):
        entered = sa.select(_event.segment, _event.record_id, _event.at).where(ours, _event.change == 1)
        columns = ["segment", "record_id", "entered_at"]
        session.execute(sa.insert(SEGMENT_MEMBER).from_select(columns, entered))
    if numbers.get(-1):
        left = sa.select(_event.record_id).where(ours, _event.change == -1)
        session.execute(_removed(segment.name, left))
    return numbers.get(1, 0), numbers.get(-1, 0)


def _removed(name: str, ids: Any) -> sa.Delete:
    return sa.delete(SEGMENT_MEMBER).where(_member.segment == name, _member.record_id.in_(ids))


def forget(event: Saved) -> None:
    """Takes records that went to the bin out of their segments, in the transaction of the write."""
    gone = [change.id for change in event.changes if change.action == "deleted"]
    names = [one.name for one in event.edition.all(Segment).values() if one.entity == event.entity]
    if not gone or not names:
        return
    inside = sa.and_(_member.segment.in_(names), _member.record_id.in_(gone))
    now = sa.literal(datetime.now(UTC), _event.at.type)
    left = sa.select(_member.segment, _member.record_id, sa.literal_column("-1"), now).where(inside)
    columns = ["segment", "record_id", "change", "at"]
    event.session.execute(sa.insert(SEGMENT_EVENT).from_select(columns, left))
    event.session.execute(sa.delete(SEGMENT_MEMBER).where(inside))


def sizes(
    session: Session, edition: Edition, actor: Actor, names: Sequence[str] | None = None
) -> list[SegmentSize]:
    """The sizes of the segments that the reader may know of, in the order in which plugins brought them.

    Two queries for each entity that has segments, however many there are.
    """
    wanted = (
        [find(edition, name) for name in names] if names is not None else list(edition.all(Segment).values())
    )
    counted: dict[str, int] = {}
    totals: dict[str, int] = {}
    for name in dict.fromkeys(segment.entity for segment in wanted if actor.may(segment.entity, "read")):
        entity = edition.entity(name).entity
        segments = [segment.name for segment in wanted if segment.entity == name]
        query = sa.select(_member.segment, sa.func.count()).where(_member.segment.in_(segments))
        if not actor.sees_all(name):
            query = query.where(_member.record_id == entity.id, *_readable(entity, actor))
        counted |= {row[0]: row[1] for row in session.execute(query.group_by(_member.segment))}
        everyone = sa.select(sa.func.count()).select_from(entity).where(*_readable(entity, actor))
        totals[name] = session.scalar(everyone) or 0
    return [
        SegmentSize(
            segment=one,
            members=counted.get(one.name, 0),
            share=_share(counted.get(one.name, 0), totals[one.entity]),
        )
        for one in wanted
        if one.entity in totals
    ]


def members(edition: Edition, actor: Actor, name: str) -> sa.Select[Any]:
    """The ids of the members that the reader may see, also as a filter: ``Customer.id.in_(members(...))``."""
    segment = find(edition, name)
    entity = edition.entity(segment.entity).entity
    ids = sa.select(_member.record_id).where(_member.segment == name, _member.record_id == entity.id)
    return ids.where(*_readable(entity, actor))


def segments_of(
    session: Session, edition: Edition, actor: Actor, entity: str, record_id: int
) -> list[Segment]:
    """The segments that one record is in."""
    names = [one.name for one in edition.all(Segment).values() if one.entity == entity]
    query = sa.select(_member.segment).where(_member.record_id == record_id, _member.segment.in_(names))
    found = set(session.scalars(query)) if actor.may(entity, "read") else set()
    return [segment for name, segment in edition.all(Segment).items() if name in found]


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
        entered = sa.func.count().filter(_event.change == 1)
        left = sa.func.count().filter(_event.change == -1)
        query = sa.select(_event.segment, entered, left).where(
            _event.segment.in_(segments), _event.at >= since
        )
        query = query.where(_event.record_id == entity.id, *_readable(entity, actor)).group_by(_event.segment)
        if until is not None:
            query = query.where(_event.at < until)
        found |= {row[0]: (row[1], row[2]) for row in session.execute(query)}
    return found


def _readable(entity: type[Entity], actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return entity.deleted_at.is_(None), actor.visible(entity)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _lock(session: Session) -> None:
    """One refresh at a time. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            sa.text("SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext('segments'))")
        )
