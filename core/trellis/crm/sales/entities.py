"""Leads, opportunities, orders and their lines."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as Number

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import (
    Choice,
    Currency,
    Date,
    DateTime,
    Decimal,
    Email,
    Integer,
    LongText,
    Money,
    Option,
    Percent,
    Phone,
    Reference,
    Text,
)

_ = translator("trellis")

CONVERSION = _("Conversion")
FIRST_FUNNEL = "sales"
"""The funnel of an opportunity that is given none, and whose channel has none of its own."""
FIRST_STAGE = "qualify"
"""Where an opportunity begins that is given no stage; where its funnel has no such stage, it begins with the first of those."""
PRICE_HELP = _("From the price list of the day when left empty")


class Lead(Entity):
    """Somebody's interest that is not yet qualified (SA3)."""

    __tablename__ = "lead"
    __entity__ = EntityInfo(
        name="lead",
        title=_("Lead"),
        plural=_("Leads"),
        new=_("New lead"),
        icon="user-round-plus",
        direction="sales",
        level="tactics",
        row="SA3",
        subtitle_field="company",
        sort="-created_at",
        timeline=True,
        date_field="created_at",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True, personal=True
    )
    company: Mapped[str | None] = column(
        Text(), label=_("Company"), searchable=True, in_list=True, personal=True
    )
    email: Mapped[str | None] = column(
        Email(), label=_("E-mail"), searchable=True, in_list=True, personal=True
    )
    phone: Mapped[str | None] = column(
        Phone(), label=_("Phone"), searchable=True, in_list=True, personal=True
    )
    stage: Mapped[str] = column(
        Text(60), label=_("Stage"), required=True, default="new", in_list=True, indexed=True
    )
    source: Mapped[str | None] = column(Text(120), label=_("Source"), in_list=True)
    customer_id: Mapped[int | None] = column(Reference("customer"), label=_("Customer"))
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"), personal=True)
    converted_at: Mapped[datetime | None] = column(
        DateTime(), label=_("Converted"), read_only=True, group=CONVERSION
    )
    converted_customer_id: Mapped[int | None] = column(
        Reference("customer", ""),
        label=_("Became the customer"),
        read_only=True,
        group=CONVERSION,
    )
    converted_contact_id: Mapped[int | None] = column(
        Reference("contact", ""),
        label=_("Became the contact"),
        read_only=True,
        group=CONVERSION,
    )
    converted_opportunity_id: Mapped[int | None] = column(
        Reference("opportunity", ""),
        label=_("Became the opportunity"),
        read_only=True,
        group=CONVERSION,
    )


class Opportunity(Entity):
    """A possible sale on its way through the stages of its funnel (SA3)."""

    __tablename__ = "opportunity"
    __entity__ = EntityInfo(
        name="opportunity",
        title=_("Opportunity"),
        plural=_("Opportunities"),
        new=_("New opportunity"),
        icon="handshake",
        direction="sales",
        level="tactics",
        row="SA3",
        subtitle_field="customer",
        sort="expected_close",
        date_field="expected_close",
        timeline=True,
        amount_field="amount",
    )
    __table_args__ = (
        sa.Index(
            "ix_opportunity_board",
            *("funnel", "stage", "amount", "id"),
            postgresql_ops={"amount": "NULLS FIRST"},
        ),
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True, personal=True
    )
    customer_id: Mapped[int | None] = column(Reference("customer"), label=_("Customer"), in_list=True)
    funnel: Mapped[str] = column(Text(60), label=_("Funnel"), required=True, default=FIRST_FUNNEL)
    stage: Mapped[str] = column(
        Text(60), label=_("Stage"), required=True, default=FIRST_STAGE, in_list=True, indexed=True
    )
    stage_since: Mapped[datetime | None] = column(DateTime(), label=_("In this stage since"), read_only=True)
    begun_on: Mapped[date | None] = column(
        Date(), label=_("Begun"), help=_("The day on which it came up: from it the sales cycle is counted")
    )
    channel: Mapped[str | None] = column(Text(60, names="channel"), label=_("Channel"))
    amount: Mapped[Number | None] = column(Money(minimum=0), label=_("Amount"), in_list=True, indexed=True)
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"))
    probability: Mapped[Number | None] = column(Percent(minimum=0, maximum=1), label=_("Probability"))
    expected_close: Mapped[date | None] = column(
        Date(), label=_("Expected close"), in_list=True, indexed=True
    )
    closed_at: Mapped[datetime | None] = column(DateTime(), label=_("Closed"), indexed=True)
    outcome: Mapped[str] = column(
        Choice(
            (
                Option("open", _("In progress"), "info"),
                Option("won", _("Won"), "good"),
                Option("lost", _("Lost"), "danger"),
            )
        ),
        label=_("Outcome"),
        required=True,
        default="open",
        in_list=True,
    )
    lost_reason: Mapped[str | None] = column(Text(offers="lost_reason"), label=_("Reason for losing"))
    product_id: Mapped[int | None] = column(Reference("product"), label=_("Product"))
    next_step: Mapped[str | None] = column(Text(), label=_("Next step"), personal=True)
    next_step_on: Mapped[date | None] = column(Date(), label=_("Next step on"))
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"), personal=True)


