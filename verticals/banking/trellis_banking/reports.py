"""Reports of a bank."""

from __future__ import annotations

import trellis
from trellis import Report

from trellis_banking.model import REPORTS

_ = trellis.translator("trellis_banking")

REPORT_LIST = [
    Report(
        name="banking.portfolio_by_status",
        title=_("Loans by status"),
        description=_("Running, restructured and written-off loans, with what is still owed"),
        cell=REPORTS,
        entity="banking.loan",
        fields=("number", "customer", "kind", "amount", "outstanding", "days_past_due"),
        rule={"field": "status", "op": "ne", "value": "repaid"},
        group_by=("status",),
        totals=("amount", "outstanding"),
    ),
    Report(
        name="banking.maturities",
        title=_("Deposits that mature in 90 days"),
        description=_("Whose money comes back, and when"),
        cell=REPORTS,
        entity="banking.deposit",
        fields=("number", "customer", "amount", "rate", "matures_on", "owner"),
        rule={
            "all": [
                {"field": "status", "op": "eq", "value": "active"},
                {"field": "matures_on", "op": "between", "value": [{"days": 0}, {"days": 90}]},
            ]
        },
        totals=("amount",),
    ),
    Report(
        name="banking.kyc_overdue",
        title=_("KYC reviews past due"),
        description=_("By stage, so that compliance sees where they wait"),
        cell=REPORTS,
        entity="banking.kyc_review",
        fields=("name", "customer", "due_on", "owner"),
        rule={
            "all": [
                {"field": "done_on", "op": "is_empty"},
                {"field": "due_on", "op": "lt", "value": {"days": 0}},
            ]
        },
        group_by=("stage",),
    ),
    Report(
        name="banking.officers",
        title=_("Paid-out applications by officer"),
        description=_("What each officer brought to the money in the last 30 days"),
        cell=REPORTS,
        entity="banking.application",
        fields=("name", "customer", "amount", "closed_at"),
        rule={
            "all": [
                {"field": "stage", "op": "eq", "value": "paid_out"},
                {"field": "closed_at", "op": "gte", "value": {"days": -30}},
            ]
        },
        group_by=("owner",),
        totals=("amount",),
    ),
]
