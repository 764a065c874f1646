"""Until when a record is to be done, as lists on a phone and the head of its page tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trellis.edition import EntityView
from trellis.i18n import format_datetime, translator

_ = translator("trellis")


@dataclass(frozen=True)
class Deadline:
    """What is told of it; ``late`` when it is past."""

    text: str
    late: bool


def deadline_of(view: EntityView, values: Mapping[str, Any]) -> Deadline | None:
    """The deadline of an open record; None where there is none, or nothing is left to do."""
    due = values.get(view.info.due_field or "")
    if due is None:
        return None
    lifecycle = view.lifecycle(values)
    stages = lifecycle.stages if lifecycle else ()
    stage = next((one for one in stages if lifecycle and one.value == values.get(lifecycle.field)), None)
    if stage is not None and stage.kind != "open":
        return None
    late = due < datetime.now(UTC) and not (stage is not None and stage.paused)
    return Deadline(str(_("due %(due)s", due=format_datetime(due, inside=True))), late)