class OpportunityLine(Entity):
    """A product that an opportunity is about; the amount of the opportunity follows its lines where there are any."""

    __tablename__ = "opportunity_line"
    __entity__ = EntityInfo(
        name="opportunity_line",
        title=_("Product of an opportunity"),
        plural=_("Products of opportunities"),
        new=_("New product"),
        icon="list",
        direction="sales",
        level="tactics",
        title_field="product",
        subtitle_field="opportunity",
        parent="opportunity",
    )

    opportunity_id: Mapped[int] = column(
        Reference("opportunity", "CASCADE"), label=_("Opportunity"), required=True, in_list=True
    )
    product_id: Mapped[int | None] = column(Reference("product"), label=_("Product"), in_list=True)
    quantity: Mapped[Number] = column(Decimal(), label=_("Quantity"), required=True, default=1, in_list=True)
    price: Mapped[Number | None] = column(
        Money(additive=False), label=_("Price"), help=PRICE_HELP, in_list=True
    )
    discount: Mapped[Number | None] = column(Percent(minimum=0, maximum=1), label=_("Discount"), in_list=True)
    amount: Mapped[Number | None] = column(Money(), label=_("Amount"), read_only=True, in_list=True)
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"), read_only=True)


class Order(Entity):
    """A purchase: an order, a receipt, an invoice. ``amount`` and ``cost`` follow the lines where there are any."""

    __tablename__ = "order"
    __entity__ = EntityInfo(
        name="order",
        title=_("Order"),
        plural=_("Orders"),
        new=_("New order"),
        icon="shopping-bag",
        direction="sales",
        level="operations",
        title_field="number",
        subtitle_field="customer",
        sort="-ordered_at",
        date_field="ordered_at",
        timeline=True,
        amount_field="amount",
    )
    __table_args__ = (
        sa.Index("ix_order_ordered_at", "ordered_at", "id"),
        sa.Index("ix_order_customer_ordered_at", "customer_id", "ordered_at"),
    )

    number: Mapped[str] = column(
        Text(60), label=_("Number"), required=True, searchable=True, in_list=True, indexed=True
    )
    customer_id: Mapped[int | None] = column(Reference("customer"), label=_("Customer"), in_list=True)
    ordered_at: Mapped[datetime] = column(DateTime(), label=_("Ordered"), required=True, in_list=True)
    channel: Mapped[str | None] = column(Text(60, names="channel"), label=_("Channel"), in_list=True)
    amount: Mapped[Number | None] = column(Money(), label=_("Amount"), in_list=True)
    cost: Mapped[Number | None] = column(Money(), label=_("Cost"))
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"))
    lines_count: Mapped[int | None] = column(Integer(), label=_("Lines"), read_only=True)
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"), personal=True)


class OrderLine(Entity):
    """One product on an order. A negative quantity is a return."""

    __tablename__ = "order_line"
    __entity__ = EntityInfo(
        name="order_line",
        title=_("Order line"),
        plural=_("Order lines"),
        new=_("New order line"),
        icon="list",
        direction="sales",
        level="operations",
        title_field="product",
        subtitle_field="order",
        parent="order",
    )

    order_id: Mapped[int] = column(
        Reference("order", "CASCADE"), label=_("Order"), required=True, in_list=True
    )
    product_id: Mapped[int | None] = column(Reference("product"), label=_("Product"), in_list=True)
    quantity: Mapped[Number] = column(Decimal(), label=_("Quantity"), required=True, default=1, in_list=True)
    price: Mapped[Number] = column(Money(additive=False), label=_("Price"), required=True, in_list=True)
    discount: Mapped[Number | None] = column(Percent(minimum=0, maximum=1), label=_("Discount"))
    cost: Mapped[Number | None] = column(Money(additive=False), label=_("Cost of one"), in_list=True)
    amount: Mapped[Number | None] = column(Money(), label=_("Amount"), read_only=True, in_list=True)
    cost_amount: Mapped[Number | None] = column(Money(), label=_("Cost of the line"), read_only=True)


