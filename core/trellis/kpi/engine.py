"""The KPI engine: values, series, strips, breakdowns and the records behind them. Each KPI is one statement.

A series of a KPI with an entity and a date is split by time inside its own select; otherwise each period is asked for by
itself, in one statement. What it comes to where there is nothing at all (0 orders, no average) is asked along with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from trellis.contributions import Kpi, Unit
from trellis.edition import Edition
from trellis.guard import limited
from trellis.kpi.catalogue import find
from trellis.kpi.income import IncomeDay
from trellis.kpi.periods import Period, today_in
from trellis.kpi.query import KpiQuery
from trellis.kpi.results import KpiResult, Point, Share, Value, number
from trellis.kpi.splits import PERSON, UNIT, Split, grouped, split_of
from trellis.kpi.targets import Targets, targets
from trellis.plugins import CORE
from trellis.records.days import bucket
from trellis.security.actor import Actor

SPARKLINE = 12

_EMPTY, _COMPARED = -2, -3
_FEW = 2
"""So many periods are asked for one by one: each is a short stretch of an index, and nothing need be grouped."""
_Row = tuple[Any, int]


def value(
    session: Session,
    edition: Edition,
    actor: Actor,
    name: str,
    period: Period,
    by: str | None = None,
    today: date | None = None,
) -> KpiResult:
    """A KPI in a period, with the period before, the target, and its breakdown ``by`` unit, segment ..."""
    kpi = find(edition, name)
    split = split_of(edition, kpi, by) if by else None
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    planned = targets(session, [kpi], [period])
    (result,) = _results(session, edition, actor, [kpi], period.until(2), planned, today)
    shares = _shares(session, edition, actor, kpi, period, today, split, planned) if split else ()
    return _with(result, points=(), by=by, breakdown=shares)


def strip(
    session: Session,
    edition: Edition,
    actor: Actor,
    names: Sequence[str],
    period: Period,
    *,
    points: int = SPARKLINE,
    today: date | None = None,
) -> list[KpiResult]:
    """Several KPIs in a period, each with its last ``points`` periods: a query for each, and one for the targets."""
    kpis = [find(edition, name) for name in names]
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    periods = period.until(max(points, 2))
    return _results(session, edition, actor, kpis, periods, targets(session, kpis, periods), today)


def series(
    session: Session,
    edition: Edition,
    actor: Actor,
    name: str,
    periods: Sequence[Period],
    today: date | None = None,
) -> list[Point]:
    """A KPI over several periods, in the order given."""
    kpi = find(edition, name)
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    rows = _measure(session, edition, actor, kpi, periods, None, today)
    return _points(kpi, periods, rows, targets(session, [kpi], periods))


def _select(kpi: Kpi, query: KpiQuery) -> sa.Select[Any]:
    """The statement that the code of a KPI builds."""
    return kpi.select(query) if kpi.owner == CORE else limited(lambda: kpi.select(query))


def records(
    edition: Edition, actor: Actor, name: str, period: Period, by: str | None = None, key: Any = None
) -> tuple[str, sa.Select[Any]] | None:
    """The records behind a figure: their entity, and a select of their ids. None where it is counted as a whole."""
    kpi = find(edition, name)
    if kpi.entity is None:
        return None
    query = KpiQuery(edition, actor, [period], period.last)
    ids: Any = IncomeDay.customer_id if issubclass(kpi.entity, IncomeDay) else kpi.entity.id
    statement = _select(kpi, query).with_only_columns(ids, maintain_column_froms=True).distinct()
    if by is not None:
        split = split_of(edition, kpi, by)
        statement = statement.where(
            *split.conditions, split.key.is_(None) if key is None else split.key == key
        )
    return str(_entity_name(kpi)), statement


def drill_rule(
    edition: Edition, kpi: Kpi, period: Period, split: Split | None = None, key: Any = None
) -> Mapping[str, Any] | None:
    """The rule that lists the records of a period and of a row of a breakdown. None where there is none."""
    if (
        kpi.entity is None
        or not isinstance(kpi.date, InstrumentedAttribute)
        or kpi.date.class_ is not kpi.entity
    ):
        return None
    if kpi.entity is IncomeDay:
        return None
    start, end = period.bounds(kpi.date, ZoneInfo(edition.settings.timezone))
    rules: list[Mapping[str, Any]] = [
        {"field": kpi.date.key, "op": "gte", "value": start.isoformat().replace("+00:00", "Z")},
        {"field": kpi.date.key, "op": "lt", "value": end.isoformat().replace("+00:00", "Z")},
    ]
    if split is not None:
        if split.field is None:
            return None
        empty = {"field": split.field, "op": "is_empty"}
        rules.append(empty if key is None else {"field": split.field, "op": "eq", "value": key})
    return {"all": rules}


def _results(
    session: Session,
    edition: Edition,
    actor: Actor,
    kpis: Sequence[Kpi],
    periods: Sequence[Period],
    planned: Targets,
    today: date,
) -> list[KpiResult]:
    """The last of ``periods`` for each KPI, compared with the one before it."""
    period, before = periods[-1], periods[-2]
    partial = period.is_partial(today)
    compared = before.beginning(period.elapsed(today).days) if partial else None
    results = []
    for kpi in kpis:
        rows = _measure(session, edition, actor, kpi, periods, compared, today)
        points = _points(kpi, periods, rows, planned)
        results.append(
            KpiResult(
                kpi=kpi,
                period=period,
                value=points[-1].value,
                previous=_value(kpi, rows, _COMPARED) if partial else points[-2].value,
                target=points[-1].target,
                currency=edition.settings.currency if kpi.unit is Unit.MONEY else "",
                partial=partial,
                points=points,
                foreign=_row(rows, len(periods) - 1)[1],
                entity=_entity_name(kpi),
                rule=drill_rule(edition, kpi, period),
            )
        )
    return results


def _with(result: KpiResult, **changes: Any) -> KpiResult:
    return KpiResult(**{**vars(result), **changes})


def _measure(
    session: Session,
    edition: Edition,
    actor: Actor,
    kpi: Kpi,
    periods: Sequence[Period],
    compared: Period | None,
    today: date,
) -> dict[int, _Row]:
    """(value, rows in other currencies) by index of period; ``compared`` and the empty value have their own numbers."""

    def ask(wanted: Sequence[Period], index: Any) -> sa.Select[Any]:
        query = KpiQuery(edition, actor, wanted, today)
        statement = _select(kpi, query)
        foreign = query.foreign if kpi.entity is not None else sa.literal_column("0", sa.Integer)
        return statement.add_columns(foreign.label("kpi_foreign"), index.label("kpi_bucket"))

    parts: list[sa.Select[Any]] = []
    if kpi.entity is not None and kpi.date is not None and len(periods) > _FEW:
        zone = ZoneInfo(edition.settings.timezone)
        place = bucket(kpi.date, [period.bounds(kpi.date, zone) for period in periods])
        parts.append(ask(periods, place).group_by("kpi_bucket"))
        parts.append(ask(periods[-1:], _constant(_EMPTY)).where(sa.false()))
    else:
        parts += [ask([period], _constant(index)) for index, period in enumerate(periods)]
    if compared is not None:
        parts.append(ask([compared], _constant(_COMPARED)))
    rows = session.execute(sa.union_all(*parts) if len(parts) > 1 else parts[0])
    return {row[2]: (row[0], row[1]) for row in rows}


def _constant(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(number), sa.Integer)


def _row(rows: Mapping[int, _Row], index: int) -> _Row:
    return rows.get(index) or rows.get(_EMPTY) or (None, 0)


def _value(kpi: Kpi, rows: Mapping[int, _Row], index: int) -> Value | None:
    return number(kpi.unit, _row(rows, index)[0])


def _points(kpi: Kpi, periods: Sequence[Period], rows: Mapping[int, _Row], planned: Targets) -> list[Point]:
    return [
        Point(period=period, value=_value(kpi, rows, index), target=number(kpi.unit, planned.of(kpi, period)))
        for index, period in enumerate(periods)
    ]


def _shares(
    session: Session,
    edition: Edition,
    actor: Actor,
    kpi: Kpi,
    period: Period,
    today: date,
    split: Split,
    planned: Targets,
) -> list[Share]:
    statement = grouped(_select(kpi, KpiQuery(edition, actor, [period], today)), split, edition, actor)
    shares = []
    for key, raw, name in session.execute(statement):
        plan = None
        if key is not None and split.by in (UNIT, PERSON):
            plan = planned.of(kpi, period, **{split.by: key})
        shares.append(
            Share(
                key=key,
                title=split.title(key, name),
                value=number(kpi.unit, raw),
                target=number(kpi.unit, plan),
            )
        )
    return shares


def _entity_name(kpi: Kpi) -> str | None:
    if kpi.entity is None:
        return None
    return "customer" if kpi.entity is IncomeDay else kpi.entity.__entity__.name  # type: ignore[union-attr]
