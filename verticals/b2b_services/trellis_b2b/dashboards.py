"""Dashboards of a service firm: accounts with pipeline, and delivery."""

from __future__ import annotations

import trellis
from trellis import Dashboard, Widget

from trellis_b2b.lifecycles import CONTRACTS
from trellis_b2b.model import CONTROL

_ = trellis.translator("trellis_b2b")

RUNNING = {"field": "state", "op": "in", "value": ["planned", "running", "paused"]}

DASHBOARDS = [
    Dashboard(
        name="b2b.home",
        title=_("Accounts and delivery"),
        cell=CONTROL,
        home=True,
        widgets=(
            Widget(
                kind="kpi_strip",
                width=12,
                options={
                    "kpis": (
                        "b2b.contracts_won",
                        "pipeline_weighted",
                        "b2b.utilisation",
                        "b2b.project_margin",
                        "win_rate",
                    )
                },
            ),
            Widget(
                kind="board",
                title=_("Service contracts"),
                width=4,
                options={"entity": "opportunity", "lifecycle": CONTRACTS},
            ),
            Widget(
                kind="kpi_trend", title=_("Value of time"), width=4, options={"kpis": ("b2b.time_value",)}
            ),
            Widget(kind="tasks", width=4),
            Widget(
                kind="list",
                title=_("Engagements that end first"),
                width=8,
                options={
                    "entity": "b2b.engagement",
                    "rule": RUNNING,
                    "sort": ("ends_on",),
                    "fields": ("customer", "kind", "budget", "ends_on", "state"),
                    "limit": 8,
                },
            ),
            Widget(kind="segments", title=_("Accounts to look after"), width=4),
            Widget(kind="pyramid", width=4),
            Widget(kind="changes", width=8),
        ),
    ),
    Dashboard(
        name="b2b.delivery",
        title=_("Delivery"),
        cell=CONTROL,
        widgets=(
            Widget(
                kind="kpi_strip",
                width=12,
                options={
                    "kpis": (
                        "b2b.utilisation",
                        "b2b.billable_share",
                        "b2b.effective_rate",
                        "b2b.milestones_on_time",
                        "b2b.milestones_accepted",
                    )
                },
            ),
            Widget(
                kind="list",
                title=_("Milestones that are due"),
                width=8,
                options={
                    "entity": "b2b.milestone",
                    "rule": {"field": "accepted_on", "op": "is_empty"},
                    "sort": ("due_on",),
                    "fields": ("engagement", "customer", "due_on", "amount"),
                    "limit": 10,
                },
            ),
            Widget(kind="board", width=4, options={"entity": "b2b.change_request"}),
        ),
    ),
]
