"""The stages of a promotion and of a return, and when buyers come to be at risk or lost."""

from __future__ import annotations

import trellis
from trellis import Stage

from trellis_retail.model import LIFECYCLE, PROMOTIONS, RETURNS

_ = trellis.translator("trellis_retail")

TERMS = ("starts", "ends")

LIFECYCLES = [
    trellis.Lifecycle(
        name="retail.promotion",
        title=_("Promotions"),
        cell=PROMOTIONS,
        entity="retail.promotion",
        stages=(
            Stage(value="draft", title=_("Draft"), days=5, moves=("margin_check", "cancelled")),
            Stage(
                value="margin_check",
                title=_("Margin check"),
                days=2,
                requires=(*TERMS, "budget"),
                moves=("draft", "approved", "cancelled"),
            ),
            Stage(value="approved", title=_("Approved"), days=7, tone="info", moves=("running", "cancelled")),
            Stage(value="running", title=_("Running"), days=14, tone="good", moves=("finished", "cancelled")),
            Stage(value="finished", title=_("Finished"), kind="done"),
            Stage(value="cancelled", title=_("Cancelled"), kind="lost", tone="danger", moves=("draft",)),
        ),
    ),
    trellis.Lifecycle(
        name="retail.return",
        title=_("Returns"),
        cell=RETURNS,
        entity="retail.return",
        stages=(
            Stage(value="received", title=_("Received"), days=1, moves=("checked", "refused")),
            Stage(value="checked", title=_("Checked"), days=2, moves=("approval", "settled", "refused")),
            Stage(
                value="approval",
                title=_("Waits for approval"),
                days=1,
                tone="warn",
                requires=("resolution",),
                moves=("checked", "settled", "refused"),
            ),
            Stage(
                value="settled",
                title=_("Settled"),
                kind="done",
                tone="good",
                requires=("resolution", "settled_at"),
            ),
            Stage(value="refused", title=_("Refused"), kind="lost", tone="danger", moves=("received",)),
        ),
    ),
]

STAGE_RULES = [
    trellis.StageRule(
        name="retail.stage_at_risk",
        title=_("At risk"),
        description=_("No receipt for 60 days"),
        cell=LIFECYCLE,
        stage="at_risk",
        rule={"field": "last_order_at", "op": "lte", "value": {"days": -60}},
    ),
    trellis.StageRule(
        name="retail.stage_lost",
        title=_("Lost"),
        description=_("No receipt for 180 days"),
        cell=LIFECYCLE,
        stage="lost",
        rule={"field": "last_order_at", "op": "lte", "value": {"days": -180}},
    ),
]
