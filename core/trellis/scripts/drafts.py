"""Working on a draft: steps, answers, objections and outcomes come, go and change places. Each act gives a new draft."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from trellis.contributions import ScriptResult

Draft = dict[str, Any]
Part = dict[str, Any]

PARTS = ("answers", "objections")


def step_of(draft: Draft, key: str) -> Part | None:
    """The step of that key."""
    return next((one for one in draft["steps"] if one["key"] == key), None)


def with_step(draft: Draft, step: Part) -> Draft:
    """The draft with a step as it is now."""
    steps = [step if one["key"] == step["key"] else one for one in draft["steps"]]
    return {**draft, "steps": steps}


def add_step(draft: Draft) -> tuple[Draft, str]:
    """The draft with an empty step at its end, and the key of that."""
    key = new_key("step", [one["key"] for one in draft["steps"]])
    step = {"key": key, "say": "", "hint": "", "answers": [], "objections": []}
    return {**draft, "steps": [*draft["steps"], step]}, key


def remove_step(draft: Draft, key: str) -> Draft:
    """The draft without a step; answers that led to it lead nowhere."""
    left = [
        {**step, "answers": [{**one, "to": "" if one["to"] == key else one["to"]} for one in step["answers"]]}
        for step in draft["steps"]
        if step["key"] != key
    ]
    return {**draft, "steps": left}


def make_first(draft: Draft, key: str) -> Draft:
    """The draft in which a step is the first."""
    return {**draft, "steps": sorted(draft["steps"], key=lambda one: one["key"] != key)}


def add_part(holder: Part, part: str) -> Part:
    """A step, or a draft, with one more answer, objection or outcome."""
    known = [one["key"] for name in (*PARTS, "outcomes") for one in holder.get(name, ())]
    key = new_key(part.removesuffix("s"), known)
    empty: Mapping[str, Part] = {
        "answers": {"to": "", "outcome": "", "fills": "", "value": None, "asks": ""},
        "objections": {"reply": ""},
        "outcomes": {"result": ScriptResult.NEUTRAL.value},
    }
    return {**holder, part: [*holder[part], {"key": key, "title": "", **empty[part]}]}


def remove_part(holder: Part, part: str, place: int) -> Part:
    """A step, or a draft, without one of its parts."""
    return {**holder, part: [one for number, one in enumerate(holder[part]) if number != place]}


def move_up(holder: Part, part: str, place: int) -> Part:
    """A step, or a draft, in which one of its parts changes places with that before it."""
    found: Sequence[Part] = list(holder[part])
    if not 0 < place < len(found):
        return holder
    before, after = found[: place - 1], found[place + 1 :]
    return {**holder, part: [*before, found[place], found[place - 1], *after]}


def new_key(stem: str, known: Collection[str]) -> str:
    """A key that is not there yet: ``answer_3``."""
    numbers = range(1, len(known) + 2)
    return next(key for number in numbers if (key := f"{stem}_{number}") not in known)
