"""What a service firm keeps of a customer."""

from __future__ import annotations

import trellis
from trellis import Field, types

_ = trellis.translator("trellis_b2b")

INDUSTRY = Field(
    name="b2b.industry", entity="customer", type=types.Text(80), label=_("Industry"), indexed=True
)
EMPLOYEES = Field(
    name="b2b.employees", entity="customer", type=types.Integer(minimum=0), label=_("Employees")
)
TURNOVER = Field(
    name="b2b.annual_revenue", entity="customer", type=types.Money(minimum=0), label=_("Annual revenue")
)
PARENT = Field(
    name="b2b.parent", entity="customer", type=types.Reference("customer"), label=_("Parent company")
)
ACCOUNT_TIER = Field(
    name="b2b.account_tier",
    entity="customer",
    type=types.Choice(
        (
            types.Option("strategic", _("Strategic"), "good"),
            types.Option("key", _("Key"), "info"),
            types.Option("standard", _("Standard")),
        )
    ),
    label=_("Account tier"),
    in_list=True,
    indexed=True,
)
HEALTH = Field(
    name="b2b.health",
    entity="customer",
    type=types.Integer(minimum=0, additive=False),
    label=_("Health score"),
    in_list=True,
)
CONTRACT_UNTIL = Field(
    name="b2b.contract_until", entity="customer", type=types.Date(), label=_("Contract until"), indexed=True
)
PROCUREMENT = Field(
    name="b2b.procurement",
    entity="customer",
    type=types.Choice(
        (
            types.Option("direct", _("Directly")),
            types.Option("framework", _("By framework agreement")),
            types.Option("tender", _("By tender"), "info"),
        )
    ),
    label=_("How they buy"),
    indexed=True,
)
SERVICE_LINE = Field(
    name="b2b.service_line", entity="opportunity", type=types.Text(80), label=_("Service line")
)

OF_CUSTOMERS = [INDUSTRY, EMPLOYEES, TURNOVER, PARENT, ACCOUNT_TIER, HEALTH, CONTRACT_UNTIL, PROCUREMENT]
FIELDS = [*OF_CUSTOMERS, SERVICE_LINE]
