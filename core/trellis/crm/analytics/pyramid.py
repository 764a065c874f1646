"""The customer pyramid (AN4): customers ranked by what they bring, cut at 1 %, 5 % and 20 % or as the organisation says.

A tier ends at the ceiling of its percentage of the ranked customers; equal amounts are ranked by customer id. Ranked is
who has income in the window, also a negative one. Inactive customers bought before and have no income in the window;
prospects had not bought by its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.assumptions import Assumptions, Errors, Values, assumption, rising
from trellis.crm.analytics.window import (
    Coverage,
    Window,
    bought_before,
    coverage,
    customers_of,
    income_rows,
    measured,
    per_customer,
)
from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.kpi.income import INCOME_DAY
from trellis.records.types import FixedPoint, Money, Percent
from trellis.security.actor import Actor

_ = translator("trellis")

Cuts = Sequence[tuple[str, Decimal]]

TIERS = ("top", "large", "medium", "small")
"""The tiers from above."""


def _check(values: Values) -> Errors:
    return rising(values, *TIERS[:-1])


_share = Percent(minimum=0, maximum=1)
ASSUMPTIONS = Assumptions(
    name="pyramid",
    title=_("Pyramid"),
    about=_("Which part of the customers, counted from the best, each tier ends at; small are the rest"),
    fields=(
        assumption("top", _share, _("Top down to"), "0.01"),
        assumption("large", _share, _("Large down to"), "0.05"),
        assumption("medium", _share, _("Medium down to"), "0.2"),
    ),
    check=_check,
)


def cuts_of(edition: Edition) -> tuple[tuple[str, Decimal], ...]:
    """The tiers from above, each with the share of customers down to its end."""
    return (*ASSUMPTIONS.of(edition).items(), (TIERS[-1], Decimal(1)))


@dataclass(frozen=True, kw_only=True)
class Tier:
    """One tier. ``lowest`` and ``highest`` are the amounts of its last and first customer."""

    tier: str
    customers: int
    amount: Decimal
    share: float | None
    revenue: Decimal
    margin: Decimal
    cost: Decimal
    unprofitable: int
    lowest: Decimal | None
    highest: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Pyramid:
    """The pyramid of a window. ``unprofitable`` counts ranked customers with a negative amount.

    ``cuts`` are the shares of customers at which tiers end.
    """

    window: Window
    measure: str
    currency: str
    tiers: tuple[Tier, ...]
    cuts: tuple[tuple[str, Decimal], ...]
    inactive: int
    prospects: int
    unprofitable: int
    coverage: Coverage

    @property
    def customers(self) -> int:
        """How many are ranked."""
        return sum(tier.customers for tier in self.tiers)

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics pyramid``."""
        return {
            "measure": self.measure,
            "currency": self.currency,
            "from": self.window.first.isoformat(),
            "to": self.window.last.isoformat(),
            "customers": self.customers,
            "tiers": [self._tier_json(tier) for tier in self.tiers],
            "inactive": self.inactive,
            "prospects": self.prospects,
            "unprofitable": self.unprofitable,
            "cuts": {name: float(share) for name, share in self.cuts},
            **self.coverage.to_json(),
        }

    def _tier_json(self, tier: Tier) -> dict[str, Any]:
        money = Money().to_json
        return {
            "tier": tier.tier,
            "customers": tier.customers,
            "amount": money(tier.amount),
            "share": tier.share,
            "from": money(tier.lowest),
            "to": money(tier.highest),
            "revenue": money(tier.revenue),
            "margin": money(tier.margin) if self.coverage.cost_known else None,
            "cost": money(tier.cost) if self.coverage.cost_known else None,
            "unprofitable": tier.unprofitable,
        }


