"""What happens when a task of people is late: somebody is told, or the task goes to somebody else.

Properties of the task beside ``due``: ``late.tell`` and ``late.reassign`` name people as ``for`` does, and also ``manager``: whoever
those report to whom the task is for, else the people who manage the process. ``late.tell.after`` and ``late.reassign.after`` say
how long after ``due``. Each is one job that waits for its moment; nothing looks through tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.jobs.queue import enqueue
from trellis.notifications.kinds import LATE
from trellis.process import times
from trellis.process.assignment import POSITION, Assigning, people_with, words
from trellis.process.diagram import Element
from trellis.process.expressions import Facts
from trellis.process.runs import Runs
from trellis.process.tables import AUDIENCES, STEPS, ProcessAudience
from trellis.process.telling import Task, tell, tell_people
from trellis.records.door import Records
from trellis.security.people import Position

LATE_JOB = "process_late"
TELL, REASSIGN = "late.tell", "late.reassign"
AFTER = ".after"

_step = STEPS.c


def acts(element: Element) -> Iterator[str]:
    """What is to be done when a task is late."""
    return (act for act in (TELL, REASSIGN) if element.properties.get(act))


def watch(session: Session, element: Element, step: int, due: datetime, facts: Facts) -> None:
    """Puts into the queue what is to be done when a task is late. Raises ExpressionFailed."""
    for act in acts(element):
        at = times.moment(element.properties.get(f"{act}{AFTER}", ""), facts, due)
        enqueue(session, LATE_JOB, {"step": step, "act": act}, None, at or due)


def act_on(records: Records, step: int, act: str) -> None:
    """Does what is to be done about a late task, if it still waits. Raises RecordInvalid, ExpressionFailed."""
    session = records.session
    row = session.execute(sa.select(STEPS).where(_step.id == step, _step.left_at.is_(None))).first()
    run = Runs(session, records.edition).try_load(row.instance_id) if row is not None else None
    token = next((one for one in run.flow.ready() if row and one.key == row.token), None) if run else None
    if row is None or run is None or token is None:
        return
    element = run.element(token)
    assigning = Assigning(
        session,
        run.id,
        run.row["started_by_id"],
        run.stand(token.runs),
        (row.process, element.id),
        managers=_managers(session, row, run),
    )
    wanted = element.properties.get(act, "")
    if act == TELL:
        task = Task(step, row.process, row.title)
        tell_people(session, records.edition, records.actor, task, LATE, assigning.people(wanted))
        return
    assigned = assigning.assign(wanted, element.properties.get("not", ""))
    session.execute(sa.delete(AUDIENCES).where(AUDIENCES.c.step_id == step))
    if assigned.kept:
        session.execute(sa.insert(AUDIENCES), [{"step_id": step, "audience": one} for one in assigned.kept])
    values = {"person_id": assigned.person, "excluded": list(assigned.excluded)}
    session.execute(sa.update(STEPS).where(_step.id == step).values(**values))
    tell(session, records.edition, records.actor, step)


def _managers(session: Session, row: Any, run: Any) -> list[int]:
    """Those whom the people report to that a task is for; else all who manage its process."""
    queues = session.scalars(
        sa.select(ProcessAudience.audience).where(
            ProcessAudience.step_id == row.id, ProcessAudience.audience.startswith(POSITION, autoescape=True)
        )
    )
    positions = [int(one.removeprefix(POSITION)) for one in queues]
    theirs = Position.holder_id == row.person_id if row.person_id is not None else Position.id.in_(positions)
    above = sa.select(Position.reports_to_id).where(theirs, Position.deleted_at.is_(None))
    holders = sa.select(Position.holder_id).where(
        Position.id.in_(above), Position.holder_id.is_not(None), Position.deleted_at.is_(None)
    )
    found = [int(one) for one in session.scalars(holders.order_by(Position.id)) if one is not None]
    return found or [person for role in run.process.managers for person in people_with(session, role)]


def names(element: Element) -> Iterator[tuple[str, str]]:
    """Each act on a late task with the words that say for whom it is."""
    for act in acts(element):
        for word in words(element.properties[act]):
            yield act, word
