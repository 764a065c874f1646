"""What a retailer keeps beside the core: regions and stores, promotions, returns."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
import trellis
from sqlalchemy.orm import Mapped
from trellis import types

_ = trellis.translator("trellis_retail")

PLACE = _("Place")
TERMS = _("Terms")
DECISION = _("Decision")

FORMATS = (
    types.Option("flagship", _("Flagship store"), "violet"),
    types.Option("city", _("City store"), "info"),
    types.Option("mall", _("Store in a mall"), "teal"),
    types.Option("outlet", _("Outlet"), "warn"),
    types.Option("online", _("Online shop"), "good"),
)
MECHANICS = (
    types.Option("percent_off", _("Percent off")),
    types.Option("amount_off", _("Amount off")),
    types.Option("multibuy", _("Buy several, pay for fewer")),
    types.Option("bundle", _("Set at one price")),
    types.Option("gift", _("Gift with a purchase")),
    types.Option("coupon", _("Coupon")),
)
REASONS = (
    types.Option("damaged", _("Damaged or faulty"), "danger"),
    types.Option("not_as_described", _("Not as described"), "warn"),
    types.Option("wrong_item", _("Wrong item"), "warn"),
    types.Option("size", _("Size or colour does not fit")),
    types.Option("changed_mind", _("Changed mind")),
    types.Option("late", _("Delivered too late"), "warn"),
)
REFUSED = "refused"
RESOLUTIONS = (
    types.Option("refund", _("Refund"), "info"),
    types.Option("replacement", _("Replacement"), "good"),
    types.Option("voucher", _("Voucher"), "teal"),
    types.Option("repair", _("Repair")),
    types.Option(REFUSED, _("Refused"), "danger"),
)


class Region(trellis.Entity):
    """A node of the tree of regions in which stores stand."""

    __tablename__ = "retail_region"
    __entity__ = trellis.EntityInfo(
        name="retail.region",
        title=_("Region"),
        plural=_("Regions"),
        new=_("New region"),
        icon="map",
        direction="sales",
        level="strategy",
        row="SA1",
        subtitle_field="code",
        sort="name",
        tree="parent",
    )

    name: Mapped[str] = trellis.column(
        types.Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    code: Mapped[str | None] = trellis.column(types.Text(20), label=_("Code"), searchable=True, in_list=True)
    parent_id: Mapped[int | None] = trellis.column(
        types.Reference("retail.region"), label=_("Part of"), in_list=True
    )


class Store(trellis.Entity):
    """A shop, or the online shop: where receipts come from."""

    __tablename__ = "retail_store"
    __entity__ = trellis.EntityInfo(
        name="retail.store",
        title=_("Store"),
        plural=_("Stores"),
        new=_("New store"),
        icon="store",
        direction="sales",
        level="strategy",
        row="SA1",
        subtitle_field="city",
        sort="name",
        amount_field="area_m2",
    )

    name: Mapped[str] = trellis.column(
        types.Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    code: Mapped[str] = trellis.column(
        types.Text(20), label=_("Code"), required=True, unique=True, searchable=True, in_list=True
    )
    format: Mapped[str] = trellis.column(
        types.Choice(FORMATS), label=_("Format"), required=True, default="city", in_list=True
    )
    region_id: Mapped[int | None] = trellis.column(
        types.Reference("retail.region"), label=_("Region"), in_list=True, group=PLACE
    )
    city: Mapped[str | None] = trellis.column(
        types.Text(120), label=_("City"), searchable=True, in_list=True, group=PLACE
    )
    address: Mapped[str | None] = trellis.column(types.Text(300), label=_("Street address"), group=PLACE)
    phone: Mapped[str | None] = trellis.column(types.Phone(), label=_("Phone"), group=PLACE)
    area_m2: Mapped[Decimal | None] = trellis.column(
        types.Decimal(minimum=0),
        label=_("Sales area, m²"),
        in_list=True,
        help=_("Without stock rooms and offices; sales per m² are counted on it"),
    )
    opened: Mapped[date | None] = trellis.column(types.Date(), label=_("Opened"), in_list=True)
    closed: Mapped[date | None] = trellis.column(types.Date(), label=_("Closed"))
    manager_id: Mapped[int | None] = trellis.column(
        types.Reference("user"), label=_("Store manager"), in_list=True
    )


class Promotion(trellis.Entity):
    """An offer with a period and a mechanic, from idea to result."""

    __tablename__ = "retail_promotion"
    __entity__ = trellis.EntityInfo(
        name="retail.promotion",
        title=_("Promotion"),
        plural=_("Promotions"),
        new=_("New promotion"),
        icon="badge-percent",
        direction="marketing",
        level="tactics",
        row="MC3",
        subtitle_field="mechanic",
        sort="-starts",
        date_field="starts",
        amount_field="budget",
    )

    name: Mapped[str] = trellis.column(
        types.Text(), label=_("Name"), required=True, searchable=True, in_list=True
    )
    stage: Mapped[str] = trellis.column(
        types.Text(60), label=_("Stage"), required=True, default="draft", in_list=True, indexed=True
    )
    mechanic: Mapped[str] = trellis.column(
        types.Choice(MECHANICS), label=_("Mechanic"), required=True, in_list=True, group=TERMS
    )
    starts: Mapped[date | None] = trellis.column(
        types.Date(), label=_("Starts"), in_list=True, indexed=True, group=TERMS
    )
    ends: Mapped[date | None] = trellis.column(
        types.Date(), label=_("Last day"), in_list=True, indexed=True, group=TERMS
    )
    discount: Mapped[Decimal | None] = trellis.column(
        types.Percent(minimum=0), label=_("Discount"), in_list=True, group=TERMS
    )
    coupon: Mapped[str | None] = trellis.column(
        types.Text(40), label=_("Coupon code"), searchable=True, in_list=True, group=TERMS
    )
    category_id: Mapped[int | None] = trellis.column(
        types.Reference("category"), label=_("Category"), in_list=True, group=TERMS
    )
    region_id: Mapped[int | None] = trellis.column(
        types.Reference("retail.region"), label=_("Region"), group=TERMS
    )
    budget: Mapped[Decimal | None] = trellis.column(types.Money(minimum=0), label=_("Budget"), in_list=True)
    message: Mapped[str | None] = trellis.column(types.LongText(), label=_("Message to customers"))


class Return(trellis.Entity):
    """Goods that a customer brings back, and what was decided about them."""

    __tablename__ = "retail_return"
    __entity__ = trellis.EntityInfo(
        name="retail.return",
        title=_("Return"),
        plural=_("Returns"),
        new=_("New return"),
        icon="undo-2",
        direction="service",
        level="tactics",
        row="SE2",
        title_field="number",
        subtitle_field="customer",
        sort="-received_at",
        date_field="received_at",
        timeline=True,
        amount_field="amount",
    )
    __table_args__ = (sa.Index("ix_retail_return_board", "stage", "amount", "id"),)

    number: Mapped[str] = trellis.column(
        types.Text(60), label=_("Number"), required=True, searchable=True, in_list=True, indexed=True
    )
    stage: Mapped[str] = trellis.column(
        types.Text(60), label=_("Stage"), required=True, default="received", in_list=True, indexed=True
    )
    receipt_id: Mapped[int | None] = trellis.column(
        types.Reference("order"),
        label=_("Receipt"),
        in_list=True,
        help=_("Empty when the customer has lost the receipt"),
    )
    customer_id: Mapped[int | None] = trellis.column(
        types.Reference("customer"), label=_("Customer"), in_list=True
    )
    store_id: Mapped[int | None] = trellis.column(types.Reference("retail.store"), label=_("Store"))
    product_id: Mapped[int | None] = trellis.column(types.Reference("product"), label=_("Product"))
    reason: Mapped[str] = trellis.column(
        types.Choice(REASONS), label=_("Reason"), required=True, in_list=True
    )
    amount: Mapped[Decimal] = trellis.column(
        types.Money(minimum=0), label=_("Amount"), required=True, in_list=True
    )
    currency: Mapped[str | None] = trellis.column(types.Currency(), label=_("Currency"))
    received_at: Mapped[datetime | None] = trellis.column(
        types.DateTime(), label=_("Received"), in_list=True, indexed=True
    )
    resolution: Mapped[str | None] = trellis.column(
        types.Choice(RESOLUTIONS), label=_("Resolution"), in_list=True, group=DECISION
    )
    settled_at: Mapped[datetime | None] = trellis.column(
        types.DateTime(), label=_("Settled"), indexed=True, group=DECISION
    )
    notes: Mapped[str | None] = trellis.column(types.LongText(), label=_("Notes"), personal=True)


ENTITIES: list[type[trellis.Entity]] = [Region, Store, Promotion, Return]
