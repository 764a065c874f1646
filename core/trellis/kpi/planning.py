"""Filling a plan in: from the year before, going on from the period before, over its periods, and over those below."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from math import floor

from trellis.contributions import Unit

_DIGITS = {Unit.MONEY: Decimal("0.01"), Unit.COUNT: Decimal(1)}
_FINEST = Decimal("0.0001")


def rounded(unit: Unit, value: Decimal) -> Decimal:
    """A planned value with as many digits as its unit is planned in."""
    return value.quantize(_DIGITS.get(unit, _FINEST), ROUND_HALF_UP)


def raised(unit: Unit, value: Decimal | None, percent: Decimal) -> Decimal | None:
    """A value ``percent`` higher (lower for a negative number)."""
    return None if value is None else rounded(unit, value * (100 + percent) / 100)


def going_on(unit: Unit, values: Sequence[Decimal | None], percent: Decimal) -> list[Decimal | None]:
    """The values with each empty one after the first given one as the one before it, ``percent`` higher."""
    found: list[Decimal | None] = []
    for value in values:
        before = found[-1] if found else None
        found.append(value if value is not None else raised(unit, before, percent))
    return found


def spread(unit: Unit, total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """``total`` over as many periods, in proportion to the weights; they add up to it exactly (largest remainder).

    Weights that come to nothing are as good as equal ones. It is for what adds up (:func:`trellis.kpi.sums.is_sum`).
    """
    weights = [max(weight, Decimal(0)) for weight in weights]
    whole = sum(weights)
    if not whole:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
    step = _DIGITS.get(unit, _FINEST)
    if rounded(unit, total) != total:  # a plan with more digits than usual keeps them in its parts
        step = _FINEST
    units = int((total / step).to_integral_value(ROUND_HALF_UP))
    exact = [units * weight / whole for weight in weights]
    parts = [floor(part) for part in exact]
    left = units - sum(parts)
    order = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[:left]:
        parts[place] += 1
    return [part * step for part in parts]


def as_before(
    unit: Unit, total: Decimal, before: Sequence[Decimal | None], whole: Decimal | None
) -> list[Decimal]:
    """What does not add up (a share, an average), planned at ``total`` for a year, over its periods.

    Each differs from the year as the one ``before`` did from the ``whole`` year before; where that is not known, it is the same.
    """
    return [rounded(unit, total if one is None or not whole else total * one / whole) for one in before]


def handed_down(
    unit: Unit, totals: Sequence[Decimal | None], weights: Sequence[Sequence[Decimal]]
) -> list[list[Decimal | None]]:
    """What each part gets of ``totals``: those of some periods and, as the last, of the year that they make.

    ``weights`` are those of the parts in each of them. The parts add up to each total exactly; where the periods are the
    whole year, those of each part are its year too.
    """
    parts = len(weights[0])
    columns = [
        [None] * parts if total is None else list(spread(unit, total, shares))
        for total, shares in zip(totals, weights, strict=True)
    ]
    rows: list[list[Decimal | None]] = [list(row) for row in zip(*columns, strict=True)]
    given = [total for total in totals[:-1] if total is not None]
    if len(given) == len(totals) - 1 and sum(given) == totals[-1]:
        for row in rows:
            row[-1] = sum((one for one in row[:-1] if one is not None), Decimal(0))
    return rows
