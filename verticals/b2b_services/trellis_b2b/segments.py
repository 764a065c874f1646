"""Segments of accounts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import trellis
from trellis import Segment, SegmentQuery
from trellis.crm.customers.entities import Customer
from trellis.crm.service.entities import Activity

from trellis_b2b.model import SEGMENTATION

_ = trellis.translator("trellis_b2b")


def no_meeting(q: SegmentQuery) -> sa.Select[Any]:
    """Companies that buy, with no meeting in the last 60 days."""
    met = sa.exists().where(
        Activity.customer_id == Customer.id,
        Activity.kind == "meeting",
        Activity.deleted_at.is_(None),
        Activity.done_at >= q.moment(days=-60),
    )
    return sa.select(Customer.id).where(Customer.deleted_at.is_(None), Customer.orders_count > 0, ~met)


SEGMENTS = [
    Segment(
        name="b2b.strategic",
        title=_("Strategic accounts"),
        cell=SEGMENTATION,
        rule={"field": "b2b.account_tier", "op": "eq", "value": "strategic"},
        tone="good",
    ),
    Segment(
        name="b2b.renewal_90",
        title=_("Renewal in 90 days"),
        cell=SEGMENTATION,
        rule={"field": "b2b.contract_until", "op": "between", "value": [{"days": 0}, {"days": 90}]},
        tone="warn",
    ),
    Segment(
        name="b2b.no_meeting_60",
        title=_("No meeting in 60 days"),
        description=_("Companies that buy, with no meeting in the last 60 days"),
        cell=SEGMENTATION,
        select=no_meeting,
        tone="danger",
    ),
    Segment(
        name="b2b.new_logos",
        title=_("New logos"),
        cell=SEGMENTATION,
        rule={"field": "first_order_at", "op": "gte", "value": {"months": -6}},
        tone="info",
    ),
    Segment(
        name="b2b.at_risk",
        title=_("At risk"),
        cell=SEGMENTATION,
        rule={"field": "b2b.health", "op": "lt", "value": 50},
        tone="danger",
    ),
]
