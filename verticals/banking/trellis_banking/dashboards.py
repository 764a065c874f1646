"""Dashboards of a bank: the day of a branch, the portfolio of an officer, credit, compliance."""

from __future__ import annotations

from typing import Any

import trellis
from trellis import Dashboard, Widget

from trellis_banking.model import CONTROL

_ = trellis.translator("trellis_banking")

MINE = {"field": "owner", "op": "eq", "value": {"me": True}}


def _active_until(days: int) -> list[dict[str, Any]]:
    return [
        {"field": "status", "op": "eq", "value": "active"},
        {"field": "matures_on", "op": "between", "value": [{"days": 0}, {"days": days}]},
    ]


def _strip(*names: str) -> Widget:
    return Widget(kind="kpi_strip", width=12, options={"kpis": tuple(f"banking.{name}" for name in names)})


def _maturing(*, own: bool = False, width: int = 4) -> Widget:
    return Widget(
        kind="list",
        title=_("Deposits maturing in 30 days"),
        width=width,
        options={
            "entity": "banking.deposit",
            "rule": {"all": [*_active_until(30), *([MINE] if own else [])]},
            "sort": ("matures_on",),
            "fields": ("customer", "amount", "matures_on"),
            "limit": 8,
        },
    )


def _late(*, own: bool = False, width: int = 4) -> Widget:
    late = {"field": "days_past_due", "op": "gt", "value": 0}
    return Widget(
        kind="list",
        title=_("Loans past due"),
        width=width,
        options={
            "entity": "banking.loan",
            "rule": {"all": [late, *([MINE] if own else [])]},
            "sort": ("-days_past_due",),
            "fields": ("customer", "outstanding", "days_past_due"),
            "limit": 8,
        },
    )


def _applications(*, own: bool = False, width: int = 8) -> Widget:
    waiting = {
        "field": "stage",
        "op": "in",
        "value": ["data", "documents", "scoring", "decision", "contract"],
    }
    return Widget(
        kind="list",
        title=_("Open applications, oldest first"),
        width=width,
        options={
            "entity": "banking.application",
            "rule": {"all": [waiting, *([MINE] if own else [])]},
            "sort": ("submitted_at",),
            "fields": ("customer", "stage", "amount", "submitted_at"),
            "limit": 8,
        },
    )


def _reviews(width: int = 6) -> Widget:
    return Widget(
        kind="list",
        title=_("KYC reviews that are due"),
        width=width,
        options={
            "entity": "banking.kyc_review",
            "rule": {
                "all": [
                    {"field": "done_on", "op": "is_empty"},
                    {"field": "due_on", "op": "lte", "value": {"days": 14}},
                ]
            },
            "sort": ("due_on",),
            "fields": ("customer", "stage", "due_on"),
            "limit": 10,
        },
    )


_BOARD_OF_APPLICATIONS = Widget(
    kind="board",
    title=_("Applications"),
    options={"entity": "banking.application", "lifecycle": "banking.applications"},
)
_CALL_TODAY = Widget(
    kind="segments",
    title=_("Whom to call"),
    width=4,
    options={
        "names": (
            "banking.maturing",
            "banking.preapproved",
            "banking.one_product",
            "banking.leaving",
            "banking.dormant",
            "banking.overdue",
        )
    },
)

DASHBOARDS = [
    Dashboard(
        name="banking.branch_day",
        title=_("Branch day"),
        description=_("How the branch stands, what is on its way, whom to call"),
        cell=CONTROL,
        home=True,
        widgets=(
            _strip("net_margin", "deposits", "loans", "npl", "application_conversion", "kyc_on_time"),
            _maturing(width=8),
            Widget(kind="tasks", width=4),
            Widget(kind="pyramid", width=4),
            _BOARD_OF_APPLICATIONS,
            _CALL_TODAY,
            Widget(kind="kpi_trend", width=8, options={"kpis": ("banking.net_margin",)}),
            Widget(kind="changes", width=4),
        ),
    ),
    Dashboard(
        name="banking.portfolio",
        title=_("Officer portfolio"),
        description=_("The own customers: what they hold, what ends, what is late"),
        cell=CONTROL,
        home=True,
        roles=("banking.relationship_manager",),
        widgets=(
            _strip("net_margin", "margin_per_customer", "products_per_customer", "deposit_renewal", "lent"),
            Widget(
                kind="list",
                title=_("My customers by value"),
                width=8,
                options={
                    "entity": "customer",
                    "rule": MINE,
                    "sort": ("-margin_12m",),
                    "fields": ("banking.segment", "margin_12m", "banking.kyc_status"),
                    "limit": 10,
                },
            ),
            Widget(kind="tasks", width=4),
            _applications(own=True, width=6),
            _maturing(own=True, width=6),
            _late(own=True, width=6),
            Widget(kind="pyramid", width=6),
        ),
    ),
    Dashboard(
        name="banking.credit",
        title=_("Credit"),
        description=_("Applications by stage, decisions, loans past due"),
        cell=CONTROL,
        home=True,
        roles=("banking.credit_analyst",),
        widgets=(
            _strip("approval_rate", "time_to_decision", "application_conversion", "lent", "npl"),
            _BOARD_OF_APPLICATIONS,
            _applications(width=8),
            _late(width=8),
            Widget(kind="tasks", width=4),
            Widget(kind="kpi_trend", width=6, options={"kpis": ("banking.lent",)}),
            Widget(kind="kpi_trend", width=6, options={"kpis": ("banking.npl",)}),
        ),
    ),
    Dashboard(
        name="banking.control",
        title=_("Compliance"),
        description=_("KYC reviews that are due, customers at risk, how much is on time"),
        cell=CONTROL,
        home=True,
        roles=("banking.compliance",),
        widgets=(
            _strip("kyc_on_time", "dormant", "npl", "new_accounts"),
            _reviews(8),
            Widget(
                kind="segments",
                width=4,
                options={
                    "names": (
                        "banking.kyc_overdue",
                        "banking.dormant",
                        "banking.private",
                        "banking.companies",
                    )
                },
            ),
            Widget(
                kind="list",
                title=_("Customers of high risk"),
                width=8,
                options={
                    "entity": "customer",
                    "rule": {"field": "banking.risk_class", "op": "eq", "value": "high"},
                    "sort": ("banking.kyc_next_review",),
                    "fields": ("country", "banking.kyc_status", "banking.kyc_next_review"),
                    "limit": 8,
                },
            ),
            Widget(kind="tasks", width=4),
        ),
    ),
]
