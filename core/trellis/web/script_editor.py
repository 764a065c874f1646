"""The editor of a script: the tree of its steps, the form of one of them, and what is wrong beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import g

from trellis.contributions import Script
from trellis.i18n import plural_translator, translator
from trellis.records.entity import SYSTEM_FIELDS, Field
from trellis.records.query import Record
from trellis.records.types import Boolean, Choice
from trellis.scripts import own
from trellis.scripts.checks import ScriptFault
from trellis.scripts.content import MOST_ANSWERS, MOST_OBJECTIONS, MOST_OUTCOMES, MOST_STEPS
from trellis.scripts.drafts import Draft, Part, step_of
from trellis.scripts.speaking import spoken
from trellis.scripts.tables import PUBLISHED, RESULTS, SCRIPT
from trellis.web.display import control
from trellis.web.views.lists import base

_ = translator("trellis")
_n = plural_translator("trellis")

STEP, OUTCOME, NEW = "step:", "outcome:", "new"
"""How the choice of where an answer leads is written."""
_SHORT = 60


def editor(
    record: Record, step: str, *, problems: Sequence[str] = (), focus: str = "", given: Draft | None = None
) -> dict[str, Any]:
    """What the editor shows of a script at a step, or as a whole where ``step`` is none of its steps."""
    draft = given or record.values["draft"]
    found = own.faults(g.edition, record)
    chosen = step_of(draft, step)
    url = f"{base()}/{SCRIPT}/{record.id}"
    return {
        "id": record.id,
        "title": record.values["name"],
        "version": record.version,
        "url": f"{url}/edit",
        "publish_url": f"{url}/publish",
        "withdraw_url": f"{url}/withdraw" if record.values["state"] == PUBLISHED else "",
        "preview_url": f"{url}/preview",
        "figures_url": f"{base()}/scripts/{own.name_of(record.id)}" if record.values["published"] else "",
        "published": record.values["published"],
        "in_use": record.values["state"] == PUBLISHED,
        "faults": len(found),
        "faults_text": str(_n("%(num)s fault", "%(num)s faults", len(found))),
        "problems": list(problems),
        "tree": list(_tree(draft, found, step)),
        "whole_faults": [str(one.text) for one in found if not one.step],
        "step": _step(draft, chosen, record, found) if chosen else None,
        "whole": None if chosen else _whole(draft, record, found),
        "can_add_step": len(draft["steps"]) < MOST_STEPS,
        "focus": focus,
    }


def fields_of(draft: Draft) -> dict[str, Field]:
    """The fields that answers may fill: of the records beside which the script runs."""
    found: dict[str, Field] = {}
    for name in draft["entities"]:
        view = g.edition.entities.get(name)
        for field in view.fields.values() if view and g.actor.may(name, "read") else ():
            if not field.read_only and field.type.kind != "json" and field.name not in SYSTEM_FIELDS:
                found.setdefault(field.name, field)
    return found


def preview(record: Record, path: Sequence[str]) -> dict[str, Any]:
    """A draft walked through as far as some answers lead, with the values of the latest record that it runs beside."""
    script = own.draft_of(record)
    at = script.steps[0] if script.steps else None
    taken, outcome = [], None
    for key in path:
        answer = next((one for one in at.answers if one.key == key), None) if at else None
        if answer is None:
            break
        taken.append({"say": _said(script, str(at.say)) if at else "", "answer": str(answer.title)})
        outcome = next((one for one in script.outcomes if one.key == answer.outcome), None)
        at = next((one for one in script.steps if one.key == answer.to), None)
    url, walked = f"{base()}/{SCRIPT}/{record.id}/preview?path=", ",".join(path[: len(taken)])
    return {
        "title": record.values["name"],
        "taken": taken,
        "say": _said(script, str(at.say)) if at else "",
        "hint": str(at.hint) if at and at.hint else "",
        "outcome": str(outcome.title) if outcome else "",
        "answers": [
            {
                "number": number,
                "title": str(one.title),
                "note": _note(one, fields_of(record.values["draft"])),
                "url": url + ",".join(part for part in (walked, one.key) if part),
            }
            for number, one in enumerate(at.answers, 1)
        ]
        if at
        else [],
        "objections": [
            {"title": str(one.title), "reply": _said(script, str(one.reply))}
            for one in (*at.objections, *script.objections)
        ]
        if at
        else [],
        "back_url": url + ",".join(path[: len(taken) - 1]) if taken else "",
        "again_url": url,
        "edit_url": f"{base()}/{SCRIPT}/{record.id}/edit" + (f"?step={at.key}" if at else ""),
    }


def _note(answer: Any, fields: Mapping[str, Field]) -> str:
    """What an answer fills, in words."""
    label = fields[answer.fills].label if answer.fills in fields else answer.asks
    if not label:
        return ""
    return str(_("fills “%(field)s”", field=label) if answer.fills else _("asks “%(words)s”", words=label))


def _said(script: Script, text: str) -> str:
    """A text with the values of the latest record that the reader sees; as it is where there is none."""
    entity = next(
        (one for one in script.entities if one in g.edition.entities and g.actor.may(one, "read")), ""
    )
    latest = g.records.list(entity, sort=["-id"], limit=1).items if entity else []
    return spoken(text, g.records, entity, latest[0].id) if latest else text


def _tree(draft: Draft, faults: Sequence[ScriptFault], current: str) -> Iterator[dict[str, Any]]:
    """The steps as they follow from the first, each once; then those that nothing leads to."""
    counted: dict[str, int] = {}
    for one in faults:
        counted[one.step] = counted.get(one.step, 0) + 1
    steps = {one["key"]: one for one in draft["steps"]}
    ends = {one["key"]: one["title"] for one in draft["outcomes"]}
    shown: set[str] = set()

    def node(key: str) -> dict[str, Any]:
        shown.add(key)
        made = {**_named(steps[key], counted, current), "branches": []}
        for answer in steps[key]["answers"]:
            to = answer["to"]
            branch: dict[str, Any] = {
                "title": answer["title"] or str(_("Without words")),
                "to": None,
                "again": None,
            }
            if to in steps and to not in shown:
                branch["to"] = node(to)
            elif to in steps:
                branch["again"] = _named(steps[to], counted, "")
            else:
                branch["end"] = ends.get(answer["outcome"], "") or str(_("leads nowhere"))
                branch["lost"] = answer["outcome"] not in ends
            made["branches"].append(branch)
        return made

    for key in steps:
        if key not in shown:
            yield node(key)


def _named(step: Part, counted: Mapping[str, int], current: str) -> dict[str, Any]:
    text = " ".join(step["say"].split()) or str(_("Says nothing yet"))
    return {
        "key": step["key"],
        "text": text if len(text) <= _SHORT else f"{text[: _SHORT - 1].rstrip()}…",
        "whole": text,
        "faults": counted.get(step["key"], 0),
        "current": step["key"] == current,
    }


def _step(draft: Draft, step: Part, record: Record, faults: Sequence[ScriptFault]) -> dict[str, Any]:
    mine = [one for one in faults if one.step == step["key"]]
    parts = {one["key"] for name in ("answers", "objections") for one in step[name]}
    return {
        "key": step["key"],
        "first": draft["steps"][0]["key"] == step["key"],
        "say": step["say"],
        "hint": step["hint"],
        "faults": [str(one.text) for one in mine if one.part not in parts],
        "answers": [
            _answer(draft, one, number, [str(f.text) for f in mine if f.part == one["key"]])
            for number, one in enumerate(step["answers"])
        ],
        "objections": _objections(step["objections"], mine),
        "can_add_answer": len(step["answers"]) < MOST_ANSWERS,
        "can_add_objection": len(step["objections"]) < MOST_OBJECTIONS,
        "marks": _marks(draft),
    }


def _objections(known: Sequence[Part], faults: Sequence[ScriptFault]) -> list[dict[str, Any]]:
    return [{**one, "faults": [str(f.text) for f in faults if f.part == one["key"]]} for one in known]


def _answer(draft: Draft, answer: Part, number: int, faults: list[str]) -> dict[str, Any]:
    fields = fields_of(draft)
    chosen = (
        f"{STEP}{answer['to']}"
        if answer["to"]
        else f"{OUTCOME}{answer['outcome']}"
        if answer["outcome"]
        else ""
    )
    declared = fields.get(answer["fills"])
    return {
        **answer,
        "number": number,
        "faults": faults,
        "leads": [
            *(
                {
                    "value": f"{STEP}{one['key']}",
                    "title": _lead(one),
                    "selected": chosen == f"{STEP}{one['key']}",
                }
                for one in draft["steps"]
            ),
        ],
        "ends": [
            {
                "value": f"{OUTCOME}{one['key']}",
                "title": one["title"] or one["key"],
                "selected": chosen == f"{OUTCOME}{one['key']}",
            }
            for one in draft["outcomes"]
        ],
        "fields": [
            {"value": one.name, "title": str(one.label), "selected": one.name == answer["fills"]}
            for one in fields.values()
        ],
        "unknown_field": answer["fills"] if answer["fills"] and declared is None else "",
        "value_control": _value_control(declared, answer["value"], number) if declared else None,
        "asks_shown": answer["value"] is None,
    }


def _lead(step: Part) -> str:
    text = " ".join(step["say"].split()) or str(_("Says nothing yet"))
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1].rstrip()}…"


def _value_control(declared: Field, value: Any, number: int) -> dict[str, Any]:
    """How a fixed value is chosen: from what the field knows, or typed."""
    made = control(g.edition, base(), declared, value)
    if isinstance(declared.type, Boolean):
        known = [("true", str(_("Yes"))), ("false", str(_("No")))]
        now = {True: "true", False: "false"}.get(value, value)
        options = [{"value": one, "title": title, "selected": one == now} for one, title in known]
    elif isinstance(declared.type, Choice) or made["kind"] == "choice":
        options = made["options"]
    else:
        options = None
    return {"options": options, "value": "" if value is None else value, "number": number}


def _marks(draft: Draft) -> list[tuple[str, str]]:
    """What can stand in the texts: the fields that all the records have beside which it runs."""
    views = [g.edition.entities[name] for name in draft["entities"] if name in g.edition.entities]
    common = [
        field
        for field in (views[0].fields.values() if views else ())
        if all(field.name in view.fields for view in views[1:]) and field.type.kind != "json"
    ]
    found = [(f"{{record.{one.name}}}", str(one.label)) for one in common if one.name not in SYSTEM_FIELDS]
    return [("{sender.name}", str(_("Who speaks"))), ("{record.owner.name}", str(_("Owner"))), *found]


def _whole(draft: Draft, record: Record, faults: Sequence[ScriptFault]) -> dict[str, Any]:
    mine = [one for one in faults if not one.step]
    parts = {one["key"] for name in ("outcomes", "objections") for one in draft[name]}
    replaced = record.values["replaces"] or ""
    known = g.edition.all(Script).get(replaced)
    return {
        "name": record.values["name"],
        "description": draft["description"],
        "replaces": str(known.title) if known else replaced,
        "faults": [str(one.text) for one in mine if one.part not in parts],
        "entities": [
            {"value": one.name, "title": str(one.info.plural), "selected": one.name in draft["entities"]}
            for one in g.edition.entities.values()
            if one.name in draft["entities"]
            or (
                one.info.parent is None
                and one.info.by_hand
                and one.name != SCRIPT
                and g.actor.may(one.name, "read")
            )
        ],
        "outcomes": [
            {
                **one,
                "faults": [str(f.text) for f in mine if f.part == one["key"]],
                "results": [
                    {"value": o.value, "title": str(o.label), "selected": o.value == one["result"]}
                    for o in RESULTS
                ],
            }
            for one in draft["outcomes"]
        ],
        "objections": _objections(draft["objections"], mine),
        "can_add_outcome": len(draft["outcomes"]) < MOST_OUTCOMES,
        "can_add_objection": len(draft["objections"]) < MOST_OBJECTIONS,
    }
