"""Roles of a service firm."""

from __future__ import annotations

import trellis
from trellis import Grant, Role, Scope

from trellis_b2b.model import POSITIONS

_ = trellis.translator("trellis_b2b")

PEOPLE = [Grant(name, read=Scope.ALL) for name in ("user", "unit", "position", "b2b.consultant")]
OFFERED = (
    "lost_reason",
    "sales_channel",
    "discount_limit",
    "price_list",
    "price_list_item",
    "bundle_part",
    "kpi_target",
)
"""What those who sell need to know."""
PROMISED = (
    "sla_policy",
    "sla_escalation",
    "business_calendar",
    "holiday",
    "mail_template",
    "problem",
    "solution",
)
"""What those need to know who answer customers."""
EARNED = (
    *(Grant(name) for name in ("bonus_scheme", "bonus_part")),
    *(Grant(name, read=Scope.OWN) for name in ("bonus_statement", "bonus_line")),
)
"""By what rules people earn a bonus, and what they earned themselves."""


def _works_on(*names: str, change: Scope = Scope.OWN) -> list[Grant]:
    return [Grant(name, read=Scope.ALL, create=True, update=change, delete=Scope.OWN) for name in names]


ROLES = [
    Role(
        name="b2b.account_manager",
        title=_("Account manager"),
        description=_("Looks after the own accounts and their contracts"),
        cell=POSITIONS,
        grants=[
            *_works_on(
                "customer",
                "customer_relation",
                "contact",
                "opportunity",
                "opportunity_line",
                "quote",
                "quote_line",
                "order",
                "order_line",
                "lead",
                "activity",
                "agreement",
                "case",
                "b2b.engagement",
                "b2b.change_request",
            ),
            Grant("b2b.milestone"),
            Grant("b2b.time_entry"),
            Grant("script_run"),
            Grant("product"),
            *(Grant(name) for name in (*OFFERED, *PROMISED)),
            *EARNED,
            *PEOPLE,
        ],
    ),
    Role(
        name="b2b.delivery_manager",
        title=_("Delivery manager"),
        description=_("Runs engagements, milestones and time"),
        cell=POSITIONS,
        grants=[
            *_works_on(
                "b2b.engagement", "b2b.milestone", "b2b.time_entry", "b2b.change_request", change=Scope.ALL
            ),
            *_works_on("activity", "b2b.consultant", change=Scope.ALL),
            Grant("customer"),
            Grant("contact"),
            *PEOPLE[:3],
        ],
    ),
    Role(
        name="b2b.consultant",
        title=_("Consultant"),
        description=_("Writes down the own time"),
        cell=POSITIONS,
        grants=[
            Grant("b2b.time_entry", read=Scope.OWN, create=True, update=Scope.OWN, delete=Scope.OWN),
            Grant("b2b.engagement"),
            Grant("b2b.milestone"),
            Grant("customer"),
            *_works_on("activity"),
            *PEOPLE,
        ],
    ),
]
