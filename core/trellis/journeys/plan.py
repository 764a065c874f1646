"""A plan as it is kept: JSON of one shape, whatever was given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trellis.errors import RecordInvalid
from trellis.i18n import Text, translator
from trellis.journeys.program import walk

_ = translator("trellis")

Plan = Mapping[str, Any]

MOST_STEPS = 100
DEEPEST = 5
LONGEST = 4_000
MOST_DAYS = 3_650
MOST_BRANCHES = 9
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "message": ("template", "other"),
    "wait": ("days", "hours", "until", "at", "weekdays"),
    "split": ("branches", "otherwise"),
    "random": ("branches",),
    "task": ("act", "subject", "text", "days", "to"),
    "change": ("field", "value"),
    "process": ("process",),
    "leave": (),
}
"""The kinds of steps, and what each has beside its title."""


_TEXTS = ("template", "other", "until", "at", "act", "subject", "text", "to", "field", "process")
NUMBERS: Mapping[str, int] = {
    "days": MOST_DAYS,
    "hours": 24 * 31,
    "goal_days": MOST_DAYS,
    "control": 90,
    "limit": 100,
    "limit_days": 366,
    "share": 100,
}
EMPTY: Plan = {
    "entry": "",
    "again": None,
    "goal": "",
    "goal_days": 30,
    "control": 0,
    "quiet_from": "21:00",
    "quiet_to": "09:00",
    "quiet_days": [],
    "limit": 2,
    "limit_days": 7,
    "consent": "not_refused",
    "steps": [],
}
"""What a new journey begins with."""
SENT_BY = ("quiet_from", "quiet_to", "quiet_days", "limit", "limit_days")
"""The terms that say when its messages leave, and how many."""


def shaped(given: Any) -> dict[str, Any]:
    """A plan with all that one has, and nothing else. Raises RecordInvalid for what is no plan."""
    plan = _members(given, tuple(EMPTY), _("plan"))
    found: dict[str, Any] = {**EMPTY}
    for name in ("entry", "quiet_from", "quiet_to", "consent"):
        found[name] = _text(plan.get(name, EMPTY[name]), name)
    for name in ("goal_days", "control", "limit", "limit_days"):
        found[name] = _number(plan.get(name, EMPTY[name]), name)
    again = plan.get("again")
    found["again"] = None if again is None else _number(again, "goal_days")
    goal = plan.get("goal") or ""
    found["goal"] = goal if isinstance(goal, Mapping) else _text(goal, "goal")
    found["quiet_days"] = _weekdays(plan.get("quiet_days", ()))
    found["steps"] = _steps(plan.get("steps", ()), 1)
    if sum(1 for _one in walk(found["steps"])) > MOST_STEPS:
        raise _wrong(_("A journey has at most %(most)s steps", most=MOST_STEPS))
    return found


def _steps(given: Any, depth: int) -> list[dict[str, Any]]:
    if not isinstance(given, list | tuple) or depth > DEEPEST:
        raise _wrong(_("Steps are a list, at most %(deep)s splits deep", deep=DEEPEST))
    return [_step(one, depth) for one in given]


def _step(given: Any, depth: int) -> dict[str, Any]:
    kind = given.get("kind") if isinstance(given, Mapping) else None
    names = ATTRIBUTES.get(kind) if isinstance(kind, str) else None
    if names is None:
        known = ", ".join(ATTRIBUTES)
        raise _wrong(_("The kind of a step is one of: %(known)s", known=known))
    step = _members(given, ("kind", "title", *names), _("step"))
    found: dict[str, Any] = {"kind": kind, "title": _text(step.get("title", ""), "title")}
    for name in names:
        found[name] = _attribute(name, step.get(name), depth)
    return found


def _attribute(name: str, value: Any, depth: int) -> Any:
    if name == "value":
        return value if value is None or isinstance(value, str | int | float | bool) else str(value)
    if name in _TEXTS:
        usual = {"act": "task", "to": "owner"}.get(name, "")
        return _text(usual if value is None else value, name)
    if name == "weekdays":
        return _weekdays(value or ())
    if name == "otherwise":
        return _steps(value or (), depth + 1)
    if name == "branches":
        return _branches(value or (), depth)
    return _number(0 if value is None else value, name)


def _branches(given: Any, depth: int) -> list[dict[str, Any]]:
    if not isinstance(given, list | tuple) or len(given) > MOST_BRANCHES:
        raise _wrong(_("The branches of a split are a list of at most %(most)s", most=MOST_BRANCHES))
    found = []
    for one in given:
        branch = _members(one, ("title", "rule", "share", "steps"), _("branch"))
        rule = branch.get("rule")
        if rule is not None and not isinstance(rule, Mapping):
            raise _wrong(_("The rule of a branch is an object"))
        found.append(
            {
                "title": _text(branch.get("title", ""), "title"),
                "rule": rule,
                "share": _number(branch.get("share") or 0, "share"),
                "steps": _steps(branch.get("steps") or (), depth + 1),
            }
        )
    return found


def _members(given: Any, known: Sequence[str], what: Text) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise _wrong(_("A %(what)s is an object", what=what))
    unknown = sorted(str(name) for name in given.keys() - set(known))
    if unknown:
        raise _wrong(_("A %(what)s has no “%(name)s”", what=what, name=unknown[0][:80]))
    return given


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise _wrong(_("“%(name)s” is a text of at most %(most)s characters", name=name, most=LONGEST))
    text = value.strip()
    return text if name == "text" else re.sub(r"\s+", " ", text)


def _number(value: Any, name: str) -> int:
    most = NUMBERS[name]
    if type(value) is not int or not 0 <= value <= most:
        raise _wrong(_("“%(name)s” is a whole number from 0 to %(most)s", name=name, most=most))
    return value


def _weekdays(value: Any) -> list[int]:
    if not isinstance(value, list | tuple) or not all(type(one) is int and 0 <= one <= 6 for one in value):
        raise _wrong(_("Weekdays are numbers from 0, Monday, to 6"))
    return sorted(set(value))


def _wrong(text: Text) -> RecordInvalid:
    return RecordInvalid({"plan": [text]})
