"""How customers moved between the tiers of the pyramid, from one window to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.pyramid import TIERS, Cuts, cuts_of, ranking
from trellis.crm.analytics.window import Window, per_customer
from trellis.edition import Edition
from trellis.security.actor import Actor

OUTSIDE = "outside"
"""Not ranked: without income in that window."""
PLACES = (*TIERS, OUTSIDE)


@dataclass(frozen=True, kw_only=True)
class Moves:
    """Customers with income in either window, by their tier before and now."""

    before: Window
    now: Window
    customers: dict[tuple[str, str], int]

    def to_json(self) -> dict[str, Any]:
        """A part of the answer of ``analytics pyramid``."""
        return {
            "from": self.before.first.isoformat(),
            "to": self.before.last.isoformat(),
            "cells": [
                {"before": before, "now": now, "customers": self.customers.get((before, now), 0)}
                for before in PLACES
                for now in PLACES
                if (before, now) != (OUTSIDE, OUTSIDE)
            ],
        }


def moves(
    session: Session, edition: Edition, actor: Actor, before: Window, now: Window, measure: str
) -> Moves:
    """The moves of the customers that the reader may see; both windows are ranked by the same measure."""
    actor.require("customer", "read")
    cuts = cuts_of(edition)
    ranked = [
        _placed(edition, actor, window, measure, cuts, name) for window, name in ((before, "a"), (now, "b"))
    ]
    both = sa.union_all(*ranked).subquery("both").c
    place = [
        sa.func.coalesce(sa.func.max(sa.case((both.window == name, both.tier))), OUTSIDE).label(label)
        for name, label in (("a", "before"), ("b", "now"))
    ]
    customer = sa.select(*place).group_by(both.customer_id).subquery("customer").c
    query = sa.select(customer.before, customer.now, sa.func.count()).group_by(customer.before, customer.now)
    return Moves(
        before=before, now=now, customers={(was, is_): count for was, is_, count in session.execute(query)}
    )


def _placed(
    edition: Edition, actor: Actor, window: Window, measure: str, cuts: Cuts, name: str
) -> sa.Select[Any]:
    ranked = ranking(per_customer(edition, actor, window).subquery("value"), measure, cuts).subquery()
    return sa.select(ranked.c.customer_id, ranked.c.tier, sa.literal(name).label("window"))
