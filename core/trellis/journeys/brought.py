"""Journeys that plugins bring, as plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trellis.contributions import Branch, Journey, JourneyStep
from trellis.journeys.plan import ATTRIBUTES, EMPTY


def plan_of(journey: Journey) -> dict[str, Any]:
    """The plan of a journey as JSON, its texts in the language of the reader: what an organisation keeps of its own."""
    plan = {name: getattr(journey, name) for name in EMPTY}
    goal = journey.goal if isinstance(journey.goal, str) else dict(journey.goal)
    return plan | {"goal": goal, "quiet_days": list(journey.quiet_days), "steps": _steps_of(journey.steps)}


def _steps_of(steps: Sequence[JourneyStep]) -> list[dict[str, Any]]:
    return [_step_of(one) for one in steps]


def _step_of(step: JourneyStep) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": step.kind, "title": str(step.title)}
    for name in ATTRIBUTES.get(step.kind, ()):
        value = getattr(step, name)
        if name == "branches":
            value = [_branch_of(one) for one in value]
        elif name == "otherwise":
            value = _steps_of(value)
        elif name == "weekdays":
            value = list(value)
        elif name in ("subject", "text"):
            value = str(value)
        found[name] = value
    return found


def _branch_of(branch: Branch) -> dict[str, Any]:
    rule = dict(branch.rule) if branch.rule is not None else None
    return {"title": str(branch.title), "rule": rule, "share": branch.share, "steps": _steps_of(branch.steps)}
