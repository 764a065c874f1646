"""Telling people of tasks that wait for them: one's own, and those in the queue of a position that one holds.

Tasks in the queue of a role tell nobody: they stand under “My tasks” of all who have it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.i18n import Text
from trellis.notifications.kinds import TASK
from trellis.notifications.notify import notify
from trellis.process import versions
from trellis.process.assignment import POSITION
from trellis.process.runs import process_of
from trellis.process.tables import STEPS, USER, ProcessAudience
from trellis.security.actor import Actor
from trellis.security.people import Position

_step = STEPS.c


def tell_of_entered(
    session: Session, edition: Edition, actor: Actor, instance: int, tokens: Collection[str]
) -> None:
    """Tells those whom the tasks are for that an instance has entered."""
    new = sa.select(_step.id).where(
        _step.instance_id == instance, _step.token.in_(tokens), _step.kind == USER, _step.left_at.is_(None)
    )
    for step in session.scalars(new.order_by(_step.id)).all():
        tell(session, edition, actor, step)


def tell(session: Session, edition: Edition, actor: Actor, step: int) -> None:
    """Tells whom a task is for, unless they did what brought it."""
    row = session.execute(sa.select(STEPS).where(_step.id == step)).one()
    people = [row.person_id] if row.person_id is not None else _holders(session, step)
    kept_from = set(row.excluded)
    tell_people(session, edition, actor, row, TASK, [one for one in people if one not in kept_from])


def tell_people(
    session: Session, edition: Edition, actor: Actor, step: Any, kind: str, people: Sequence[int]
) -> None:
    """Tells people of a task: that it waits for them, or that it is late."""
    told = {
        "task": _words(edition, step.process, step.title),
        "process": process_of(edition, step.process).title,
    }
    notify(session, edition, kind, people, by=actor, path=f"processes/tasks/{step.id}", told=told)


def _words(edition: Edition, process: str, title: str) -> Text | str:
    return versions.words(edition, process_of(edition, process), title)


def _holders(session: Session, step: int) -> list[int]:
    audiences = session.scalars(
        sa.select(ProcessAudience.audience).where(
            ProcessAudience.step_id == step, ProcessAudience.audience.startswith(POSITION, autoescape=True)
        )
    )
    positions = [int(one.removeprefix(POSITION)) for one in audiences]
    held = sa.select(Position.holder_id).where(
        Position.id.in_(positions), Position.holder_id.is_not(None), Position.deleted_at.is_(None)
    )
    return [one for one in session.scalars(held.order_by(Position.id)) if one is not None]
