"""The lifecycle of products in figures (PR2): the stage that the sales trend proposes, and what the stages bring.

The trend holds the sales of the last 12 months against the 12 months before, so that seasons do not count. A product is in
its introduction for the first months after its first sale; then it grows from a trend of 10 % on, declines from -10 % on, and
is mature in between. One that is not on sale any more, or that sold before and has not for 12 months, is withdrawn; one
that never sold has no proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.assumptions import Assumptions, assumption
from trellis.crm.analytics.items import PRODUCTS
from trellis.crm.analytics.window import REVENUE, Window
from trellis.crm.products.entities import Product
from trellis.crm.products.life import DECLINE, GROWTH, INTRODUCTION, MATURITY, TITLES, WITHDRAWN
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.jobs import Work
from trellis.kpi.arithmetic import average
from trellis.kpi.periods import months_later, today_in
from trellis.records.types import FixedPoint, Integer, Money, Percent
from trellis.security.actor import SYSTEM, Actor

_ = translator("trellis")

KIND = "product_figures"
MOST = 200
"""Proposals that are shown at once."""
_PRODUCT = cast(sa.Table, Product.__table__)
_product = _PRODUCT.c
_STEEPEST = Decimal(999)
"""A trend that is kept; a product that began with one piece may be far above."""

_share = Percent(minimum=0, maximum=10)
ASSUMPTIONS = Assumptions(
    name="product_lifecycle",
    title=_("Product lifecycle"),
    about=_("By which trend of its sales a stage is proposed for a product"),
    fields=(
        assumption(
            "introduction_months", Integer(0, 120), _("Introduction, months after the first sale"), 12
        ),
        assumption("growth_from", _share, _("Growth from a rise of"), "0.1"),
        assumption("decline_from", Percent(minimum=0, maximum=1), _("Decline from a fall of"), "0.1"),
    ),
)


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
    sold = _by_product(PRODUCTS.amounts(edition, actor, window, REVENUE).subquery("amounts").c, window)
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


def _waiting(session: Session, actor: Actor, waits: sa.ColumnElement[bool]) -> Any:
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


def refresh(session: Session, edition: Edition, as_of: date) -> int:
    """Proposes a stage for each product by all that was sold; how many proposals or trends changed."""
    proposed = _proposed(edition, as_of).subquery("proposed").c
    values = {"proposed_stage": proposed.stage, "sales_trend": proposed.trend}
    differs = sa.or_(*(_product[name].is_distinct_from(value) for name, value in values.items()))
    changed = sa.update(_PRODUCT).where(_product.id == proposed.id, differs).values(**values)
    return session.execute(changed).rowcount  # type: ignore[attr-defined, no-any-return]


def work(work: Work) -> None:
    """The daily job."""
    with work.workspace.write() as session:
        edition = work.workspace.edition(session)
        changed = refresh(session, edition, today_in(ZoneInfo(edition.settings.timezone)))
        work.finish(session, {"changed": changed})


def _by_product(amount: Any, last: Window) -> sa.Select[Any]:
    """Of each product the sales of the last window and of what lies before it."""
    zero = sa.literal(0, FixedPoint())
    recent = sa.case((amount.day >= last.first, amount.amount), else_=zero)
    earlier = sa.case((amount.day < last.first, amount.amount), else_=zero)
    return sa.select(
        amount.item_id,
        sa.func.sum(recent, type_=FixedPoint()).label("last"),
        sa.func.sum(earlier, type_=FixedPoint()).label("earlier"),
    ).group_by(amount.item_id)


def _proposed(edition: Edition, as_of: date) -> sa.Select[Any]:
    """A row for each product: ``id``, the proposed ``stage``, and the ``trend``."""
    last, both = Window.until(as_of), Window.until(as_of, 24)
    amounts = PRODUCTS.amounts(edition, SYSTEM, both, REVENUE).subquery("amounts")
    sums = _by_product(amounts.c, last).subquery("sums")
    known = PRODUCTS.known(edition, SYSTEM).subquery("known")
    row = (
        sa.select(
            _product.id,
            _product.active,
            known.c.first,
            sa.func.coalesce(sums.c.last, sa.literal(0, FixedPoint())).label("last"),
            sa.func.coalesce(sums.c.earlier, sa.literal(0, FixedPoint())).label("earlier"),
        )
        .join_from(_PRODUCT, sums, sums.c.item_id == _product.id, isouter=True)
        .join(known, known.c.item_id == _product.id, isouter=True)
        .where(_product.deleted_at.is_(None))
        .subquery("row")
        .c
    )
    return sa.select(row.id, _stage(row, as_of, edition).label("stage"), _trend(row).label("trend"))


def _trend(row: Any) -> sa.ColumnElement[Any]:
    zero = sa.literal(0, FixedPoint())
    steep = row.last > row.earlier * sa.literal_column(str(int(_STEEPEST)), sa.Integer)
    trend = average(row.last - row.earlier, row.earlier)
    return sa.case((row.earlier <= zero, None), (steep, sa.literal(_STEEPEST, FixedPoint())), else_=trend)


def _stage(row: Any, as_of: date, edition: Edition) -> sa.ColumnElement[Any]:
    """In whole numbers, so that a product that stands exactly on a threshold is placed alike on both databases."""
    assumed = ASSUMPTIONS.of(edition)
    zero = sa.literal(0, FixedPoint())

    def parts(share: Decimal) -> Any:
        whole = sa.literal_column(str(int((1 + share) * 10_000)), sa.Integer)
        return row.earlier * whole

    times = row.last * sa.literal_column("10000", sa.Integer)
    young = row.first > months_later(as_of, -assumed["introduction_months"])
    return sa.case(
        (sa.not_(row.active), WITHDRAWN),
        (row.first.is_(None), None),
        (young, INTRODUCTION),
        (row.last <= zero, WITHDRAWN),
        (sa.or_(row.earlier <= zero, times >= parts(assumed["growth_from"])), GROWTH),
        (times <= parts(-assumed["decline_from"]), DECLINE),
        else_=MATURITY,
    )
