"""Segments of buyers: by recency, frequency and value, by the second purchase, by habits on receipts."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
import trellis
from trellis.crm.customers.entities import Customer
from trellis.crm.sales.entities import Order

from trellis_retail.fields import CARD_NUMBER, CONSENT_MAIL, DISCOUNT, ONLINE
from trellis_retail.model import CONSENT, SEGMENTATION

_ = trellis.translator("trellis_retail")

BIRTHDAY_DAYS = 14
MONTHS = 12
FEWEST_RECEIPTS = 3


def _at_least(**scores: int) -> list[Mapping[str, Any]]:
    return [{"field": f"rfm_{letter}", "op": "gte", "value": score} for letter, score in scores.items()]


def _at_most(**scores: int) -> list[Mapping[str, Any]]:
    return [{"field": f"rfm_{letter}", "op": "lte", "value": score} for letter, score in scores.items()]


def _birthday_soon(q: trellis.SegmentQuery) -> sa.Select[Any]:
    born = sa.extract("month", Customer.birthday) * 100 + sa.extract("day", Customer.birthday)
    days = [q.today + timedelta(days=ahead) for ahead in range(BIRTHDAY_DAYS + 1)]
    return sa.select(Customer.id).where(
        q.alive(Customer), q.among(Customer.id), born.in_(sorted(_month_days(days)))
    )


def _month_days(days: Sequence[date]) -> set[int]:
    """Month and day as one number. Who was born on 29 February has a birthday each year: on the 28th, if need be."""
    codes = {day.month * 100 + day.day for day in days}
    short = any((day.month, day.day) == (2, 28) and not isleap(day.year) for day in days)
    return codes | {229} if short else codes


def _receipts(measure: str, op: str, value: Any, **more: Any) -> dict[str, Any]:
    """A figure of the receipts of twelve months, without returns."""
    bought = [
        {"field": "ordered_at", "op": "gt", "value": {"months": -MONTHS}},
        {"field": "ordered_at", "op": "lte", "value": {"days": 0}},
        {"field": "amount", "op": "gte", "value": 0},
    ]
    return {
        "related": "order.customer",
        "measure": measure,
        "where": {"all": bought},
        **more,
        "op": op,
        "value": value,
    }


def _high_returners(q: trellis.SegmentQuery) -> sa.Select[Any]:
    """By a quotient of two sums, which a rule does not know."""
    recent = sa.and_(
        Order.ordered_at >= q.moment(months=-MONTHS, days=1), Order.ordered_at < q.moment(days=1)
    )
    sold = sa.func.sum(Order.amount).filter(Order.amount >= 0)
    returned = sa.func.sum(-Order.amount).filter(Order.amount < 0)
    known = sa.select(Order.customer_id).where(q.alive(Order), Order.customer_id.is_not(None), recent)
    known = known.where(q.among(Order.customer_id))
    return known.group_by(Order.customer_id).having(returned * 10 >= sold * 3)


SEGMENTS = [
    trellis.Segment(
        name="retail.champions",
        title=_("Champions"),
        description=_("Recency, frequency and value of 4 or 5: the best customers, who bought lately"),
        cell=SEGMENTATION,
        rule={"all": _at_least(r=4, f=4, m=4)},
        tone="good",
    ),
    trellis.Segment(
        name="retail.loyal",
        title=_("Loyal"),
        description=_("Frequency of 4 or 5: those who come most often"),
        cell=SEGMENTATION,
        rule={"all": _at_least(f=4)},
        tone="good",
    ),
    trellis.Segment(
        name="retail.new",
        title=_("New"),
        description=_("First receipt in the last 30 days"),
        cell=SEGMENTATION,
        rule={"field": "first_order_at", "op": "gt", "value": {"days": -30}},
        tone="info",
    ),
    trellis.Segment(
        name="retail.second_purchase_due",
        title=_("Second purchase due"),
        description=_("One receipt so far, 20 to 60 days ago: now is the moment to invite them again"),
        cell=SEGMENTATION,
        rule={
            "all": [
                {"field": "orders_count", "op": "eq", "value": 1},
                {"field": "last_order_at", "op": "between", "value": [{"days": -60}, {"days": -20}]},
            ]
        },
        tone="warn",
    ),
    trellis.Segment(
        name="retail.one_timers",
        title=_("Bought once"),
        description=_("One receipt, more than 60 days ago"),
        cell=SEGMENTATION,
        rule={
            "all": [
                {"field": "orders_count", "op": "eq", "value": 1},
                {"field": "last_order_at", "op": "lt", "value": {"days": -60}},
            ]
        },
    ),
    trellis.Segment(
        name="retail.at_risk",
        title=_("At risk"),
        description=_("Recency of 1 or 2 with a frequency of 3 or more: they came often and have stopped"),
        cell=SEGMENTATION,
        rule={"all": [*_at_most(r=2), *_at_least(f=3)]},
        tone="warn",
    ),
    trellis.Segment(
        name="retail.cannot_lose",
        title=_("Cannot lose"),
        description=_(
            "Recency of 1 or 2 with a frequency and value of 4 or 5: the best of those who have stopped"
        ),
        cell=SEGMENTATION,
        rule={"all": [*_at_most(r=2), *_at_least(f=4, m=4)]},
        tone="danger",
    ),
    trellis.Segment(
        name="retail.hibernating",
        title=_("Hibernating"),
        description=_("Recency of 1 with a frequency of 1 or 2: they bought little, long ago"),
        cell=SEGMENTATION,
        rule={"all": _at_most(r=1, f=2)},
    ),
    trellis.Segment(
        name="retail.lost",
        title=_("Lost"),
        description=_("Bought before, but not in the last 365 days"),
        cell=SEGMENTATION,
        rule={"field": "last_order_at", "op": "lt", "value": {"days": -365}},
    ),
    trellis.Segment(
        name="retail.discount_seekers",
        title=_("Discount seekers"),
        description=_("A discount on more than 60 % of the receipts of 12 months, of three receipts or more"),
        cell=SEGMENTATION,
        rule={
            "all": [
                _receipts("count", "gte", FEWEST_RECEIPTS),
                _receipts("share", "gt", "0.6", part={"field": DISCOUNT.name, "op": "gt", "value": 0}),
            ]
        },
        tone="violet",
    ),
    trellis.Segment(
        name="retail.online_first",
        title=_("Online first"),
        description=_("More than half of the receipts of 12 months are from the online shop"),
        cell=SEGMENTATION,
        rule=_receipts("share", "gt", "0.5", part={"field": "channel", "op": "eq", "value": ONLINE}),
        tone="teal",
    ),
    trellis.Segment(
        name="retail.high_returners",
        title=_("Return much"),
        description=_("Returned 30 % or more of what they bought in 12 months, by value"),
        cell=SEGMENTATION,
        select=_high_returners,
        watches={"order": "customer"},
        tone="rose",
    ),
    trellis.Segment(
        name="retail.birthday_soon",
        title=_("Birthday in 14 days"),
        description=_("Birthday today or in the next 14 days"),
        cell=SEGMENTATION,
        select=_birthday_soon,
        watches={"customer": "id"},
        tone="rose",
    ),
    trellis.Segment(
        name="retail.reachable",
        title=_("May be written to"),
        description=_("Agreed to offers by mail, and has a mail address"),
        cell=CONSENT,
        rule={
            "all": [
                {"field": CONSENT_MAIL.name, "op": "eq", "value": True},
                {"field": "email", "op": "is_not_empty"},
            ]
        },
        tone="info",
    ),
    trellis.Segment(
        name="retail.without_card",
        title=_("Buys without a card"),
        description=_("Bought in the last 90 days and has no loyalty card yet"),
        cell=SEGMENTATION,
        rule={
            "all": [
                {"field": "last_order_at", "op": "gte", "value": {"days": -90}},
                {"field": CARD_NUMBER.name, "op": "is_empty"},
            ]
        },
    ),
]
