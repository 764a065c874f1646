"""What processes listen to, as diagrams write it: ``case.created``, ``case.stage=escalated``, ``segment.at_risk``,
``segment_left.at_risk``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trellis.edition import Edition
from trellis.i18n import translator
from trellis.process.diagram import Element
from trellis.records.events import Change

_ = translator("trellis")

ACTIONS = ("created", "updated", "deleted", "restored")
SEGMENT, SEGMENT_LEFT = "segment.", "segment_left."
SIDES = {SEGMENT: 1, SEGMENT_LEFT: -1}
"""How what is said of a segment begins, and whether a record then enters it (1) or leaves it (-1)."""
MESSAGE, SIGNAL = "message.", "signal."
"""What processes tell one another: a message those that match it, a signal all that wait for it."""
EVENT_JOB = "process_event"


@dataclass(frozen=True)
class Occasion:
    """An event that is listened to: an action on records of an entity, or a field of theirs that gets a value."""

    entity: str
    action: str = ""
    field: str = ""
    value: str = ""

    def met_by(self, change: Change) -> bool:
        """Whether what happened to a record is this."""
        if self.action:
            return change.action == self.action
        return self.field in change.changes and str(change.changes[self.field][1]) == self.value


def of_segment(text: str) -> tuple[str, int] | None:
    """The segment that a text is about, and whether it is entered (1) or left (-1); None for events of records."""
    return next(
        ((text.removeprefix(start), side) for start, side in SIDES.items() if text.startswith(start)), None
    )


def parse(edition: Edition, text: str) -> Occasion:
    """The event that a text means. Raises ValueError."""
    left, mark, value = text.partition("=")
    entity = next((name for name in _prefixes(left) if name in edition.entities), "")
    rest = left.removeprefix(f"{entity}.")
    if not entity:
        raise ValueError(
            _("“%(event)s” names no entity; write entity.created or entity.field=value", event=text)
        )
    if mark:
        if rest not in edition.entity(entity).fields:
            raise ValueError(_("%(entity)s has no field “%(field)s”", entity=entity, field=rest))
        return Occasion(entity, field=rest, value=value.strip())
    if rest not in ACTIONS:
        known = ", ".join(ACTIONS)
        raise ValueError(_("“%(event)s”: what happens is one of: %(known)s", event=text, known=known))
    return Occasion(entity, action=rest)


def _prefixes(text: str) -> Iterator[str]:
    """What may be the name of an entity in it, the longest first."""
    parts = text.split(".")
    return (".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))


def awaited(event: str, matches: Mapping[str, Any]) -> str:
    """What a wait is found by: the event, and the values of fields that the record must have."""
    pairs = ",".join(f"{name}={matches[name]}" for name in sorted(matches))
    return f"{event}:{pairs}"[:300]


def told(element: Element) -> str:
    """The name of what processes tell one another; empty where an element is about records."""
    if element.event == "signal":
        return f"{SIGNAL}{element.detail}"
    return element.detail if element.event == "message" and element.detail.startswith(MESSAGE) else ""


def awaited_by(
    element: Element, matches: Mapping[str, Any], entity: str | None, record_id: int | None
) -> str:
    """What the wait of an instance is found by: without ``matches``, its own record."""
    if element.event == "signal":
        return awaited(told(element), {})
    if told(element):
        return awaited(element.detail, matches or {"of": f"{entity}.{record_id}"})
    return awaited(element.detail, matches or {"id": record_id})


def keys_of(event: str, shapes: Iterable[tuple[str, ...]], values: Mapping[str, Any]) -> Iterator[str]:
    """The waits that a record may end: one for each set of fields that waits match by."""
    for names in shapes:
        yield awaited(event, {name: values.get(name) for name in names})