class Quote(Entity):
    """An offer to a customer with its lines; accepted, it becomes an order. Its sums follow the lines."""

    __tablename__ = "quote"
    __entity__ = EntityInfo(
        name="quote",
        title=_("Quote"),
        plural=_("Quotes"),
        new=_("New quote"),
        icon="file-text",
        direction="sales",
        level="operations",
        row="SA3",
        title_field="number",
        subtitle_field="customer",
        sort="-issued_on",
        date_field="issued_on",
        timeline=True,
        amount_field="amount",
        numbered="Q",
    )

    number: Mapped[str] = column(
        Text(60),
        label=_("Number"),
        help=_("Given by itself when left empty"),
        searchable=True,
        in_list=True,
        indexed=True,
        unique=True,
    )
    customer_id: Mapped[int | None] = column(Reference("customer"), label=_("Customer"), in_list=True)
    opportunity_id: Mapped[int | None] = column(
        Reference("opportunity"), label=_("Opportunity"), in_list=True
    )
    stage: Mapped[str] = column(
        Text(60), label=_("Stage"), required=True, default="draft", in_list=True, indexed=True
    )
    issued_on: Mapped[date | None] = column(
        Date(), label=_("Issued"), help=_("Prices are those of this day"), in_list=True, indexed=True
    )
    valid_until: Mapped[date | None] = column(Date(), label=_("Valid until, that day included"), in_list=True)
    price_list_id: Mapped[int | None] = column(
        Reference("price_list"), label=_("Price list"), help=_("The one that fits best when left empty")
    )
    channel: Mapped[str | None] = column(Text(60, names="channel"), label=_("Channel"))
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"))
    net: Mapped[Number | None] = column(Money(), label=_("Without tax"), read_only=True)
    tax: Mapped[Number | None] = column(Money(), label=_("Tax"), read_only=True)
    amount: Mapped[Number | None] = column(Money(), label=_("Total"), read_only=True, in_list=True)
    discount: Mapped[Number | None] = column(
        Percent(),
        label=_("Largest discount"),
        help=_("Of its lines, against the prices in the list: by it the limit is held"),
        read_only=True,
        in_list=True,
    )
    lines_count: Mapped[int | None] = column(Integer(), label=_("Lines"), read_only=True)
    approved_by_id: Mapped[int | None] = column(Reference("user", ""), label=_("Approved by"), read_only=True)
    order_id: Mapped[int | None] = column(Reference("order"), label=_("Order"), read_only=True)
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"), personal=True)


class QuoteLine(Entity):
    """One product of a quote."""

    __tablename__ = "quote_line"
    __entity__ = EntityInfo(
        name="quote_line",
        title=_("Quote line"),
        plural=_("Quote lines"),
        new=_("New quote line"),
        icon="list",
        direction="sales",
        level="operations",
        title_field="product",
        subtitle_field="quote",
        parent="quote",
    )

    quote_id: Mapped[int] = column(
        Reference("quote", "CASCADE"), label=_("Quote"), required=True, in_list=True
    )
    product_id: Mapped[int | None] = column(Reference("product"), label=_("Product"), in_list=True)
    description: Mapped[str | None] = column(Text(500), label=_("Description"), in_list=True)
    quantity: Mapped[Number] = column(Decimal(), label=_("Quantity"), required=True, default=1, in_list=True)
    price: Mapped[Number | None] = column(
        Money(additive=False), label=_("Price"), help=PRICE_HELP, in_list=True
    )
    discount: Mapped[Number | None] = column(Percent(minimum=0, maximum=1), label=_("Discount"), in_list=True)
    tax: Mapped[Number | None] = column(Percent(minimum=0, maximum=1), label=_("Tax rate"), in_list=True)
    list_price: Mapped[Number | None] = column(
        Money(additive=False), label=_("Price in the list"), read_only=True
    )
    reduction: Mapped[Number | None] = column(
        Percent(), label=_("Below the list"), help=_("With the discount"), read_only=True
    )
    net: Mapped[Number | None] = column(Money(), label=_("Without tax"), read_only=True, in_list=True)
    tax_amount: Mapped[Number | None] = column(Money(), label=_("Tax"), read_only=True)
    amount: Mapped[Number | None] = column(Money(), label=_("Total"), read_only=True, in_list=True)
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"), read_only=True)


class DiscountLimit(Entity):
    """The largest discount that people of a role may offer without approval. A role that has none here is free."""

    __tablename__ = "discount_limit"
    __entity__ = EntityInfo(
        name="discount_limit",
        title=_("Discount limit"),
        plural=_("Discount limits"),
        new=_("New limit"),
        icon="badge-percent",
        direction="sales",
        level="tactics",
        title_field="role",
        sort="role",
    )

    role: Mapped[str] = column(
        Text(80, names="role"),
        label=_("Role"),
        required=True,
        unique=True,
        in_list=True,
    )
    limit: Mapped[Number] = column(
        Percent(minimum=0, maximum=1), label=_("Largest discount"), required=True, in_list=True
    )
