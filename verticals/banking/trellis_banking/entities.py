"""What a bank keeps beside the core: branches, accounts with deposits and loans on them, applications, KYC reviews."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
import trellis
from sqlalchemy.orm import Mapped
from trellis import types

from trellis_banking.choices import (
    ACCOUNT_KINDS,
    ACCOUNT_STATES,
    BRANCH_KINDS,
    DECISIONS,
    DEPOSIT_STATES,
    LOAN_KINDS,
    LOAN_STATES,
    RISK_CLASSES,
    SCHEDULES,
)

_ = trellis.translator("trellis_banking")

TERMS = _("Terms")
STATE = _("State")
DECISION = _("Decision")
RESULT = _("Result")


class Branch(trellis.Entity):
    """A node of the tree of regions, branches and small offices."""

    __tablename__ = "banking_branch"
    __entity__ = trellis.EntityInfo(
        name="banking.branch",
        title=_("Branch"),
        plural=_("Branches"),
        new=_("New branch"),
        icon="landmark",
        direction="sales",
        level="strategy",
        row="SA1",
        subtitle_field="city",
        sort="name",
        tree="parent",
    )

    name: Mapped[str] = trellis.column(
        types.Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    code: Mapped[str | None] = trellis.column(
        types.Text(20), label=_("Code"), searchable=True, in_list=True, indexed=True
    )
    kind: Mapped[str] = trellis.column(
        types.Choice(BRANCH_KINDS), label=_("Kind"), required=True, default="branch", in_list=True
    )
    parent_id: Mapped[int | None] = trellis.column(
        types.Reference("banking.branch"), label=_("Part of"), in_list=True
    )
    city: Mapped[str | None] = trellis.column(types.Text(120), label=_("City"), in_list=True)
    manager_id: Mapped[int | None] = trellis.column(types.Reference("user"), label=_("Manager"), in_list=True)
    staff: Mapped[int | None] = trellis.column(types.Integer(minimum=0), label=_("Staff"))
    opened_on: Mapped[date | None] = trellis.column(types.Date(), label=_("Opened on"))
    closed_on: Mapped[date | None] = trellis.column(types.Date(), label=_("Closed on"))


class Account(trellis.Entity):
    """What a customer holds: a product on an account with a number and a balance."""

    __tablename__ = "banking_account"
    __entity__ = trellis.EntityInfo(
        name="banking.account",
        title=_("Account"),
        plural=_("Accounts"),
        new=_("New account"),
        icon="wallet",
        direction="customers",
        level="tactics",
        row="CU2",
        title_field="number",
        subtitle_field="customer",
        sort="-opened_on",
        date_field="opened_on",
        timeline=True,
        amount_field="balance",
    )
    __table_args__ = (sa.Index("ix_banking_account_customer_kind", "customer_id", "kind"),)

    number: Mapped[str] = trellis.column(
        types.Text(40), label=_("Number"), required=True, searchable=True, in_list=True, indexed=True
    )
    kind: Mapped[str] = trellis.column(
        types.Choice(ACCOUNT_KINDS), label=_("Kind"), required=True, default="current", in_list=True
    )
    customer_id: Mapped[int] = trellis.column(
        types.Reference("customer", "CASCADE"), label=_("Customer"), required=True, in_list=True
    )
    product_id: Mapped[int | None] = trellis.column(
        types.Reference("product"), label=_("Product"), in_list=True
    )
    branch_id: Mapped[int | None] = trellis.column(
        types.Reference("banking.branch"), label=_("Branch"), in_list=True
    )
    balance: Mapped[Decimal | None] = trellis.column(
        types.Money(), label=_("Balance"), in_list=True, indexed=True
    )
    currency: Mapped[str | None] = trellis.column(types.Currency(), label=_("Currency"))
    opened_on: Mapped[date | None] = trellis.column(
        types.Date(), label=_("Opened on"), in_list=True, indexed=True, group=STATE
    )
    closed_on: Mapped[date | None] = trellis.column(types.Date(), label=_("Closed on"), group=STATE)
    status: Mapped[str] = trellis.column(
        types.Choice(ACCOUNT_STATES),
        label=_("Status"),
        required=True,
        default="active",
        in_list=True,
        group=STATE,
    )
    last_movement_on: Mapped[date | None] = trellis.column(
        types.Date(), label=_("Last movement"), indexed=True, group=STATE
    )


class Deposit(trellis.Entity):
    """Money that a customer leaves with the bank for a term."""

    __tablename__ = "banking_deposit"
    __entity__ = trellis.EntityInfo(
        name="banking.deposit",
        title=_("Deposit"),
        plural=_("Deposits"),
        new=_("New deposit"),
        icon="piggy-bank",
        direction="customers",
        level="tactics",
        row="CU2",
        title_field="number",
        subtitle_field="customer",
        sort="matures_on",
        date_field="matures_on",
        amount_field="amount",
    )

    number: Mapped[str] = trellis.column(
        types.Text(40), label=_("Number"), required=True, searchable=True, in_list=True, indexed=True
    )
    customer_id: Mapped[int] = trellis.column(
        types.Reference("customer", "CASCADE"), label=_("Customer"), required=True, in_list=True
    )
    account_id: Mapped[int | None] = trellis.column(
        types.Reference("banking.account", "CASCADE"), label=_("Account")
    )
    branch_id: Mapped[int | None] = trellis.column(types.Reference("banking.branch"), label=_("Branch"))
    amount: Mapped[Decimal] = trellis.column(
        types.Money(minimum=0), label=_("Amount"), required=True, in_list=True, indexed=True, group=TERMS
    )
    currency: Mapped[str | None] = trellis.column(types.Currency(), label=_("Currency"), group=TERMS)
    rate: Mapped[Decimal | None] = trellis.column(
        types.Percent(minimum=0), label=_("Rate"), in_list=True, group=TERMS, help=_("Per year")
    )
    term: Mapped[int | None] = trellis.column(
        types.Integer(minimum=1, additive=False), label=_("Term, months"), in_list=True, group=TERMS
    )
    opened_on: Mapped[date | None] = trellis.column(types.Date(), label=_("Opened on"), group=STATE)
    matures_on: Mapped[date | None] = trellis.column(
        types.Date(), label=_("Matures on"), in_list=True, indexed=True, group=STATE
    )
    status: Mapped[str] = trellis.column(
        types.Choice(DEPOSIT_STATES),
        label=_("Status"),
        required=True,
        default="active",
        in_list=True,
        group=STATE,
    )


class Application(trellis.Entity):
    """A customer's application for a product, on its way to a decision and to the money."""

    __tablename__ = "banking_application"
    __entity__ = trellis.EntityInfo(
        name="banking.application",
        title=_("Application"),
        plural=_("Applications"),
        new=_("New application"),
        icon="file-pen",
        direction="sales",
        level="tactics",
        row="SA3",
        subtitle_field="customer",
        sort="-submitted_at",
        date_field="submitted_at",
        timeline=True,
        amount_field="amount",
    )
    __table_args__ = (sa.Index("ix_banking_application_board", "stage", "amount", "id"),)

    name: Mapped[str] = trellis.column(
        types.Text(),
        label=_("Subject"),
        required=True,
        searchable=True,
        in_list=True,
        indexed=True,
        personal=True,
    )
    customer_id: Mapped[int | None] = trellis.column(
        types.Reference("customer", "CASCADE"), label=_("Customer"), in_list=True
    )
    product_id: Mapped[int | None] = trellis.column(types.Reference("product"), label=_("Product"))
    branch_id: Mapped[int | None] = trellis.column(
        types.Reference("banking.branch"), label=_("Branch"), in_list=True
    )
    channel: Mapped[str | None] = trellis.column(types.Text(60, names="channel"), label=_("Channel"))
    stage: Mapped[str] = trellis.column(
        types.Text(60), label=_("Stage"), required=True, default="data", in_list=True, indexed=True
    )
    stage_since: Mapped[datetime | None] = trellis.column(
        types.DateTime(), label=_("In this stage since"), read_only=True
    )
    next_step_on: Mapped[date | None] = trellis.column(types.Date(), label=_("Next step on"))
    amount: Mapped[Decimal | None] = trellis.column(
        types.Money(minimum=0), label=_("Amount"), in_list=True, indexed=True, group=TERMS
    )
    currency: Mapped[str | None] = trellis.column(types.Currency(), label=_("Currency"), group=TERMS)
    term: Mapped[int | None] = trellis.column(
        types.Integer(minimum=1, additive=False), label=_("Term, months"), group=TERMS
    )
    purpose: Mapped[str | None] = trellis.column(types.Text(), label=_("Purpose"), group=TERMS, personal=True)
    submitted_at: Mapped[datetime | None] = trellis.column(
        types.DateTime(), label=_("Submitted on"), in_list=True, indexed=True, group=DECISION
    )
    score: Mapped[int | None] = trellis.column(
        types.Integer(minimum=0, additive=False), label=_("Score"), group=DECISION
    )
    decision: Mapped[str | None] = trellis.column(
        types.Choice(DECISIONS), label=_("Decision"), in_list=True, group=DECISION
    )
    decided_at: Mapped[datetime | None] = trellis.column(
        types.DateTime(), label=_("Decided on"), indexed=True, group=DECISION
    )
    decided_by_id: Mapped[int | None] = trellis.column(
        types.Reference("user"), label=_("Decided by"), group=DECISION
    )
    refusal_reason: Mapped[str | None] = trellis.column(
        types.Text(), label=_("Reason for refusing"), group=DECISION, personal=True
    )
    closed_at: Mapped[datetime | None] = trellis.column(
        types.DateTime(), label=_("Finished on"), indexed=True, group=DECISION
    )
    notes: Mapped[str | None] = trellis.column(types.LongText(), label=_("Notes"), personal=True)


