"""When a case escalates next: the earliest step of its service level that it has not taken.

A step counts from when it was declared and from when the case came here, so that neither history nor a new step sets off
what nobody has missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.service.cases import CaseEscalation
from trellis.crm.service.levels import Level, Step
from trellis.crm.service.options import PAUSED, RUNNING
from trellis.crm.service.working_time import NoWorkingTime
from trellis.records.events import BeforeSave


def plan(event: BeforeSave, level: Level | None) -> None:
    """Sets when a case escalates next, before it is written."""
    case = {"created_at": datetime.now(UTC), **event.before, **event.values}
    ahead = upcoming(event.session, event.id, case, level)
    at = min((moment for moment, _step in ahead), default=None)
    if at != event.before.get("escalates_at"):
        event.values["escalates_at"] = at


def upcoming(
    session: Session, case_id: int | None, case: Mapping[str, Any], level: Level | None
) -> list[tuple[datetime, Step]]:
    """The steps that a case has before it, with their moments, the earliest first."""
    if level is None or not level.steps or case["state"] not in (*RUNNING, *PAUSED):
        return []
    taken = _taken(session, case_id)
    ahead = [pair for pair in _moments(case, level) if pair[1].id not in taken]
    return sorted(ahead, key=lambda pair: (pair[0], pair[1].id))


def _moments(case: Mapping[str, Any], level: Level) -> Iterator[tuple[datetime, Step]]:
    waited = case.get("paused_seconds") or 0
    clocks = {
        "first_response": (level.first_response, case.get("first_response_at") is None, 0),
        "resolution": (level.resolution, case["state"] in RUNNING, waited),
    }
    for step in level.steps:
        minutes, runs, more = clocks[step.clock]
        if minutes is None or not runs:
            continue
        try:
            moment = level.time.after(case["opened_at"], minutes * 60 * step.percent / 100 + more)
        except NoWorkingTime:
            continue
        if moment > max(case["created_at"], step.created_at):
            yield moment, step


def _taken(session: Session, case_id: int | None) -> frozenset[int]:
    if case_id is None:
        return frozenset()
    taken = sa.select(CaseEscalation.step_id).where(CaseEscalation.case_id == case_id)
    return frozenset(session.scalars(taken))
