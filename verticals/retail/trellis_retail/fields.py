"""Extension fields: the receipt on an order, the loyalty card and buying habits on a customer."""

from __future__ import annotations

import trellis
from trellis import types

_ = trellis.translator("trellis_retail")

RECEIPT = _("Receipt")
CARD = _("Loyalty card")
HABITS = _("Buying habits")
CONSENT = _("Consent")

ONLINE = "online"
CHANNELS = (
    types.Option("store", _("Store")),
    types.Option(ONLINE, _("Online shop"), "good"),
    types.Option("phone", _("Phone")),
)

STORE = trellis.Field(
    name="retail.store",
    entity="order",
    type=types.Reference("retail.store"),
    label=_("Store"),
    group=RECEIPT,
    in_list=True,
    indexed=True,
)
TILL = trellis.Field(name="retail.till", entity="order", type=types.Text(20), label=_("Till"), group=RECEIPT)
UNITS = trellis.Field(
    name="retail.units",
    entity="order",
    type=types.Decimal(),
    label=_("Units"),
    help=_("How many pieces were bought; empty where the lines of the receipt say it"),
    group=RECEIPT,
)
DISCOUNT = trellis.Field(
    name="retail.discount",
    entity="order",
    type=types.Money(minimum=0),
    label=_("Discount"),
    help=_("What was taken off the shelf price; the amount of the receipt is what was paid"),
    group=RECEIPT,
    in_list=True,
)
COUPON = trellis.Field(
    name="retail.coupon",
    entity="order",
    type=types.Text(40),
    label=_("Coupon"),
    group=RECEIPT,
    searchable=True,
    indexed=True,
)
RECEIPT_CARD = trellis.Field(
    name="retail.card_number",
    entity="order",
    type=types.Text(40),
    label=_("Card shown"),
    help=_("The loyalty card that was read at the till; it tells whose receipt this is"),
    group=RECEIPT,
    personal=True,
    searchable=True,
    indexed=True,
)
IS_RETURN = trellis.Field(
    name="retail.is_return",
    entity="order",
    type=types.Boolean(),
    label=_("Return receipt"),
    group=RECEIPT,
)

CARD_NUMBER = trellis.Field(
    name="retail.card_number",
    entity="customer",
    type=types.Text(40),
    label=_("Card number"),
    group=CARD,
    personal=True,
    searchable=True,
    indexed=True,
)
CARD_LEVEL = trellis.Field(
    name="retail.card_level",
    entity="customer",
    type=types.Choice(
        (
            types.Option("basic", _("Basic")),
            types.Option("silver", _("Silver"), "info"),
            types.Option("gold", _("Gold"), "warn"),
        )
    ),
    label=_("Card level"),
    group=CARD,
    in_list=True,
)
CARD_SINCE = trellis.Field(
    name="retail.card_since", entity="customer", type=types.Date(), label=_("Card since"), group=CARD
)
HOME_STORE = trellis.Field(
    name="retail.home_store",
    entity="customer",
    type=types.Reference("retail.store"),
    label=_("Home store"),
    group=HABITS,
    in_list=True,
    indexed=True,
)
FAVOURITE = trellis.Field(
    name="retail.favourite_category",
    entity="customer",
    type=types.Reference("category"),
    label=_("Favourite category"),
    group=HABITS,
)
PREFERRED = trellis.Field(
    name="retail.preferred_channel",
    entity="customer",
    type=types.Choice(CHANNELS),
    label=_("Preferred shopping channel"),
    group=HABITS,
)
HOUSEHOLD = trellis.Field(
    name="retail.household_size",
    entity="customer",
    type=types.Integer(minimum=1),
    label=_("Household size"),
    group=HABITS,
    personal=True,
)
CONSENT_MAIL = trellis.Field(
    name="retail.consent_mail",
    entity="customer",
    type=types.Boolean(),
    label=_("Offers by mail"),
    group=CONSENT,
)
CONSENT_SMS = trellis.Field(
    name="retail.consent_sms",
    entity="customer",
    type=types.Boolean(),
    label=_("Offers by SMS"),
    group=CONSENT,
)

FIELDS = [
    STORE,
    TILL,
    UNITS,
    DISCOUNT,
    COUPON,
    RECEIPT_CARD,
    IS_RETURN,
    CARD_NUMBER,
    CARD_LEVEL,
    CARD_SINCE,
    HOME_STORE,
    FAVOURITE,
    PREFERRED,
    HOUSEHOLD,
    CONSENT_MAIL,
    CONSENT_SMS,
]