class Loan(trellis.Entity):
    """Money that a customer owes the bank."""

    __tablename__ = "banking_loan"
    __entity__ = trellis.EntityInfo(
        name="banking.loan",
        title=_("Loan"),
        plural=_("Loans"),
        new=_("New loan"),
        icon="hand-coins",
        direction="customers",
        level="tactics",
        row="CU2",
        title_field="number",
        subtitle_field="customer",
        sort="-days_past_due",
        date_field="opened_on",
        amount_field="outstanding",
    )

    number: Mapped[str] = trellis.column(
        types.Text(40), label=_("Number"), required=True, searchable=True, in_list=True, indexed=True
    )
    kind: Mapped[str] = trellis.column(
        types.Choice(LOAN_KINDS), label=_("Kind"), required=True, default="consumer", in_list=True
    )
    customer_id: Mapped[int] = trellis.column(
        types.Reference("customer", "CASCADE"), label=_("Customer"), required=True, in_list=True
    )
    account_id: Mapped[int | None] = trellis.column(
        types.Reference("banking.account", "CASCADE"), label=_("Account")
    )
    application_id: Mapped[int | None] = trellis.column(
        types.Reference("banking.application"), label=_("Application")
    )
    branch_id: Mapped[int | None] = trellis.column(types.Reference("banking.branch"), label=_("Branch"))
    amount: Mapped[Decimal] = trellis.column(
        types.Money(minimum=0), label=_("Amount"), required=True, in_list=True, group=TERMS
    )
    currency: Mapped[str | None] = trellis.column(types.Currency(), label=_("Currency"), group=TERMS)
    rate: Mapped[Decimal] = trellis.column(
        types.Percent(minimum=0), label=_("Rate"), required=True, group=TERMS, help=_("Per year")
    )
    term: Mapped[int] = trellis.column(
        types.Integer(minimum=1, additive=False), label=_("Term, months"), required=True, group=TERMS
    )
    schedule: Mapped[str] = trellis.column(
        types.Choice(SCHEDULES), label=_("Schedule"), required=True, default="annuity", group=TERMS
    )
    opened_on: Mapped[date | None] = trellis.column(
        types.Date(), label=_("Paid out on"), indexed=True, group=TERMS
    )
    outstanding: Mapped[Decimal | None] = trellis.column(
        types.Money(), label=_("Outstanding"), in_list=True, indexed=True, group=STATE
    )
    days_past_due: Mapped[int] = trellis.column(
        types.Integer(minimum=0, additive=False),
        label=_("Days past due"),
        required=True,
        default=0,
        in_list=True,
        indexed=True,
        group=STATE,
    )
    status: Mapped[str] = trellis.column(
        types.Choice(LOAN_STATES),
        label=_("Status"),
        required=True,
        default="active",
        in_list=True,
        group=STATE,
    )


