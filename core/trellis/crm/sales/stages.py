"""What follows from the stage of an opportunity: outcome, closing time, probability."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from trellis.records.events import BeforeSave

_OUTCOMES = {"won": "won", "lost": "lost", "open": "open", "done": "won"}


def follow(event: BeforeSave) -> None:
    """Completes an opportunity that enters a stage. Values given together with the stage win."""
    values = event.values
    if "stage" not in values or values["stage"] == event.before.get("stage"):
        return
    lifecycle = event.edition.entity("opportunity").lifecycle({**event.before, **values})
    stage = (
        next((one for one in lifecycle.stages if one.value == values["stage"]), None) if lifecycle else None
    )
    values["stage_since"] = datetime.now(UTC)
    if stage is None:
        return
    values["outcome"] = _OUTCOMES[stage.kind]
    if stage.kind == "open":
        values.setdefault("closed_at", None)
    elif values.get("closed_at") is None:
        values["closed_at"] = values["stage_since"]
    if values.get("probability") is None and stage.probability is not None:
        values["probability"] = Decimal(str(stage.probability))
