"""Who stayed from one stretch of time to the next, and with how much revenue: retention, churn, GRR and NRR.

Of the customers who bought in the first stretch, those who bought in the second stayed. Gross retention of revenue caps
each of them at what they brought before, net retention does not; new customers are in neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.window import MONTHS, Window, income_rows
from trellis.edition import Edition
from trellis.kpi.arithmetic import ratio
from trellis.kpi.income import INCOME_DAY
from trellis.kpi.periods import months_later
from trellis.security.actor import Actor

_day = INCOME_DAY.c


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Customers active ``before``, of these ``kept``, and ``active`` afterwards with the new ones, with their revenue.

    ``capped`` and ``followed`` are the revenue afterwards of those who were active before, with and without the cap.
    """

    before: int
    kept: int
    active: int
    revenue_before: float
    revenue: float
    capped: float
    followed: float

    @property
    def rate(self) -> float | None:
        """The retention rate; None when nobody was active before."""
        return self.kept / self.before if self.before else None

    @property
    def lifetime(self) -> float | None:
        """The mean lifetime, 1 / (1 - r), in stretches; None when nobody left or nobody was there."""
        return 1 / (1 - self.rate) if self.rate is not None and self.rate < 1 else None

    @property
    def grr(self) -> float | None:
        """Gross revenue retention; None without revenue before."""
        return self.capped / self.revenue_before if self.revenue_before > 0 else None

    @property
    def nrr(self) -> float | None:
        """Net revenue retention; None without revenue before."""
        return self.followed / self.revenue_before if self.revenue_before > 0 else None

    def to_json(self) -> dict[str, Any]:
        """``year`` of ``analytics loyalty``."""
        rate = self.rate
        return {
            "before": self.before,
            "retained": self.kept,
            "retention": _rounded(rate),
            "churn": _rounded(None if rate is None else 1 - rate),
            "mean_lifetime": _rounded(self.lifetime),
            "grr": _rounded(self.grr),
            "nrr": _rounded(self.nrr),
        }


def kept_of_year(session: Session, edition: Edition, actor: Actor, until: date) -> Kept:
    """From the twelve months before the last twelve to these."""
    now = Window.until(until)
    before = Window.until(months_later(until, -MONTHS))
    return kept_between(session, edition, actor, Window(before.first, now.first), now)


def kept_between(session: Session, edition: Edition, actor: Actor, before: Window, now: Window) -> Kept:
    """From one window to the one after it, counted by one statement."""
    value = _values(edition, actor, before, now).subquery("value").c
    was, stayed = value.days_before > 0, sa.and_(value.days_before > 0, value.days_now > 0)
    smaller = sa.case(
        (value.revenue_now < value.revenue_before, value.revenue_now), else_=value.revenue_before
    )

    def total(rows: sa.ColumnElement[bool], amount: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
        return ratio(sa.func.coalesce(sa.func.sum(sa.case((rows, amount))), 0), 1)

    counted = sa.select(
        sa.func.count().filter(was),
        sa.func.count().filter(stayed),
        sa.func.count().filter(value.days_now > 0),
        total(was, value.revenue_before),
        total(value.days_now > 0, value.revenue_now),
        total(was, smaller),
        total(was, value.revenue_now),
    )
    was_active, kept, active, *revenue = session.execute(counted).one()
    brought, earned, capped, followed = revenue
    return Kept(
        before=was_active,
        kept=kept,
        active=active,
        revenue_before=brought,
        revenue=earned,
        capped=capped,
        followed=followed,
    )


def _values(edition: Edition, actor: Actor, before: Window, now: Window) -> sa.Select[Any]:
    own = _day.currency == edition.settings.currency
    columns = []
    for name, window in (("before", before), ("now", now)):
        within = window.holds(_day.day)
        bought = sa.case((sa.and_(within, _day.occasions > 0), _day.day))
        revenue = sa.func.sum(sa.case((sa.and_(within, own), _day.revenue)))
        columns += [
            sa.func.count(bought).label(f"days_{name}"),
            sa.func.coalesce(revenue, 0).label(f"revenue_{name}"),
        ]
    return (
        sa.select(_day.customer_id, *columns)
        .where(*income_rows(edition, actor, Window(before.first, now.end)))
        .group_by(_day.customer_id)
    )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
