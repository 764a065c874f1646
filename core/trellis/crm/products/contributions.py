"""What the core brings to products: the catalogue, price lists and bundles, the lifecycle and the portfolio."""

from __future__ import annotations

from trellis.contributions import Cell, Direction, Level, Lifecycle, MenuItem
from trellis.crm.products import life, prices
from trellis.crm.products.entities import BundlePart, Category, PriceList, PriceListItem, Product
from trellis.hookspecs import concerns, hookimpl
from trellis.i18n import translator
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave

_ = translator("trellis")

PORTFOLIO = Cell(Direction.PRODUCTS, Level.TACTICS, "PR3")


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Product, Category, PriceList, PriceListItem, BundlePart]


@hookimpl
def trellis_lifecycles() -> list[Lifecycle]:
    return [life.LIFECYCLE]


@hookimpl
def trellis_menu() -> list[MenuItem]:
    return [
        MenuItem(
            name="product_lifecycle",
            title=_("Product lifecycle"),
            cell=life.CELL,
            path="analytics/product_lifecycle",
            direction=Direction.PRODUCTS,
            level=Level.TACTICS,
            icon="refresh-cw",
            entity="product",
        ),
        MenuItem(
            name="product_portfolio",
            title=_("Product portfolio"),
            cell=PORTFOLIO,
            path="analytics/bcg",
            direction=Direction.PRODUCTS,
            level=Level.TACTICS,
            icon="layout-grid",
            entity="product",
        ),
    ]


@hookimpl
@concerns("product", "price_list", "price_list_item", "bundle_part")
def trellis_before_save(event: BeforeSave) -> None:
    if event.action not in ("created", "updated"):
        return
    if event.entity == "product":
        life.follow(event)
    elif event.entity == "price_list":
        prices.check_list(event)
    elif event.entity == "price_list_item":
        prices.fill_item(event)
    else:
        prices.check_part(event)
