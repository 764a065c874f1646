"""The steps of an instance as rows: tasks of people with those they are for, waits with what they wait for, and history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.errors import TrellisError
from trellis.process import deadlines, times
from trellis.process.assignment import Assigning
from trellis.process.diagram import Element
from trellis.process.elements import AWAITED, PEOPLE
from trellis.process.flow import StepFailed, Token
from trellis.process.runs import Entered, Run
from trellis.process.tables import AUDIENCES, STEPS, USER
from trellis.records.expressions import ExpressionFailed

_step = STEPS.c
_OPEN = sa.select(_step.token, _step.id).where(
    _step.instance_id == sa.bindparam("instance"), _step.left_at.is_(None)
)
_INSERT = sa.insert(STEPS).returning(_step.id)
_CHANGE = sa.update(STEPS).where(_step.id == sa.bindparam("of_step"))


def enter(session: Session, run: Run) -> tuple[list[Entered], list[str]]:
    """Brings the rows up to date with where the instance stands; returns what it has entered, and the tokens it has left.

    Raises StepFailed when it cannot be told for whom a task is, or what is waited for.
    """
    now = datetime.now(UTC)
    open_ones = _open(session, run.id) if run.row["flow"] else {}
    tokens = {
        token.key: token
        for token in (*run.flow.ready(), *run.flow.waiting())
        if _is_step(run.element(token)) and not run.flow.ended
    }
    gone = {key: step for key, step in open_ones.items() if key not in tokens}
    _leave(session, run, gone, now)
    if run.passed:
        session.execute(sa.insert(STEPS), [_passed(run, token, at, now) for token, at in run.passed])
        run.passed.clear()
    new = [token for key, token in tokens.items() if key not in open_ones]
    made = [_made(session, run, run.element(token), token, now) for token in new]
    entered = []
    for token, (row, audiences) in zip(new, made, strict=True):
        step = session.scalar(_INSERT, row) or 0
        entered.append(Entered(run.element(token), token, step, row, audiences))
        if row.get("due_at") is not None:
            deadlines.watch(session, run.element(token), step, row["due_at"], run.stand(token.runs))
        if audiences:
            session.execute(
                sa.insert(AUDIENCES),
                [{"step_id": step, "audience": audience} for audience in audiences],
            )
    return entered, list(gone)


def take_back(session: Session, instance: int, token: Token) -> None:
    """A step that could not be entered after all: it is entered anew when the instance is tried again."""
    session.execute(sa.delete(STEPS).where(_step.instance_id == instance, _step.token == token.key))


def leave_all(session: Session, instance: int, by: int | None) -> None:
    """Leaves all that an instance has entered, undone."""
    session.execute(
        sa.update(STEPS)
        .where(_step.instance_id == instance, _step.left_at.is_(None))
        .values(left_at=datetime.now(UTC), awaits=None)
    )


def _is_step(element: Element) -> bool:
    """Boundary events are steps only where something must find them."""
    return element.kind != "boundaryEvent" or element.event in AWAITED


def _open(session: Session, instance: int) -> dict[str, int]:
    return {token: step for token, step in session.execute(_OPEN, {"instance": instance})}


def _leave(session: Session, run: Run, gone: Mapping[str, int], now: datetime) -> None:
    for key, step in gone.items():
        values: dict[str, Any] = {"left_at": now, "awaits": None}
        if key in run.ends:
            values |= {"by_id": run.by, "outcome": run.ends[key]}
        session.execute(_CHANGE, {**values, "of_step": step})


def _passed(run: Run, token: Token, at: datetime, now: datetime) -> dict[str, Any]:
    """The row of a step that waited for nobody."""
    row = _plain(run, run.element(token), token, at)
    return {**row, "left_at": now, "outcome": run.told.pop(token.key, {})}


def _plain(run: Run, element: Element, token: Token, at: datetime) -> dict[str, Any]:
    return {
        "instance_id": run.id,
        "process": run.process.name,
        "element": element.id,
        "kind": USER if element.kind in PEOPLE else element.kind,
        "token": token.key,
        "title": element.name[:300] or element.id,
        "entered_at": at,
        "excluded": [],
        "outcome": {},
    }


def _made(
    session: Session, run: Run, element: Element, token: Token, now: datetime
) -> tuple[dict[str, Any], tuple[str, ...]]:
    row = _plain(run, element, token, now)
    try:
        if element.event in AWAITED:
            return {**row, "awaits": run.awaited(element, token)}, ()
        if element.kind not in PEOPLE:
            return row, ()
        facts = run.stand(token.runs)
        at = run.process.name, element.id
        assigning = Assigning(session, run.id, run.row["started_by_id"], facts, at)
        assigned = assigning.assign(element.properties.get("for", ""), element.properties.get("not", ""))
        row |= {"person_id": assigned.person, "excluded": list(assigned.excluded)}
        row["due_at"] = times.moment(element.properties.get("due", ""), facts, now)
        return row, assigned.kept
    except (TrellisError, ExpressionFailed, KeyError) as error:
        raise StepFailed(element.id, str(error)) from error
