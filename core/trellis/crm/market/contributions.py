"""What the core brings to the market: conversation scripts."""

from __future__ import annotations

from trellis.contributions import Panel
from trellis.crm.market.panels import PANELS
from trellis.hookspecs import concerns, hookimpl
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave, Saved
from trellis.scripts import own, running
from trellis.scripts.tables import RUN, SCRIPT, OwnScript, ScriptRun


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [OwnScript, ScriptRun]


@hookimpl
@concerns(SCRIPT, RUN)
def trellis_before_save(event: BeforeSave) -> None:
    (own.complete if event.entity == SCRIPT else running.keep)(event)


@hookimpl
@concerns(SCRIPT)
def trellis_after_save(event: Saved) -> None:
    own.follow(event)


@hookimpl
def trellis_panels() -> list[Panel]:
    return PANELS
