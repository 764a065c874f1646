"""The form of a journey: read into a plan, and changed by its buttons (a step more, one up, a branch less)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from werkzeug.datastructures import MultiDict

from trellis.i18n import translator
from trellis.journeys.plan import ATTRIBUTES, EMPTY, MOST_BRANCHES, NUMBERS
from trellis.journeys.program import ways_of

_ = translator("trellis")

RULE = "rule"
"""Chosen as the goal: that a rule comes true."""
_PLACE = re.compile(r"(?:(.*)\.)?(\d+)$")


@dataclass
class Given:
    """What a form holds: the plan, and what in it is no number, by name."""

    plan: dict[str, Any]
    errors: dict[str, list[str]] = field(default_factory=dict)


def read(form: MultiDict[str, str]) -> Given:
    """The plan in a form."""
    given = Given(dict(EMPTY))
    for name in ("entry", "quiet_from", "quiet_to", "consent"):
        given.plan[name] = form.get(name, "").strip()
    for name in ("goal_days", "control", "limit", "limit_days"):
        given.plan[name] = _number(form, given, name, name)
    again = form.get("again", "").strip()
    given.plan["again"] = _number(form, given, "again", "goal_days") if again else None
    goal = form.get("goal", "")
    given.plan["goal"] = (_rule(form.get("goal_rule", "")) or {"all": []}) if goal == RULE else goal
    given.plan["quiet_days"] = _weekdays(form.getlist("quiet_days"))
    given.plan["steps"] = _steps(form, given, "")
    return given


def _steps(form: MultiDict[str, str], given: Given, above: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while (kind := form.get(f"{above}{len(found)}:kind")) in ATTRIBUTES:
        found.append(_step(form, given, f"{above}{len(found)}", str(kind)))
    return found


def _step(form: MultiDict[str, str], given: Given, key: str, kind: str) -> dict[str, Any]:
    step: dict[str, Any] = {"kind": kind, "title": form.get(f"{key}:title", "").strip()}
    for name in ATTRIBUTES[kind]:
        if name == "branches":
            step[name] = _branches(form, given, key)
        elif name == "otherwise":
            step[name] = _steps(form, given, f"{key}.{len(step['branches'])}.")
        elif name == "weekdays":
            step[name] = _weekdays(form.getlist(f"{key}:{name}"))
        elif name in NUMBERS:
            step[name] = _number(form, given, f"{key}:{name}", name)
        else:
            step[name] = form.get(f"{key}:{name}", "").strip()
    return step


def _branches(form: MultiDict[str, str], given: Given, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while f"{key}:{len(found)}.title" in form:
        place = len(found)
        branch = {
            "title": form.get(f"{key}:{place}.title", "").strip(),
            "rule": _rule(form.get(f"{key}:{place}.rule", "")),
            "share": _number(form, given, f"{key}:{place}.share", "share"),
            "steps": _steps(form, given, f"{key}.{place}."),
        }
        found.append(branch)
    return found


def _number(form: MultiDict[str, str], given: Given, name: str, kind: str) -> int:
    text, most = form.get(name, "").strip(), NUMBERS[kind]
    if not text:
        return 0
    if not text.isdecimal() or len(text) > 9 or int(text) > most:
        given.errors[name] = [str(_("Give a whole number from 0 to %(most)s", most=most))]
        return 0
    return int(text)


def _weekdays(texts: list[str]) -> list[int]:
    return sorted({int(one) for one in texts if one in "0123456" and len(one) == 1})


def _rule(text: str) -> Any:
    try:
        rule = orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        return None
    return rule if isinstance(rule, dict) else None


def change(plan: dict[str, Any], act: str, form: Mapping[str, str]) -> str:
    """Does what a button of the form asks for; the key of the step to go on with."""
    verb, _mark, where = act.partition(":")
    if verb == "add":
        steps = _list(plan, where)
        kind = form.get(f"new:{where}", "")
        if steps is not None and kind in ATTRIBUTES:
            steps.append(blank(kind))
            return f"{where}{len(steps) - 1}"
    elif verb in ("branch", "unbranch"):
        return _rebranch(plan, verb, where)
    elif verb in ("up", "down", "remove", "copy"):
        return _rearrange(plan, verb, where)
    return ""


def blank(kind: str) -> dict[str, Any]:
    """A new step of a kind."""
    usual: dict[str, Any] = {
        "days": 0,
        "hours": 0,
        "weekdays": [],
        "act": "task",
        "to": "owner",
        "otherwise": [],
        "branches": [_branch(50), _branch(50)] if kind == "random" else [_branch(0)],
    }
    step = {name: usual.get(name, "") for name in ATTRIBUTES[kind]}
    return {"kind": kind, "title": "", **step, **({"days": 3} if kind == "wait" else {})}


def _branch(share: int) -> dict[str, Any]:
    return {"title": "", "rule": None, "share": share, "steps": []}


def _list(plan: dict[str, Any], above: str) -> list[dict[str, Any]] | None:
    """The steps whose keys begin so: ``""`` for the outermost, ``2.0.`` for those of the first branch of step 2."""
    steps: list[dict[str, Any]] = plan["steps"]
    parts = [int(one) for one in above.split(".") if one.isdecimal()]
    for place, way in zip(parts[::2], parts[1::2], strict=False):
        if place >= len(steps) or way >= len(ways_of(steps[place])):
            return None
        step = steps[place]
        steps = step["branches"][way]["steps"] if way < len(step["branches"]) else step["otherwise"]
    return steps


def _rearrange(plan: dict[str, Any], verb: str, key: str) -> str:
    found = _PLACE.match(key)
    if found is None:
        return ""
    above = f"{found[1]}." if found[1] else ""
    steps, place = _list(plan, above), int(found[2])
    if steps is None or place >= len(steps):
        return ""
    if verb == "remove":
        del steps[place]
        return f"{above}{max(place - 1, 0)}" if steps else ""
    if verb == "copy":
        steps.insert(place + 1, orjson.loads(orjson.dumps(steps[place])))
        return f"{above}{place + 1}"
    other = place - 1 if verb == "up" else place + 1
    if 0 <= other < len(steps):
        steps[place], steps[other] = steps[other], steps[place]
        return f"{above}{other}"
    return key


def _rebranch(plan: dict[str, Any], verb: str, where: str) -> str:
    key, _mark, way = where.partition(":")
    found = _PLACE.match(key)
    above = f"{found[1]}." if found and found[1] else ""
    steps = _list(plan, above) if found else None
    place = int(found[2]) if found else 0
    if steps is None or place >= len(steps) or "branches" not in steps[place]:
        return ""
    branches: list[dict[str, Any]] = steps[place]["branches"]
    if verb == "branch" and len(branches) < MOST_BRANCHES:
        branches.append(_branch(0))
    elif verb == "unbranch" and way.isdecimal() and int(way) < len(branches):
        del branches[int(way)]
    return key
