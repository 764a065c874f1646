"""The processes of services: each a BPMN diagram beside this module."""

from __future__ import annotations

from pathlib import Path

import trellis

from trellis_b2b.model import PROCESSES

_ = trellis.translator("trellis_b2b")

_DIAGRAMS = Path(__file__).parent / "processes"

PROCESS_LIST = [
    trellis.Process(
        name="b2b.change_request",
        title=_("Change request"),
        description=_("Estimate, approval by amount, the customer signs, the work is planned"),
        cell=PROCESSES,
        entity="b2b.change_request",
        diagram=_DIAGRAMS / "change_request.bpmn",
        managers=("manager", "b2b.delivery_manager"),
    ),
    trellis.Process(
        name="b2b.acceptance",
        title=_("Acceptance of a milestone"),
        description=_(
            "Results are handed over, the customer accepts or names defects, the milestone is invoiced"
        ),
        cell=PROCESSES,
        entity="b2b.milestone",
        diagram=_DIAGRAMS / "acceptance.bpmn",
        managers=("manager", "b2b.delivery_manager"),
    ),
]
