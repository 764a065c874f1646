"""The editor of processes as its page shows it, with the words of the library that draws (static/js/drawing.js)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import g

from trellis.i18n import Text, plural_translator, translator
from trellis.process.diagram import Diagram, DiagramInvalid, Problem, read
from trellis.process.elements import KINDS
from trellis.process.own import Draft, OwnProcess
from trellis.web.panel import TITLES, Answer, called
from trellis.web.panel.names import Names

_ = translator("trellis")
_n = plural_translator("trellis")

WORDS: Mapping[str, Text] = {
    "Activate hand tool": _("Move the sheet"),
    "Activate lasso tool": _("Choose several"),
    "Activate create/remove space tool": _("Make or take away room"),
    "Activate global connect tool": _("Connect"),
    "Create start event": _("Start"),
    "Create intermediate/boundary event": _("Wait, or an event at the edge of a step"),
    "Create end event": _("End"),
    "Create gateway": _("Gateway"),
    "Create task": _("Task of people"),
    "Create expanded sub-process": _("Part of the process"),
    "Append end event": _("Then: end"),
    "Append gateway": _("Then: gateway"),
    "Append task": _("Then: task of people"),
    "Append intermediate/boundary event": _("Then: wait"),
    "Append receive task": _("Then: wait for an event"),
    "Append message intermediate catch event": _("Then: wait for an event"),
    "Append timer intermediate catch event": _("Then: wait for a time"),
    "Change element": _("Change what it is"),
    "Change type": _("Change what it is"),
    "Add text annotation": _("Add a note"),
    "Connect to other element": _("Connect with another element"),
    "Delete": _("Remove"),
    "Toggle non-interrupting": _("Interrupts the step, or not"),
    "User task": _("Task of people"),
    "Manual task": _("Task outside the computer"),
    "Service task": _("Automatic step"),
    "Send task": _("Sending"),
    "Receive task": _("Wait for an event"),
    "Script task": _("Script"),
    "Business rule task": _("Decision"),
    "Call activity": _("Another process"),
    "Sub-process": _("Part of the process"),
    "Sub-process (expanded)": _("Part of the process"),
    "Exclusive gateway": _("Gateway: one way"),
    "Parallel gateway": _("Gateway: all ways at once"),
    "Inclusive gateway": _("Gateway: some ways"),
    "Event-based gateway": _("Gateway: whichever event comes first"),
    "Start event": _("Start"),
    "Message start event": _("Start by an event"),
    "Timer start event": _("Start by the clock"),
    "End event": _("End"),
    "Terminate end event": _("End of everything"),
    "Error end event": _("End with an error"),
    "Intermediate throw event": _("Mark"),
    "Message intermediate throw event": _("Tell other processes"),
    "Message end event": _("End, and tell other processes"),
    "Signal start event": _("Start by a signal"),
    "Signal intermediate catch event": _("Wait for a signal"),
    "Signal intermediate throw event": _("Signal"),
    "Signal end event": _("End with a signal"),
    "Signal boundary event": _("When a signal comes"),
    "Signal boundary event (non-interrupting)": _("When a signal comes, beside the step"),
    "Escalation intermediate throw event": _("Escalation"),
    "Escalation end event": _("End with an escalation"),
    "Escalation boundary event": _("When something is escalated"),
    "Escalation boundary event (non-interrupting)": _("When something is escalated, beside the step"),
    "Compensation intermediate throw event": _("Undo what was done"),
    "Compensation end event": _("End, and undo what was done"),
    "Compensation boundary event": _("How the step is undone"),
    "Append compensation activity": _("What undoes the step"),
    "Message intermediate catch event": _("Wait for an event"),
    "Timer intermediate catch event": _("Wait for a time"),
    "Timer boundary event": _("After a time"),
    "Message boundary event": _("When an event comes"),
    "Error boundary event": _("When something goes wrong"),
    "Timer boundary event (non-interrupting)": _("After a time, beside the step"),
    "Message boundary event (non-interrupting)": _("When an event comes, beside the step"),
    "Sequence flow": _("Arrow"),
    "Default flow": _("Taken when no condition is true"),
    "Parallel multi-instance": _("For each of several, at once"),
    "Sequential multi-instance": _("For each of several, one after another"),
    "Search in diagram": _("Find in the diagram"),
    "Search": _("Search"),
}
"""What people read instead of the words of the library. Those of elements that Trellis cannot run are not offered."""

STATES: Mapping[str, tuple[Text, str]] = {
    "draft": (_("Draft"), "neutral"),
    "published": (_("Published"), "good"),
    "changed": (_("Published, and changed since"), "warn"),
}


def state_of(row: OwnProcess) -> dict[str, str]:
    """Whether a process is a draft, published, or published and changed since."""
    key = "draft" if row.published_at is None else "changed" if row.changed else "published"
    text, tone = STATES[key]
    return {"state": str(text), "tone": tone}


def editor_context(row: OwnProcess, base: str) -> dict[str, Any]:
    """The page."""
    url = f"{base}/processes/{row.name}"
    kinds = [[kind, event] for kind, events in KINDS.items() for event in events]
    kinds.append(["loop", "multiInstance"])
    return {
        "name": row.name,
        "title": row.draft["title"],
        **state_of(row),
        "version": row.version,
        "diagram": row.diagram.decode("utf-8", "replace"),
        "said": orjson.dumps(row.draft).decode(),
        "save_url": f"{url}/edit",
        "panel_url": f"{url}/edit/panel",
        "check_url": f"{url}/edit/check",
        "publish_url": f"{url}/publish",
        "download_url": f"{url}/draft.bpmn",
        "replace_url": f"{url}/replace",
        "discard_url": f"{url}/discard" if row.published_at is not None and row.changed else "",
        "remove_url": f"{url}/remove",
        "show_url": url if row.published_at is not None else "",
        "kinds": orjson.dumps(kinds).decode(),
        "words": orjson.dumps({word: str(text) for word, text in WORDS.items()}).decode(),
    }


def names_of(draft: Draft, diagram: Diagram | None) -> Names:
    """What the panel may offer."""
    return Names(g.session, g.edition, draft, diagram)


def readable(text: bytes) -> Diagram | None:
    """The diagram, or None where it cannot be read at present."""
    try:
        return read(text)
    except DiagramInvalid:
        return None


def outline(diagram: Diagram | None) -> list[dict[str, str]]:
    """The elements and arrows of a diagram in words, so that each is reached without a pointer."""
    if diagram is None:
        return []
    return [
        {"id": one.id, "kind": str(TITLES.get(one.kind, one.kind)), "title": one.name}
        for one in diagram.elements.values()
    ]


def panel_context(found: Answer, diagram: Diagram | None) -> dict[str, Any]:
    """The panel as its template shows it."""
    panel = found.panel
    return {**panel, "outline": outline(diagram) if panel.get("process") else []}


def problem_rows(problems: Sequence[Problem], diagram: Diagram | None) -> list[dict[str, str]]:
    """What stands against a draft, with what the element is called."""
    return [
        {
            "element": one.element if called(diagram, one.element) else "",
            "title": called(diagram, one.element),
            "text": str(one.reason),
        }
        for one in problems
    ]


def problems_text(number: int) -> str:
    """How many problems there are."""
    if not number:
        return str(_("Nothing stands against publishing it"))
    return str(_n("%(num)s problem", "%(num)s problems", number))