class KycReview(trellis.Entity):
    """One check of who a customer is and where the money comes from."""

    __tablename__ = "banking_kyc_review"
    __entity__ = trellis.EntityInfo(
        name="banking.kyc_review",
        title=_("KYC review"),
        plural=_("KYC reviews"),
        new=_("New KYC review"),
        icon="shield-check",
        direction="customers",
        level="operations",
        subtitle_field="customer",
        sort="due_on",
        date_field="due_on",
        timeline=True,
    )

    name: Mapped[str] = trellis.column(
        types.Text(), label=_("Subject"), required=True, searchable=True, in_list=True, personal=True
    )
    customer_id: Mapped[int] = trellis.column(
        types.Reference("customer", "CASCADE"), label=_("Customer"), required=True, in_list=True
    )
    stage: Mapped[str] = trellis.column(
        types.Text(60), label=_("Stage"), required=True, default="planned", in_list=True, indexed=True
    )
    stage_since: Mapped[datetime | None] = trellis.column(
        types.DateTime(), label=_("In this stage since"), read_only=True
    )
    due_on: Mapped[date] = trellis.column(
        types.Date(), label=_("Due"), required=True, in_list=True, indexed=True
    )
    done_on: Mapped[date | None] = trellis.column(
        types.Date(), label=_("Done on"), in_list=True, group=RESULT
    )
    risk_class: Mapped[str | None] = trellis.column(
        types.Choice(RISK_CLASSES), label=_("Risk class"), in_list=True, group=RESULT
    )
    source_of_funds: Mapped[str | None] = trellis.column(
        types.Text(300), label=_("Source of funds"), group=RESULT, personal=True
    )
    findings: Mapped[str | None] = trellis.column(
        types.LongText(), label=_("Findings"), group=RESULT, personal=True
    )


