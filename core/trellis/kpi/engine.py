"""The KPI engine: values, series, strips, breakdowns and the records behind them. Each KPI is one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from trellis.contributions import Kpi, Unit
from trellis.edition import Edition
from trellis.kpi.catalogue import find
from trellis.kpi.forecast import outlook
from trellis.kpi.income import IncomeDay
from trellis.kpi.measuring import COMPARED, Rows, measure, measure_parts, measured, row_of, select
from trellis.kpi.periods import Period, today_in
from trellis.kpi.query import KpiQuery
from trellis.kpi.results import KpiResult, Part, Point, Share, Value, number
from trellis.kpi.splits import PERSON, UNIT, Split, grouped, split_of
from trellis.kpi.targets import Targets, targets
from trellis.security.actor import Actor

SPARKLINE = 12


def value(
    session: Session,
    edition: Edition,
    actor: Actor,
    name: str,
    period: Period,
    by: str | None = None,
    today: date | None = None,
) -> KpiResult:
    """A KPI in a period, with what it is compared with, target, forecast, and its breakdown ``by`` unit, segment ..."""
    kpi = find(edition, name)
    split = split_of(edition, kpi, by) if by else None
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    planned = targets(session, [kpi], [period], actor)
    periods = period.until(SPARKLINE + 1 if period.is_partial(today) else 2)
    (result,) = _results(session, edition, actor, [kpi], periods, planned, today, ahead=True)
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
    ahead: bool = False,
) -> list[KpiResult]:
    """Several KPIs in a period, each with its last ``points`` periods: a query for each, and one for the targets.

    With ``ahead`` a running period has its forecast, for one more query each.
    """
    kpis = [find(edition, name) for name in names]
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    periods = period.until(max(points, 2))
    return _results(
        session, edition, actor, kpis, periods, targets(session, kpis, periods, actor), today, ahead=ahead
    )


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
    rows = measure(session, edition, actor, kpi, periods, today)
    return _points(kpi, periods, rows, targets(session, [kpi], periods, actor))


def parts(
    session: Session,
    edition: Edition,
    actor: Actor,
    name: str,
    periods: Sequence[Period],
    by: str,
    today: date | None = None,
) -> list[Part]:
    """A KPI over several periods for each row of a breakdown, those that are largest now first."""
    kpi = find(edition, name)
    split = split_of(edition, kpi, by)
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    planned = targets(session, [kpi], periods, actor)
    measured_parts = measure_parts(session, edition, actor, kpi, periods, today, split)
    found = [
        Part(
            key=key,
            title=title,
            points=tuple(
                Point(
                    period=period,
                    value=number(kpi.unit, values.get(index)),
                    target=_target_of(planned, kpi, period, split, key),
                )
                for index, period in enumerate(periods)
            ),
        )
        for key, (title, values) in measured_parts.items()
    ]
    return sorted(found, key=lambda part: (part.points[-1].value is None, -float(part.points[-1].value or 0)))


def _target_of(planned: Targets, kpi: Kpi, period: Period, split: Split, key: Any) -> Value | None:
    """The target of a row of a breakdown; only units and people have some."""
    if key is None or split.by not in (UNIT, PERSON):
        return None
    return number(kpi.unit, planned.of(kpi, period, **{split.by: key}))


def records(
    edition: Edition, actor: Actor, name: str, period: Period, by: str | None = None, key: Any = None
) -> tuple[str, sa.Select[Any]] | None:
    """The records behind a figure: their entity, and a select of their ids. None where it is counted as a whole."""
    kpi = find(edition, name)
    if kpi.entity is None:
        return None
    query = KpiQuery(edition, actor, [period], period.last)
    ids: Any = IncomeDay.customer_id if issubclass(kpi.entity, IncomeDay) else kpi.entity.id
    statement = select(kpi, query).with_only_columns(ids, maintain_column_froms=True).distinct()
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
    *,
    ahead: bool = False,
) -> list[KpiResult]:
    """The last of ``periods`` for each KPI, compared with the one before it and that of the year before."""
    period = periods[-1]
    partial = period.is_partial(today)
    gone = period.elapsed(today).days if partial else period.days + 366
    compared = [one.beginning(gone) for one in (periods[-2], period.year_before)]
    results = []
    for kpi in kpis:
        rows = measure(session, edition, actor, kpi, periods, today, compared)
        points = _points(kpi, periods, rows, planned)
        known = (
            outlook(session, edition, actor, kpi, points[:-1], period, today) if ahead and partial else None
        )
        results.append(
            KpiResult(
                kpi=kpi,
                period=period,
                value=points[-1].value,
                previous=measured(kpi, rows, COMPARED),
                year_before=measured(kpi, rows, COMPARED - 1),
                forecast=known.of(kpi, points[-1].value) if known else None,
                target=points[-1].target,
                currency=edition.settings.currency if kpi.unit is Unit.MONEY else "",
                partial=partial,
                points=points,
                foreign=row_of(rows, len(periods) - 1)[1],
                entity=_entity_name(kpi),
                rule=drill_rule(edition, kpi, period),
            )
        )
    return results


def _with(result: KpiResult, **changes: Any) -> KpiResult:
    return KpiResult(**{**vars(result), **changes})


def _points(kpi: Kpi, periods: Sequence[Period], rows: Rows, planned: Targets) -> list[Point]:
    return [
        Point(
            period=period, value=measured(kpi, rows, index), target=number(kpi.unit, planned.of(kpi, period))
        )
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
    statement = grouped(select(kpi, KpiQuery(edition, actor, [period], today)), split, edition, actor)
    return [
        Share(
            key=key,
            title=split.title(key, name),
            value=number(kpi.unit, raw),
            target=_target_of(planned, kpi, period, split, key),
        )
        for key, raw, name in session.execute(statement)
    ]


def _entity_name(kpi: Kpi) -> str | None:
    if kpi.entity is None:
        return None
    return "customer" if kpi.entity is IncomeDay else kpi.entity.__entity__.name  # type: ignore[union-attr]