def pyramid(
    session: Session, edition: Edition, actor: Actor, window: Window, measure: str | None = None
) -> Pyramid:
    """The pyramid of the customers that the reader may see.

    ``measure`` is margin, revenue, or None to choose by what is known.
    """
    actor.require("customer", "read")
    chosen = measured(measure)
    complete = coverage(session, edition, actor, window)
    chosen = chosen or complete.measure
    cuts = cuts_of(edition)
    ranked = ranking(per_customer(edition, actor, window).subquery("value"), chosen, cuts).cte("ranked")
    rows = {row.tier: row for row in session.execute(_by_tier(ranked))}
    total = sum((row.amount for row in rows.values()), Decimal(0))
    tiers = tuple(_tier(name, rows.get(name), total) for name in TIERS)
    inactive, prospects = _outside(session, edition, actor, window, rows)
    return Pyramid(
        window=window,
        measure=chosen,
        currency=edition.settings.currency,
        tiers=tiers,
        cuts=cuts,
        inactive=inactive,
        prospects=prospects,
        unprofitable=sum(row.unprofitable for row in rows.values()),
        coverage=complete,
    )


def ranking(value: sa.FromClause, measure: str, cuts: Cuts) -> sa.Select[Any]:
    """The rows of :func:`per_customer` with ``amount`` and ``tier``."""
    amount = value.c[measure].label("amount")
    place, ranked = places(value, measure)
    placed = sa.select(value, amount, place.label("place"), ranked.label("ranked")).subquery("placed")
    return sa.select(placed, tier_of(placed.c.place, placed.c.ranked, cuts).label("tier"))


def places(value: sa.FromClause, measure: str) -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
    """The place of each row of :func:`per_customer`, and how many there are."""
    order = (value.c[measure].desc(), value.c.customer_id)
    return sa.func.row_number().over(order_by=order), sa.func.count().over()


def tier_of(place: sa.ColumnElement[int], ranked: sa.ColumnElement[int], cuts: Cuts) -> sa.ColumnElement[str]:
    """The tier of a place: ``place <= ceil(ranked * share)``, in whole numbers."""
    within = [((place - 1) * 10_000 < ranked * int(share * 10_000), name) for name, share in cuts[:-1]]
    return sa.case(*within, else_=cuts[-1][0])


def _by_tier(ranked: sa.CTE) -> sa.Select[Any]:
    column = ranked.c
    return sa.select(
        column.tier,
        sa.func.count().label("customers"),
        sa.func.sum(column.amount).label("amount"),
        sa.func.sum(column.revenue).label("revenue"),
        sa.func.sum(column.margin).label("margin"),
        sa.func.sum(column.cost).label("cost"),
        sa.func.min(column.amount).label("lowest"),
        sa.func.max(column.amount).label("highest"),
        sa.func.count().filter(column.amount < sa.literal(0, FixedPoint())).label("unprofitable"),
        sa.func.count().filter(column.frequency == 0).label("without_purchase"),
    ).group_by(column.tier)


def _outside(
    session: Session, edition: Edition, actor: Actor, window: Window, rows: dict[str, Any]
) -> tuple[int, int]:
    """How many are inactive, and how many are prospects."""
    bought = bought_before(edition, actor, window.end)
    counted = sa.select(sa.func.count(), sa.func.count().filter(bought)).where(customers_of(actor))
    everyone, buyers = session.execute(counted).one()
    ranked = sum(row.customers for row in rows.values())
    never = 0
    if any(
        row.without_purchase for row in rows.values()
    ):  # ranked by returns alone, of purchases that are not known here
        income = sa.exists().where(
            INCOME_DAY.c.customer_id == Customer.id, *income_rows(edition, actor, window)
        )
        query = sa.select(sa.func.count()).select_from(Customer)
        query = query.where(customers_of(actor), sa.not_(bought), income)
        never = session.scalar(query) or 0
    return buyers - (ranked - never), everyone - buyers - never


def _tier(name: str, row: Any, total: Decimal) -> Tier:
    if row is None:
        nothing = Decimal(0)
        return Tier(
            tier=name,
            customers=0,
            amount=nothing,
            share=0.0 if total > 0 else None,
            revenue=nothing,
            margin=nothing,
            cost=nothing,
            unprofitable=0,
            lowest=None,
            highest=None,
        )
    return Tier(
        tier=name,
        customers=row.customers,
        amount=row.amount,
        share=round(float(row.amount / total), 6) if total > 0 else None,
        revenue=row.revenue,
        margin=row.margin,
        cost=row.cost,
        unprofitable=row.unprofitable,
        lowest=row.lowest,
        highest=row.highest,
    )
