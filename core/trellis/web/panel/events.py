"""Parts of events: when they come, what they wait for, what they catch, and whether they interrupt."""

from __future__ import annotations

from collections.abc import Sequence
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
TOLD = "told"
STARTS, WAITS, TELLS = "starts", "waits", "tells"
"""What a message event does."""
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
        text = self.put_together(model)
        tag = (
            "timeDate"
            if model.get("kind") == "at"
            else "timeCycle"
            if text.startswith("R")
            else "timeDuration"
        )
        change.more["timer"] = {"tag": tag, "text": text}


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


def _role(element: Element) -> str:
    if element.kind in ("endEvent", "intermediateThrowEvent"):
        return TELLS
    return STARTS if element.kind == "startEvent" else WAITS


def event_fields(
    part: Part,
    start: str,
    model: Model,
    names: Names,
    entities: list[Option],
    also: Sequence[Option] = (),
) -> list[dict[str, Any]]:
    """The fields that say what happens to which records."""
    entity = model.get("entity") or names.draft.entity or ""
    made = [
        *(
            [part.choice(f"{start}entity", _("Kind of record"), entity, entities, required=True)]
            if entities
            else []
        ),
        part.choice(
            f"{start}what", _("What happens"), model.get("what", ""), [*WHAT.items(), *also], required=True
        ),
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
    """The event that a message event waits for and on which record, or what a process tells others."""

    name = "event"

    def fits(self, element: Element, names: Names) -> bool:
        return element.event == "message"

    def claims(self, property_: str, names: Names) -> bool:
        return property_ == "when" or property_.startswith(MATCH)

    def load(self, element: Element, names: Names) -> Model:
        said = element.properties
        common = {
            "role": _role(element),
            "when": said.get("when", "").removeprefix("="),
            "rows": pairs(said, MATCH),
        }
        if element.detail.startswith(events.MESSAGE) or common["role"] == TELLS:
            return {"what": TOLD, "name": element.detail.removeprefix(events.MESSAGE), **common}
        return event_apart(element.detail, names) | common | {"raw": element.detail}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        role, told = model.get("role", ""), model.get("what") == TOLD
        name = self.text(
            "name",
            _("Name of the message"),
            model.get("name", ""),
            required=True,
            help=_("Small latin letters, digits and _"),
        )
        made = [self.text(key, "", model.get(key, ""), kind="hidden") for key in ("role", "raw")]
        if role == TELLS:
            made += [self.text("what", "", TOLD, kind="hidden"), name]
            rows = self._rows(model, names, None)
            about = _(
                "Whoever waits for this name with the same values hears it; without values, those about the same record"
            )
            return group(_("Tells other processes"), made, help=about, rows=rows, add=_("Add a value"))
        made += [name] if told else []
        fields = event_fields(
            self, "", model, names, names.entities, also=((TOLD, _("Another process tells it")),)
        )
        made = [*fields, *made] if not told else [fields[-1], *made]
        if role == STARTS:
            about = _("A condition on the record: record.amount > 1000")
            made.append(self.text("when", _("Only if"), model.get("when", ""), help=about))
            return group(_("Starts by an event"), made)
        about = _("Without a comparison it waits for the record of the process")
        entity = None if told else model.get("entity") or names.draft.entity
        rows = self._rows(model, names, entity)
        return group(_("Waits for an event"), made, help=about, rows=rows, add=_("Add a comparison"))

    def _rows(self, model: Model, names: Names, entity: str | None) -> list[Any]:
        known = dict(names.fields(entity)) if entity else {}
        return [
            (
                known.get(row.get("name", ""), row.get("name") or _("New comparison")),
                self._row(number, row, names, entity),
            )
            for number, row in enumerate(model["rows"])
        ]

    def _row(self, number: int, row: Model, names: Names, entity: str | None) -> list[dict[str, Any]]:
        value = self.text(
            f"{number}.value", _("Equals"), row.get("value", ""), help=VALUE_HELP, required=True
        )
        if entity is None:
            return [
                self.text(f"{number}.name", _("Name of the value"), row.get("name", ""), required=True),
                value,
            ]
        value["suggested"] = names.values(entity, row.get("name", ""))
        fields = names.fields(entity)
        label = _("Field of that record")
        return [self.choice(f"{number}.name", label, row.get("name", ""), fields, required=True), value]

    def save(self, model: Model, names: Names, change: Change) -> None:
        told = f"{events.MESSAGE}{model['name']}" if model.get("name") else ""
        happens = event_together(model, names.draft.entity) or (
            "" if model.get("what") else model.get("raw", "")
        )
        change.more["message"] = told if model.get("what") == TOLD else happens
        change.put("when", model.get("when", ""))
        for row in model["rows"]:
            if row.get("name"):
                change.properties[f"{MATCH}{row['name']}"] = row.get("value", "")


class Signal(Part):
    """The signal that is thrown, or waited for."""

    name = "signal"

    def fits(self, element: Element, names: Names) -> bool:
        return element.event == "signal"

    def load(self, element: Element, names: Names) -> Model:
        return {"name": element.detail}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        about = _("A signal goes to all runs that wait for it, and starts the processes that begin with it")
        name = self.text("name", _("Name of the signal"), model.get("name", ""), required=True)
        return group(_("Signal"), [name], help=about)

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.more["signal"] = model.get("name", "")


class Code(Part):
    """The code of an error or an escalation: what is caught at an edge, or thrown."""

    name = "code"

    def fits(self, element: Element, names: Names) -> bool:
        return element.event in ("error", "escalation")

    def load(self, element: Element, names: Names) -> Model:
        return {
            "code": element.detail,
            "event": element.event,
            "edge": "yes" if element.kind == "boundaryEvent" else "",
        }

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        made = [self.text(key, "", model.get(key, ""), kind="hidden") for key in ("event", "edge")]
        code, error = model.get("code", ""), model.get("event") == "error"
        if model.get("edge") and error:
            known = [("", _("Whatever is refused")), *ERRORS.items()]
            field = self.choice("code", _("What went wrong"), code, known, blank=False)
            return group(_("Error"), [*made, field])
        about = _("Without a code, all are caught") if model.get("edge") else ""
        made.append(self.text("code", _("Code"), code, required=not model.get("edge"), help=about))
        return group(_("Error") if error else _("Escalation"), made)

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.more[model.get("event") or "error"] = model.get("code", "")


class Undone(Part):
    """What a thrown compensation undoes."""

    name = "undone"

    def fits(self, element: Element, names: Names) -> bool:
        return element.event == "compensate" and element.kind != "boundaryEvent"

    def load(self, element: Element, names: Names) -> Model:
        return {"activity": element.detail}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        known = names.diagram.undoing if names.diagram else ()
        options = [("", _("All that can be undone")), *((one, names.title_of(one)) for one in known)]
        field = self.choice("activity", _("What is undone"), model.get("activity", ""), options, blank=False)
        return group(_("Undoing"), [field])

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.more["undone"] = model.get("activity", "")


class Interrupting(Part):
    """Whether an event at an edge ends the step, or goes beside it."""

    name = "edge"
    flags = frozenset({"interrupting"})

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind == "boundaryEvent" and element.event not in ("error", "compensate")

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
