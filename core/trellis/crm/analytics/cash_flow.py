"""Flows of money, one a month: what they are worth today, what they yield, and when they are paid back.

Amounts are exact; the first flow is of today and not discounted (Excel's NPV would discount it). A rate is per year, and
``(1 + rate) ** (1 / 12) - 1`` of it per month.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import isfinite

import numpy_financial as npf

CENT = Decimal("0.01")
_MOST = 1e6
"""Yields beyond this are of no meaning: nearly nothing was put in."""


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What flows are worth. Rates are per period; None where there is no such figure."""

    npv: Decimal
    irr: float | None
    several_irr: bool
    payback: float | None
    discounted_payback: float | None
    profitability: float | None


def worth(flows: Sequence[Decimal], rate: Decimal) -> Worth:
    """All figures of some flows, at a rate per period."""
    discounted = [flow / (1 + rate) ** period for period, flow in enumerate(flows)]
    npv = sum(discounted, Decimal(0))
    first = flows[0] if flows else Decimal(0)
    return Worth(
        npv=npv,
        irr=irr(flows),
        several_irr=sign_changes(flows) > 1,
        payback=payback(flows),
        discounted_payback=payback(discounted),
        profitability=round(float(1 + npv / abs(first)), 6) if first < 0 else None,
    )


def irr(flows: Sequence[Decimal]) -> float | None:
    """The rate at which the flows are worth nothing; None where they never change from paying to earning or back."""
    if not sign_changes(flows):
        return None
    found = float(npf.irr([float(flow) for flow in flows]))
    return round(found, 8) if isfinite(found) and abs(found) < _MOST else None


def sign_changes(flows: Sequence[Decimal]) -> int:
    """How often the flows change their sign: with more than one change there can be several rates of return."""
    signs = [flow > 0 for flow in flows if flow]
    return sum(one is not other for one, other in pairwise(signs))


def payback(flows: Sequence[Decimal]) -> float | None:
    """After how many periods the sum reaches zero for good, within a period in proportion; None if it never does."""
    total, since = Decimal(0), None
    for period, flow in enumerate(flows):
        before, total = total, total + flow
        if total < 0:
            since = None
        elif since is None:
            since = float(period - 1 + -before / flow) if before < 0 else 0.0
    return round(since, 6) if since is not None and any(flow < 0 for flow in flows) else None


def monthly(rate: Decimal) -> Decimal:
    """A rate per year as a rate per month."""
    return (1 + rate) ** (Decimal(1) / 12) - 1


def yearly(rate: float | None) -> float | None:
    """A rate per month as a rate per year; None where it is beyond all meaning."""
    grown = (1 + rate) ** 12 - 1 if rate is not None and rate > -1 else None
    return round(grown, 6) if grown is not None and grown < _MOST else None
