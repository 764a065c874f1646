"""Telling people of tasks that wait for them: one's own, and those in the queue of a position that one holds.

Tasks in the queue of a role tell nobody: they stand under “My tasks” of all who have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.i18n import Text
from trellis.notifications.kinds import TASK
from trellis.notifications.notify import notify
from trellis.process import absences, versions
from trellis.process.assignment import POSITION
from trellis.process.runs import Entered, process_of
from trellis.process.tables import STEPS, USER, ProcessAudience
from trellis.security.actor import Actor
from trellis.security.people import Position

_step = STEPS.c


@dataclass(frozen=True)
class Task:
    """What people are told of a task."""

    id: int
    process: str
    title: str


def tell_of_entered(session: Session, edition: Edition, actor: Actor, entered: Iterable[Entered]) -> None:
    """Tells those whom the tasks are for that an instance has entered."""
    for one in entered:
        if one.row["kind"] == USER:
            queue = [int(of.removeprefix(POSITION)) for of in one.audiences if of.startswith(POSITION)]
            task = Task(one.step, one.row["process"], one.row["title"])
            _tell(session, edition, actor, task, one.row.get("person_id"), queue, one.row["excluded"])


def tell(session: Session, edition: Edition, actor: Actor, step: int) -> None:
    """Tells whom a task is for, unless they did what brought it."""
    row = session.execute(sa.select(STEPS).where(_step.id == step)).one()
    queue = session.scalars(
        sa.select(ProcessAudience.audience).where(
            ProcessAudience.step_id == step, ProcessAudience.audience.startswith(POSITION, autoescape=True)
        )
    )
    positions = [int(one.removeprefix(POSITION)) for one in queue]
    task = Task(row.id, row.process, row.title)
    _tell(session, edition, actor, task, row.person_id, positions, row.excluded)


def _tell(
    session: Session,
    edition: Edition,
    actor: Actor,
    task: Task,
    person: int | None,
    positions: Sequence[int],
    excluded: Collection[int],
) -> None:
    people = [person] if person is not None else _holders(session, positions) if positions else []
    told = [one for one in people if one not in excluded]
    if told:
        others = [one for one in absences.substitutes(session, edition, told) if one not in excluded]
        tell_people(session, edition, actor, task, TASK, [*told, *others])


def tell_people(
    session: Session, edition: Edition, actor: Actor, task: Task, kind: str, people: Sequence[int]
) -> None:
    """Tells people of a task: that it waits for them, or that it is late."""
    told = {
        "task": _words(edition, task.process, task.title),
        "process": process_of(edition, task.process).title,
    }
    notify(session, edition, kind, people, by=actor, path=f"processes/tasks/{task.id}", told=told)


def _words(edition: Edition, process: str, title: str) -> Text | str:
    return versions.words(edition, process_of(edition, process), title)


def _holders(session: Session, positions: Sequence[int]) -> list[int]:
    held = sa.select(Position.holder_id).where(
        Position.id.in_(positions), Position.holder_id.is_not(None), Position.deleted_at.is_(None)
    )
    return [one for one in session.scalars(held.order_by(Position.id)) if one is not None]
