"""Loyalty (AN1): retention from month to month, cohorts by month of the first purchase, and the repeat-purchase rate.

Active in a month is who has a purchase day in it. A cohort's later months are left empty until they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.window import Window, income_rows
from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.kpi.days import bucket
from trellis.kpi.income import INCOME_DAY
from trellis.kpi.periods import Grain, Period, containing, span, today_in
from trellis.security.actor import Actor

_day = INCOME_DAY.c


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Of the customers active in the month ``before``, how many were active in ``period`` again."""

    period: Period
    before: int
    retained: int
    partial: bool

    @property
    def rate(self) -> float | None:
        """The retention rate; None when nobody was active before."""
        return round(self.retained / self.before, 6) if self.before else None


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """The customers of one first month: how many were active in it and in each month after it."""

    period: Period
    size: int
    active: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Loyalty:
    """Retention, cohorts and repeat purchases of the months of a period."""

    periods: tuple[Retention, ...]
    cohorts: tuple[Cohort, ...]
    buyers: int
    repeat_buyers: int
    partial: Period | None = None

    @property
    def repeat_rate(self) -> float | None:
        """Customers with two purchase days or more, of those with one; None without buyers."""
        return round(self.repeat_buyers / self.buyers, 6) if self.buyers else None

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics loyalty``."""
        return {
            "periods": [_retention_json(one) for one in self.periods],
            "cohorts": [
                {"cohort": one.period.code, "size": one.size, "active": list(one.active)}
                for one in self.cohorts
            ],
            "repeat_rate": self.repeat_rate,
            "buyers": self.buyers,
            "partial": self.partial.code if self.partial else None,
        }


def loyalty(
    session: Session, edition: Edition, actor: Actor, period: Period, today: date | None = None
) -> Loyalty:
    """Loyalty of the customers that the reader may see, in the months of ``period`` that have begun."""
    actor.require("customer", "read")
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    whole = period if period.grain in (Grain.YEAR, Grain.QUARTER) else containing(period.first, Grain.MONTH)
    months = [month for month in whole.split(Grain.MONTH) if month.first <= today]
    return loyalty_of(session, edition, actor, months, today)


def loyalty_of(
    session: Session, edition: Edition, actor: Actor, months: Sequence[Period], today: date
) -> Loyalty:
    """Loyalty in months that follow each other: of a dashboard, the last twelve."""
    if not months:
        return Loyalty(periods=(), cohorts=(), buyers=0, repeat_buyers=0)
    buyers, repeat = _repeat(session, edition, actor, Window.of(span(months)))
    return Loyalty(
        periods=tuple(_retention(session, edition, actor, months, today)),
        cohorts=tuple(_cohorts(session, edition, actor, months)),
        buyers=buyers,
        repeat_buyers=repeat,
        partial=months[-1] if months[-1].is_partial(today) else None,
    )


def _active(edition: Edition, actor: Actor, months: Sequence[Period]) -> sa.Subquery:
    """(customer, index of month) for each month in which a customer has a purchase day."""
    window = Window.of(span(months))
    month = bucket(_day.day, [(one.first, one.end) for one in months]).label("month")
    rows = sa.select(_day.customer_id, month).where(*income_rows(edition, actor, window), _day.occasions > 0)
    return rows.distinct().subquery("active")


def _retention(
    session: Session, edition: Edition, actor: Actor, months: Sequence[Period], today: date
) -> list[Retention]:
    active = _active(edition, actor, [months[0].previous, *months])
    following = sa.func.lead(active.c.month).over(partition_by=active.c.customer_id, order_by=active.c.month)
    paired = sa.select(active.c.month, following.label("following")).subquery("paired")
    retained = sa.func.count().filter(paired.c.following == paired.c.month + 1)
    query = sa.select(paired.c.month, sa.func.count(), retained).group_by(paired.c.month)
    counted = {month: (before, kept) for month, before, kept in session.execute(query)}
    found = [
        Retention(period=month, before=before, retained=kept, partial=month.is_partial(today))
        for index, month in enumerate(months)
        for before, kept in [counted.get(index, (0, 0))]
    ]
    first = next((index for index, one in enumerate(found) if one.before), len(found))
    return found[first:]


def _cohorts(session: Session, edition: Edition, actor: Actor, months: Sequence[Period]) -> list[Cohort]:
    active = _active(edition, actor, months)
    ranges = [(one.first, one.end) for one in months]
    began = bucket(Customer.first_order_at, ranges).label("began")
    joined = (
        sa.select(began, active.c.month)
        .join(active, active.c.customer_id == Customer.id)
        .where(Customer.first_order_at >= months[0].first, Customer.first_order_at < months[-1].end)
        .subquery("joined")
    )
    query = sa.select(joined.c.began, joined.c.month, sa.func.count()).group_by(
        joined.c.began, joined.c.month
    )
    counted = {(began, month): count for began, month, count in session.execute(query)}
    last = len(months)
    return [
        Cohort(
            period=month,
            size=counted.get((index, index), 0),
            active=tuple(counted.get((index, later), 0) for later in range(index, last)),
        )
        for index, month in enumerate(months)
        if counted.get((index, index), 0)
    ]


def _repeat(session: Session, edition: Edition, actor: Actor, window: Window) -> tuple[int, int]:
    days = sa.func.count(_day.day.distinct())
    bought = sa.select(days.label("days")).where(*income_rows(edition, actor, window), _day.occasions > 0)
    buyers = bought.group_by(_day.customer_id).subquery("buyers")
    counted = sa.select(sa.func.count(), sa.func.count().filter(buyers.c.days >= 2)).select_from(buyers)
    everyone, repeat = session.execute(counted).one()
    return everyone, repeat


def _retention_json(one: Retention) -> dict[str, Any]:
    row = {"period": one.period.code, "before": one.before, "retained": one.retained, "retention": one.rate}
    return row | {"partial": True} if one.partial else row
