"""How long customers stay: the Kaplan-Meier curve, and the shifted-beta-geometric model that carries it on.

Who is bound by no contract counts as lost after some days without a purchase; until then the end is not known yet
(censored). Sources: Kaplan & Meier, "Nonparametric estimation from incomplete observations", JASA 53, 1958; Fader & Hardie,
"How to Project Customer Retention", J. Interactive Marketing 21(1), 2007.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.bounded import Floats, maximise
from trellis.crm.analytics.window import Window, income_rows
from trellis.edition import Edition
from trellis.kpi.arithmetic import days_between
from trellis.kpi.income import INCOME_DAY
from trellis.security.actor import Actor

_day = INCOME_DAY.c
MONTH = 365.25 / 12
FEWEST = 30
"""Customers below which nothing is projected."""


@dataclass(frozen=True, kw_only=True)
class Durations:
    """How many customers were lost, and how many are still there, after each time."""

    lost: Mapping[int, int]
    here: Mapping[int, int]

    @property
    def customers(self) -> int:
        """All of them."""
        return sum(self.lost.values()) + sum(self.here.values())


def kaplan_meier(durations: Durations) -> list[tuple[int, float]]:
    """Each time at which somebody was lost, with the share that stays longer."""
    at_risk, share, points = durations.customers, 1.0, []
    for time in sorted({*durations.lost, *durations.here}):
        lost = durations.lost.get(time, 0)
        if lost:
            share *= 1 - lost / at_risk
            points.append((time, share))
        at_risk -= lost + durations.here.get(time, 0)
    return points


def at(points: Sequence[tuple[int, float]], time: float) -> float:
    """The share that stays longer than ``time``."""
    return next((share for known, share in reversed(points) if known <= time), 1.0)


def after_months(points: Sequence[tuple[int, float]], months: int) -> float:
    """The share that stays so many months or longer; at the start it is all."""
    return at(points, months * MONTH - 0.5)


def median(points: Sequence[tuple[int, float]]) -> int | None:
    """The time after which half are lost; None while more are there."""
    return next((time for time, share in points if share <= 0.5), None)


@dataclass(frozen=True, kw_only=True)
class Sbg:
    """Shifted-beta-geometric: each customer has a chance of leaving at each renewal, which is spread over customers."""

    alpha: float
    beta: float
    log_likelihood: float = float("nan")

    def retention(self, period: int) -> float:
        """Of those who are there after ``period - 1`` renewals, the share that renews again."""
        return (self.beta + period - 1) / (self.alpha + self.beta + period - 1)

    def survival(self, period: int) -> float:
        """The share that is there after ``period`` renewals."""
        return float(np.prod([self.retention(one) for one in range(1, period + 1)]))


def fit_sbg(lost: Mapping[int, int], here: Mapping[int, int]) -> Sbg:
    """By maximum likelihood: ``lost`` at the nth renewal, ``here`` after n of them."""
    times = np.array([*lost.keys(), *here.keys()], dtype=np.float64)
    number = np.array([*lost.values(), *here.values()], dtype=np.float64)
    gone = np.array([1.0] * len(lost) + [0.0] * len(here))
    after = times - gone  # renewals that were made

    def target(parameters: Floats) -> tuple[float, Floats]:
        from scipy.special import betaln, psi

        a, b = parameters
        whole = psi(a + gone + b + after) - psi(a + b)
        height = number @ (betaln(a + gone, b + after) - betaln(a, b))
        slope = (
            number @ (psi(a + gone) - psi(a) - whole),
            number @ (psi(b + after) - psi(b) - whole),
        )
        return float(height), np.asarray(slope, dtype=np.float64)

    (alpha, beta), height = maximise(target, [(1.0, 1.0), (0.5, 4.0)])
    return Sbg(alpha=float(alpha), beta=float(beta), log_likelihood=height)


def durations(session: Session, edition: Edition, actor: Actor, until: date, inactive: int) -> Durations:
    """Days from first to last purchase; who did not buy in the ``inactive`` days to ``until`` is lost."""
    bought = _day.occasions > 0
    first, last = sa.func.min(_day.day), sa.func.max(_day.day)
    each = (
        sa.select(
            days_between(first, last).label("days"),
            sa.case((last <= until - timedelta(days=inactive), 1), else_=0).label("lost"),
        )
        .where(*income_rows(edition, actor, Window(date(1, 1, 1), until + timedelta(days=1))), bought)
        .group_by(_day.customer_id)
        .subquery("each")
    )
    query = sa.select(each.c.days, each.c.lost, sa.func.count()).group_by(each.c.days, each.c.lost)
    found: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for days, lost, number in session.execute(query):
        found[lost][round(days)] = number
    return Durations(here=found[0], lost=found[1])


def by_month(known: Durations) -> tuple[dict[int, int], dict[int, int]]:
    """Lost in the nth month, and there after n months: what :func:`fit_sbg` takes."""
    lost: dict[int, int] = {}
    here: dict[int, int] = {}
    for days, number in known.lost.items():
        month = int(days / MONTH) + 1
        lost[month] = lost.get(month, 0) + number
    for days, number in known.here.items():
        month = int(days / MONTH)
        here[month] = here.get(month, 0) + number
    return lost, here


def survival_json(known: Durations, points: Sequence[tuple[int, float]], inactive: int) -> dict[str, Any]:
    """``survival`` of ``analytics loyalty``: a point for each month."""
    longest = max([*known.lost, *known.here], default=0)
    return {
        "customers": known.customers,
        "lost": sum(known.lost.values()),
        "inactive_after": inactive,
        "median_days": median(points),
        "points": [
            {"month": month, "survival": round(after_months(points, month), 6)}
            for month in range(int(longest / MONTH) + 1)
        ],
    }