class AccountMonth(trellis.Entity):
    """What one account brought and cost in one month: the facts that margins and income are counted on.

    Loaded from the bank's ledger, one row for an account and month; ``month`` is the first day of the month. All kinds
    of accounts stand in it: on loans and cards ``interest_cost`` is what the money cost the bank, on deposits and
    accounts ``interest_income`` is what the bank earned with it.
    """

    __tablename__ = "banking_account_month"
    __entity__ = trellis.EntityInfo(
        name="banking.account_month",
        title=_("Month of an account"),
        plural=_("Months of accounts"),
        icon="calendar-range",
        direction="customers",
        level="tactics",
        row="AN4",
        title_field="month",
        subtitle_field="account",
        parent="account",
        sort="-month",
        date_field="month",
    )
    __table_args__ = (
        sa.Index("ix_banking_account_month_customer_month", "customer_id", "month"),
        sa.Index("ix_banking_account_month_month_kind", "month", "kind"),
    )

    account_id: Mapped[int] = trellis.column(
        types.Reference("banking.account", "CASCADE"), label=_("Account"), required=True, in_list=True
    )
    customer_id: Mapped[int] = trellis.column(
        types.Reference("customer", "CASCADE"), label=_("Customer"), required=True
    )
    branch_id: Mapped[int | None] = trellis.column(types.Reference("banking.branch"), label=_("Branch"))
    kind: Mapped[str] = trellis.column(
        types.Choice(ACCOUNT_KINDS), label=_("Kind"), required=True, default="current", in_list=True
    )
    month: Mapped[date] = trellis.column(types.Date(), label=_("Month"), required=True, in_list=True)
    currency: Mapped[str | None] = trellis.column(types.Currency(), label=_("Currency"))
    balance: Mapped[Decimal] = trellis.column(
        types.Money(), label=_("Closing balance"), required=True, default=0, in_list=True
    )
    average_balance: Mapped[Decimal] = trellis.column(
        types.Money(), label=_("Average balance"), required=True, default=0
    )
    interest_income: Mapped[Decimal] = trellis.column(
        types.Money(), label=_("Interest income"), required=True, default=0, in_list=True
    )
    interest_cost: Mapped[Decimal] = trellis.column(
        types.Money(), label=_("Interest cost"), required=True, default=0, in_list=True
    )
    fees: Mapped[Decimal] = trellis.column(
        types.Money(), label=_("Fees"), required=True, default=0, in_list=True
    )
    service_cost: Mapped[Decimal] = trellis.column(
        types.Money(), label=_("Cost to serve"), required=True, default=0
    )
    expected_loss: Mapped[Decimal] = trellis.column(
        types.Money(), label=_("Expected loss"), required=True, default=0
    )
    transactions: Mapped[int] = trellis.column(
        types.Integer(minimum=0), label=_("Transactions"), required=True, default=0
    )
    days_past_due: Mapped[int] = trellis.column(
        types.Integer(minimum=0, additive=False), label=_("Days past due"), required=True, default=0
    )
