"""The clocks of a case: what follows from its state, its priority and its service level, before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from trellis.crm.service import escalation
from trellis.crm.service.levels import Level, Levels
from trellis.crm.service.options import MATRIX, PAUSED, SOLVED
from trellis.crm.service.working_time import ALWAYS, NoWorkingTime, WorkingTime
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.events import BeforeSave

_ = translator("trellis")

_REPLAYED = (
    "state",
    "opened_at",
    "first_response_at",
    "resolved_at",
    "paused_since",
    "paused_seconds",
    "reopened",
)
_DECIDES = ("priority", "kind", "customer")
"""Fields that a service level may name."""


def follow(event: BeforeSave) -> None:
    """Completes a case. Values given together with a state win, so that history can be imported."""
    if event.action not in ("created", "updated"):
        return
    values, before = event.values, event.before
    now = datetime.now(UTC)
    if not before:
        values["opened_at"] = values.get("opened_at") or now
    _prioritise(values, before)
    level = _level(event)
    if "paused_seconds" not in values:  # they are told where history was replayed
        _enter(values, before, level.time if level else ALWAYS, now)
    _set(values, {**before, **values}, level)
    escalation.plan(event, level)


def replay(
    session: Session, values: Mapping[str, Any], steps: Sequence[tuple[datetime, str]]
) -> Mapping[str, Any]:
    """What the clocks of a case show that went through these states, as if each change had been written at its moment."""
    customer = values.get("customer")  # one that is named by an external id is not known yet
    case = {**values, "customer": customer if isinstance(customer, int) else None}
    _prioritise(case, {})
    levels = Levels.of(session)
    named = case.get("policy")
    level = levels.named(named) if isinstance(named, int) else levels.find(case)
    time = level.time if level else ALWAYS
    known: dict[str, Any] = {"opened_at": steps[0][0], "paused_seconds": 0, "reopened": 0}
    for moment, state in steps:
        change: dict[str, Any] = {"state": state}
        _enter(change, known, time, moment)
        known |= change
    return {name: known.get(name) for name in _REPLAYED}


def _prioritise(values: dict[str, Any], before: Mapping[str, Any]) -> None:
    """The priority from impact and urgency, unless somebody has given one."""
    case = {**before, **values}
    told = values.get("priority") is not None
    moved = any(name in values and values[name] != before.get(name) for name in ("impact", "urgency"))
    if not told and (moved or case.get("priority") is None):
        values["priority"] = MATRIX[case.get("impact") or "medium", case.get("urgency") or "medium"]


def _level(event: BeforeSave) -> Level | None:
    """The service level of the case: the one that was named, or that is found, again when what decides has changed."""
    values, before, levels = event.values, event.before, Levels.of(event.session)
    if values.get("policy") is not None:
        return levels.named(values["policy"])
    decided = [name for name in _DECIDES if name in values and values[name] != before.get(name)]
    if before and not decided and "policy" not in values:
        return levels.named(before.get("policy"))
    found = levels.find({**before, **values})
    values["policy"] = found.id if found else None
    return found


def _enter(values: dict[str, Any], before: Mapping[str, Any], time: WorkingTime, now: datetime) -> None:
    """What a change of state does to the clocks."""
    old, new = before.get("state"), {**before, **values}["state"]
    if old == new:
        return
    waited = 0.0
    if before.get("paused_since") is not None and new not in PAUSED:
        waited += time.between(before["paused_since"], values.get("resolved_at") or now)
        values["paused_since"] = None
    if new in PAUSED:
        values["paused_since"] = now
    if old in SOLVED and new not in SOLVED:  # goes on where it stopped
        if new != "cancelled" and before.get("resolved_at") is not None:
            waited += time.between(before["resolved_at"], now)
            values["reopened"] = (before.get("reopened") or 0) + 1
        values["resolved_at"] = None
    if new in SOLVED and {**before, **values}.get("resolved_at") is None:
        values["resolved_at"] = now
    if new not in ("new", "cancelled") and {**before, **values}.get("first_response_at") is None:
        values["first_response_at"] = min(values.get("resolved_at") or now, now)
    if waited:
        values["paused_seconds"] = (before.get("paused_seconds") or 0) + round(waited)


def _set(values: dict[str, Any], case: Mapping[str, Any], level: Level | None) -> None:
    """When the case is due, and whether that was kept."""
    _check_order(case)
    waited = case.get("paused_seconds") or 0
    for name, minutes, at in (
        ("first_response", level.first_response if level else None, case.get("first_response_at")),
        ("resolution", level.resolution if level else None, case.get("resolved_at")),
    ):
        due = None
        if level is not None and minutes is not None:
            # who waits for the customer has answered before, so that only the solution is put off
            seconds = minutes * 60 + (waited if name == "resolution" else 0)
            try:
                due = level.time.after(case["opened_at"], seconds)
            except NoWorkingTime:
                message = _("The calendar of the service level has too little working time")
                raise RecordInvalid({"policy": [message]}) from None
        values[f"{name}_due"] = due
        values[f"{name}_met"] = None if due is None or at is None else at <= due


def _check_order(case: Mapping[str, Any]) -> None:
    errors = {
        name: [_("Must not be before the case was opened")]
        for name in ("first_response_at", "resolved_at")
        if case.get(name) is not None and case[name] < case["opened_at"]
    }
    if errors:
        raise RecordInvalid(errors)
