"""Who works in a retail company, and what they may do."""

from __future__ import annotations

import trellis
from trellis import Grant, Scope

from trellis_retail.model import STRUCTURE

_ = trellis.translator("trellis_retail")

OPEN_TO_ALL = [
    Grant(name, read=Scope.ALL)
    for name in (
        "user",
        "unit",
        "position",
        "product",
        "category",
        "lost_reason",
        "sales_channel",
        "discount_limit",
        "price_list",
        "price_list_item",
        "bundle_part",
        "exchange_rate",
        "business_calendar",
        "holiday",
        "sla_policy",
        "sla_escalation",
        "mail_template",
        "retail.region",
        "retail.store",
        "retail.promotion",
    )
]


def _reading(
    entity: str, *, create: bool = False, update: Scope = Scope.NONE, delete: Scope = Scope.NONE
) -> Grant:
    return Grant(entity, read=Scope.ALL, create=create, update=update, delete=delete)


ROLES = [
    trellis.Role(
        name="retail.store_manager",
        title=_("Store manager"),
        description=_("Runs the own store: its receipts, returns, customers and tasks"),
        cell=STRUCTURE,
        grants=[
            *OPEN_TO_ALL,
            Grant("*", read=Scope.UNIT, create=True, update=Scope.UNIT, delete=Scope.OWN),
            Grant("retail.store", read=Scope.ALL, update=Scope.UNIT),
            _reading("customer", create=True, update=Scope.UNIT),
        ],
    ),
    trellis.Role(
        name="retail.category_manager",
        title=_("Category manager"),
        description=_("Keeps products, categories and promotions; reads all sales"),
        cell=STRUCTURE,
        grants=[
            Grant("*", read=Scope.ALL),
            _reading("product", create=True, update=Scope.ALL, delete=Scope.OWN),
            _reading("category", create=True, update=Scope.ALL, delete=Scope.OWN),
            _reading("retail.promotion", create=True, update=Scope.ALL, delete=Scope.OWN),
            _reading("activity", create=True, update=Scope.OWN, delete=Scope.OWN),
        ],
    ),
    trellis.Role(
        name="retail.crm_marketer",
        title=_("CRM marketer"),
        description=_(
            "Works with all customers, segments, surveys and promotions; reads sales, changes no receipt"
        ),
        cell=STRUCTURE,
        grants=[
            Grant("*", read=Scope.ALL),
            _reading("journey", create=True, update=Scope.ALL),
            *(_reading(name, create=True, update=Scope.ALL) for name in ("survey", "survey_invitation")),
            _reading("mail_template", create=True, update=Scope.ALL, delete=Scope.OWN),
            _reading("customer", create=True, update=Scope.ALL),
            _reading("contact", create=True, update=Scope.ALL),
            _reading("lead", create=True, update=Scope.ALL),
            _reading("script", create=True, update=Scope.ALL, delete=Scope.OWN),
            _reading("retail.promotion", create=True, update=Scope.ALL, delete=Scope.OWN),
            _reading("activity", create=True, update=Scope.OWN, delete=Scope.OWN),
        ],
    ),
    trellis.Role(
        name="retail.service_agent",
        title=_("Service agent"),
        description=_("Finds any customer and receipt, answers cases, takes returns, keeps the own tasks"),
        cell=STRUCTURE,
        grants=[
            *OPEN_TO_ALL,
            Grant("*", read=Scope.NONE),
            _reading("customer", create=True, update=Scope.ALL),
            _reading("contact", create=True, update=Scope.ALL),
            _reading("order"),
            _reading("order_line"),
            _reading("retail.return", create=True, update=Scope.ALL),
            _reading("case", create=True, update=Scope.ALL),
            _reading("problem"),
            _reading("solution", create=True, update=Scope.OWN),
            _reading("survey"),
            Grant("script_run", read=Scope.UNIT),
            Grant("activity", read=Scope.UNIT, create=True, update=Scope.OWN, delete=Scope.OWN),
        ],
    ),
]
