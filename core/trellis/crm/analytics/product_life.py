"""The lifecycle of products in figures (PR2): what the stages bring, and the stages that wait for somebody to confirm them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.items import PRODUCTS
from trellis.crm.analytics.product_figures import sums_by_product
from trellis.crm.analytics.window import REVENUE, Window
from trellis.crm.products.entities import Product
from trellis.crm.products.life import TITLES
from trellis.edition import Edition
from trellis.records.types import Money
from trellis.security.actor import Actor

MOST = 200
"""Proposals that are shown at once."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The products of a stage that the reader may see, and what they sold in 12 months; ``proposed`` are to be put there."""

    stage: str | None
    products: int = 0
    sales: Decimal = Decimal(0)
    proposed: int = 0


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A product whose sales say that it is in another stage. ``trend`` is empty where there was nothing the year before."""

    id: int
    name: str
    external_id: str | None
    stage: str | None
    proposed: str
    trend: Decimal | None

    def to_json(self) -> dict[str, Any]:
        """One of ``proposals``."""
        return {
            "id": self.id,
            "external_id": self.external_id,
            "name": self.name,
            "stage": self.stage,
            "proposed": self.proposed,
            "trend": float(self.trend) if self.trend is not None else None,
        }


@dataclass(frozen=True, kw_only=True)
class ProductLife:
    """The stages with their products, and the proposals that wait for somebody, the largest change first."""

    window: Window
    currency: str
    groups: Mapping[str | None, Group]
    proposals: list[Proposal]

    @property
    def products(self) -> int:
        """All of them."""
        return sum(one.products for one in self.groups.values())

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics product_lifecycle``, but for its assumptions."""
        whole = sum((one.sales for one in self.groups.values()), Decimal(0))
        return {
            "from": self.window.first.isoformat(),
            "to": self.window.last.isoformat(),
            "currency": self.currency,
            "products": self.products,
            "stages": [
                {
                    "stage": one.stage,
                    "title": str(TITLES[one.stage]) if one.stage else None,
                    "products": one.products,
                    "sales": Money().to_json(one.sales),
                    "share": round(float(one.sales / whole), 6) if whole else None,
                    "proposed": one.proposed,
                }
                for one in self.groups.values()
            ],
            "proposals": [one.to_json() for one in self.proposals],
        }


def product_life(session: Session, edition: Edition, actor: Actor, as_of: date) -> ProductLife:
    """Of the products, orders and lines that the reader may see. Raises PermissionRefused."""
    PRODUCTS.check(edition, actor)
    window = Window.until(as_of)
    sold = sums_by_product(PRODUCTS.amounts(edition, actor, window, REVENUE).subquery("amounts").c, window)
    sums = sold.subquery("sums").c
    waits = Product.proposed_stage.is_distinct_from(Product.life_stage) & Product.proposed_stage.is_not(None)
    query = (
        sa.select(Product.life_stage, sa.func.count(), sa.func.sum(sums.last), sa.func.count().filter(waits))
        .join_from(Product, sums.item_id.table, sums.item_id == Product.id, isouter=True)
        .where(Product.deleted_at.is_(None), actor.visible(Product))
        .group_by(Product.life_stage)
    )
    known = {row[0]: row for row in session.execute(query)}
    groups = {}
    for stage in [*TITLES, *([None] if None in known else [])]:
        _stage, number, sales, waiting = known.get(stage, (stage, 0, None, 0))
        groups[stage] = Group(stage=stage, products=number, sales=sales or Decimal(0), proposed=waiting)
    proposals = list(_waiting(session, actor, waits))
    return ProductLife(window=window, currency=edition.settings.currency, groups=groups, proposals=proposals)


def _waiting(session: Session, actor: Actor, waits: sa.ColumnElement[bool]) -> Iterator[Proposal]:
    query = sa.select(Product).where(Product.deleted_at.is_(None), actor.visible(Product), waits)
    change = sa.func.abs(Product.sales_trend)
    for one in session.scalars(query.order_by(change.desc().nulls_last(), Product.id).limit(MOST)):
        yield Proposal(
            id=one.id,
            name=one.name,
            external_id=one.external_id,
            stage=one.life_stage,
            proposed=one.proposed_stage or "",
            trend=one.sales_trend,
        )
