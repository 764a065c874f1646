"""Loyalty (AN1): retention from month to month, cohorts by month of the first purchase, and the repeat-purchase rate.

Active in a month is who has a purchase day in it. A cohort's later months are left empty until they come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.window import Window, first_purchases, income_rows
from trellis.edition import Edition
from trellis.kpi.arithmetic import united_bits
from trellis.kpi.income import INCOME_DAY
from trellis.kpi.periods import Grain, Period, containing, span, today_in
from trellis.records.days import bucket
from trellis.security.actor import Actor

_day = INCOME_DAY.c
_EVER = date(1, 1, 1)


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
    whole = (
        period
        if period.grain in (Grain.YEAR, Grain.QUARTER, Grain.RANGE)
        else containing(period.first, Grain.MONTH)
    )
    months = [month for month in whole.split(Grain.MONTH) if month.first <= today]
    return loyalty_of(session, edition, actor, months, today)


def loyalty_of(
    session: Session, edition: Edition, actor: Actor, months: Sequence[Period], today: date
) -> Loyalty:
    """Loyalty in months that follow each other: of a dashboard, the last twelve. One statement, one pass."""
    if not months:
        return Loyalty(periods=(), cohorts=(), buyers=0, repeat_buyers=0)
    counted = {row.began: row for row in session.execute(_counted(edition, actor, months))}

    def total(name: str) -> int:
        return sum(getattr(row, name) for row in counted.values())

    active = [total(f"active_{index}") for index in range(len(months) + 1)]
    kept = [total(f"kept_{index}") for index in range(len(months))]
    return Loyalty(
        periods=tuple(_retention(months, active, kept, today)),
        cohorts=tuple(_cohorts(months, counted)),
        buyers=total("buyers"),
        repeat_buyers=total("repeat_buyers"),
        partial=months[-1] if months[-1].is_partial(today) else None,
    )


def _counted(edition: Edition, actor: Actor, months: Sequence[Period]) -> sa.Select[Any]:
    """A row for each month of the first purchase (-1 for other times).

    ``active_0`` counts who was active in the month before the first, ``active_1`` in the first and so on; ``kept_0`` who
    was active in the month before the first and in the first.
    """
    window = Window.of(span([months[0].previous, *months]))
    if actor.sees_income(edition):
        bought = _bought(edition, actor, months, window).subquery("bought")
        customers = first_purchases(edition, actor)
        first = customers.c.first_order_at
        joined: sa.FromClause = customers.join(bought, bought.c.customer_id == customers.c.id)
    else:  # the first purchase that the reader may see comes of the same pass
        bought = _bought(edition, actor, months, Window(_EVER, window.end)).subquery("bought")
        first, joined = bought.c.first, bought
    began = bucket(first, [(one.first, one.end) for one in months]).label("began")
    columns: list[sa.ColumnElement[Any]] = [
        began,
        *(_having(bought.c.months, 1 << index).label(f"active_{index}") for index in range(len(months) + 1)),
        *(_having(bought.c.months, 3 << index).label(f"kept_{index}") for index in range(len(months))),
        sa.func.count(sa.case((bought.c.days >= 1, 1))).label("buyers"),
        sa.func.count(sa.case((bought.c.days >= 2, 1))).label("repeat_buyers"),
    ]
    return sa.select(*columns).select_from(joined).group_by("began")


def _bought(edition: Edition, actor: Actor, months: Sequence[Period], window: Window) -> sa.Select[Any]:
    """For each customer the months with a purchase, as bits from the month before the first on, the purchase days in the
    months, and the first purchase in the window."""
    before = months[0].previous
    month = bucket(_day.day, [(one.first, one.end) for one in (before, *months)])
    bit = sa.cast(1, sa.BigInteger).bitwise_lshift(month)
    return (
        sa.select(
            _day.customer_id,
            united_bits(sa.case((_day.day >= before.first, bit))).label("months"),
            sa.func.count(sa.case((_day.day >= months[0].first, _day.day)).distinct()).label("days"),
            sa.func.min(_day.day).label("first"),
        )
        .where(*income_rows(edition, actor, window), _day.occasions > 0)
        .group_by(_day.customer_id)
    )


def _having(months: sa.ColumnElement[int], bits: int) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((months.bitwise_and(bits) == bits, 1)))


def _retention(
    months: Sequence[Period], active: Sequence[int], kept: Sequence[int], today: date
) -> list[Retention]:
    found = [
        Retention(period=month, before=active[index], retained=kept[index], partial=month.is_partial(today))
        for index, month in enumerate(months)
    ]
    first = next((index for index, one in enumerate(found) if one.before), len(found))
    return found[first:]


def _cohorts(months: Sequence[Period], counted: Mapping[int, Any]) -> list[Cohort]:
    found = []
    for index, month in enumerate(months):
        row = counted.get(index)
        if row is not None:
            active = tuple(getattr(row, f"active_{later + 1}") for later in range(index, len(months)))
            found.append(Cohort(period=month, size=active[0], active=active))
    return found


def _retention_json(one: Retention) -> dict[str, Any]:
    row = {"period": one.period.code, "before": one.before, "retained": one.retained, "retention": one.rate}
    return row | {"partial": True} if one.partial else row
