"""Membership follows each write, in its transaction, for the records concerned alone.

A write concerns the records to which the sources of the segments lead (:mod:`trellis.segments.sources`): the customer of an
order, before and after. What it costs depends on how many these are, not on how much was ever written. Where one write
concerns many records, as in an import or when a unit changes its name, they are left to the next time that all is counted,
which is cheaper then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.driver import run
from trellis.edition import Edition
from trellis.kpi.periods import today_in
from trellis.plugins import CORE
from trellis.process import listening
from trellis.records.events import Change, Saved
from trellis.records.joins import source
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.prepared import Prepared, Unprepared
from trellis.segments import telling
from trellis.segments.belonging import belonging
from trellis.segments.keeping import Move, apply_moves
from trellis.segments.sources import Source, Step, in_order, named_in, sources_by_entity

log = logging.getLogger(__name__)

MOST = 200
"""Records that are counted anew within one write."""
_AMONG, _SAVED, _BETWEEN = "among", "following", ","

_member = SEGMENT_MEMBER.c
Concerned = dict[str, set[int]]
"""The ids of the records concerned, by segment."""


def follow(event: Saved, touched: Sequence[int] = ()) -> None:
    """Brings the segments up to date with a write. ``touched`` are customers whose figures the write has changed."""
    edition = event.edition
    concerned: Concerned = {}
    known: dict[tuple[Any, ...], set[int]] = {}
    for one, segment in sources_by_entity(edition).get(event.entity, ()):
        changes = [change for change in event.changes if _matters(change, one)]
        key = (one.steps, tuple(change.id for change in changes))
        if changes and key not in known:
            known[key] = _reached(event, changes, one.steps)
        if changes and known[key]:
            concerned.setdefault(segment.name, set()).update(known[key])
    if touched:
        for segment in _of_figures(edition):
            concerned.setdefault(segment.name, set()).update(touched)
    recount(event.session, edition, concerned)
    _forget(event)


def recount(session: Session, edition: Edition, concerned: Concerned, today: date | None = None) -> None:
    """Looks anew whether these records belong to these segments, and to those that ask for them."""
    if not concerned:
        return
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    for round_ in _rounds(edition):
        for entity in dict.fromkeys(one.entity for one in round_):
            some = [one for one in round_ if one.entity == entity and concerned.get(one.name)]
            ids = sorted(set().union(*(concerned[one.name] for one in some)))
            if not ids or len(ids) > MOST:
                continue
            for name, record in _recounted(session, edition, some, ids, today):
                for asking in _asking(edition).get(name, ()):
                    concerned.setdefault(asking, set()).add(record)


def _recounted(
    session: Session, edition: Edition, segments: Sequence[Segment], ids: Sequence[int], today: date
) -> list[Move]:
    """Those who entered or left, with the segments."""
    rows = _asked(session, edition, segments, ids, today)
    if rows is None or any(not row[-1] for row in rows):
        return []
    names = [one.name for one in segments]
    wanted = {(name, row[0]) for row in rows for name, inside in zip(names, row[1:-2], strict=True) if inside}
    before = {(name, row[0]) for row in rows for name in (row[-2] or "").split(_BETWEEN) if name}
    gone = set(ids).difference(row[0] for row in rows)
    before |= _members(session, names, gone) if gone else set()
    entering, leaving = sorted(wanted - before), sorted(before - wanted)
    if entering or leaving:
        moved = apply_moves(session, segments[0].entity, entering, leaving, datetime.now(UTC))
        listening.note_moved(session, edition, moved)
        telling.tell_moves(session, edition, [move for side, move in moved if side == 1])
    return [*entering, *leaving]


def _members(session: Session, segments: Sequence[str], ids: Iterable[int]) -> set[Move]:
    """Which of the segments hold which of the records."""
    inside = sa.select(_member.segment, _member.record_id).where(
        _member.record_id.in_(sorted(ids)), _member.segment.in_(segments)
    )
    return {(row[0], row[1]) for row in session.execute(inside)}


def _asked(
    session: Session, edition: Edition, segments: Sequence[Segment], ids: Sequence[int], today: date
) -> Sequence[Any] | None:
    """A row of :func:`_wanted` for each record that is there.

    What a plugin's select does wrong is no reason to refuse the write: None, and all is counted later.
    """
    connection, names = session.connection(), tuple(one.name for one in segments)
    dialect = connection.dialect
    key = ("belonging", today, names, dialect, len(ids) == 1)
    statement = edition.cached(key, lambda: _wanted(edition, segments, today, dialect, one=len(ids) == 1))

    def ask() -> Sequence[Any]:
        if isinstance(statement, Prepared):
            return statement.rows(connection, ids)
        return session.execute(statement, {_AMONG: ids}).all()

    if all(one.rule is not None or one.listed or one.owner == CORE for one in segments):
        return ask()
    run(
        connection, f"SAVEPOINT {_SAVED}"
    )  # the end of the transaction releases it, without a message for that
    try:
        return ask()
    except sa.exc.SQLAlchemyError:
        run(connection, f"ROLLBACK TO SAVEPOINT {_SAVED}")
        log.exception("the segments %s did not follow a write", ", ".join(names))
        return None


def _wanted(
    edition: Edition, segments: Sequence[Segment], today: date, dialect: Dialect, *, one: bool
) -> Prepared | sa.Select[Any]:
    """Whether records belong to each segment; which of them hold it; whether not all are counted beside this write.

    Then all will be once more; SQLite has one writer. A statement for ``one`` record is prepared, where it can be.
    """
    among = sa.bindparam(_AMONG, None if one else [], sa.BigInteger(), expanding=not one)
    statement = belonging(edition, segments, today, among)
    held = sa.select(sa.func.aggregate_strings(_member.segment, _BETWEEN)).where(
        _member.record_id == statement.selected_columns[0],
        _member.segment.in_([segment.name for segment in segments]),
    )
    key = sa.func.hashtext(sa.func.current_schema()), sa.func.hashtext("segments")
    free = sa.true() if dialect.name == "sqlite" else sa.func.pg_try_advisory_xact_lock_shared(*key)
    whole = statement.add_columns(held.scalar_subquery(), free.label("free"))
    try:
        return Prepared(whole, [among], dialect) if one else whole
    except Unprepared:
        return _wanted(edition, segments, today, dialect, one=False)


def _forget(event: Saved) -> None:
    """Takes records that went to the bin out of the segments that do not follow writes."""
    gone = [change.id for change in event.changes if change.action == "deleted"]
    if not gone:
        return
    found = sources_by_entity(event.edition).values()
    following = {segment.name for sources in found for _one, segment in sources}
    names = [
        name
        for name, one in event.edition.all(Segment).items()
        if one.entity == event.entity and name not in following
    ]
    leaving = sorted(_members(event.session, names, gone)) if names else []
    apply_moves(event.session, event.entity, [], leaving, datetime.now(UTC))


def _matters(change: Change, one: Source) -> bool:
    """Whether a change of a record can move somebody. Records that come or go always can."""
    return change.action != "updated" or one.any_field or not one.fields.isdisjoint(change.changes)


def _reached(event: Saved, changes: Sequence[Change], steps: Sequence[Step]) -> set[int]:
    """The records to which the steps lead from those that were written, as they refer now and as they did before."""
    ids = {change.id for change in changes}
    for index, step in enumerate(steps):
        if step.held and not index:
            ids = _held(event, changes, step)
        else:
            ids = set(event.session.scalars(_following(event.edition, step, ids)))
        if len(ids) > MOST:
            return set()
    return ids


def _held(event: Saved, changes: Sequence[Change], step: Step) -> set[int]:
    """What the field refers to, and did before the write."""
    name, read = step.field.name, step.field.type.check
    found = {read(value) for change in changes for value in change.changes.get(name, ())}
    rest = [one.id for one in changes if name not in one.changes and one.action != "created"]
    if rest:
        found.update(event.session.scalars(_following(event.edition, step, rest)))
    return found - {None}


def _following(edition: Edition, step: Step, ids: Iterable[int]) -> sa.Select[Any]:
    """One step: the records that hold a reference to ``ids``, or that these refer to."""
    entity = source(edition.entity(step.field.entity).entity)
    reference = step.field.of(entity)
    if step.held:
        return sa.select(reference).where(entity.id.in_(sorted(ids)), reference.is_not(None)).distinct()
    return sa.select(entity.id).where(reference.in_(sorted(ids))).limit(MOST + 1)


def _of_figures(edition: Edition) -> Sequence[Segment]:
    """The segments of customers that read what Trellis keeps on them: purchases, revenue, scores."""

    def make() -> list[Segment]:
        kept = {one.name for one in edition.entity("customer").fields.values() if one.read_only}
        found: list[Segment] = []
        for one, segment in sources_by_entity(edition).get("customer", ()):
            reads = one.any_field or not kept.isdisjoint(one.fields)
            if segment.entity == "customer" and not one.steps and reads and segment not in found:
                found.append(segment)
        return found

    return edition.cached("segments of figures", make)  # type: ignore[no-any-return]


def _asking(edition: Edition) -> dict[str, list[str]]:
    """The segments whose rules ask for a segment, by its name."""

    def make() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for segment in edition.all(Segment).values():
            for name in named_in(edition, segment):
                found.setdefault(name, []).append(segment.name)
        return found

    return edition.cached("segments asking", make)  # type: ignore[no-any-return]


def _rounds(edition: Edition) -> list[list[Segment]]:
    """The segments in groups, each asking only for those of the groups before it."""

    def make() -> list[list[Segment]]:
        place: dict[str, int] = {}
        for one in in_order(edition, list(edition.all(Segment).values())):
            place[one.name] = max((place[name] + 1 for name in named_in(edition, one)), default=0)
        rounds = range(max(place.values(), default=-1) + 1)
        return [[edition.all(Segment)[name] for name, at in place.items() if at == each] for each in rounds]

    return edition.cached("segment rounds", make)  # type: ignore[no-any-return]
