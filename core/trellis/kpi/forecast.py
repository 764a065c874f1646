"""Forecast to the end of a running period, from how the periods before it went on from the same day.

Development factors, as actuaries use them (chain ladder; Mack, ASTIN Bulletin 23(2), 1993): for each of the last periods,
what it came to in the end is set against what it had come to after as many days; their median carries the running period
forward, and the middle 80 % of them make the interval. Sums and counts grow by a quotient; averages, shares and durations
move by a difference. It needs no assumption about weekdays or seasons inside a period, and holds for sums, distinct counts
and ratios alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median, quantiles

from sqlalchemy.orm import Session

from trellis.contributions import Kpi, Unit
from trellis.edition import Edition
from trellis.kpi.measuring import Ask, Rows, measure_all, measured
from trellis.kpi.periods import Period
from trellis.kpi.results import Forecast, Point, Value, number
from trellis.security.actor import Actor

FEWEST = 4
"""Fewer past periods than these tell nothing."""
_GROWING = (Unit.MONEY, Unit.COUNT, Unit.HOURS)
_TENTHS = 10


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """How past periods went on from a day: quotients (of sums and counts) or differences, low, median and high."""

    steps: tuple[float, float, float]
    periods: int

    def of(self, kpi: Kpi, value: Value | None) -> Forecast | None:
        """The forecast of a running period that has come to ``value``."""
        if value is None:
            return None
        low, middle, high = (_carried(kpi.unit, value, step) for step in self.steps)
        return Forecast(value=middle, low=min(low, high), high=max(low, high), periods=self.periods)


def outlooks(
    session: Session,
    edition: Edition,
    actor: Actor,
    known: Sequence[tuple[Kpi, Sequence[Point]]],
    running: Period,
    today: date,
) -> list[Outlook | None]:
    """For each KPI with its points up to ``running``: how those before it went on from the day that it has reached.

    None where fewer than ``FEWEST`` of them had come to anything by then.
    """
    gone = running.elapsed(today).days
    asks = [Ask(kpi, tuple(point.period.beginning(gone) for point in points[:-1])) for kpi, points in known]
    answers = measure_all(session, edition, actor, asks, today)
    return [_outlook(kpi, points[:-1], rows) for (kpi, points), rows in zip(known, answers, strict=True)]


def _outlook(kpi: Kpi, past: Sequence[Point], rows: Rows) -> Outlook | None:
    pairs = [(measured(kpi, rows, index), point.value) for index, point in enumerate(past)]
    steps = [
        _step(kpi.unit, begun, ended) for begun, ended in pairs if begun is not None and ended is not None
    ]
    known = [step for step in steps if step is not None]
    if len(known) < FEWEST:
        return None
    tenths = quantiles(known, n=_TENTHS, method="inclusive")
    return Outlook(steps=(tenths[0], median(known), tenths[-1]), periods=len(known))


def _step(unit: Unit, begun: Value, ended: Value) -> float | None:
    if unit in _GROWING:
        return float(ended) / float(begun) if begun > 0 else None
    return float(ended) - float(begun)


def _carried(unit: Unit, value: Value, step: float) -> Value:
    carried = float(value) * step if unit in _GROWING else float(value) + step
    rounded = Decimal(carried).quantize(Decimal(1)) if unit is Unit.COUNT else carried
    found = number(unit, rounded)
    return value if found is None else found
