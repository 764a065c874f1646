"""What follows from the stage of an opportunity: outcome, closing time, probability, and since when it is there."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.contributions import Lifecycle
from trellis.crm.sales.entities import OpportunityLine
from trellis.crm.sales.lines import CURRENCY_STAYS
from trellis.errors import RecordInvalid
from trellis.kpi.periods import today_in
from trellis.records.events import BeforeSave

_OUTCOMES = {"won": "won", "lost": "lost", "open": "open", "done": "won"}


def follow(event: BeforeSave) -> None:
    """Completes an opportunity that enters a stage. Values given together with the stage win. Raises RecordInvalid."""
    values = event.values
    if event.action == "created":
        _begin(event)
    elif event.action == "updated" and "currency" in values:
        _require_same_currency(event)
    if "stage" not in values or values["stage"] == event.before.get("stage"):
        return
    lifecycle = event.edition.entity("opportunity").lifecycle({**event.before, **values})
    stage = (
        next((one for one in lifecycle.stages if one.value == values["stage"]), None) if lifecycle else None
    )
    values["stage_since"] = datetime.now(UTC)
    if lifecycle is None or stage is None:
        return
    values["outcome"] = _OUTCOMES[stage.kind]
    if stage.kind == "open":
        values.setdefault("closed_at", None)
    elif values.get("closed_at") is None:
        values["closed_at"] = values["stage_since"]
    if values.get("probability") is None and stage.probability is not None:
        values["probability"] = Decimal(str(stage.probability))
    values["stage_since"] = _since(event, lifecycle)


def _require_same_currency(event: BeforeSave) -> None:
    """The lines of an opportunity keep their prices, so it keeps its currency as long as there are any."""
    own = event.edition.settings.currency
    if (event.values["currency"] or own) == (event.before.get("currency") or own):
        return
    lines = sa.select(OpportunityLine.id).where(
        OpportunityLine.opportunity_id == event.id, OpportunityLine.deleted_at.is_(None)
    )
    if event.session.scalar(lines.limit(1)) is not None:
        raise RecordInvalid({"currency": [CURRENCY_STAYS]})


def _begin(event: BeforeSave) -> None:
    """What is new begins today; what comes already closed, from elsewhere, began on a day that nobody told."""
    values = event.values
    if values.get("begun_on") is None and values.get("closed_at") is None:
        values["begun_on"] = today_in(ZoneInfo(event.edition.settings.timezone))


def _since(event: BeforeSave, lifecycle: Lifecycle) -> datetime:
    """When the stage was entered, as far as the record tells it: what is imported did not come up just now."""
    values, now = event.values, datetime.now(UTC)
    told: datetime | None = values.get("closed_at")
    begun = values.get("begun_on")
    if told is None and begun and event.action == "created" and lifecycle.stages[0].value == values["stage"]:
        told = datetime.combine(begun, time.max, UTC)
    return min(told, now) if told is not None else now
