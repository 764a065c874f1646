"""What a bank measures: margins on the months of accounts, and the work on applications, deposits and reviews."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import trellis
from trellis import Behind, Kpi, KpiQuery, Unit, average, days_between, ratio

from trellis_banking import states
from trellis_banking.entities import Account, AccountMonth, Application, Deposit, KycReview
from trellis_banking.model import CONTROL, FUNNEL, LIFECYCLE, SALES, SIGNIFICANCE

_ = trellis.translator("trellis_banking")

_EARNED = AccountMonth.interest_income - AccountMonth.interest_cost + AccountMonth.fees
_BY_ACCOUNT = {"branch": AccountMonth.branch_id, "kind": AccountMonth.kind}


def _months(q: KpiQuery, value: Any) -> sa.Select[Any]:
    return sa.select(value).where(q.during(AccountMonth.month), q.visible(AccountMonth))


def _sum(q: KpiQuery, amount: Any) -> sa.ColumnElement[Any]:
    return q.total(amount, AccountMonth.currency)


def _margin(q: KpiQuery) -> sa.ColumnElement[Any]:
    return _sum(q, _EARNED - AccountMonth.service_cost - AccountMonth.expected_loss)


def _per_customer(q: KpiQuery) -> sa.Select[Any]:
    return _months(q, average(_margin(q), sa.func.count(AccountMonth.customer_id.distinct())))


def _cost_income(q: KpiQuery) -> sa.Select[Any]:
    return _months(q, ratio(_sum(q, AccountMonth.service_cost), _sum(q, _EARNED)))


def _applications(q: KpiQuery, by: Any, value: Any) -> sa.Select[Any]:
    return sa.select(value).where(q.during(by), q.visible(Application))


def _conversion(q: KpiQuery) -> sa.Select[Any]:
    paid_out = sa.func.count().filter(Application.stage == "paid_out")
    return _applications(q, Application.closed_at, ratio(paid_out, sa.func.count()))


def _approval(q: KpiQuery) -> sa.Select[Any]:
    approved = sa.func.count().filter(Application.decision == "approved")
    return _applications(q, Application.decided_at, ratio(approved, sa.func.count()))


def _time_to_decision(q: KpiQuery) -> sa.Select[Any]:
    days = sa.func.avg(days_between(Application.submitted_at, Application.decided_at))
    return _applications(q, Application.decided_at, days)


def _lent(q: KpiQuery) -> sa.Select[Any]:
    return _applications(q, Application.closed_at, q.total(Application.amount)).where(
        Application.stage == "paid_out"
    )


def _renewal(q: KpiQuery) -> sa.Select[Any]:
    renewed = q.total(sa.case((Deposit.status == "renewed", Deposit.amount), else_=0), Deposit.currency)
    ended = Deposit.status.in_(("renewed", "paid_out"))
    return sa.select(ratio(renewed, q.total(Deposit.amount))).where(
        q.during(Deposit.matures_on), q.visible(Deposit), ended
    )


def _new_accounts(q: KpiQuery) -> sa.Select[Any]:
    return sa.select(sa.func.count()).where(q.during(Account.opened_on), q.visible(Account))


def _kyc_on_time(q: KpiQuery) -> sa.Select[Any]:
    on_time = sa.func.count().filter(KycReview.done_on <= KycReview.due_on)
    due = KycReview.due_on <= q.today
    return sa.select(ratio(on_time, sa.func.count())).where(
        q.during(KycReview.due_on), q.visible(KycReview), due
    )


_BY_APPLICATION = {
    "branch": Application.branch_id,
    "product": Application.product_id,
    "channel": Application.channel,
}

MARGINS = [
    Kpi(
        name="banking.income",
        title=_("Net income"),
        cell=SALES,
        formula=_("Interest income minus interest cost plus fees, by month of the account"),
        unit=Unit.MONEY,
        entity=AccountMonth,
        date=AccountMonth.month,
        select=lambda q: _months(q, _sum(q, _EARNED)),
        breakdowns=_BY_ACCOUNT,
    ),
    Kpi(
        name="banking.net_margin",
        title=_("Net margin"),
        cell=SALES,
        formula=_("Interest income minus interest cost plus fees, minus cost to serve and expected loss"),
        unit=Unit.MONEY,
        entity=AccountMonth,
        date=AccountMonth.month,
        select=lambda q: _months(q, _margin(q)),
        breakdowns=_BY_ACCOUNT,
    ),
    Kpi(
        name="banking.margin_per_customer",
        title=_("Net margin per customer"),
        cell=SIGNIFICANCE,
        formula=_("Net margin divided by the customers with an account in the period"),
        unit=Unit.MONEY,
        entity=AccountMonth,
        date=AccountMonth.month,
        select=_per_customer,
        breakdowns=_BY_ACCOUNT,
    ),
    Kpi(
        name="banking.cost_income",
        title=_("Cost to income"),
        cell=SALES,
        formula=_("Cost to serve divided by net income"),
        unit=Unit.PERCENT,
        entity=AccountMonth,
        date=AccountMonth.month,
        select=_cost_income,
        breakdowns=_BY_ACCOUNT,
        higher_is_better=False,
    ),
]

SOLD = [
    Kpi(
        name="banking.new_accounts",
        title=_("New accounts"),
        cell=SALES,
        formula=_("Accounts of all kinds opened in the period"),
        entity=Account,
        date=Account.opened_on,
        select=_new_accounts,
        breakdowns={"branch": Account.branch_id, "product": Account.product_id, "kind": Account.kind},
    ),
    Kpi(
        name="banking.application_conversion",
        title=_("Application conversion"),
        cell=FUNNEL,
        formula=_("Of the applications finished in the period, those that were paid out"),
        unit=Unit.PERCENT,
        entity=Application,
        date=Application.closed_at,
        select=_conversion,
        breakdowns=_BY_APPLICATION,
    ),
    Kpi(
        name="banking.approval_rate",
        title=_("Approval rate"),
        cell=FUNNEL,
        formula=_("Of the applications decided in the period, those approved"),
        unit=Unit.PERCENT,
        entity=Application,
        date=Application.decided_at,
        select=_approval,
        breakdowns=_BY_APPLICATION,
    ),
    Kpi(
        name="banking.time_to_decision",
        title=_("Time to decision"),
        cell=FUNNEL,
        formula=_("Mean days from submitting an application to the decision, by the day of the decision"),
        unit=Unit.DAYS,
        entity=Application,
        date=Application.decided_at,
        select=_time_to_decision,
        breakdowns=_BY_APPLICATION,
        higher_is_better=False,
    ),
    Kpi(
        name="banking.lent",
        title=_("Money lent"),
        cell=SALES,
        formula=_("Amounts of the applications paid out in the period"),
        unit=Unit.MONEY,
        entity=Application,
        date=Application.closed_at,
        select=_lent,
        rule={"field": "stage", "op": "eq", "value": "paid_out"},
        breakdowns=_BY_APPLICATION,
    ),
    Kpi(
        name="banking.deposit_renewal",
        title=_("Deposits renewed"),
        cell=LIFECYCLE,
        formula=_("Of the deposits that matured in the period, the share by amount that was renewed"),
        unit=Unit.PERCENT,
        entity=Deposit,
        date=Deposit.matures_on,
        select=_renewal,
        rule={"field": "status", "op": "in", "value": ["renewed", "paid_out"]},
        breakdowns={"branch": Deposit.branch_id},
    ),
    Kpi(
        name="banking.kyc_on_time",
        title=_("KYC on time"),
        cell=CONTROL,
        formula=_("Of the KYC reviews due in the period and by today, those done by their due day"),
        unit=Unit.PERCENT,
        entity=KycReview,
        date=KycReview.due_on,
        select=_kyc_on_time,
        rule={"field": "due_on", "op": "lte", "value": {"days": 0}},
    ),
]

STATES = [
    Kpi(
        name="banking.deposits",
        title=_("Money of customers"),
        cell=SALES,
        formula=_("Balances of current accounts, savings and deposits in the last month of the period"),
        unit=Unit.MONEY,
        entity=AccountMonth,
        select=states.money_of_customers,
        breakdowns=_BY_ACCOUNT,
    ),
    Kpi(
        name="banking.loans",
        title=_("Loans"),
        cell=SALES,
        formula=_("Balances of loans and credit cards in the last month of the period"),
        unit=Unit.MONEY,
        entity=AccountMonth,
        select=states.loans,
        breakdowns={"branch": AccountMonth.branch_id},
    ),
    Kpi(
        name="banking.npl",
        title=_("Non-performing loans"),
        cell=CONTROL,
        formula=_(
            "Balances of loans and cards over 90 days past due, divided by those of all, "
            "in the last month of the period"
        ),
        unit=Unit.PERCENT,
        entity=AccountMonth,
        select=states.non_performing,
        breakdowns={"branch": AccountMonth.branch_id},
        higher_is_better=False,
    ),
    Kpi(
        name="banking.products_per_customer",
        title=_("Products per customer"),
        cell=SIGNIFICANCE,
        formula=_("Accounts open at the end of the period, divided by the customers who hold them"),
        unit=Unit.RATIO,
        entity=Account,
        select=states.products_per_customer,
        breakdowns={"branch": Account.branch_id},
    ),
    Kpi(
        name="banking.cross_sell",
        title=_("Customers with several products"),
        cell=SIGNIFICANCE,
        formula=_("Of the customers with an open account at the end of the period, those with two or more"),
        unit=Unit.PERCENT,
        select=states.cross_sell,
        behind=Behind(select=states.customers_with_account),
    ),
    Kpi(
        name="banking.dormant",
        title=_("Dormant accounts"),
        cell=LIFECYCLE,
        formula=_(
            "Of the current and savings accounts in the last three months of the period, "
            "those without a single transaction"
        ),
        unit=Unit.PERCENT,
        select=states.dormant,
        behind=Behind(entity="banking.account", select=states.accounts_for_daily_use),
        higher_is_better=False,
    ),
]

KPIS = [*MARGINS, *SOLD, *STATES]
