"""Where a bank's income stands: the months of accounts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import trellis
from trellis import IncomeQuery, IncomeSource, Watch

from trellis_banking.entities import AccountMonth
from trellis_banking.model import PYRAMID

_ = trellis.translator("trellis_banking")


def account_months(q: IncomeQuery) -> sa.Select[Any]:
    """Interest income and fees against the costs of the money, of serving and of risk, by customer and month."""
    columns: list[Any] = [
        AccountMonth.customer_id,
        q.day(AccountMonth.month),
        q.currency(AccountMonth.currency),
        sa.func.sum(AccountMonth.interest_income + AccountMonth.fees),
        sa.func.sum(AccountMonth.interest_cost + AccountMonth.service_cost + AccountMonth.expected_loss),
        sa.func.sum(AccountMonth.transactions),
    ]
    return sa.select(*columns).where(
        AccountMonth.deleted_at.is_(None), q.touched(AccountMonth.customer_id, AccountMonth.month)
    )


SOURCES = [
    IncomeSource(
        name="banking.account_months",
        title=_("Months of accounts"),
        description=_("Interest and fees of each account, against what it cost, by month"),
        cell=PYRAMID,
        select=account_months,
        entity=AccountMonth,
        watches={"banking.account_month": Watch(customer="customer", date="month")},
    )
]
