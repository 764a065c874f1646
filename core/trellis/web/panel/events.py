"""Parts of events: when they come, what they wait for, what they catch, and whether they interrupt."""

from __future__ import annotations

from typing import Any

from trellis.i18n import translator
from trellis.process import events
from trellis.process.diagram import Element
from trellis.process.elements import MATCH
from trellis.web.panel.fields import Change, Model, Option, Part, group, pairs
from trellis.web.panel.names import Names
from trellis.web.panel.times import SchedulePart, TimePart
from trellis.web.panel.work import VALUE_HELP

_ = translator("trellis")

WHAT = {
    "created": _("A record is made"),
    "updated": _("A record is changed"),
    "deleted": _("A record goes into the bin"),
    "restored": _("A record comes back from the bin"),
    "value": _("A field gets a value"),
}
ERRORS = {
    "invalid": _("A value that does not fit"),
    "conflict": _("What stands against it"),
    "forbidden": _("No right to do it"),
    "not_found": _("The record is not there"),
}


class Timer(TimePart):
    """When a timer fires."""

    name = "timer"

    def fits(self, element: Element, names: Names) -> bool:
        return element.event == "timer" and element.kind != "startEvent"

    def load(self, element: Element, names: Names) -> Model:
        return self.taken_apart(element.detail)

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        return group(_("When"), self.time_fields(model, _("Goes on")))

    def save(self, model: Model, names: Names, change: Change) -> None:
        tag = "timeDate" if model.get("kind") == "at" else "timeDuration"
        change.more["timer"] = {"tag": tag, "text": self.put_together(model)}


class StartTimer(SchedulePart):
    """How often the clock starts the process."""

    name = "clock"

    def fits(self, element: Element, names: Names) -> bool:
        return element.event == "timer" and element.kind == "startEvent"

    def load(self, element: Element, names: Names) -> Model:
        return self.schedule_apart(element.detail)

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        about = _("In the time zone of the workspace. Such a process is about no record")
        return group(_("Starts by the clock"), self.schedule_fields(model), help=about)

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.more["timer"] = {"tag": "timeCycle", "text": self.schedule_together(model)}


def event_apart(text: str, names: Names) -> Model:
    """An event as a form holds it."""
    try:
        known = events.parse(names.edition, text)
    except ValueError:
        return {"entity": names.draft.entity or "", "what": "", "field": "", "value": text}
    return {
        "entity": known.entity,
        "what": known.action or "value",
        "field": known.field,
        "value": known.value,
    }


def event_together(model: Model, entity: str | None) -> str:
    """The opposite of :func:`event_apart`; empty where too little is said."""
    entity, what = model.get("entity") or entity or "", model.get("what", "")
    if not entity or what not in WHAT:
        return ""
    if what != "value":
        return f"{entity}.{what}"
    return f"{entity}.{model['field']}={model.get('value', '')}" if model.get("field") else ""


def event_fields(
    part: Part, start: str, model: Model, names: Names, entities: list[Option]
) -> list[dict[str, Any]]:
    """The fields that say what happens to which records."""
    entity = model.get("entity") or names.draft.entity or ""
    made = [
        *(
            [part.choice(f"{start}entity", _("Kind of record"), entity, entities, required=True)]
            if entities
            else []
        ),
        part.choice(f"{start}what", _("What happens"), model.get("what", ""), WHAT.items(), required=True),
    ]
    if model.get("what") == "value":
        value = part.text(f"{start}value", _("Value"), model.get("value", ""), required=True)
        value["suggested"] = names.values(entity, model.get("field", ""))
        made += [
            part.choice(
                f"{start}field", _("Field"), model.get("field", ""), names.fields(entity), required=True
            ),
            value,
        ]
    return made


class Message(Part):
    """The event that a message event waits for, and on which record."""

    name = "event"

    def fits(self, element: Element, names: Names) -> bool:
        return element.event == "message"

    def claims(self, property_: str, names: Names) -> bool:
        return property_ == "when" or property_.startswith(MATCH)

    def load(self, element: Element, names: Names) -> Model:
        said = element.properties
        start = "yes" if element.kind == "startEvent" else ""
        return event_apart(element.detail, names) | {
            "when": said.get("when", "").removeprefix("="),
            "start": start,
            "rows": pairs(said, MATCH),
        }

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        made = event_fields(self, "", model, names, names.entities)
        made.append(self.text("start", "", model.get("start", ""), kind="hidden"))
        if model.get("start"):
            about = _("A condition on the record: record.amount > 1000")
            made.append(self.text("when", _("Only if"), model.get("when", ""), help=about))
            return group(_("Starts by an event"), made)
        entity = model.get("entity") or names.draft.entity
        rows = [
            (
                dict(names.fields(entity)).get(row.get("name", ""), _("New comparison")),
                self._row(number, row, names, entity),
            )
            for number, row in enumerate(model["rows"])
        ]
        about = _("Without a comparison it waits for the record of the process")
        return group(_("Waits for an event"), made, help=about, rows=rows, add=_("Add a comparison"))

    def _row(self, number: int, row: Model, names: Names, entity: str | None) -> list[dict[str, Any]]:
        value = self.text(
            f"{number}.value", _("Equals"), row.get("value", ""), help=VALUE_HELP, required=True
        )
        value["suggested"] = names.values(entity, row.get("name", ""))
        return [
            self.choice(
                f"{number}.name",
                _("Field of that record"),
                row.get("name", ""),
                names.fields(entity),
                required=True,
            ),
            value,
        ]

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.more["message"] = event_together(model, names.draft.entity)
        change.put("when", model.get("when", ""))
        for row in model["rows"]:
            if row.get("name"):
                change.properties[f"{MATCH}{row['name']}"] = row.get("value", "")


class Error(Part):
    """What an error event at an edge catches."""

    name = "error"

    def fits(self, element: Element, names: Names) -> bool:
        return element.event == "error"

    def load(self, element: Element, names: Names) -> Model:
        return {"code": element.detail}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        known = [("", _("Whatever is refused")), *ERRORS.items()]
        return group(
            _("Error"), [self.choice("code", _("What went wrong"), model.get("code", ""), known, blank=False)]
        )

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.more["error"] = model.get("code", "")


class Interrupting(Part):
    """Whether an event at an edge ends the step, or goes beside it."""

    name = "edge"
    flags = frozenset({"interrupting"})

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind == "boundaryEvent" and element.event != "error"

    def load(self, element: Element, names: Names) -> Model:
        return {"interrupting": element.interrupting}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        about = _("Otherwise the step goes on, and this way is taken beside it")
        return group(
            _("The step"),
            [
                self.flag(
                    "interrupting", _("Ends when this happens"), model.get("interrupting", True), help=about
                )
            ],
        )

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.more["interrupting"] = bool(model.get("interrupting", True))
