"""Measuring KPIs: one statement for a value, for a series, for a series broken down, and for many KPIs together.

A series of a KPI with an entity and a date is split by time inside its own select; otherwise each period is asked for by
itself, in one statement. What it comes to where there is nothing at all (0 orders, no average) is asked along with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from trellis.contributions import Kpi
from trellis.edition import OWN, Edition
from trellis.errors import TrellisError
from trellis.guard import limited, rows_of
from trellis.kpi.composite import evaluate, leaves
from trellis.kpi.periods import Period
from trellis.kpi.query import KpiQuery
from trellis.kpi.results import Value, number
from trellis.kpi.splits import Split, grouped, split_of, within
from trellis.plugins import CORE, Fault, note_fault
from trellis.records.days import bucket
from trellis.records.query import ListQuery
from trellis.records.types import FixedPoint, from_scaled
from trellis.security.actor import Actor

COMPARED = -3
_EMPTY = -2
_FEW = 2
"""So many periods are asked for one by one: each is a short stretch of an index, and nothing need be grouped."""
_TOGETHER = 120
"""Selects of one statement; a database takes some hundreds."""
_Key = tuple[str, tuple[Period, ...], tuple[Period, ...]]
Rows = Mapping[int, tuple[Any, int]]
"""(value, rows in other currencies) by index of period; those compared with count down from ``COMPARED``."""


@dataclass(frozen=True)
class Ask:
    """A KPI in each of ``periods``, which follow each other, and in those that it is ``compared`` with."""

    kpi: Kpi
    periods: tuple[Period, ...]
    compared: tuple[Period, ...] = ()

    @property
    def key(self) -> _Key:
        """What tells it from another."""
        return self.kpi.name, self.periods, self.compared

    @property
    def indexes(self) -> list[int]:
        """The index of each period in the rows of the answer."""
        return [*range(len(self.periods)), *(COMPARED - place for place in range(len(self.compared)))]


class _As(FunctionElement[Any]):
    """A value as the database has it, in a column that holds values of any type."""

    inherit_cache = True
    type = sa.types.NullType()


@compiles(_As, "sqlite")
def _as_it_is(element: _As, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(_As)
def _as_text(element: _As, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS TEXT)"


def select(kpi: Kpi, query: KpiQuery) -> sa.Select[Any]:
    """The statement that the code of a KPI builds."""
    build = kpi.select
    assert build is not None, f"{kpi.name} is a formula over other KPIs"
    return build(query) if kpi.owner == CORE else limited(lambda: build(query))


def measure(
    session: Session,
    edition: Edition,
    actor: Actor,
    kpi: Kpi,
    periods: Sequence[Period],
    today: date,
    compared: Sequence[Period] = (),
) -> Rows:
    """A KPI in each of ``periods``, which follow each other, and in those it is ``compared`` with, in one statement."""
    (rows,) = measure_all(session, edition, actor, [Ask(kpi, tuple(periods), tuple(compared))], today)
    return rows


def measure_all(
    session: Session, edition: Edition, actor: Actor, asks: Sequence[Ask], today: date
) -> list[Rows]:
    """Many KPIs, in as few statements as the database takes; the rows of each."""
    if len(asks) == 1 and asks[0].kpi.select is not None:
        return [_measured_alone(session, edition, actor, asks[0], today)]
    plain = [Ask(leaf, ask.periods, ask.compared) for ask in asks for leaf in leaves(edition, ask.kpi)]
    distinct = list({one.key: one for one in plain}.values())
    found = _measured_plain(session, edition, actor, distinct, today)
    return [found[ask.key] if ask.kpi.select is not None else _composed(edition, ask, found) for ask in asks]


def _measured_alone(session: Session, edition: Edition, actor: Actor, ask: Ask, today: date) -> Rows:
    selects = _selects(edition, actor, ask, today)
    rows = _rows(session, [ask.kpi], sa.union_all(*selects) if len(selects) > 1 else selects[0])
    return {row[2]: (row[0], row[1]) for row in rows}


def _measured_plain(
    session: Session, edition: Edition, actor: Actor, asks: Sequence[Ask], today: date
) -> dict[_Key, Rows]:
    if len(asks) == 1:
        return {asks[0].key: _measured_alone(session, edition, actor, asks[0], today)}
    if all(ask.kpi.owner in (CORE, OWN) for ask in asks):
        return _together(session, edition, actor, asks, today)
    try:
        with session.begin_nested():
            return _together(session, edition, actor, asks, today)
    except TrellisError:
        raise
    except Exception:  # one of them is at fault: which, each by itself tells
        return {ask.key: _if_sound(session, edition, actor, ask, today) for ask in asks}


def _together(
    session: Session, edition: Edition, actor: Actor, asks: Sequence[Ask], today: date
) -> dict[_Key, Rows]:
    found: dict[_Key, dict[int, tuple[Any, int]]] = {ask.key: {} for ask in asks}
    for chunk in _chunks([(ask, _selects(edition, actor, ask, today)) for ask in asks]):
        types = [selects[0].selected_columns[0].type for _ask, selects in chunk]
        parts = [part for place, (_ask, selects) in enumerate(chunk) for part in _untyped(selects, place)]
        for raw, foreign, index, place in _rows(session, [ask.kpi for ask, _ in chunk], sa.union_all(*parts)):
            found[chunk[place][0].key][index] = (_typed(session, types[place], raw), foreign)
    return dict(found)


def _if_sound(session: Session, edition: Edition, actor: Actor, ask: Ask, today: date) -> Rows:
    """A KPI by itself; nothing where the code of its plugin fails, which is noted as its fault."""
    try:
        with session.begin_nested():
            return _measured_alone(session, edition, actor, ask, today)
    except TrellisError:
        raise
    except Exception as error:  # a select is code of a plugin: it may raise anything
        if ask.kpi.owner in (CORE, OWN):
            raise
        note_fault(session, Fault.of(ask.kpi.owner, "trellis_kpis", error))
        return {}


def _rows(session: Session, kpis: Sequence[Kpi], statement: sa.Executable) -> Sequence[Any]:
    """The rows of a statement; within bounds of time where plugins have built a part of it."""
    if all(kpi.owner in (CORE, OWN) for kpi in kpis):
        return session.execute(statement).all()
    return rows_of(session, statement)


def _chunks(
    asked: Sequence[tuple[Ask, list[sa.Select[Any]]]],
) -> list[list[tuple[Ask, list[sa.Select[Any]]]]]:
    chunks: list[list[tuple[Ask, list[sa.Select[Any]]]]] = []
    number = _TOGETHER
    for ask, selects in asked:
        number += len(selects)
        if number > _TOGETHER:
            chunks.append([])
            number = len(selects)
        chunks[-1].append((ask, selects))
    return chunks


def _untyped(selects: Sequence[sa.Select[Any]], place: int) -> list[sa.Select[Any]]:
    """The selects with a value of any type, and the place of their KPI as the last column."""
    rows = [one.subquery() for one in selects]
    return [sa.select(_As(one.c[0]), one.c[1], one.c[2], _constant(place)) for one in rows]


def _typed(session: Session, kind: Any, raw: Any) -> Any:
    """What a value of any type was before it became so."""
    if raw is None:
        return None
    if isinstance(kind, FixedPoint) and session.get_bind().dialect.name == "sqlite":
        return from_scaled(raw)
    if isinstance(raw, str):
        return float(raw) if isinstance(kind, sa.Float) else Decimal(raw)
    return raw


def _composed(edition: Edition, ask: Ask, found: Mapping[_Key, Rows]) -> Rows:
    """The rows of a formula from those of its leaves."""
    parts = {one.name: one for one in leaves(edition, ask.kpi)}
    rows = {name: found[Ask(one, ask.periods, ask.compared).key] for name, one in parts.items()}
    answer = {}
    for index in ask.indexes:
        values = {name: measured(one, rows[name], index) for name, one in parts.items()}
        foreign = max((row_of(one, index)[1] for one in rows.values()), default=0)
        answer[index] = (evaluate(edition, ask.kpi, values), foreign)
    return answer


def _selects(edition: Edition, actor: Actor, ask: Ask, today: date) -> list[sa.Select[Any]]:
    """(value, rows in other currencies, index) of one KPI."""
    kpi, periods = ask.kpi, ask.periods

    def of(wanted: Sequence[Period], index: Any) -> sa.Select[Any]:
        query = KpiQuery(edition, actor, wanted, today, kpi.date)
        statement = select(kpi, query)
        foreign = query.foreign if kpi.entity is not None else sa.literal_column("0", sa.Integer)
        return statement.add_columns(foreign.label("kpi_foreign"), index.label("kpi_bucket"))

    parts: list[sa.Select[Any]] = []
    if _splits_by_time(kpi, periods):
        parts.append(of(periods, _bucket(edition, kpi, periods)).group_by("kpi_bucket"))
        parts.append(of(periods[-1:], _constant(_EMPTY)).where(sa.false()))
    else:
        parts += [of([period], _constant(index)) for index, period in enumerate(periods)]
    return parts + [of([one], _constant(COMPARED - index)) for index, one in enumerate(ask.compared)]


def measured(kpi: Kpi, rows: Rows, index: int) -> Value | None:
    """The value of one period among the ``rows`` of :func:`measure`."""
    return number(kpi.unit, row_of(rows, index)[0])


def row_of(rows: Rows, index: int) -> tuple[Any, int]:
    """One period among the ``rows`` of :func:`measure`."""
    return rows.get(index) or rows.get(_EMPTY) or (None, 0)


def measure_parts(
    session: Session,
    edition: Edition,
    actor: Actor,
    kpi: Kpi,
    periods: Sequence[Period],
    today: date,
    split: Split,
    only: tuple[str, Sequence[Any]] | None = None,
) -> dict[Any, tuple[str, dict[int, Any]]]:
    """Title and raw values by index of period, for each key of a breakdown; the largest first.

    With ``only`` = (breakdown, keys) no more is counted than is in those rows of another breakdown.
    """
    if kpi.select is None:
        return _composed_parts(session, edition, actor, kpi, periods, today, split, only)

    def counted(wanted: Sequence[Period]) -> sa.Select[Any]:
        statement = select(kpi, KpiQuery(edition, actor, wanted, today, kpi.date))
        return statement if only is None else within(edition, kpi, statement, *only)

    if _splits_by_time(kpi, periods):
        statement = counted(periods)
        parts = [grouped(statement, split, edition, actor, _bucket(edition, kpi, periods))]
    else:
        asked = ((index, counted([one])) for index, one in enumerate(periods))
        parts = [grouped(statement, split, edition, actor, _constant(index)) for index, statement in asked]
    found: dict[Any, tuple[str, dict[int, Any]]] = {}
    for part in parts:
        for key, raw, name, index in _rows(session, [kpi], part):
            if index >= 0:
                found.setdefault(key, (split.title(key, name), {}))[1][index] = raw
    return found


def measure_keys(
    session: Session,
    edition: Edition,
    actor: Actor,
    kpi: Kpi,
    period: Period,
    today: date,
    by: str,
    rule: Mapping[str, Any] | None = None,
) -> dict[Any, Value | None]:
    """A KPI in a period for each key of its breakdown ``by``, however many they are; of the records that fit ``rule`` alone."""
    if kpi.select is None:
        each = {one.name: one for one in leaves(edition, kpi)}
        parts = {
            name: measure_keys(session, edition, actor, one, period, today, by) for name, one in each.items()
        }
        without = {name: _without(session, edition, actor, one, period, today) for name, one in each.items()}
        keys = {key for values in parts.values() for key in values}
        return {
            key: evaluate(
                edition, kpi, {name: values.get(key, without[name]) for name, values in parts.items()}
            )
            for key in keys
        }
    split = split_of(edition, kpi, by)
    statement = select(kpi, KpiQuery(edition, actor, [period], today, kpi.date)).where(*split.conditions)
    if rule is not None:
        entity: Any = kpi.entity
        fitting = ListQuery(edition.entity(entity.__entity__.name), edition, actor, rule=rule)
        statement = statement.where(entity.id.in_(fitting.select(entity.id)))
    rows = _rows(session, [kpi], statement.add_columns(split.key.label("split_key")).group_by(split.key))
    return {key: number(kpi.unit, raw) for raw, key in rows}


def _without(
    session: Session, edition: Edition, actor: Actor, kpi: Kpi, period: Period, today: date
) -> Value | None:
    """What a KPI comes to where there are no records: a count or a sum is 0, an average has no value."""
    statement = select(kpi, KpiQuery(edition, actor, [period], today, kpi.date)).where(sa.false())
    rows = _rows(session, [kpi], statement)
    return number(kpi.unit, rows[0][0]) if rows else None


def _composed_parts(
    session: Session,
    edition: Edition,
    actor: Actor,
    kpi: Kpi,
    periods: Sequence[Period],
    today: date,
    split: Split,
    only: tuple[str, Sequence[Any]] | None,
) -> dict[Any, tuple[str, dict[int, Any]]]:
    """The breakdown of a formula from those of its leaves: for a key that one of them lacks, that has no records."""
    each = leaves(edition, kpi)
    without = {one.name: _without(session, edition, actor, one, periods[-1], today) for one in each}
    parts = {
        one.name: (
            one,
            measure_parts(
                session, edition, actor, one, periods, today, split_of(edition, one, split.by), only
            ),
        )
        for one in each
    }
    titles = {key: title for _one, rows in parts.values() for key, (title, _values) in rows.items()}
    found: dict[Any, tuple[str, dict[int, Any]]] = {}
    for key, title in titles.items():
        values = {}
        for index in range(len(periods)):
            given = {
                name: number(one.unit, rows[key][1][index])
                if key in rows and index in rows[key][1]
                else without[name]
                for name, (one, rows) in parts.items()
            }
            values[index] = evaluate(edition, kpi, given)
        found[key] = (title, values)
    return found


def _splits_by_time(kpi: Kpi, periods: Sequence[Period]) -> bool:
    return kpi.entity is not None and kpi.date is not None and len(periods) > _FEW


def _bucket(edition: Edition, kpi: Kpi, periods: Sequence[Period]) -> sa.ColumnElement[int]:
    zone = ZoneInfo(edition.settings.timezone)
    return bucket(kpi.date, [period.bounds(kpi.date, zone) for period in periods])


def _constant(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(number), sa.Integer)
