"""Segments of accounts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import trellis
from trellis import Segment, SegmentQuery
from trellis.crm.sales.entities import Opportunity

from trellis_b2b.fields import SERVICE_LINE
from trellis_b2b.model import SEGMENTATION

_ = trellis.translator("trellis_b2b")

RISE, FALL = 12, 8
"""Tenths of the revenue of the year before from which a customer grows, and up to which one shrinks."""


def growing(q: SegmentQuery) -> sa.Select[Any]:
    """Customers whose revenue of 12 months is a fifth above that of the 12 months before."""
    found, now, before = _two_years(q)
    return found.having(before > 0, now * 10 >= before * RISE)


def shrinking(q: SegmentQuery) -> sa.Select[Any]:
    """Customers whose revenue of 12 months is a fifth below that of the 12 months before."""
    found, now, before = _two_years(q)
    return found.having(before > 0, now * 10 <= before * FALL)


def white_space(q: SegmentQuery) -> sa.Select[Any]:
    """Customers who have bought one service line, where several are sold."""
    line = SERVICE_LINE.of(Opportunity)
    won = Opportunity.outcome == "won", q.alive(Opportunity), line.is_not(None)
    sold = sa.select(sa.func.count(line.distinct())).where(*won).scalar_subquery()
    bought = sa.select(Opportunity.customer_id).where(*won, Opportunity.customer_id.is_not(None), sold > 1)
    return bought.group_by(Opportunity.customer_id).having(sa.func.count(line.distinct()) == 1)


def _two_years(q: SegmentQuery) -> tuple[sa.Select[Any], sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """Customers with income, their revenue of the last 12 months, and of the 12 months before."""
    income, year = q.income(q.day(months=-24, days=1)).c, q.day(months=-12, days=1)
    now = sa.func.sum(sa.case((income.day >= year, income.revenue), else_=0))
    before = sa.func.sum(sa.case((income.day < year, income.revenue), else_=0))
    return sa.select(income.customer_id).group_by(income.customer_id), now, before


def _answered(measure: str, op: str, value: int) -> dict[str, Any]:
    """What they would recommend us by, in the answers of a year."""
    year = {"field": "answered_at", "op": "gte", "value": {"months": -12}}
    related = {"related": "survey_answer.customer", "measure": measure, "field": "nps", "where": year}
    return {**related, "op": op, "value": value}


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
        rule={
            "all": [
                {"field": "orders_count", "op": "gt", "value": 0},
                {
                    "related": "activity.customer",
                    "measure": "count",
                    "where": {
                        "all": [
                            {"field": "kind", "op": "eq", "value": "meeting"},
                            {"field": "done_at", "op": "gte", "value": {"days": -60}},
                        ]
                    },
                    "op": "eq",
                    "value": 0,
                },
            ]
        },
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
    Segment(
        name="b2b.growing",
        title=_("Growing"),
        description=_("Revenue of 12 months is 20 % or more above that of the 12 months before"),
        cell=SEGMENTATION,
        select=growing,
        tone="good",
    ),
    Segment(
        name="b2b.shrinking",
        title=_("Shrinking"),
        description=_("Revenue of 12 months is 20 % or more below that of the 12 months before"),
        cell=SEGMENTATION,
        select=shrinking,
        tone="warn",
    ),
    Segment(
        name="b2b.white_space",
        title=_("White space"),
        description=_("Have bought one of the service lines so far: what else could they need?"),
        cell=SEGMENTATION,
        select=white_space,
        tone="info",
    ),
    Segment(
        name="b2b.tender_customers",
        title=_("Tender customers"),
        description=_("Buy by tender"),
        cell=SEGMENTATION,
        rule={"field": "b2b.procurement", "op": "eq", "value": "tender"},
    ),
    Segment(
        name="b2b.promoters",
        title=_("Promoters"),
        description=_("All their answers of a year recommend us with 9 or 10"),
        cell=SEGMENTATION,
        rule=_answered("min", "gte", 9),
        tone="good",
    ),
]
