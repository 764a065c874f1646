"""The portfolio of products (PR3): the matrix of relative market share and market growth.

Relative share is own sales by those of the largest rival (20 against 40 is 0.5); growth is that of the market. Both stand on the
category: its ``rival_sales`` of 12 months and its ``market_growth`` a year. Where the market is not known, the largest other item of
the own assortment stands in for the rival, and the growth of the own sales of the category for that of the market; the answer
says which. Sources: Henderson, "The Product Portfolio", BCG Perspectives 66, 1970; Hedley, "Strategy and the Business Portfolio",
Long Range Planning 10(1), 1977.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.items import PRODUCTS
from trellis.crm.analytics.product_figures import sums_by_product
from trellis.crm.analytics.window import REVENUE, Window
from trellis.crm.products.entities import Category, Product
from trellis.edition import Edition
from trellis.errors import PermissionRefused
from trellis.kpi.periods import months_later
from trellis.records.types import Money
from trellis.security.actor import Actor

CATEGORIES, OF_PRODUCTS = "categories", "products"
KINDS = (CATEGORIES, OF_PRODUCTS)
STAR, COW, QUESTION, DOG = "star", "cash_cow", "question_mark", "dog"
QUADRANTS = (STAR, QUESTION, COW, DOG)
GROWTH_FROM, SHARE_FROM = 0.1, 1.0
_DAYS_A_YEAR = Decimal("365.25")


@dataclass(frozen=True, kw_only=True)
class Position:
    """One product or category in the matrix.

    ``rival`` is what its largest rival sells in the period: ``of_market`` where the organisation knows it, else that of its
    own assortment that stands in. ``growth`` is likewise ``of_market``, or that of own sales. Empty where nothing is known.
    """

    id: int | None
    external_id: str | None
    name: str
    sales: Decimal
    share: float
    rival: Decimal | None
    rival_of_market: bool
    growth: float | None
    growth_of_market: bool
    quadrant: str | None

    @property
    def relative(self) -> float | None:
        """Own sales by those of the largest rival."""
        return relative_share(self.sales, self.rival)

    def to_json(self) -> dict[str, Any]:
        """One of ``items``."""
        relative = self.relative
        return {
            "id": self.id,
            "external_id": self.external_id,
            "name": self.name,
            "sales": Money().to_json(self.sales),
            "share": round(self.share, 6),
            "rival": Money().to_json(self.rival),
            "rival_of_market": self.rival_of_market,
            "relative_share": None if relative is None else round(relative, 6),
            "growth": None if self.growth is None else round(self.growth, 6),
            "growth_of_market": self.growth_of_market,
            "quadrant": self.quadrant,
        }


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """The matrix of a window; items by their sales, the largest first."""

    window: Window
    currency: str
    growth_from: float
    share_from: float
    positions: Sequence[Position]

    def of(self, quadrant: str | None) -> list[Position]:
        """The items of a quadrant; those that have no place for None."""
        return [one for one in self.positions if one.quadrant == quadrant]

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics bcg``."""
        return {
            "from": self.window.first.isoformat(),
            "to": self.window.last.isoformat(),
            "currency": self.currency,
            "growth_from": self.growth_from,
            "share_from": self.share_from,
            "quadrants": [
                {
                    "quadrant": quadrant,
                    "items": len(found),
                    "sales": Money().to_json(sum((one.sales for one in found), Decimal(0))),
                    "share": round(sum(one.share for one in found), 6),
                }
                for quadrant, found in ((one, self.of(one)) for one in (*QUADRANTS, None))
            ],
            "items": [one.to_json() for one in self.positions],
        }


@dataclass(frozen=True, kw_only=True)
class _Sold:
    """What was sold of an item in the window and the one before; items are peers within a ``group``."""

    id: int | None
    external_id: str | None
    name: str
    group: int | None
    last: Decimal
    earlier: Decimal


@dataclass(frozen=True)
class _Market:
    """What the organisation knows of the market of a category."""

    growth: float | None
    rival: Decimal | None


def relative_share(own: Decimal, rival: Decimal | None) -> float | None:
    """Own sales by those of the largest rival; None without one."""
    return float(own / rival) if rival is not None and rival > 0 else None


def quadrant(
    relative: float | None, growth: float | None, growth_from: float, share_from: float
) -> str | None:
    """The name of the quadrant; None where one of both is not known."""
    if relative is None or growth is None:
        return None
    if growth >= growth_from:
        return STAR if relative >= share_from else QUESTION
    return COW if relative >= share_from else DOG


