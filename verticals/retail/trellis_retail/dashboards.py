"""The home page of the retail edition, the day of a store, the work of marketing, and reports."""

from __future__ import annotations

import trellis
from trellis import Widget

from trellis_retail.model import LIFECYCLE, PROMOTIONS, REPORTS, SALES

_ = trellis.translator("trellis_retail")

TODAY = {"field": "ordered_at", "op": "gte", "value": {"days": 0}}
SOLD = {"field": "amount", "op": "gte", "value": 0}

DASHBOARDS = [
    trellis.Dashboard(
        name="retail.home",
        title=_("Retail"),
        cell=LIFECYCLE,
        home=True,
        widgets=(
            Widget(
                kind="kpi_strip",
                width=12,
                options={
                    "kpis": (
                        "revenue",
                        "retail.average_check",
                        "retail.repeat_purchase_rate_90",
                        "retention",
                        "retail.active_customers_90",
                    )
                },
            ),
            Widget(kind="pyramid", width=4),
            Widget(kind="rfm", width=4),
            Widget(kind="tasks", width=4),
            Widget(kind="retention", width=8),
            Widget(kind="changes", width=4),
        ),
    ),
    trellis.Dashboard(
        name="retail.store_day",
        title=_("Store day"),
        cell=SALES,
        widgets=(
            Widget(
                kind="kpi_strip",
                width=12,
                options={
                    "kpis": (
                        "revenue",
                        "retail.average_check",
                        "retail.units_per_receipt",
                        "retail.share_of_sales_with_card",
                        "retail.sales_per_m2",
                    )
                },
            ),
            Widget(kind="kpi_trend", width=8, options={"kpis": ("revenue",)}),
            Widget(kind="tasks", width=4),
            Widget(
                kind="list",
                title=_("Receipts of today"),
                width=8,
                options={
                    "entity": "order",
                    "rule": {"all": [TODAY, SOLD]},
                    "sort": "-amount",
                    "fields": ("customer", "retail.store", "ordered_at", "amount"),
                },
            ),
            Widget(kind="board", title=_("Returns"), width=4, options={"entity": "retail.return"}),
        ),
    ),
    trellis.Dashboard(
        name="retail.marketing",
        title=_("Retail marketing"),
        cell=PROMOTIONS,
        widgets=(
            Widget(
                kind="kpi_strip",
                width=12,
                options={
                    "kpis": (
                        "new_customers",
                        "retail.repeat_purchase_rate_90",
                        "retail.discount_share",
                        "retail.coupon_share",
                        "retail.online_share",
                    )
                },
            ),
            Widget(
                kind="segments",
                title=_("Whom to write to"),
                width=4,
                options={
                    "names": (
                        "retail.second_purchase_due",
                        "retail.at_risk",
                        "retail.cannot_lose",
                        "retail.birthday_soon",
                        "retail.without_card",
                        "retail.reachable",
                    )
                },
            ),
            Widget(kind="rfm", width=4),
            Widget(kind="changes", width=4),
            Widget(
                kind="list",
                title=_("Promotions"),
                width=8,
                options={
                    "entity": "retail.promotion",
                    "rule": {"field": "stage", "op": "in", "value": ["approved", "running"]},
                    "sort": "ends",
                    "fields": ("mechanic", "starts", "ends", "budget"),
                },
            ),
            Widget(kind="board", title=_("Promotions"), width=4, options={"entity": "retail.promotion"}),
        ),
    ),
]

REPORTS_LIST = [
    trellis.Report(
        name="retail.store_ranking",
        title=_("Stores by sales"),
        description=_("Receipts of this month by store, with what was paid and taken off"),
        cell=REPORTS,
        entity="order",
        fields=("number", "ordered_at", "customer", "retail.till", "amount", "retail.discount"),
        rule={"field": "ordered_at", "op": "gte", "value": {"months": -1}},
        group_by=("retail.store",),
        totals=("amount", "retail.discount"),
    ),
    trellis.Report(
        name="retail.returns_by_reason",
        title=_("Returns by reason"),
        description=_("What was brought back in the last three months, why, and what it cost"),
        cell=REPORTS,
        entity="retail.return",
        fields=("number", "received_at", "customer", "product", "resolution", "amount"),
        rule={"field": "received_at", "op": "gte", "value": {"months": -3}},
        group_by=("reason",),
        totals=("amount",),
    ),
    trellis.Report(
        name="retail.worth_a_call",
        title=_("Customers worth a call"),
        description=_("Customers of the two upper tiers who have not bought for 60 days"),
        cell=REPORTS,
        entity="customer",
        fields=("name", "phone", "retail.home_store", "last_order_at", "revenue_12m"),
        rule={
            "all": [
                {"field": "tier", "op": "in", "value": ["top", "large"]},
                {"field": "last_order_at", "op": "lt", "value": {"days": -60}},
            ]
        },
        group_by=("tier",),
        totals=("revenue_12m",),
    ),
]

MENU = [
    trellis.MenuItem(
        name="retail.store_day",
        title=_("Store day"),
        cell=SALES,
        path="dashboards/retail.store_day",
        direction=trellis.Direction.SALES,
        level=trellis.Level.OPERATIONS,
        icon="store",
        entity="retail.store",
        position=10,
    ),
    trellis.MenuItem(
        name="retail.marketing",
        title=_("Retail marketing"),
        cell=PROMOTIONS,
        path="dashboards/retail.marketing",
        direction=trellis.Direction.MARKETING,
        level=trellis.Level.TACTICS,
        icon="megaphone",
        entity="retail.promotion",
        position=10,
    ),
]
