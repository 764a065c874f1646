"""What the core brings to marketing communications: journeys."""

from __future__ import annotations

from trellis.contributions import Panel
from trellis.crm.marketing.journeys import hearing, panels, running
from trellis.crm.marketing.journeys.entities import Journey
from trellis.hookspecs import concerns, hookimpl
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave, Saved, SegmentEntered


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Journey]


@hookimpl
@concerns("journey")
def trellis_before_save(event: BeforeSave) -> None:
    running.complete(event)


@hookimpl
def trellis_after_save(event: Saved) -> None:
    hearing.note(event)
    if event.entity == "journey":
        running.follow(event)


@hookimpl
def trellis_segment_entered(event: SegmentEntered) -> None:
    hearing.note_entered(event)


@hookimpl
def trellis_panels() -> list[Panel]:
    return panels.PANELS
