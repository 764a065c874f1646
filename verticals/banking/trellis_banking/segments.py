"""Segments of a bank's customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
import trellis
from trellis import Segment, SegmentQuery, ratio
from trellis.crm.customers.entities import Customer

from trellis_banking.choices import MONEY_OF_CUSTOMERS
from trellis_banking.entities import AccountMonth
from trellis_banking.fields import SALARY_HERE
from trellis_banking.model import SEGMENTATION

_ = trellis.translator("trellis_banking")

AFFLUENT_FROM = 50_000
"""Money with the bank, in the workspace's currency, from which a customer is affluent."""

HALVED = 0.5
"""What is left of a customer's money when it looks like leaving."""


def leaving(q: SegmentQuery) -> sa.Select[Any]:
    """Customers whose money halved in three months and whose salary does not come here."""
    newest = sa.select(sa.func.max(AccountMonth.month)).where(q.alive(AccountMonth)).scalar_subquery()
    then = q.day(months=-3).replace(day=1)
    money = sa.and_(q.alive(AccountMonth), AccountMonth.kind.in_(MONEY_OF_CUSTOMERS))
    before, now = _balances(money, AccountMonth.month == then), _balances(money, AccountMonth.month == newest)
    salary = sa.select(Customer.id).where(SALARY_HERE.of(Customer).is_(True))
    return (
        sa.select(before.c.customer_id)
        .outerjoin(now, now.c.customer_id == before.c.customer_id)
        .where(before.c.balance > 0, before.c.customer_id.not_in(salary))
        .where(ratio(sa.func.coalesce(now.c.balance, 0), before.c.balance) <= HALVED)
    )


def _balances(money: sa.ColumnElement[bool], month: sa.ColumnElement[bool]) -> sa.Subquery:
    total = sa.func.sum(AccountMonth.balance).label("balance")
    return (
        sa.select(AccountMonth.customer_id, total)
        .where(money, month)
        .group_by(AccountMonth.customer_id)
        .subquery()
    )


def _segment(name: str, title: Any, description: Any, tone: str = "neutral", **how: Any) -> Segment:
    return Segment(
        name=f"banking.{name}", title=title, description=description, cell=SEGMENTATION, tone=tone, **how
    )


def _is(field: str, value: Any, op: str = "eq") -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def _has(entity: str, *rules: Mapping[str, Any], op: str = "gte", number: int = 1) -> dict[str, Any]:
    """So many records of an entity that fit the rules, by default one at least."""
    related = {"related": f"banking.{entity}.customer", "measure": "count", "where": {"all": list(rules)}}
    return {**related, "op": op, "value": number}


OPEN = _is("status", "closed", "ne")
QUARTER = {"days": -90}
MOVED = {
    "any": [
        _is("last_movement_on", QUARTER, "gte"),
        {"all": [{"field": "last_movement_on", "op": "is_empty"}, _is("opened_on", QUARTER, "gte")]},
    ]
}
"""An account that moved lately, or has just been opened."""
MONEY = {
    "related": "banking.account.customer",
    "measure": "sum",
    "field": "balance",
    "where": {"all": [OPEN, _is("kind", list(MONEY_OF_CUSTOMERS), "in")]},
}
"""Money on accounts; amounts in other currencies than the workspace's do not count."""


SEGMENTS = [
    _segment(
        "salary",
        _("Salary customers"),
        _("Their salary is paid here"),
        "good",
        rule=_is("banking.salary_here", True),
    ),
    _segment(
        "affluent",
        _("Affluent"),
        _("50 000 and more with the bank"),
        "violet",
        rule={**MONEY, "op": "gte", "value": AFFLUENT_FROM},
    ),
    _segment(
        "private",
        _("Private banking"),
        _("Served by private banking"),
        "violet",
        rule=_is("banking.segment", "private"),
    ),
    _segment(
        "companies",
        _("Companies"),
        _("Small, medium and corporate customers"),
        "teal",
        rule=_is("banking.segment", ["sme", "corporate"], "in"),
    ),
    _segment(
        "young",
        _("Young"),
        _("18 to 25 years old"),
        "info",
        rule={
            "all": [_is("birthday", {"months": -12 * 26}, "gt"), _is("birthday", {"months": -12 * 18}, "lte")]
        },
    ),
    _segment(
        "mortgage",
        _("Mortgage holders"),
        _("They repay a mortgage"),
        "info",
        rule=_has("loan", _is("kind", "mortgage"), _is("status", ["active", "restructured"], "in")),
    ),
    _segment(
        "maturing",
        _("Deposits maturing in 30 days"),
        _("A deposit of theirs ends within 30 days"),
        "warn",
        rule=_has(
            "deposit", _is("status", "active"), _is("matures_on", [{"days": 0}, {"days": 30}], "between")
        ),
    ),
    _segment(
        "one_product",
        _("One product only"),
        _("They hold a single account: room for a second product"),
        "info",
        rule=_has("account", OPEN, op="eq"),
    ),
    _segment(
        "dormant",
        _("Dormant"),
        _("No movement on any account for 90 days"),
        "warn",
        rule={"all": [_has("account", OPEN), _has("account", OPEN, MOVED, op="eq", number=0)]},
    ),
    _segment(
        "leaving",
        _("Churn signals"),
        _("Their money halved in three months, and no salary comes here"),
        "danger",
        select=leaving,
    ),
    _segment(
        "overdue",
        _("Late with a loan"),
        _("A loan of theirs is past due"),
        "danger",
        rule=_has("loan", _is("days_past_due", 0, "gt"), _is("status", "active")),
    ),
    _segment(
        "kyc_overdue",
        _("KYC overdue"),
        _("The day of their next KYC review has passed"),
        "danger",
        rule=_is("banking.kyc_next_review", {"days": 0}, "lt"),
    ),
    _segment(
        "preapproved",
        _("Pre-approved"),
        _("Salary here, a good credit score and a valid KYC: a loan can be offered at once"),
        "good",
        rule={
            "all": [
                _is("banking.salary_here", True),
                _is("banking.credit_score", 700, "gte"),
                _is("banking.kyc_status", "valid"),
            ]
        },
    ),
]
