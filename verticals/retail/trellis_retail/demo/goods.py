"""What Linen & Oak sells: categories and products with price and cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import cycle

import trellis

_ = trellis.translator("trellis_retail")

CENT = Decimal("0.01")
MARKETS = ("0.03", "0.12", "0.06", "0.16", "-0.02")
"""How fast the markets of the categories grow, as they follow each other."""

ASSORTMENT = (
    (
        _("Bed linen"),
        (
            (_("Linen duvet cover"), 89, 0.52),
            (_("Cotton bed set"), 64, 0.50),
            (_("Pillowcase, two"), 24, 0.46),
            (_("Fitted sheet"), 32, 0.49),
            (_("Wool throw"), 76, 0.55),
            (_("Down pillow"), 58, 0.57),
        ),
    ),
    (
        _("Bath"),
        (
            (_("Bath towel"), 22, 0.44),
            (_("Hand towel"), 11, 0.43),
            (_("Bath mat"), 27, 0.48),
            (_("Waffle bathrobe"), 69, 0.53),
            (_("Soap dish, oak"), 14, 0.41),
        ),
    ),
    (
        _("Table and kitchen"),
        (
            (_("Stoneware plate"), 12, 0.47),
            (_("Stoneware bowl"), 10, 0.46),
            (_("Linen tablecloth"), 59, 0.52),
            (_("Wine glass"), 8, 0.42),
            (_("Oak chopping board"), 36, 0.49),
            (_("Apron"), 26, 0.45),
            (_("Cast-iron pan"), 72, 0.61),
        ),
    ),
    (
        _("Lighting"),
        (
            (_("Table lamp Alva"), 79, 0.54),
            (_("Floor lamp Sol"), 149, 0.58),
            (_("Pendant lamp Nord"), 119, 0.56),
            (_("Paper lantern"), 19, 0.38),
            (_("LED bulb"), 7, 0.51),
        ),
    ),
    (
        _("Curtains and rugs"),
        (
            (_("Linen curtain"), 54, 0.51),
            (_("Blackout curtain"), 62, 0.53),
            (_("Wool rug"), 189, 0.60),
            (_("Cotton runner"), 39, 0.50),
            (_("Curtain rod, brass"), 29, 0.45),
        ),
    ),
    (
        _("Furniture"),
        (
            (_("Oak stool"), 69, 0.62),
            (_("Bedside table"), 129, 0.63),
            (_("Bookcase"), 219, 0.66),
            (_("Armchair"), 349, 0.67),
            (_("Dining table, oak"), 590, 0.69),
        ),
    ),
    (
        _("Decoration"),
        (
            (_("Scented candle"), 17, 0.36),
            (_("Glass vase"), 34, 0.43),
            (_("Cushion cover"), 21, 0.42),
            (_("Picture frame"), 16, 0.40),
            (_("Woven basket"), 28, 0.44),
            (_("Dried flowers"), 13, 0.39),
        ),
    ),
)


@dataclass(frozen=True)
class Product:
    """A product as the receipts of the demo need it."""

    id: int
    price: Decimal
    cost: Decimal


@dataclass(frozen=True)
class Shelf:
    """A category with its products; cheap ones are bought more often, so they weigh more."""

    category: int
    products: tuple[Product, ...]
    weights: tuple[float, ...]


def make(context: trellis.DemoContext) -> list[Shelf]:
    """Writes categories and products."""
    currency = context.records.edition.settings.currency
    root = context.create("category", [{"name": context.text(_("All goods")), "code": "ALL"}])[0]
    names = [
        {"name": context.text(title), "parent": root, "market_growth": growth}
        for (title, _goods), growth in zip(ASSORTMENT, cycle(MARKETS), strict=False)
    ]
    shelves = []
    for place, (category, (_title, goods)) in enumerate(
        zip(context.create("category", names), ASSORTMENT, strict=True), 1
    ):
        priced = [
            (Decimal(price) - CENT * 5, (Decimal(price) * Decimal(str(part))).quantize(CENT))
            for _n, price, part in goods
        ]
        rows = [
            {
                "name": context.text(name),
                "code": f"{place:02}{number:03}",
                "category": category,
                "price": price,
                "cost": cost,
                "currency": currency,
            }
            for number, ((name, _price, _part), (price, cost)) in enumerate(
                zip(goods, priced, strict=True), 1
            )
        ]
        ids = context.create("product", rows)
        products = tuple(Product(one, price, cost) for one, (price, cost) in zip(ids, priced, strict=True))
        shelves.append(Shelf(category, products, tuple(1 / float(one.price) ** 0.95 for one in products)))
    _offer(context, shelves[0])
    return shelves


def _offer(context: trellis.DemoContext, linen: Shelf) -> None:
    """Writes what hotels pay for bed linen, the more of it the less, and what a bed set is made of."""
    year = context.today.year
    trade = {"name": context.text(_("Trade prices")), "currency": context.records.edition.settings.currency}
    days = {"valid_from": date(year, 1, 1), "valid_to": date(year, 12, 31)}
    (prices,) = context.create("price_list", [trade | days])
    context.create(
        "price_list_item",
        (
            {
                "price_list": prices,
                "product": one.id,
                "quantity_from": number,
                "price": (one.price * part).quantize(CENT),
            }
            for one in linen.products
            for number, part in ((10, Decimal("0.9")), (100, Decimal("0.8")))
        ),
    )
    _cover, bed_set, pillowcase, sheet, *_others = (one.id for one in linen.products)
    parts = [{"bundle": bed_set, "part": one} for one in (pillowcase, sheet)]
    context.create("bundle_part", parts)
