"""Loyalty over a year and a lifetime: what retention is, how long customers stay, and what keeping more would bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.formula import kept_revenue
from trellis.crm.analytics.staying import Kept, kept_of_year
from trellis.crm.analytics.survival import (
    FEWEST,
    MONTH,
    Durations,
    Sbg,
    by_month,
    durations,
    fit_sbg,
    kaplan_meier,
    survival_json,
)
from trellis.crm.analytics.window import MONTHS, LeftOut, Window, coverage, customers_of, per_customer
from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.kpi.arithmetic import ratio
from trellis.records.types import Money
from trellis.security.actor import Actor

PROJECTED = 12
"""Months that the curve is carried on."""


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """Revenue of the present customers over some years, at the retention there is and at another one."""

    customers: int
    value: float
    retention: float
    changed: float
    years: int

    @property
    def revenue(self) -> float:
        """At the retention there is."""
        return kept_revenue(self.customers, self.value, self.retention, self.years)

    @property
    def revenue_changed(self) -> float:
        """At the other retention."""
        return kept_revenue(self.customers, self.value, self.changed, self.years)

    def to_json(self) -> dict[str, Any]:
        """``what_if`` of ``analytics loyalty``."""
        now, then = self.revenue, self.revenue_changed
        return {
            "customers": self.customers,
            "value": _money(self.value),
            "years": self.years,
            "retention": round(self.retention, 6),
            "retention_changed": round(self.changed, 6),
            "revenue": _money(now),
            "revenue_changed": _money(then),
            "change": round(then / now - 1, 6) if now else None,
        }


@dataclass(frozen=True, kw_only=True)
class Wallet:
    """Own sales of 12 months through what these customers spend on such goods anywhere.

    ``known`` customers have said what they spend; ``wrong`` of them spend more here than they said, and are left out.
    """

    known: int
    wrong: int
    share: float | None


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Retention of the last year, the curve of survival, its projection, a what-if, and the share of wallet."""

    until: date
    currency: str
    year: Kept
    inactive: int
    durations: Durations
    points: tuple[tuple[int, float], ...]
    projection: Sbg | None
    what_if: WhatIf | None
    wallet: Wallet
    left_out: tuple[LeftOut, ...]

    def to_json(self) -> dict[str, Any]:
        """What ``analytics loyalty`` says beside months and cohorts."""
        return {
            "as_of": self.until.isoformat(),
            "year": self.year.to_json(),
            "survival": survival_json(self.durations, self.points, self.inactive),
            "projection": self._projection_json(),
            "what_if": self.what_if.to_json() if self.what_if else None,
            "share_of_wallet": {
                "customers": self.wallet.known,
                "over": self.wallet.wrong,
                "share": self.wallet.share,
            },
            "left_out": [one.to_json() for one in self.left_out],
        }

    def _projection_json(self) -> dict[str, Any] | None:
        if self.projection is None:
            return None
        made = self.projection
        return {
            "alpha": round(made.alpha, 4),
            "beta": round(made.beta, 4),
            "log_likelihood": round(made.log_likelihood, 2),
            "points": [
                {
                    "month": month,
                    "survival": round(made.survival(month), 4),
                    "retention": round(made.retention(month), 4),
                }
                for month in range(1, self.last_month + 1)
            ],
        }

    @property
    def known_months(self) -> int:
        """The longest time that a customer was seen, in whole months."""
        lost, here = self.durations.lost, self.durations.here
        return int(max([*lost, *here], default=0) / MONTH)

    @property
    def last_month(self) -> int:
        """The month to which the curve goes."""
        return self.known_months + (PROJECTED if self.projection else 0)


def keeping(
    session: Session,
    edition: Edition,
    actor: Actor,
    until: date,
    *,
    change: float = 0.05,
    years: int = 5,
    inactive: int = 180,
) -> Keeping:
    """Of the customers that the reader may see, as of a day.

    ``change`` is added to retention in the what-if, over ``years``; ``inactive`` days without a purchase make a customer
    lost.
    """
    actor.require("customer", "read")
    year = kept_of_year(session, edition, actor, until)
    known = durations(session, edition, actor, until, inactive)
    return Keeping(
        until=until,
        currency=edition.settings.currency,
        year=year,
        inactive=inactive,
        durations=known,
        points=tuple(kaplan_meier(known)),
        projection=fit_sbg(*by_month(known)) if _projectable(known) else None,
        what_if=_what_if(year, change, years),
        wallet=_wallet(session, edition, actor, until),
        left_out=coverage(session, edition, actor, Window.until(until, 2 * MONTHS)).left_out,
    )


def _projectable(known: Durations) -> bool:
    """Whether enough customers were lost, and in more than one month."""
    lost, here = by_month(known)
    return known.customers >= FEWEST and len({*lost, *here}) > 1 and sum(lost.values()) > 0


def _what_if(year: Kept, change: float, years: int) -> WhatIf | None:
    if year.rate is None or year.active == 0:
        return None
    changed = min(max(year.rate + change, 0.0), 1.0)
    value = year.revenue / year.active
    return WhatIf(customers=year.active, value=value, retention=year.rate, changed=changed, years=years)


def _wallet(session: Session, edition: Edition, actor: Actor, as_of: date) -> Wallet:
    brought: Any = Customer.revenue_12m
    joined: Any = Customer
    if not actor.sees_income(edition):  # what stands on customers is of all sales
        seen = per_customer(edition, actor, Window.until(as_of)).subquery("seen")
        brought, joined = seen.c.revenue, sa.outerjoin(Customer, seen, seen.c.customer_id == Customer.id)
    revenue = sa.func.coalesce(brought, 0)
    stated = Customer.category_spending
    right = revenue <= stated
    counted = sa.select(
        sa.func.count(),
        sa.func.count().filter(sa.not_(right)),
        ratio(sa.func.sum(sa.case((right, brought))), sa.func.sum(sa.case((right, stated)))),
    ).select_from(joined)
    counted = counted.where(customers_of(actor), stated > 0)
    known, wrong, share = session.execute(counted).one()
    return Wallet(known=known, wrong=wrong, share=None if share is None else round(share, 6))


def _money(amount: float) -> str:
    return str(Money().to_json(Decimal(repr(round(amount, 2) + 0.0))))
