"""The KPI engine: values, series, strips and breakdowns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from trellis.contributions import Kpi, Unit
from trellis.edition import Edition
from trellis.kpi import snapshots
from trellis.kpi.behind import drill_rule, entity_of
from trellis.kpi.catalogue import find
from trellis.kpi.composite import leaves
from trellis.kpi.forecast import outlooks
from trellis.kpi.measuring import COMPARED, Ask, Rows, measure_all, measure_parts, measured, row_of, select
from trellis.kpi.periods import Period, today_in
from trellis.kpi.query import KpiQuery
from trellis.kpi.reported import NOTHING_KEPT, Kept
from trellis.kpi.results import KpiResult, Part, Point, Share, Value, number
from trellis.kpi.splits import Split, split_of
from trellis.kpi.targets import DIMENSIONS, Targets, held_against
from trellis.security.actor import Actor

SPARKLINE = 12
_LEARNT_FROM = 12
"""So many periods before a running one its forecast is made of, whatever shows it."""


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
    planned = held_against(session, edition, [kpi], [period], actor)
    periods = period.until(_LEARNT_FROM + 1 if period.is_partial(today) else 2)
    (result,) = _results(session, edition, actor, [kpi], periods, planned, today, ahead=True)
    shares = _shares(session, edition, actor, kpi, period, today, split, planned) if split else ()
    kept = snapshots.kept(session, [kpi], [period], today) if actor.sees_everything else NOTHING_KEPT
    return _with(result, points=(), by=by, breakdown=shares, reported=kept.of(kpi, period))


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
    reported: bool = False,
) -> list[KpiResult]:
    """Several KPIs in a period, each with its last ``points`` periods, in a few queries for all together.

    With ``ahead`` a running period has its forecast. With ``reported`` closed periods are as they were reported
    (:mod:`trellis.kpi.snapshots`), for readers who see everything; what was not, is measured now.
    """
    kpis = [find(edition, name) for name in names]
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    shown = max(points, 2)
    learnt = _LEARNT_FROM + 1 if ahead and period.is_partial(today) else 0
    periods = period.until(max(shown, learnt))
    planned = held_against(session, edition, kpis, periods, actor)
    kept = NOTHING_KEPT
    if reported and actor.sees_everything:
        kept = snapshots.kept(session, kpis, [*periods, period.year_before], today)
    results = _results(session, edition, actor, kpis, periods, planned, today, ahead=ahead, kept=kept)
    return [_with(one, points=one.points[-shown:]) for one in results]


def series(
    session: Session,
    edition: Edition,
    actor: Actor,
    name: str,
    periods: Sequence[Period],
    today: date | None = None,
    *,
    reported: bool = False,
) -> list[Point]:
    """A KPI over several periods, in the order given; ``reported`` as for :func:`strip`."""
    kpi = find(edition, name)
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    kept = NOTHING_KEPT
    if reported and actor.sees_everything:
        kept = snapshots.kept(session, [kpi], periods, today)
    ask = Ask(kpi, kept.missing(kpi, periods))
    rows = measure_all(session, edition, actor, [ask], today)[0] if ask.periods else {}
    planned = held_against(session, edition, [kpi], periods, actor)
    return _points(ask, rows, periods, planned, kept)


def parts(
    session: Session,
    edition: Edition,
    actor: Actor,
    name: str,
    periods: Sequence[Period],
    by: str,
    today: date | None = None,
    only: tuple[str, Sequence[Any]] | None = None,
    *,
    reported: bool = False,
) -> list[Part]:
    """A KPI over several periods for each row of a breakdown, those that are largest now first.

    With ``only`` = (breakdown, keys) no more is counted than is in those rows of another breakdown. ``reported`` is as for
    :func:`strip`; it is kept of units and people.
    """
    kpi = find(edition, name)
    split = split_of(edition, kpi, by)
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    planned = held_against(session, edition, [kpi], periods, actor)
    rows = measure_parts(session, edition, actor, kpi, periods, today, split, only)
    kept = {}
    if reported and actor.sees_everything and only is None:
        kept = snapshots.kept_parts(session, kpi, periods, by, today)
    for key, _code in kept:  # a row whose records have all gone
        rows.setdefault(key, (split.title(key, None), {}))
    found = [
        Part(
            key=key,
            title=title,
            points=tuple(
                Point(
                    period=period,
                    value=told.value if told else number(kpi.unit, values.get(index)),
                    target=_target_of(planned, kpi, period, split, key),
                    recounted=told.recounted if told else None,
                )
                for index, period in enumerate(periods)
                for told in [kept.get((key, period.code))]
            ),
        )
        for key, (title, values) in rows.items()
    ]
    return sorted(found, key=lambda part: (part.points[-1].value is None, -float(part.points[-1].value or 0)))


def _target_of(planned: Targets, kpi: Kpi, period: Period, split: Split, key: Any) -> Value | None:
    """The target of a row of a breakdown; only what is planned by has some."""
    if key is None or split.reference is None or DIMENSIONS.get(split.by) != split.reference:
        return None
    return number(kpi.unit, planned.of(kpi, period, **{split.by: key}))


def without_rate(
    session: Session, edition: Edition, actor: Actor, name: str, period: Period
) -> dict[str, int]:
    """The currencies whose amounts a figure leaves out, because no rate is known for the day: how many records of each."""
    found: dict[str, int] = {}
    for kpi in leaves(edition, find(edition, name)):
        query = KpiQuery(edition, actor, [period], period.last, kpi.date)
        statement = select(kpi, query)
        for currency in dict.fromkeys(query.currencies) if kpi.entity is not None else ():
            number = query.foreign.label("number")
            rows = statement.with_only_columns(currency, number, maintain_column_froms=True).group_by(
                currency
            )
            found |= {code: count for code, count in session.execute(rows) if count}
    return found


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
    kept: Kept = NOTHING_KEPT,
) -> list[KpiResult]:
    """The last of ``periods`` for each KPI, compared with the one before it and that of the year before.

    What is ``kept`` of closed periods is taken from there; all else is measured, all KPIs together.
    """
    period = periods[-1]
    partial = period.is_partial(today)
    gone = period.elapsed(today).days if partial else period.days + 366
    compared = tuple(one.beginning(gone) for one in (periods[-2], period.year_before))
    asks = [Ask(kpi, kept.missing(kpi, periods), kept.missing(kpi, compared)) for kpi in kpis]
    answers = measure_all(session, edition, actor, [ask for ask in asks if ask.indexes], today)
    each = iter(answers)
    found = [(ask, next(each) if ask.indexes else {}) for ask in asks]
    series_ = [_points(ask, rows, periods, planned, kept) for ask, rows in found]
    ahead_of = (
        outlooks(session, edition, actor, list(zip(kpis, series_, strict=True)), period, today)
        if ahead and partial
        else [None] * len(asks)
    )
    results = []
    for (ask, rows), points, known in zip(found, series_, ahead_of, strict=True):
        before, year = (_compared_value(ask, rows, one, kept) for one in compared)
        result = KpiResult(
            kpi=ask.kpi,
            period=period,
            value=points[-1].value,
            previous=before,
            year_before=year,
            forecast=known.of(ask.kpi, points[-1].value) if known else None,
            target=points[-1].target,
            partial=partial,
            points=points,
            foreign=row_of(rows, len(ask.periods) - 1)[1] if period in ask.periods else 0,
        )
        results.append(_described(edition, result, actor))
    return results


def _described(edition: Edition, result: KpiResult, actor: Actor) -> KpiResult:
    """The result with what does not depend on its figures: the currency, and the way to its records."""
    kpi = result.kpi
    return _with(
        result,
        currency=edition.settings.currency if kpi.unit is Unit.MONEY else "",
        entity=entity_of(kpi),
        rule=drill_rule(edition, kpi, result.period, within=actor.within),
    )


def _compared_value(ask: Ask, rows: Rows, period: Period, kept: Kept) -> Value | None:
    if period in ask.compared:
        return measured(ask.kpi, rows, COMPARED - ask.compared.index(period))
    return kept.value(ask.kpi, period)


def _with(result: KpiResult, **changes: Any) -> KpiResult:
    return KpiResult(**{**vars(result), **changes})


def _points(
    ask: Ask, rows: Rows, periods: Sequence[Period], planned: Targets, kept: Kept = NOTHING_KEPT
) -> list[Point]:
    places = {period: place for place, period in enumerate(ask.periods)}
    return [
        Point(
            period=period,
            value=measured(ask.kpi, rows, places[period])
            if period in places
            else kept.value(ask.kpi, period),
            target=number(ask.kpi.unit, planned.of(ask.kpi, period)),
            recounted=kept.difference(ask.kpi, period),
        )
        for period in periods
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
    found = measure_parts(session, edition, actor, kpi, [period], today, split)
    return [
        Share(
            key=key,
            title=title,
            value=number(kpi.unit, values.get(0)),
            target=_target_of(planned, kpi, period, split, key),
        )
        for key, (title, values) in found.items()
    ]
