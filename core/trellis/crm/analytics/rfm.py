"""RFM (CU4): recency, frequency and monetary value of each buyer, scored in quintiles.

Recency is the days since the last purchase day, frequency the number of purchase days, monetary the revenue, all in the
window up to the day asked for. A score is ``ceil(5 * rank / n)``, 5 being best; ranks are stable, equal values by
customer id, so that the five groups are of equal size and equal customers can differ by one. Who bought nothing in the
window has no score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.window import Window, per_customer
from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.records.types import Money
from trellis.security.actor import Actor

SCORES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, kw_only=True)
class Rfm:
    """How many buyers there are with each score, and in each cell (``555`` are the best)."""

    window: Window
    cells: dict[str, int]

    @property
    def customers(self) -> int:
        """How many have scores."""
        return sum(self.cells.values())

    def scores(self, letter: int) -> dict[str, int]:
        """How many have each score of recency (0), frequency (1) or monetary (2)."""
        return {
            str(score): sum(n for cell, n in self.cells.items() if cell[letter] == str(score))
            for score in SCORES
        }

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics rfm``."""
        return {
            "as_of": self.window.last.isoformat(),
            "from": self.window.first.isoformat(),
            "customers": self.customers,
            "scores": {name: self.scores(index) for index, name in enumerate("rfm")},
            "cells": self.cells,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class RfmCustomer:
    """One buyer's figures and code."""

    id: int
    external_id: str | None
    name: str
    recency_days: int
    frequency: int
    monetary: Decimal
    code: str

    def to_json(self) -> dict[str, Any]:
        """One line of ``analytics rfm --customers``."""
        return {
            "id": self.id,
            "external_id": self.external_id,
            "name": self.name,
            "recency_days": self.recency_days,
            "frequency": self.frequency,
            "monetary": Money().to_json(self.monetary),
            "code": self.code,
        }


def rfm(session: Session, edition: Edition, actor: Actor, window: Window) -> Rfm:
    """The scores of the buyers that the reader may see."""
    actor.require("customer", "read")
    scored = scoring(per_customer(edition, actor, window).subquery("value")).subquery("scored")
    letters = (scored.c.r, scored.c.f, scored.c.m)
    query = sa.select(*letters, sa.func.count()).group_by(*letters).order_by(*(one.desc() for one in letters))
    return Rfm(window=window, cells={f"{r}{f}{m}": count for r, f, m, count in session.execute(query)})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the buyers with one score of recency, frequency or monetary have: the least and the most of it, and how many they are."""

    low: Decimal
    high: Decimal
    customers: int


def limits(session: Session, edition: Edition, actor: Actor, window: Window) -> dict[tuple[str, int], Limits]:
    """The limits of each score, by letter and score: days since the last purchase, purchase days, revenue."""
    actor.require("customer", "read")
    scored = scoring(per_customer(edition, actor, window).subquery("value")).subquery("scored").c
    letters = (scored.r, scored.f, scored.m)
    ends = [
        end(one)
        for one in (scored.last, scored.frequency, scored.revenue)
        for end in (sa.func.min, sa.func.max)
    ]
    found: dict[tuple[str, int], Limits] = {}
    for r, f, m, count, *row in session.execute(
        sa.select(*letters, sa.func.count(), *ends).group_by(*letters)
    ):
        first, last, *rest = row
        values = (_days(last, window.last), _days(first, window.last), *rest)
        for index, key in enumerate((("r", r), ("f", f), ("m", m))):
            low, high = (Decimal(one) for one in values[2 * index : 2 * index + 2])
            known = found.get(key, Limits(low=low, high=high, customers=0))
            found[key] = Limits(
                low=min(low, known.low), high=max(high, known.high), customers=known.customers + count
            )
    return found


def rfm_customers(
    session: Session,
    edition: Edition,
    actor: Actor,
    window: Window,
    *,
    best_first: bool = False,
    most: int | None = None,
) -> Iterator[RfmCustomer]:
    """The buyers by id, each with figures and code; read in portions, so that memory stays flat.

    With ``best_first`` those with the highest scores come first; ``most`` of them, or all.
    """
    actor.require("customer", "read")
    scored = scoring(per_customer(edition, actor, window).subquery("value")).subquery("scored")
    query = sa.select(Customer.id, Customer.external_id, Customer.name, scored).join(
        scored, scored.c.customer_id == Customer.id
    )
    together = scored.c.r + scored.c.f + scored.c.m
    order = (together.desc(), scored.c.revenue.desc(), Customer.id) if best_first else (Customer.id,)
    query = query.order_by(*order).limit(most)
    for row in session.execute(query, execution_options={"yield_per": 2000}):
        yield RfmCustomer(
            id=row.id,
            external_id=row.external_id,
            name=row.name,
            recency_days=_days(row.last, window.last),
            frequency=row.frequency,
            monetary=row.revenue,
            code=f"{row.r}{row.f}{row.m}",
        )


def scoring(value: sa.FromClause) -> sa.Select[Any]:
    """The rows of :func:`per_customer` that bought, with ``r``, ``f`` and ``m``."""
    ranked = sa.select(value, *ranks(value)).subquery("ranked")
    return sa.select(ranked, *scores(ranked)).where(ranked.c.frequency > 0)


def ranks(value: sa.FromClause) -> list[sa.Label[int]]:
    """Ranks of the rows of :func:`per_customer`, those that bought first, and how many these are.

    Kept apart from :func:`scores`, so that each window is computed once.
    """
    column = value.c
    orders = {"rank_r": column.last, "rank_f": column.frequency, "rank_m": column.revenue}
    ranked = [
        sa.func.row_number().over(order_by=(column.frequency == 0, order, column.customer_id)).label(name)
        for name, order in orders.items()
    ]
    return [*ranked, sa.func.count(sa.case((column.frequency > 0, 1))).over().label("buyers")]


def scores(ranked: sa.FromClause) -> list[sa.Label[int]]:
    """Recency, frequency and monetary score by :func:`ranks`; NULL for who did not buy."""
    buyers, bought = ranked.c.buyers, ranked.c.frequency > 0
    return [
        sa.case((bought, (ranked.c[f"rank_{letter}"] * 5 + buyers - 1) // buyers)).label(letter)
        for letter in "rfm"
    ]


def _days(last: date, as_of: date) -> int:
    return (as_of - last).days
