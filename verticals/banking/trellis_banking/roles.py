"""Roles of a bank's people."""

from __future__ import annotations

import trellis
from trellis import Grant, Role, Scope

from trellis_banking.model import POSITIONS

_ = trellis.translator("trellis_banking")

_REFERENCE = [
    Grant(name, read=Scope.ALL)
    for name in (
        "product",
        "category",
        "lost_reason",
        "sales_channel",
        "banking.branch",
        "user",
        "unit",
        "position",
    )
]


def _work(name: str, scope: Scope, delete: Scope = Scope.NONE) -> Grant:
    return Grant(name, read=scope, create=True, update=scope, delete=delete)


ROLES = [
    Role(
        name="banking.branch_officer",
        title=_("Branch officer"),
        description=_("Serves the customers of the own branch: accounts, applications, daily work"),
        cell=POSITIONS,
        grants=[
            *_REFERENCE,
            _work("customer", Scope.UNIT),
            _work("contact", Scope.UNIT),
            _work("activity", Scope.UNIT, Scope.OWN),
            _work("lead", Scope.UNIT),
            _work("banking.account", Scope.UNIT),
            _work("banking.deposit", Scope.UNIT),
            _work("banking.application", Scope.UNIT, Scope.OWN),
            Grant("banking.loan", read=Scope.UNIT),
            Grant("banking.account_month", read=Scope.UNIT),
            Grant("banking.kyc_review", read=Scope.UNIT, create=True, update=Scope.OWN),
            Grant("script_run", read=Scope.UNIT),
        ],
    ),
    Role(
        name="banking.relationship_manager",
        title=_("Relationship manager"),
        description=_("Looks after an own portfolio of customers, with everything they hold"),
        cell=POSITIONS,
        grants=[
            *_REFERENCE,
            *(_work(name, Scope.OWN) for name in ("customer", "contact", "activity", "lead", "opportunity")),
            *(_work(name, Scope.OWN) for name in ("banking.account", "banking.deposit")),
            _work("banking.application", Scope.OWN),
            Grant("banking.loan", read=Scope.OWN),
            Grant("banking.account_month", read=Scope.OWN),
            Grant("banking.kyc_review", read=Scope.OWN),
            Grant("script_run", read=Scope.OWN),
        ],
    ),
    Role(
        name="banking.credit_analyst",
        title=_("Credit analyst"),
        description=_("Scores and decides on applications and watches loans, in all branches"),
        cell=POSITIONS,
        grants=[
            *_REFERENCE,
            *(Grant(name) for name in ("customer", "contact", "banking.account", "banking.deposit")),
            Grant("banking.account_month"),
            Grant("banking.application", read=Scope.ALL, update=Scope.ALL),
            Grant("banking.loan", read=Scope.ALL, update=Scope.ALL),
            _work("activity", Scope.OWN, Scope.OWN),
        ],
    ),
    Role(
        name="banking.compliance",
        title=_("Compliance"),
        description=_("Reads everything, carries out KYC reviews and keeps the risk class of customers"),
        cell=POSITIONS,
        grants=[
            Grant("*", read=Scope.ALL),
            Grant("customer", read=Scope.ALL, update=Scope.ALL),
            _work("banking.kyc_review", Scope.ALL, Scope.ALL),
            _work("activity", Scope.ALL, Scope.OWN),
        ],
    ),
]
