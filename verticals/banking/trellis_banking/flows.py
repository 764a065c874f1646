"""The processes of a bank: each a BPMN diagram beside this module."""

from __future__ import annotations

from pathlib import Path

import trellis

from trellis_banking.model import PROCESSES

_ = trellis.translator("trellis_banking")

_DIAGRAMS = Path(__file__).parent / "processes"

PROCESS_LIST = [
    trellis.Process(
        name="banking.loan_application",
        title=_("Loan application"),
        description=_("Papers, score, decision within the limit or by the committee, contract, money"),
        cell=PROCESSES,
        entity="banking.application",
        diagram=_DIAGRAMS / "loan_application.bpmn",
        managers=("manager", "banking.compliance"),
    ),
    trellis.Process(
        name="banking.kyc_review",
        title=_("KYC review"),
        description=_(
            "Papers, risk class by four eyes, consent to a high risk; the customer is valid or blocked"
        ),
        cell=PROCESSES,
        entity="banking.kyc_review",
        diagram=_DIAGRAMS / "kyc_review.bpmn",
        managers=("manager", "banking.compliance"),
    ),
]
