"""Stages of engagements, change requests and service contracts; and what follows from the rate of a consultant."""

from __future__ import annotations

import sqlalchemy as sa
import trellis
from trellis import Lifecycle, Stage, types

from trellis_b2b.entities import Consultant, Engagement
from trellis_b2b.model import AGREEMENTS, FUNNEL

_ = trellis.translator("trellis_b2b")

CONTRACTS = "b2b.service_contracts"

LIFECYCLES = [
    Lifecycle(
        name=CONTRACTS,
        title=_("Service contracts"),
        cell=FUNNEL,
        entity="opportunity",
        when=("funnel", CONTRACTS),
        kpi="b2b.contracts_won",
        stages=(
            Stage(value="qualify", title=_("Qualify"), probability=0.1, days=7),
            Stage(value="discover", title=_("Discover"), probability=0.25, days=14),
            Stage(value="propose", title=_("Propose"), probability=0.5, days=12, requires=("amount",)),
            Stage(value="negotiate", title=_("Negotiate"), probability=0.75, days=14, requires=("amount",)),
            Stage(value="contract", title=_("Contract"), probability=0.9, days=10, requires=("amount",)),
            Stage(value="won", title=_("Won"), kind="won", probability=1, tone="good"),
            Stage(
                value="lost",
                title=_("Lost"),
                kind="lost",
                probability=0,
                tone="danger",
                requires=("lost_reason",),
            ),
        ),
    ),
    Lifecycle(
        name="b2b.engagement",
        title=_("Engagements"),
        cell=AGREEMENTS,
        entity="b2b.engagement",
        field="state",
        stages=(
            Stage(value="planned", title=_("Planned")),
            Stage(value="running", title=_("Running"), tone="info"),
            Stage(value="paused", title=_("Paused"), tone="warn"),
            Stage(value="closed", title=_("Closed"), kind="done", tone="good"),
        ),
    ),
    Lifecycle(
        name="b2b.change_request",
        title=_("Change requests"),
        cell=AGREEMENTS,
        entity="b2b.change_request",
        stages=(
            Stage(value="requested", title=_("Requested")),
            Stage(value="estimated", title=_("Estimated"), requires=("hours", "price"), tone="info"),
            Stage(value="signed", title=_("Signed"), kind="won", requires=("price",), tone="good"),
            Stage(value="declined", title=_("Declined"), kind="lost", tone="danger"),
        ),
    ),
]


def follow(event: trellis.BeforeSave) -> None:
    """Time takes its value and cost from the consultant, and its customer from the engagement."""
    entry = {**event.before, **event.values}
    if (
        {"consultant", "hours", "billable"} & event.values.keys()
        and entry.get("consultant")
        and entry.get("hours")
    ):
        rates = event.session.execute(
            sa.select(Consultant.rate, Consultant.cost_rate).where(Consultant.id == entry["consultant"])
        ).first()
        if rates is not None:
            money = types.Money()
            worth = rates[0] * entry["hours"] if rates[0] is not None and entry.get("billable") else 0
            event.values["value"] = money.check(worth)
            event.values["cost"] = money.check(rates[1] * entry["hours"]) if rates[1] is not None else None
    if entry.get("engagement") and not entry.get("customer"):
        query = sa.select(Engagement.customer_id).where(Engagement.id == entry["engagement"])
        event.values["customer"] = event.session.scalar(query)
