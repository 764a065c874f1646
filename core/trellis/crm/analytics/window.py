"""What each customer brought in a window of days: the common ground of pyramid and RFM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.kpi.income import INCOME_DAY, rows_of
from trellis.kpi.periods import Period, months_later
from trellis.records.types import Money
from trellis.security.actor import Actor

_ = translator("trellis")

REVENUE, MARGIN = "revenue", "margin"
MEASURES = (MARGIN, REVENUE)
MONTHS = 12

_day = INCOME_DAY.c


@dataclass(frozen=True)
class Window:
    """The days from ``first`` to before ``end``."""

    first: date
    end: date

    @classmethod
    def of(cls, period: Period) -> Window:
        """The days of a period."""
        return cls(period.first, period.end)

    @classmethod
    def until(cls, as_of: date, months: int = MONTHS) -> Window:
        """The last ``months`` months up to and with ``as_of``."""
        return cls(months_later(as_of, -months) + timedelta(days=1), as_of + timedelta(days=1))

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    @property
    def months(self) -> list[tuple[date, date]]:
        """The whole months that fit in it, counted from its first day: (first, end) of each."""
        found = []
        month = 0
        while (end := months_later(self.first, month + 1)) <= self.end:
            found.append((months_later(self.first, month), end))
            month += 1
        return found

    def before(self) -> Window:
        """The window of the same number of months that ends where it begins; of days, where it has no whole month."""
        months = len(self.months)
        if months_later(self.first, months) == self.end and months:
            return Window(months_later(self.first, -months), self.first)
        return Window(self.first - (self.end - self.first), self.first)

    def holds(self, day: Any) -> sa.ColumnElement[bool]:
        """The column of days lies in the window."""
        return sa.and_(day >= self.first, day < self.end)


def measured(name: str | None) -> str | None:
    """``name`` if it is a measure, or None. Raises TrellisError for another."""
    if name is not None and name not in MEASURES:
        raise TrellisError(_("“%(given)s” is not a measure; choose margin or revenue", given=name[:40]))
    return name


def customers_of(actor: Actor) -> sa.ColumnElement[bool]:
    """Customers that are not in the bin and that the reader may see."""
    return sa.and_(Customer.deleted_at.is_(None), actor.visible(Customer))


def income_rows(edition: Edition, actor: Actor, window: Window) -> list[sa.ColumnElement[bool]]:
    """The rows of the rollup in a window: sales and customers that the reader may see.

    Raises IncomeWithheld for a reader who may not read what they are made of.
    """
    return [window.holds(_day.day), *rows_of(edition, actor, _day)]


def first_purchases(edition: Edition, actor: Actor) -> sa.FromClause:
    """Of each customer (``id``) the day of the first purchase that the reader may see (``first_order_at``)."""
    if actor.sees_income(edition):
        return cast(sa.Table, Customer.__table__)
    seen = sa.select(_day.customer_id.label("id"), sa.func.min(_day.day).label("first_order_at"))
    seen = seen.where(*rows_of(edition, actor, _day), _day.occasions > 0).group_by(_day.customer_id)
    return seen.subquery("first_purchase")


def bought_before(edition: Edition, actor: Actor, end: date) -> sa.ColumnElement[bool]:
    """The customer had bought before a day, of what the reader may see."""
    if actor.sees_income(edition):
        return sa.and_(Customer.first_order_at.is_not(None), Customer.first_order_at < end)
    seen = sa.select(_day.customer_id).where(*rows_of(edition, actor, _day), _day.occasions > 0)
    return Customer.id.in_(seen.where(_day.day < end))


def per_customer(edition: Edition, actor: Actor, window: Window) -> sa.Select[Any]:
    """One row for each customer with income in the window.

    ``revenue``, ``margin`` and ``cost`` in the workspace's currency (the latter two of what has a known cost),
    ``frequency`` the number of days with a purchase, ``last`` the last of them.
    """
    own = _day.currency == edition.settings.currency
    bought = sa.case((_day.occasions > 0, _day.day))
    return (
        sa.select(
            _day.customer_id,
            sa.func.coalesce(sa.func.sum(sa.case((own, _day.revenue))), 0).label("revenue"),
            sa.func.coalesce(sa.func.sum(sa.case((own, _day.revenue - _day.cost))), 0).label("margin"),
            sa.func.coalesce(sa.func.sum(sa.case((own, _day.cost))), 0).label("cost"),
            sa.func.count(bought.distinct()).label("frequency"),
            sa.func.max(bought).label("last"),
        )
        .where(*income_rows(edition, actor, window))
        .group_by(_day.customer_id)
    )


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What is in one currency without a rate of its days: how much, and of how many customers or products."""

    currency: str
    items: int
    amount: Decimal

    def to_json(self) -> dict[str, Any]:
        """One line of ``left_out``."""
        return {"currency": self.currency, "customers": self.items, "amount": Money().to_json(self.amount)}


@dataclass(frozen=True)
class Coverage:
    """Of which part of the revenue the cost is known, how many customer days are in other currencies, and these amounts."""

    cost_known: float | None
    other_currencies: int
    left_out: tuple[LeftOut, ...] = ()

    @property
    def measure(self) -> str:
        """Margin where the cost is known for more than half of the revenue, else revenue."""
        return MARGIN if self.cost_known is not None and self.cost_known > 0.5 else REVENUE

    def to_json(self) -> dict[str, Any]:
        """What stands in each answer that is made of amounts."""
        return {
            "cost_known": self.cost_known,
            "other_currencies": self.other_currencies,
            "left_out": [one.to_json() for one in self.left_out],
        }


def coverage(session: Session, edition: Edition, actor: Actor, window: Window) -> Coverage:
    """How complete the income of a window is."""
    own = _day.currency == edition.settings.currency
    size = sa.func.abs(_day.revenue, type_=_day.revenue.type)
    query = sa.select(
        sa.func.sum(sa.case((own, size))),
        sa.func.sum(sa.case((sa.and_(own, _day.cost.is_not(None)), size))),
        sa.func.count().filter(sa.not_(own)),
    ).where(*income_rows(edition, actor, window))
    revenue, known, foreign = session.execute(query).one()
    left_out: tuple[LeftOut, ...] = ()
    if foreign:
        others = sa.select(_day.customer_id.label("item_id"), _day.currency, _day.revenue.label("amount"))
        left_out = summed(session, others.where(*income_rows(edition, actor, window), sa.not_(own)))
    return Coverage(float((known or 0) / revenue) if revenue else None, foreign, left_out)


def summed(session: Session, others: sa.Select[Any]) -> tuple[LeftOut, ...]:
    """Rows of (item_id, currency, amount) by currency."""
    row = others.subquery("others").c
    query = sa.select(row.currency, sa.func.count(row.item_id.distinct()), sa.func.sum(row.amount))
    return tuple(
        LeftOut(currency=currency, items=items, amount=amount)
        for currency, items, amount in session.execute(query.group_by(row.currency).order_by(row.currency))
    )
