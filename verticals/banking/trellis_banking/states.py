"""The selects of KPIs that say how things stood at the end of a period."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from trellis import KpiQuery, ratio

from trellis_banking.choices import MONEY_OF_CUSTOMERS
from trellis_banking.entities import Account, AccountMonth

NON_PERFORMING = 90
"""Days past due after which a loan no longer performs."""

_LOANS = ("loan", "card")


def money_of_customers(q: KpiQuery) -> sa.Select[Any]:
    """What the bank owes its customers."""
    return _last_month(q, q.total(AccountMonth.balance), MONEY_OF_CUSTOMERS)


def loans(q: KpiQuery) -> sa.Select[Any]:
    """What customers owe the bank."""
    return _last_month(q, q.total(AccountMonth.balance), _LOANS)


def non_performing(q: KpiQuery) -> sa.Select[Any]:
    """The share of loans that are long overdue."""
    overdue = sa.case((AccountMonth.days_past_due > NON_PERFORMING, AccountMonth.balance), else_=0)
    share = ratio(q.total(overdue, AccountMonth.currency), q.total(AccountMonth.balance))
    return _last_month(q, share, _LOANS)


def products_per_customer(q: KpiQuery) -> sa.Select[Any]:
    """Open accounts by customer, on average."""
    held = ratio(sa.func.count(), sa.func.count(Account.customer_id.distinct()))
    return sa.select(held).where(*_open(q))


def cross_sell(q: KpiQuery) -> sa.Select[Any]:
    """The share of customers with two products or more."""
    number = sa.func.count().label("number")
    held = sa.select(number).where(*_open(q)).group_by(Account.customer_id).subquery("held")
    several = sa.func.count().filter(held.c.number >= 2)
    return sa.select(ratio(several, sa.func.count())).select_from(held)


def customers_with_account(q: KpiQuery) -> sa.Select[Any]:
    """The customers that :func:`cross_sell` is a share of."""
    return sa.select(Account.customer_id).where(*_open(q)).distinct()


def dormant(q: KpiQuery) -> sa.Select[Any]:
    """The share of accounts for daily use on which nothing happened in three months."""
    moved = sa.func.sum(AccountMonth.transactions).label("moved")
    used = sa.select(moved).where(*_daily_use(q)).group_by(AccountMonth.account_id).subquery("used")
    asleep = sa.func.count().filter(used.c.moved == 0)
    return sa.select(ratio(asleep, sa.func.count())).select_from(used)


def accounts_for_daily_use(q: KpiQuery) -> sa.Select[Any]:
    """The accounts that :func:`dormant` is a share of."""
    return sa.select(AccountMonth.account_id).where(*_daily_use(q)).distinct()


def _daily_use(q: KpiQuery) -> tuple[sa.ColumnElement[bool], ...]:
    """The last three months of accounts for daily use."""
    return (
        AccountMonth.month >= _two_months_before(q.period.last),
        q.before_end(AccountMonth.month),
        AccountMonth.kind.in_(("current", "savings")),
        q.visible(AccountMonth),
    )


def _last_month(q: KpiQuery, value: Any, kinds: tuple[str, ...]) -> sa.Select[Any]:
    """``value`` over the accounts of these kinds in the last month of the period that has facts."""
    facts = aliased(AccountMonth)
    last = sa.select(sa.func.max(facts.month)).where(q.during(facts.month), facts.deleted_at.is_(None))
    return sa.select(value).where(
        AccountMonth.month == last.scalar_subquery(), AccountMonth.kind.in_(kinds), q.visible(AccountMonth)
    )


def _open(q: KpiQuery) -> tuple[sa.ColumnElement[bool], ...]:
    """Accounts that were open at the end of the period."""
    not_closed = sa.or_(Account.closed_on.is_(None), sa.not_(q.before_end(Account.closed_on)))
    return q.before_end(Account.opened_on), not_closed, q.visible(Account)


def _two_months_before(day: date) -> date:
    """The first day of the month two months before that of ``day``."""
    months = day.year * 12 + day.month - 1 - 2
    return date(months // 12, months % 12 + 1, 1)