def portfolio(
    session: Session,
    edition: Edition,
    actor: Actor,
    window: Window,
    of: str = CATEGORIES,
    growth_from: float = GROWTH_FROM,
    share_from: float = SHARE_FROM,
) -> Portfolio:
    """The positions of what was sold in the window, as far as the reader sees orders. Raises PermissionRefused."""
    _require(edition, actor)
    sold = [one for one in _sold(session, edition, actor, window, of) if one.last > 0]
    markets = _markets(session, actor)
    total = sum((one.last for one in sold), Decimal(0))
    grown = _own_growth(sold)
    largest = _largest(sold, of)
    years = _years(window)
    positions = []
    for one in sold:
        market = markets.get(one.group, _Market(None, None))
        stated = market.rival * years if market.rival is not None and of == CATEGORIES else None
        peers = largest[one.group if of == OF_PRODUCTS else None]
        rival = stated or next((sales for item, sales in peers if item != one.id), None)
        growth = market.growth if market.growth is not None else grown[one.group]
        place = quadrant(relative_share(one.last, rival), growth, growth_from, share_from)
        positions.append(
            Position(
                id=one.id,
                external_id=one.external_id,
                name=one.name,
                sales=one.last,
                share=float(one.last / total),
                rival=rival,
                rival_of_market=stated is not None,
                growth=growth,
                growth_of_market=market.growth is not None,
                quadrant=place,
            )
        )
    return Portfolio(
        window=window,
        currency=edition.settings.currency,
        growth_from=growth_from,
        share_from=share_from,
        positions=sorted(positions, key=lambda one: (-one.sales, one.name)),
    )


def _require(edition: Edition, actor: Actor) -> None:
    PRODUCTS.check(edition, actor)
    actor.require("category", "read")
    seen = actor.sees(edition).entities
    if any(name not in seen["category"].fields for name in ("market_growth", "rival_sales")):
        raise PermissionRefused()
    if "category" not in seen["product"].fields:
        raise PermissionRefused()


def _sold(session: Session, edition: Edition, actor: Actor, window: Window, of: str) -> Iterator[_Sold]:
    both = Window(window.before().first, window.end)
    amounts = PRODUCTS.amounts(edition, actor, both, REVENUE).subquery("amounts")
    sums = sums_by_product(amounts.c, window).subquery("sums")
    named: Any = Product if of == OF_PRODUCTS else Category
    last, earlier = (sa.func.sum(column, type_=column.type) for column in (sums.c.last, sums.c.earlier))
    query = (
        sa.select(
            named.id,
            named.external_id,
            named.name,
            Product.category_id,
            last.label("last"),
            earlier.label("earlier"),
        )
        .join_from(sums, Product, Product.id == sums.c.item_id)
        .group_by(named.id, named.external_id, named.name, Product.category_id)
    )
    if of == CATEGORIES:
        query = query.join(Category, Category.id == Product.category_id, isouter=True)
    for row in session.execute(query):
        yield _Sold(
            id=row[0],
            external_id=row[1],
            name=row[2] or "",
            group=row[3],
            last=row.last,
            earlier=row.earlier,
        )


def _markets(session: Session, actor: Actor) -> Mapping[int | None, _Market]:
    query = sa.select(Category.id, Category.market_growth, Category.rival_sales).where(
        Category.deleted_at.is_(None), actor.visible(Category)
    )
    return {
        row[0]: _Market(float(row[1]) if row[1] is not None else None, row[2])
        for row in session.execute(query)
    }


def _years(window: Window) -> Decimal:
    """How many years a window is, exactly for whole months."""
    months = len(window.months)
    if months and months_later(window.first, months) == window.end:
        return Decimal(months) / 12
    return (window.end - window.first).days / _DAYS_A_YEAR


def _own_growth(sold: Sequence[_Sold]) -> dict[int | None, float | None]:
    """The growth of own sales by category; None where nothing was sold before."""
    last: dict[int | None, Decimal] = {}
    earlier: dict[int | None, Decimal] = {}
    for one in sold:
        last[one.group] = last.get(one.group, Decimal(0)) + one.last
        earlier[one.group] = earlier.get(one.group, Decimal(0)) + one.earlier
    return {
        group: float(sales / earlier[group] - 1) if earlier[group] > 0 else None
        for group, sales in last.items()
    }


def _largest(sold: Sequence[_Sold], of: str) -> dict[int | None, list[tuple[int | None, Decimal]]]:
    """The two best sold items among peers: products of a category, or all categories."""
    found: dict[int | None, list[tuple[int | None, Decimal]]] = {}
    for one in sold:
        peers = found.setdefault(one.group if of == OF_PRODUCTS else None, [])
        peers.append((one.id, one.last))
        peers.sort(key=lambda item: -item[1])
        del peers[2:]
    return found
