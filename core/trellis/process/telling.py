"""Telling people of tasks that wait for them: one's own, and those in the queues of their positions and roles.

A role may have hundreds of people and of tasks: a job tells its people a little later how many tasks wait, and nobody anew who
has not read that yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Role
from trellis.edition import Edition
from trellis.i18n import Text
from trellis.jobs.queue import enqueue_once
from trellis.notifications.kinds import QUEUE, TASK
from trellis.notifications.notify import notify
from trellis.notifications.tables import Notification
from trellis.process import absences, versions
from trellis.process.assignment import NOT, POSITION, ROLE, people_with
from trellis.process.runs import Entered, process_of
from trellis.process.tables import STEPS, USER, ProcessAudience
from trellis.records.bulk import among
from trellis.security.actor import Actor
from trellis.security.people import Position

QUEUE_JOB = "process_queue"
GATHERED = timedelta(seconds=20)
"""How long a task waits in the queue of a role before its people are told: what comes meanwhile is told with it."""
MOST_COUNTED = 1_000
AT_ONCE = 50
"""People who are told in one transaction."""

_step, _note = STEPS.c, Notification.__table__.c


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
            _tell_soon(session, one.audiences)


def tell(session: Session, edition: Edition, actor: Actor, step: int) -> None:
    """Tells whom a task is for, unless they did what brought it."""
    row = session.execute(sa.select(STEPS).where(_step.id == step)).one()
    queues = session.scalars(sa.select(ProcessAudience.audience).where(ProcessAudience.step_id == step)).all()
    positions = [int(one.removeprefix(POSITION)) for one in queues if one.startswith(POSITION)]
    if row.person_id is None:
        _tell_soon(session, queues)
    task = Task(row.id, row.process, row.title)
    _tell(session, edition, actor, task, row.person_id, positions, row.excluded)


def _tell_soon(session: Session, audiences: Iterable[str]) -> None:
    """Has the people of roles told of what waits in their queues; of all that comes within a short while at once."""
    for one in audiences:
        if one.startswith(ROLE):
            at = datetime.now(UTC) + GATHERED
            enqueue_once(session, QUEUE_JOB, {"role": one.removeprefix(ROLE)}, at)


def people_to_tell(session: Session, role: str) -> list[int]:
    """Who has a role, and has read what they were told of queues before."""
    people = people_with(session, role)
    unread = sa.select(_note.user_id).where(
        among(session, _note.user_id, people),
        _note.kind == QUEUE,
        _note.in_app,
        _note.read_at.is_(None),
    )
    told = set(session.scalars(unread)) if people else set()
    return [one for one in people if one not in told]


def tell_of_queue(session: Session, edition: Edition, role: str, people: Collection[int], key: str) -> None:
    """Tells some people, once for a ``key``, how many tasks wait in the queue of a role.

    Those that the rule of four eyes keeps from somebody are not counted for them.
    """
    known = edition.all(Role).get(role)
    waiting = _waiting(session, role)
    kept_from = sa.select(ProcessAudience.step_id, ProcessAudience.audience).where(
        among(session, ProcessAudience.step_id, sorted(waiting)), ProcessAudience.audience.startswith(NOT)
    )
    kept: dict[str, set[int]] = {}
    for step, audience in session.execute(kept_from) if waiting else ():
        kept.setdefault(audience, set()).add(step)
    for person in people:
        number = len(waiting - kept.get(f"{NOT}{person}", set()))
        if number:
            said = {"queue": known.title if known else role, "number": number}
            notify(session, edition, QUEUE, [person], path="tasks?show=queue", told=said, key=key)


def _waiting(session: Session, role: str) -> set[int]:
    """The tasks that nobody has yet, of those for a role."""
    mine = (ProcessAudience.audience == f"{ROLE}{role}", _step.left_at.is_(None), _step.person_id.is_(None))
    found = sa.select(_step.id).join(ProcessAudience, ProcessAudience.step_id == _step.id).where(*mine)
    return set(session.scalars(found.limit(MOST_COUNTED)))


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
