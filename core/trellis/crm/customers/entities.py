"""Customers and their contacts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as Number

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.crm.products.entities import ABC, XYZ
from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import (
    Boolean,
    Choice,
    Date,
    DateTime,
    Decimal,
    Email,
    Integer,
    Json,
    LongText,
    Money,
    Option,
    Percent,
    Phone,
    Reference,
    Text,
    Url,
)

_ = translator("trellis")

CONTACT = _("Contact details")
ADDRESS = _("Address")
AGREED = _("Consent")
VALUE = _("Value")
LIFECYCLE = _("Lifecycle")

TIERS = (
    Option("top", _("Top"), "good"),
    Option("large", _("Large"), "good"),
    Option("medium", _("Medium"), "info"),
    Option("small", _("Small")),
    Option("inactive", _("Inactive"), "warn"),
    Option("prospect", _("Prospect")),
)
SIGNIFICANCE = (
    Option("key", _("Key"), "good"),
    Option("important", _("Important"), "info"),
    Option("ordinary", _("Ordinary")),
    Option("minor", _("Minor")),
)
RELATIONSHIP = (
    Option("prospect", _("Prospect")),
    Option("new", _("New"), "info"),
    Option("active", _("Active"), "info"),
    Option("loyal", _("Loyal customer"), "good"),
    Option("at_risk", _("At risk"), "warn"),
    Option("lost", _("Lost customer"), "danger"),
)
CONSENT = (
    Option("unknown", _("Not asked")),
    Option("granted", _("Granted"), "good"),
    Option("refused", _("Refused"), "danger"),
)
WAYS = (
    Option("mail", _("E-mail")),
    Option("phone", _("Phone")),
    Option("messenger", _("Messenger")),
    Option("post", _("Post")),
)


class Customer(Entity):
    """A person or a company that buys, has bought or may buy."""

    __tablename__ = "customer"
    __entity__ = EntityInfo(
        name="customer",
        title=_("Customer"),
        plural=_("Customers"),
        new=_("New customer"),
        icon="users",
        direction="customers",
        level="operations",
        subtitle_field="city",
        sort="name",
        amount_field="revenue_12m",
    )
    __table_args__ = (
        sa.Index("ix_customer_name_id", "name", "id"),
        sa.Index("ix_customer_city_name", "city", "name", "id"),
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, personal=True
    )
    kind: Mapped[str] = column(
        Choice((Option("person", _("Person")), Option("company", _("Company")))),
        label=_("Kind"),
        required=True,
        default="person",
    )
    email: Mapped[str | None] = column(
        Email(), label=_("E-mail"), searchable=True, indexed=True, personal=True, group=CONTACT
    )
    phone: Mapped[str | None] = column(
        Phone(), label=_("Phone"), searchable=True, in_list=True, indexed=True, personal=True, group=CONTACT
    )
    website: Mapped[str | None] = column(Url(), label=_("Website"), personal=True, group=CONTACT)
    address: Mapped[str | None] = column(Text(300), label=_("Street address"), personal=True, group=ADDRESS)
    city: Mapped[str | None] = column(
        Text(120), label=_("City"), searchable=True, in_list=True, group=ADDRESS
    )
    postcode: Mapped[str | None] = column(Text(20), label=_("Postcode"), personal=True, group=ADDRESS)
    country: Mapped[str | None] = column(Text(80), label=_("Country"), group=ADDRESS)
    language: Mapped[str | None] = column(Text(20, names="language"), label=_("Language"), group=CONTACT)
    time_zone: Mapped[str | None] = column(
        Text(60, names="time_zone"),
        label=_("Time zone"),
        help=_("By its clock quiet hours are kept; that of the organisation when left empty"),
        group=CONTACT,
    )
    preferred_channel: Mapped[str | None] = column(
        Choice(WAYS), label=_("Preferred channel"), help=_("How they want to be reached"), group=AGREED
    )
    consent_mail: Mapped[str] = column(
        Choice(CONSENT),
        label=_("Consent to mail"),
        help=_("Who refused gets no mail that goes to many, and no survey"),
        required=True,
        default="unknown",
        group=AGREED,
    )
    consent_phone: Mapped[str] = column(
        Choice(CONSENT), label=_("Consent to calls"), required=True, default="unknown", group=AGREED
    )
    source: Mapped[str | None] = column(Text(120), label=_("Source"))
    birthday: Mapped[date | None] = column(Date(), label=_("Birthday"), personal=True)
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"), personal=True)

    relationship_stage: Mapped[str | None] = column(
        Choice(RELATIONSHIP), label=_("Stage"), indexed=True, group=LIFECYCLE
    )
    stage_held: Mapped[bool | None] = column(
        Boolean(),
        label=_("Stage held"),
        help=_("Somebody chose the stage: rules leave it as it is until this is taken back"),
        group=LIFECYCLE,
    )
    stage_since: Mapped[datetime | None] = column(
        DateTime(), label=_("In this stage since"), read_only=True, group=LIFECYCLE
    )

    tier: Mapped[str | None] = column(
        Choice(TIERS), label=_("Tier"), read_only=True, in_list=True, indexed=True, group=VALUE
    )
    revenue_12m: Mapped[Number | None] = column(
        Money(),
        label=_("Revenue, 12 months"),
        read_only=True,
        of_income=True,
        in_list=True,
        indexed=True,
        group=VALUE,
    )
    margin_12m: Mapped[Number | None] = column(
        Money(), label=_("Margin, 12 months"), read_only=True, of_income=True, group=VALUE
    )
    orders_count: Mapped[int | None] = column(
        Integer(), label=_("Purchases"), read_only=True, of_income=True, in_list=True, group=VALUE
    )
    first_order_at: Mapped[date | None] = column(
        Date(), label=_("First purchase"), read_only=True, group=VALUE
    )
    last_order_at: Mapped[date | None] = column(
        Date(), label=_("Last purchase"), read_only=True, in_list=True, indexed=True, group=VALUE
    )
    rfm_r: Mapped[int | None] = column(
        Integer(additive=False), label=_("Recency score"), read_only=True, group=VALUE
    )
    rfm_f: Mapped[int | None] = column(
        Integer(additive=False), label=_("Frequency score"), read_only=True, group=VALUE
    )
    rfm_m: Mapped[int | None] = column(
        Integer(additive=False), label=_("Monetary score"), read_only=True, group=VALUE
    )
    rfm_code: Mapped[str | None] = column(Text(3), label=_("RFM"), read_only=True, in_list=True, group=VALUE)
    abc: Mapped[str | None] = column(
        Choice(ABC), label=_("ABC class"), read_only=True, indexed=True, group=VALUE
    )
    abc_before: Mapped[Number | None] = column(
        Percent(),
        label=_("Brought by better customers"),
        help=_(
            "The share of the positive total that customers above this one bring: by it the ABC class is decided"
        ),
        read_only=True,
        group=VALUE,
    )
    xyz: Mapped[str | None] = column(Choice(XYZ), label=_("XYZ class"), read_only=True, group=VALUE)
    xyz_variation: Mapped[Number | None] = column(
        Percent(),
        label=_("Variation from month to month"),
        help=_("Standard deviation by mean of the last 12 months: by it the XYZ class is decided"),
        read_only=True,
        group=VALUE,
    )
    significance: Mapped[Number | None] = column(
        Decimal(additive=False),
        label=_("Significance"),
        help=_("0 to 100, by the weights of the organisation"),
        read_only=True,
        indexed=True,
        group=VALUE,
    )
    significance_class: Mapped[str | None] = column(
        Choice(SIGNIFICANCE), label=_("Significance class"), read_only=True, indexed=True, group=VALUE
    )
    significance_terms: Mapped[dict[str, float | None] | None] = column(
        Json(), label=_("Terms of the significance"), read_only=True, group=VALUE
    )
    clv: Mapped[Number | None] = column(
        Money(),
        label=_("Lifetime value, 12 months"),
        help=_("Expected margin of the next 12 months, discounted by 1 % a month"),
        read_only=True,
        of_income=True,
        indexed=True,
        group=VALUE,
    )
    alive: Mapped[Number | None] = column(
        Percent(),
        label=_("Still a customer"),
        help=_("The probability of it, by how often and how long ago they bought"),
        read_only=True,
        group=VALUE,
    )
    expected_purchases: Mapped[Number | None] = column(
        Decimal(),
        label=_("Expected purchases, 12 months"),
        read_only=True,
        of_income=True,
        group=VALUE,
    )
    category_spending: Mapped[Number | None] = column(
        Money(),
        label=_("Spending on such goods, a year"),
        help=_("With all suppliers, as they say; for the share of wallet"),
        group=VALUE,
    )
    valued_at: Mapped[datetime | None] = column(
        DateTime(), label=_("Value computed"), read_only=True, group=VALUE
    )


class Contact(Entity):
    """A person at a customer."""

    __tablename__ = "contact"
    __entity__ = EntityInfo(
        name="contact",
        title=_("Contact"),
        plural=_("Contacts"),
        new=_("New contact"),
        icon="contact",
        direction="customers",
        level="operations",
        subtitle_field="position",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(),
        label=_("Full name"),
        required=True,
        searchable=True,
        in_list=True,
        indexed=True,
        personal=True,
    )
    customer_id: Mapped[int | None] = column(
        Reference("customer", "CASCADE"), label=_("Customer"), in_list=True
    )
    position: Mapped[str | None] = column(Text(), label=_("Position"), in_list=True, personal=True)
    email: Mapped[str | None] = column(
        Email(), label=_("E-mail"), searchable=True, in_list=True, indexed=True, personal=True
    )
    phone: Mapped[str | None] = column(
        Phone(), label=_("Phone"), searchable=True, in_list=True, personal=True
    )
    role: Mapped[str | None] = column(
        Choice(
            (
                Option("decides", _("Decides"), "good"),
                Option("influences", _("Influences"), "info"),
                Option("uses", _("Uses")),
                Option("blocks", _("Blocks"), "danger"),
            )
        ),
        label=_("Part in decisions"),
        in_list=True,
    )
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"), personal=True)
