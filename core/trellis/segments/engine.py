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
from trellis.errors import PermissionRefused, TrellisError
from trellis.i18n import plural_translator, translator
from trellis.kpi.periods import today_in
from trellis.plugins import Fault
from trellis.records.entity import Entity
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.types import DateTime
from trellis.security.actor import SYSTEM, Actor
from trellis.security.field_rights import closed_segments
from trellis.segments.belonging import candidates
from trellis.segments.keeping import apply_difference
from trellis.segments.sources import in_order

_ = translator("trellis")
_n = plural_translator("trellis")

_member = SEGMENT_MEMBER.c


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


class SegmentWithheld(PermissionRefused):
    """Segments that are decided by records which are less open to the reader than the members."""

    def __init__(self, edition: Edition, *names: str) -> None:
        deciding = {one for name in names for one in closed_segments(edition)[name]}
        kinds = sorted(str(edition.whole.entity(one).info.plural) for one in deciding)
        super().__init__(
            _n(
                "%(num)s segment is not shown: records decide who is in it (%(kinds)s) that your role does not all open as "
                "widely as those which are in it. An administrator can change it under Users and roles.",
                "%(num)s segments are not shown: records decide who is in them (%(kinds)s) that your role does not all open "
                "as widely as those which are in them. An administrator can change it under Users and roles.",
                len(names),
                kinds=", ".join(kinds),
            )
        )


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
    """The segment of that name, or :class:`SegmentNotFound`; :class:`SegmentWithheld` where it is not for this reader."""
    segments = edition.all(Segment)
    if name in closed_segments(edition):
        raise SegmentWithheld(edition, name)
    if name not in segments:
        raise SegmentNotFound(name, sorted(segments))
    return segments[name]


def refresh(
    session: Session,
    edition: Edition,
    names: Iterable[str] | None = None,
    *,
    today: date | None = None,
    now: datetime | None = None,
    by: Actor = SYSTEM,
) -> Refreshed:
    """Brings membership up to date. A segment that fails is left as it was, and reported with its plugin.

    Who enters or leaves does so ``by`` somebody's hand, or as the rules say.
    """
    lock(session)
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    segments = (
        list(edition.all(Segment).values()) if names is None else [find(edition, name) for name in names]
    )
    done = Refreshed()
    for segment in in_order(edition, segments):
        try:
            with session.begin_nested():
                belong = candidates(edition, segment, today)
                moved = apply_difference(session, segment, belong, now or datetime.now(UTC), by)
            done.changes[segment.name] = moved
        except Exception as error:  # a select is code of a plugin: it may raise anything
            done.faults.append(Fault.of(segment.owner, "trellis_segments", error))
    return done


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
            query = query.where(_member.record_id == entity.id, *readable(entity, actor))
        counted |= {row[0]: row[1] for row in session.execute(query.group_by(_member.segment))}
        everyone = sa.select(sa.func.count()).select_from(entity).where(*readable(entity, actor))
        totals[name] = session.scalar(everyone) or 0
    return [
        SegmentSize(
            segment=one,
            members=counted.get(one.name, 0),
            share=share_of(counted.get(one.name, 0), totals[one.entity]),
        )
        for one in wanted
        if one.entity in totals
    ]


def members(edition: Edition, actor: Actor, name: str) -> sa.Select[Any]:
    """The ids of the members that the reader may see, also as a filter: ``Customer.id.in_(members(...))``."""
    segment = find(edition, name)
    entity = edition.entity(segment.entity).entity
    ids = sa.select(_member.record_id).where(_member.segment == name, _member.record_id == entity.id)
    return ids.where(*readable(entity, actor))


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A segment that a record is in, and since when."""

    segment: Segment
    since: datetime

    def to_json(self) -> dict[str, Any]:
        """One row of the segments of a record."""
        return {
            "segment": self.segment.name,
            "title": str(self.segment.title),
            "plugin": self.segment.owner,
            "since": DateTime().to_json(self.since),
        }


def memberships(
    session: Session, edition: Edition, actor: Actor, entity: str, record_id: int
) -> list[Membership]:
    """The segments that one record is in, in the order in which plugins brought them."""
    if not actor.may(entity, "read"):
        return []
    known = {name: one for name, one in edition.all(Segment).items() if one.entity == entity}
    query = sa.select(_member.segment, _member.entered_at)
    query = query.where(_member.record_id == record_id, _member.segment.in_(list(known)))
    entered: dict[str, datetime] = {row[0]: row[1] for row in session.execute(query)}
    return [Membership(segment=one, since=entered[name]) for name, one in known.items() if name in entered]


def readable(entity: type[Entity], actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return entity.deleted_at.is_(None), actor.visible(entity)


def share_of(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def lock(session: Session) -> None:
    """One refresh at a time, while no write follows. To be taken before rows are locked. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            sa.text("SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext('segments'))")
        )
