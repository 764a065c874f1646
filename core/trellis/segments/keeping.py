"""Writing down who entered and who left: the members, their history, and the event log.

``segment.entered`` and ``segment.left`` are events of the record, with the segment's name as the change. When a segment is
counted for the first time nobody enters it: its members are there, and its history begins, with nobody where it is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.records.bulk import insert_rows
from trellis.records.events import ENTERED, LEFT
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.types import JsonData
from trellis.security.actor import SYSTEM, Actor
from trellis.segments.tables import SEGMENT_EVENT
from trellis.system import Event

_member = SEGMENT_MEMBER.c
_event = SEGMENT_EVENT.c
_EVENT = cast(sa.Table, Event.__table__)
AT_ONCE = 500
NOBODY = 0
"""Stands for a record where the history of a segment begins empty."""
ACTS: Mapping[int, str] = {1: ENTERED, -1: LEFT}
Move = tuple[str, int]
"""A segment, and a record that enters or leaves it."""


def apply_difference(
    session: Session, segment: Segment, belong: sa.Select[Any], now: datetime, by: Actor = SYSTEM
) -> tuple[int, int]:
    """Makes those the members whom one query finds; how many entered and left. The log says by whom."""
    before = session.scalar(sa.select(sa.func.coalesce(sa.func.max(_event.id), 0)))
    begun = session.scalar(sa.select(_event.id).where(_event.segment == segment.name).limit(1)) is not None
    belong = belong.add_columns(sa.literal_column("1").label("side"))
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
        session.execute(
            sa.delete(SEGMENT_MEMBER).where(_member.segment == segment.name, _member.record_id.in_(left))
        )
    if begun and numbers:
        _log_history(session, segment, ours, by)
    if not begun and not numbers:
        begins = {"segment": segment.name, "record_id": NOBODY, "change": 0, "at": now}
        session.execute(sa.insert(SEGMENT_EVENT).values(begins))
    return numbers.get(1, 0), numbers.get(-1, 0)


def _log_history(session: Session, segment: Segment, ours: sa.ColumnElement[bool], by: Actor) -> None:
    """Puts entries of the history into the event log."""
    fixed = _fixed(segment.entity, by)
    said = {act: sa.literal(_said(segment.name, act), JsonData) for act in ACTS.values()}
    logged = sa.select(
        *(sa.literal(value, _EVENT.c[name].type) for name, value in fixed.items()),
        _event.at,
        _event.record_id,
        sa.case((_event.change == 1, ENTERED), else_=LEFT),
        sa.case((_event.change == 1, said[ENTERED]), else_=said[LEFT]),
    ).where(ours)
    columns = [*fixed, "at", "record_id", "action", "changes"]
    session.execute(sa.insert(_EVENT).from_select(columns, logged))


def apply_moves(
    session: Session, entity: str, entering: Sequence[Move], leaving: Sequence[Move], now: datetime
) -> list[tuple[int, Move]]:
    """Lets records in (1) and out (-1); who moved. What another transaction did in the meantime is neither done nor told twice."""
    done = [(1, one) for one in _let_in(session, entering, now)]
    done += [(-1, one) for one in _let_out(session, leaving)]
    if not done:
        return []
    history = [{"segment": name, "record_id": record, "change": side} for side, (name, record) in done]
    insert_rows(session, SEGMENT_EVENT, {"at": now}, history)
    logged = [
        {"record_id": record, "action": ACTS[side], "changes": _said(name, ACTS[side])}
        for side, (name, record) in done
    ]
    insert_rows(session, _EVENT, {**_fixed(entity), "at": now}, logged)
    return done


def _let_in(session: Session, moves: Sequence[Move], now: datetime) -> Iterator[Move]:
    dialect = session.get_bind().dialect.name
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    for some in _parts(moves):
        rows = [{"segment": name, "record_id": record, "entered_at": now} for name, record in some]
        statement = insert(SEGMENT_MEMBER).values(rows).on_conflict_do_nothing()
        yield from (
            tuple(row) for row in session.execute(statement.returning(_member.segment, _member.record_id))
        )


def _let_out(session: Session, moves: Sequence[Move]) -> Iterator[Move]:
    for some in _parts(moves):
        wanted = sa.tuple_(_member.segment, _member.record_id).in_(some)
        statement = sa.delete(SEGMENT_MEMBER).where(wanted)
        yield from (
            tuple(row) for row in session.execute(statement.returning(_member.segment, _member.record_id))
        )


def _parts(moves: Iterable[Move]) -> Iterator[list[Move]]:
    waiting = iter(moves)
    while some := list(islice(waiting, AT_ONCE)):
        yield some


def _fixed(entity: str, by: Actor = SYSTEM) -> dict[str, Any]:
    return {"actor_id": by.user_id, "actor_name": by.name, "source": by.source, "entity": entity}


def _said(name: str, act: str) -> dict[str, list[str | None]]:
    return {"segment": [None, name] if act == ENTERED else [name, None]}
