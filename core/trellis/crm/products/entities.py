"""Products, their category tree, price lists and bundles (PR1)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as Number

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import (
    Boolean,
    Choice,
    Currency,
    Date,
    DateTime,
    Decimal,
    LongText,
    Money,
    Option,
    Percent,
    Reference,
    Text,
)

_ = translator("trellis")

LIFECYCLE = _("Lifecycle")
MARKET = _("Market")
VALUE = _("Value")
ABC = (Option("A", _("A"), "good"), Option("B", _("B"), "info"), Option("C", _("C")))
XYZ = (Option("X", _("X"), "good"), Option("Y", _("Y"), "info"), Option("Z", _("Z")))
LIFE = (
    Option("introduction", _("Market introduction"), "info"),
    Option("growth", _("Growth"), "good"),
    Option("maturity", _("Maturity"), "good"),
    Option("decline", _("Decline"), "warn"),
    Option("withdrawn", _("Withdrawn")),
)


class Category(Entity):
    """A node of the tree of product categories."""

    __tablename__ = "category"
    __entity__ = EntityInfo(
        name="category",
        title=_("Category"),
        plural=_("Categories"),
        new=_("New category"),
        icon="folder-tree",
        direction="products",
        level="strategy",
        row="PR1",
        subtitle_field="parent",
        sort="name",
        tree="parent",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    code: Mapped[str | None] = column(Text(60), label=_("Code"), in_list=True)
    parent_id: Mapped[int | None] = column(Reference("category"), label=_("Part of"), in_list=True)
    market_growth: Mapped[Number | None] = column(
        Percent(minimum=-1, maximum=100),
        label=_("Growth of the market, a year"),
        help=_("For the matrix of the portfolio; growth of own sales stands in while it is empty"),
        group=MARKET,
    )
    rival_sales: Mapped[Number | None] = column(
        Money(minimum=0, additive=False),
        label=_("Sales of the largest rival, a year"),
        help=_("In the currency of the workspace; the own assortment stands in while it is empty"),
        group=MARKET,
    )


class Product(Entity):
    """Something the organisation sells: goods, a service, a bank product."""

    __tablename__ = "product"
    __entity__ = EntityInfo(
        name="product",
        title=_("Product"),
        plural=_("Products"),
        new=_("New product"),
        icon="package",
        direction="products",
        level="strategy",
        row="PR1",
        subtitle_field="code",
        sort="name",
        amount_field="price",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    code: Mapped[str | None] = column(Text(60), label=_("Code"), searchable=True, in_list=True, indexed=True)
    category_id: Mapped[int | None] = column(Reference("category"), label=_("Category"), in_list=True)
    price: Mapped[Number | None] = column(Money(minimum=0, additive=False), label=_("Price"), in_list=True)
    cost: Mapped[Number | None] = column(Money(minimum=0, additive=False), label=_("Cost"), in_list=True)
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"))
    measure: Mapped[str | None] = column(Text(20), label=_("Unit of measure"))
    active: Mapped[bool] = column(Boolean(), label=_("On sale"), default=True, in_list=True)
    description: Mapped[str | None] = column(LongText(), label=_("Description"))
    life_stage: Mapped[str | None] = column(
        Choice(LIFE), label=_("Stage"), in_list=True, indexed=True, group=LIFECYCLE
    )
    stage_since: Mapped[datetime | None] = column(
        DateTime(), label=_("In this stage since"), read_only=True, group=LIFECYCLE
    )
    proposed_stage: Mapped[str | None] = column(
        Choice(LIFE),
        label=_("Proposed stage"),
        help=_("By the sales trend; somebody confirms it"),
        read_only=True,
        group=LIFECYCLE,
    )
    sales_trend: Mapped[Number | None] = column(
        Percent(),
        label=_("Sales trend"),
        help=_("Sales of the last 12 months against the 12 months before"),
        read_only=True,
        group=LIFECYCLE,
    )
    abc: Mapped[str | None] = column(
        Choice(ABC), label=_("ABC class"), read_only=True, indexed=True, group=VALUE
    )
    xyz: Mapped[str | None] = column(Choice(XYZ), label=_("XYZ class"), read_only=True, group=VALUE)


class PriceList(Entity):
    """Prices in one currency that hold for some days, for a channel or a segment of customers where it names one."""

    __tablename__ = "price_list"
    __entity__ = EntityInfo(
        name="price_list",
        title=_("Price list"),
        plural=_("Price lists"),
        new=_("New price list"),
        icon="tags",
        direction="products",
        level="strategy",
        row="PR1",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    currency: Mapped[str | None] = column(
        Currency(), label=_("Currency"), help=_("That of the workspace when left empty"), in_list=True
    )
    valid_from: Mapped[date | None] = column(Date(), label=_("Valid from"), in_list=True)
    valid_to: Mapped[date | None] = column(Date(), label=_("Valid to, that day included"), in_list=True)
    channel: Mapped[str | None] = column(
        Text(60, names="channel"),
        label=_("Channel"),
        help=_("For all channels when left empty"),
        in_list=True,
    )
    segment: Mapped[str | None] = column(
        Text(160, names="segment"), label=_("Segment"), help=_("For all customers when left empty")
    )
    active: Mapped[bool] = column(Boolean(), label=_("In use"), default=True, in_list=True)
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"))


class PriceListItem(Entity):
    """The price of a product in a list, from a quantity on."""

    __tablename__ = "price_list_item"
    __entity__ = EntityInfo(
        name="price_list_item",
        title=_("Price"),
        plural=_("Prices"),
        new=_("New price"),
        icon="tag",
        direction="products",
        level="strategy",
        row="PR1",
        title_field="product",
        subtitle_field="price_list",
        parent="price_list",
    )
    __table_args__ = (sa.Index("ix_price_list_item_product", "product_id", "price_list_id", "quantity_from"),)

    price_list_id: Mapped[int] = column(
        Reference("price_list", "CASCADE"), label=_("Price list"), required=True, in_list=True
    )
    product_id: Mapped[int] = column(
        Reference("product", "CASCADE"), label=_("Product"), required=True, in_list=True
    )
    quantity_from: Mapped[Number] = column(
        Decimal(minimum=0), label=_("From quantity"), required=True, default=1, in_list=True
    )
    price: Mapped[Number] = column(
        Money(minimum=0, additive=False), label=_("Price"), required=True, in_list=True
    )
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"), read_only=True)


class BundlePart(Entity):
    """What a bundle is made of. A bundle without a price of its own costs what its parts cost together."""

    __tablename__ = "bundle_part"
    __entity__ = EntityInfo(
        name="bundle_part",
        title=_("Part of a bundle"),
        plural=_("Parts of bundles"),
        new=_("New part"),
        icon="boxes",
        direction="products",
        level="strategy",
        row="PR1",
        title_field="part",
        subtitle_field="bundle",
        parent="bundle",
    )

    bundle_id: Mapped[int] = column(
        Reference("product", "CASCADE"), label=_("Bundle"), required=True, in_list=True
    )
    part_id: Mapped[int] = column(
        Reference("product", "CASCADE"), label=_("Part"), required=True, in_list=True
    )
    quantity: Mapped[Number] = column(
        Decimal(minimum=0), label=_("Quantity"), required=True, default=1, in_list=True
    )
