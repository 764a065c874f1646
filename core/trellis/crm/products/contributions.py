"""What the core brings to products: the catalogue, price lists and bundles, the lifecycle and the portfolio."""

from __future__ import annotations

from trellis.contributions import Lifecycle, Panel
from trellis.crm.products import life, panels, prices
from trellis.crm.products.entities import BundlePart, Category, PriceList, PriceListItem, Product
from trellis.hookspecs import concerns, hookimpl
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Product, Category, PriceList, PriceListItem, BundlePart]


@hookimpl
def trellis_lifecycles() -> list[Lifecycle]:
    return [life.LIFECYCLE]


@hookimpl
def trellis_panels() -> list[Panel]:
    return panels.PANELS


@hookimpl
@concerns("product", "price_list", "price_list_item", "bundle_part")
def trellis_before_save(event: BeforeSave) -> None:
    if event.action not in ("created", "updated", "restored"):
        return
    if event.entity == "product":
        life.follow(event)
    elif event.entity == "price_list":
        prices.check_list(event)
    elif event.entity == "price_list_item":
        prices.fill_item(event)
    else:
        prices.check_part(event)
