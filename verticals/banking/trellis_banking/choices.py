"""The fixed lists of banking: kinds, states, classes."""

from __future__ import annotations

import trellis
from trellis import types

_ = trellis.translator("trellis_banking")

BRANCH_KINDS = (
    types.Option("region", _("Region"), "info"),
    types.Option("branch", _("Branch")),
    types.Option("office", _("Small office")),
)
ACCOUNT_KINDS = (
    types.Option("current", _("Current account"), "teal"),
    types.Option("savings", _("Savings account"), "good"),
    types.Option("deposit", _("Deposit"), "violet"),
    types.Option("loan", _("Loan"), "info"),
    types.Option("card", _("Credit card"), "rose"),
)
MONEY_OF_CUSTOMERS = ("current", "savings", "deposit")
"""Kinds of accounts on which the bank owes money to the customer."""

ACCOUNT_STATES = (
    types.Option("active", _("Active"), "good"),
    types.Option("blocked", _("Blocked"), "danger"),
    types.Option("closed", _("Closed")),
)
DEPOSIT_STATES = (
    types.Option("active", _("Active"), "good"),
    types.Option("renewed", _("Renewed"), "info"),
    types.Option("paid_out", _("Paid out at its end")),
    types.Option("broken", _("Closed before its term"), "warn"),
)
LOAN_KINDS = (
    types.Option("consumer", _("Consumer loan")),
    types.Option("mortgage", _("Mortgage"), "violet"),
    types.Option("car", _("Car loan"), "teal"),
    types.Option("business", _("Business loan"), "info"),
    types.Option("overdraft", _("Overdraft"), "warn"),
)
LOAN_STATES = (
    types.Option("active", _("Active"), "good"),
    types.Option("restructured", _("Restructured"), "warn"),
    types.Option("repaid", _("Repaid")),
    types.Option("written_off", _("Written off"), "danger"),
)
SCHEDULES = (
    types.Option("annuity", _("Equal instalments")),
    types.Option("differentiated", _("Equal parts of the principal")),
)
RISK_CLASSES = (
    types.Option("low", _("Low"), "good"),
    types.Option("medium", _("Medium"), "warn"),
    types.Option("high", _("High"), "danger"),
)
DECISIONS = (
    types.Option("approved", _("Approved"), "good"),
    types.Option("refused", _("Refused"), "danger"),
)
KYC_STATES = (
    types.Option("valid", _("Valid"), "good"),
    types.Option("due", _("Review due"), "warn"),
    types.Option("incomplete", _("Documents missing"), "warn"),
    types.Option("blocked", _("Blocked"), "danger"),
)
SEGMENTS = (
    types.Option("mass", _("Mass")),
    types.Option("affluent", _("Affluent"), "info"),
    types.Option("private", _("Private banking"), "violet"),
    types.Option("sme", _("Small and medium companies"), "teal"),
    types.Option("corporate", _("Corporate"), "rose"),
)
INCOME_BANDS = (
    types.Option("low", _("Low")),
    types.Option("middle", _("Middle")),
    types.Option("upper", _("Upper middle")),
    types.Option("high", _("High")),
)
