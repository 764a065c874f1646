"""The tasks of processes that wait for people: who sees which, taking one from a queue, handing over, completing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Process
from trellis.edition import Edition
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.process import absences
from trellis.process.assignment import NOT, audiences_of, positions_of
from trellis.process.engine import Engine
from trellis.process.tables import INSTANCES, OPEN, STEPS, USER, ProcessAudience
from trellis.process.telling import tell
from trellis.records.door import Records
from trellis.security.actor import Actor
from trellis.security.people import User

_ = translator("trellis")

_step, _instance = STEPS.c, INSTANCES.c
_FAR = datetime(9999, 1, 1, tzinfo=UTC)
DUE = sa.func.coalesce(_step.due_at, sa.literal(_FAR, _step.due_at.type))
"""When a task is due; those without a day come last."""
COLUMNS = (
    *_step,
    _instance.entity,
    _instance.record_id,
    _instance.started_at,
    _instance.started_by_id,
    _instance.version_id,
    _instance.variables,
)

_TASKS = (
    sa.select(*COLUMNS).join(INSTANCES, _instance.id == _step.instance_id).where(_step.kind == USER)
)  # made once: building it takes longer than running it


def manages(actor: Actor, process: Process | None) -> bool:
    """Whether an actor sees all instances of a process, and may reassign, retry and cancel."""
    if actor.administrator:
        return True
    return process is not None and bool(set(process.managers) & set(actor.roles))


class Tasks:
    """The open tasks of processes, as one actor sees them."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._session = records.session
        self._edition: Edition = records.edition
        self._actor = records.actor

    @cached_property
    def _known(self) -> list[str]:
        """The processes of this edition that are about nothing that the actor may not read at all."""
        return [
            name
            for name, process in self._edition.all(Process).items()
            if process.entity is None or self._actor.may(process.entity, "read")
        ]

    @cached_property
    def _mine(self) -> list[str]:
        """The queues that the actor takes tasks from."""
        return audiences_of(self._session, self._actor)

    @cached_property
    def persons(self) -> list[int | None]:
        """The actor, and whom they stand in for today: the tasks of all of them are theirs to do."""
        me = self._actor.user_id
        return [me, *(absences.away(self._session, self._edition, me) if me is not None else ())]

    @cached_property
    def _theirs(self) -> dict[int, list[str]]:
        """The queues of the positions of those whom the actor stands in for."""
        return {one: positions_of(self._session, one) for one in self.persons[1:] if one is not None}

    def mine(self, limit: int, after: tuple[datetime, int] | None = None) -> Sequence[Any]:
        """The tasks that are the actor's, or that they may take, by due date."""
        query = self._open().where(self._for_me()).order_by(DUE, _step.id).limit(limit)
        if after is not None:
            due = sa.literal(after[0], _step.due_at.type)
            query = query.where(sa.or_(due < DUE, sa.and_(due == DUE, _step.id > after[1])))
        return self._session.execute(query).all()

    def number(self, most: int) -> int:
        """How many tasks :meth:`mine` would list, up to ``most``."""
        found = self._open().with_only_columns(_step.id).where(self._for_me()).limit(most).subquery()
        return self._session.scalar(sa.select(sa.func.count()).select_from(found)) or 0

    def of_record(self, entity: str, record_id: int) -> Sequence[Any]:
        """The open tasks about a record that the actor may see."""
        query = self._open().where(_instance.entity == entity, _instance.record_id == record_id)
        return self._session.execute(query.where(self._seen()).order_by(DUE, _step.id)).all()

    def of_instance(self, instance: int) -> Sequence[Any]:
        """The open tasks of an instance that the actor may see."""
        query = self._open().where(_step.instance_id == instance, self._seen())
        return self._session.execute(query.order_by(DUE, _step.id)).all()

    def get(self, step: int) -> Any:
        """One open task. Raises RecordNotFound for what is not there for the actor, Conflict when it is done."""
        found = self._session.execute(self._all().where(_step.id == step, self._seen())).first()
        if found is None:
            raise RecordNotFound()
        if found.left_at is not None:
            raise Conflict(_("This task is done already"))
        return found

    def take(self, step: int) -> None:
        """Takes a task from its queue. Raises Conflict when somebody has it."""
        self._require_mine(self.get(step))
        self._give(step, self._actor.user_id, free=True)

    def put_back(self, step: int) -> None:
        """Puts a task that one has taken back into its queue."""
        found = self.get(step)
        if found.person_id not in self.persons and not self._manages(found):
            raise PermissionRefused()
        if not any(not one.startswith(NOT) for one in self._audiences(step)):
            raise Conflict(_("This task came from no queue"))
        self._give(step, None)

    def reassign(self, step: int, person: int) -> None:
        """Hands a task to somebody. For who has it, and for those who manage the process. Raises RecordInvalid."""
        found = self.get(step)
        if found.person_id not in self.persons and not self._manages(found):
            raise PermissionRefused()
        known = self._session.scalar(
            sa.select(User.id).where(User.id == person, User.active, User.deleted_at.is_(None))
        )
        if known is None:
            raise RecordInvalid({"person": [_("Choose somebody who works here")]})
        if person in found.excluded:
            raise RecordInvalid({"person": [_("The rule of four eyes keeps this person from the task")]})
        self._give(step, person)
        tell(self._session, self._edition, self._actor, step)

    def complete(self, step: int, values: Mapping[str, Any]) -> int:
        """Completes a task with the answers to its form; the id of its instance.

        A task in a queue is taken by that. Those who manage complete what is nobody's business of their own only after
        they have taken it over. Raises RecordInvalid, PermissionRefused, Conflict.
        """
        found = self.get(step)
        self._require_mine(found)
        Engine(self._records).complete(found, values)
        return int(found.instance_id)

    def is_mine(self, task: Any) -> bool:
        """Whether the actor may do the task as it stands."""
        me = self._actor.user_id
        if me in task.excluded:
            return False
        if task.person_id is not None:
            return task.person_id in self.persons
        if self._actor.administrator:
            return True
        queues = set(self._audiences(task.id))
        theirs = (of for person, of in self._theirs.items() if person not in task.excluded)
        return any(queues & set(of) for of in (self._mine, *theirs))

    def _require_mine(self, task: Any) -> None:
        if self._actor.user_id in task.excluded:
            raise PermissionRefused(_("The rule of four eyes keeps you from this task"))
        if not self.is_mine(task):
            raise PermissionRefused(_("This task is for somebody else; take it over first"))

    def _audiences(self, step: int) -> Sequence[str]:
        return self._session.scalars(
            sa.select(ProcessAudience.audience).where(ProcessAudience.step_id == step)
        ).all()

    def _manages(self, task: Any) -> bool:
        return manages(self._actor, self._edition.all(Process).get(task.process))

    def _give(self, step: int, person: int | None, *, free: bool = False) -> None:
        where = [_step.id == step, _step.left_at.is_(None), *([_step.person_id.is_(None)] if free else [])]
        statement = sa.update(STEPS).where(*where).values(person_id=person)
        if not self._session.execute(statement).rowcount:  # type: ignore[attr-defined]
            raise Conflict(_("Somebody else has taken this task"))

    def _all(self) -> sa.Select[Any]:
        return _TASKS.where(_step.process.in_(self._known))

    def _open(self) -> sa.Select[Any]:
        return self._all().where(_step.left_at.is_(None), _instance.state.in_(OPEN))

    def _for_me(self) -> sa.ColumnElement[bool]:
        """What is the actor's own, or stands in a queue of theirs."""
        queues = [_queued(self._mine, [self._actor.user_id])]
        queues += [_queued(of, [self._actor.user_id, one]) for one, of in self._theirs.items() if of]
        return sa.or_(_step.person_id.in_(self.persons), sa.and_(_step.person_id.is_(None), sa.or_(*queues)))

    def _seen(self) -> sa.ColumnElement[bool]:
        if self._actor.administrator:
            return sa.true()
        managed = [
            name for name, process in self._edition.all(Process).items() if manages(self._actor, process)
        ]
        return sa.or_(self._for_me(), _step.process.in_(managed), _step.by_id == self._actor.user_id)


def _queued(queues: Sequence[str], people: Sequence[int | None]) -> sa.ColumnElement[bool]:
    """A task stands in one of some queues, and none of some people is kept from it."""
    of = ProcessAudience.step_id == _step.id
    kept_from = ProcessAudience.audience.in_([f"{NOT}{one}" for one in people])
    return sa.and_(
        sa.exists().where(of, ProcessAudience.audience.in_(queues)), sa.not_(sa.exists().where(of, kept_from))
    )
