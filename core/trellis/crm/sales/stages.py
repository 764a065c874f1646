"""What follows from the stage of an opportunity: outcome, closing time, probability, and since when it is there."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.contributions import Lifecycle, Stage
from trellis.crm.sales.channels import funnel_of
from trellis.crm.sales.entities import FIRST_FUNNEL, FIRST_STAGE, OpportunityLine
from trellis.crm.sales.lines import CURRENCY_STAYS
from trellis.errors import RecordInvalid
from trellis.kpi.periods import today_in
from trellis.records.door import Records, Write
from trellis.records.events import BeforeSave, Saved
from trellis.records.query import ListQuery
from trellis.security.actor import SYSTEM

_OUTCOMES = {"won": "won", "lost": "lost", "open": "open", "done": "won"}
_NOON = time(12)
"""For days of which no time is told: it is the same day in the zones around."""


def follow(event: BeforeSave) -> None:
    """Completes an opportunity that enters a stage. Values given together with the stage win. Raises RecordInvalid.

    It began today, unless it comes already closed, from elsewhere: then on a day that nobody told.
    """
    values = event.values
    if event.action == "created":
        _begin(event)
    elif event.action == "updated" and "currency" in values:
        _require_same_currency(event)
    _enter(event)
    _end(event)
    _close(event)
    if event.action == "created" and values.get("begun_on") is None and values.get("closed_at") is None:
        values["begun_on"] = today_in(ZoneInfo(event.edition.settings.timezone))
    if "stage" not in values or values["stage"] == event.before.get("stage"):
        return
    lifecycle, stage = _entered(event)
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


def _entered(event: BeforeSave) -> tuple[Lifecycle | None, Stage | None]:
    """The stage that is written, and the lifecycle that it is of."""
    lifecycle = event.edition.entity("opportunity").lifecycle({**event.before, **event.values})
    stages = lifecycle.stages if lifecycle else ()
    return lifecycle, next((one for one in stages if one.value == event.values.get("stage")), None)


def _end(event: BeforeSave) -> None:
    """What comes with an outcome that its stage does not have, as other programs tell the two apart, is in the stage that does."""
    outcome = event.values.get("outcome")
    lifecycle, stage = _entered(event)
    told = event.action == "created" or event.actor.source == "import"
    if (
        not told
        or outcome in (None, "open")
        or lifecycle is None
        or (stage is not None and stage.kind != "open")
    ):
        return
    ends = [one.value for one in lifecycle.stages if _OUTCOMES[one.kind] == outcome]
    if ends:
        event.values["stage"] = ends[0]


def _close(event: BeforeSave) -> None:
    """What an import brings as closed was closed on the day that it has for that: other programs keep one for both, expected and real."""
    values, day = event.values, event.values.get("expected_close")
    _lifecycle, stage = _entered(event)
    closes = stage is not None and stage.kind != "open" and stage.value != event.before.get("stage")
    zone = ZoneInfo(event.edition.settings.timezone)
    if event.actor.source != "import" or not closes or day is None or day > today_in(zone):
        return
    if values.get("closed_at") is None:
        values["closed_at"] = datetime.combine(day, _NOON, zone).astimezone(UTC)


def come_back(event: Saved) -> None:
    """What comes out of the bin, when its funnel or its stage there is no more, begins where there is one. Through the door, as any move."""
    back = [change.id for change in event.changes if change.action == "restored"]
    if not back:
        return
    view, moves = event.edition.entity("opportunity"), []
    found = ListQuery(view, event.edition, SYSTEM, ids=back, limit=len(back)).page(event.session).items
    for one in found:
        lifecycle = view.lifecycle(one.values)
        if lifecycle is None:
            moves.append(Write(id=one.id, values={"funnel": FIRST_FUNNEL}))
        elif one.values["stage"] not in {stage.value for stage in lifecycle.stages}:
            moves.append(Write(id=one.id, values={"stage": lifecycle.stages[0].value}))
    if moves:
        Records(event.session, event.edition, SYSTEM).save("opportunity", moves)


def _enter(event: BeforeSave) -> None:
    """What comes into a funnel that has no such stage, and is given none, begins with its first."""
    values, after = event.values, {**event.before, **event.values}
    lifecycle = event.edition.entity("opportunity").lifecycle(after)
    given = values.get("stage") if event.action == "updated" else _given(values.get("stage"))
    came = event.action == "created" or after.get("funnel") != event.before.get("funnel")
    if lifecycle is None or not came or given not in (None, event.before.get("stage")):
        return
    if after.get("stage") not in {one.value for one in lifecycle.stages}:
        values["stage"] = lifecycle.stages[0].value


def _given(stage: str | None) -> str | None:
    """The stage of a new record; that which new ones have by themselves is none that was chosen."""
    return None if stage == FIRST_STAGE else stage


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
    """What is new begins in the funnel of its channel."""
    values = event.values
    if values.get("channel") and values.get("funnel") == FIRST_FUNNEL:
        values["funnel"] = funnel_of(event.session, event.edition, values["channel"]) or FIRST_FUNNEL


def _since(event: BeforeSave, lifecycle: Lifecycle) -> datetime:
    """When the stage was entered, as far as the record tells it: what is imported did not come up just now."""
    values, now = event.values, datetime.now(UTC)
    told: datetime | None = values.get("closed_at")
    begun = values.get("begun_on")
    if told is None and begun and event.action == "created" and lifecycle.stages[0].value == values["stage"]:
        told = datetime.combine(begun, time.max, UTC)
    return min(told, now) if told is not None else now
