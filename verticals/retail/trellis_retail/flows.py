"""The processes of a shop: each a BPMN diagram beside this module."""

from __future__ import annotations

from pathlib import Path

import trellis

from trellis_retail.model import PROCESSES, PROMOTIONS

_ = trellis.translator("trellis_retail")

_DIAGRAMS = Path(__file__).parent / "processes"

PROCESS_LIST = [
    trellis.Process(
        name="retail.complaint",
        title=_("Complaint"),
        description=_("The receipt is checked; what costs more than 150 needs an approval"),
        cell=PROCESSES,
        entity="retail.return",
        diagram=_DIAGRAMS / "complaint.bpmn",
        managers=("manager", "retail.store_manager"),
    ),
    trellis.Process(
        name="retail.promotion_approval",
        title=_("Promotion approval"),
        description=_("The margin that an offer leaves decides: approved, asked for, or reckoned anew"),
        cell=PROMOTIONS,
        entity="retail.promotion",
        diagram=_DIAGRAMS / "promotion.bpmn",
        tables=(_DIAGRAMS / "margin.dmn",),
        managers=("manager", "retail.category_manager"),
    ),
]
