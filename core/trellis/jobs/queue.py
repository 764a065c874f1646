"""The queue of a workspace: one statement for each step, the same on SQLite and PostgreSQL.

A claimed job is leased: its worker renews the lease, and when the worker is killed the lease ends and another takes the
job. Whoever has lost a lease can change nothing any more, because each statement names the attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.errors import Conflict, RecordNotFound
from trellis.i18n import current_language, translator
from trellis.jobs.job import FAILED, RUNNING, STOPPED, STOPPING, UNFINISHED, WAITING, Job
from trellis.security.actor import Actor

_ = translator("trellis")

LEASE = timedelta(seconds=60)
RENEWED_EVERY = timedelta(seconds=15)
MOST_ERRORS = 5
MOST_ATTEMPTS = 100
"""A job whose worker is killed so often is what kills it."""
FIRST_PAUSE = timedelta(seconds=10)
KEPT = timedelta(days=14)
LATE = timedelta(minutes=2)
"""A job that is due for so long is one that nobody takes."""
SPOKEN = "_language"
"""Kept with the arguments of what a person asks for: the language in which it is asked."""
CHANNEL = "trellis_jobs"
"""What PostgreSQL tells workers on, with the name of the schema."""

_job = Job.__table__.c


def enqueue(
    session: Session,
    kind: str,
    arguments: Mapping[str, Any],
    user_id: int | None,
    at: datetime | None = None,
    *,
    asked: bool = True,
) -> int:
    """Puts a job into the queue, in the transaction of what causes it; returns its number. ``at`` is when it may start.

    ``asked`` says that the user asks for it now, and reads what comes of it; it speaks the language of the moment then, else
    that of the user.
    """
    now = datetime.now(UTC)
    spoken = {SPOKEN: current_language()} if asked and user_id is not None else {}
    kept = {**spoken, **arguments}
    values = {"kind": kind, "arguments": kept, "user_id": user_id, "created_at": now}
    job_id = session.scalar(sa.insert(Job).values(**values, due_at=at or now).returning(Job.id))
    _ring(session)
    return int(job_id or 0)


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a job as it was given them."""
    return {name: value for name, value in arguments.items() if name != SPOKEN}


def enqueue_once(session: Session, kind: str, arguments: Mapping[str, Any], at: datetime) -> None:
    """Sees to it that a job with these arguments is done at a moment, or before.

    One that waits until then at the latest does. It is held until this is committed, so that whoever takes it sees what
    was written here; one that is taken just now may have looked already, and is passed over.
    """
    due = (_job.kind == kind, _job.finished_at.is_(None), _job.state == WAITING, _job.due_at <= at)
    held = sa.select(_job.arguments).where(*due).with_for_update(read=True, skip_locked=True)
    if not any(one == arguments for one in session.scalars(held)):
        enqueue(session, kind, arguments, None, at)


def keep_daily(session: Session, kind: str, at: datetime) -> None:
    """Puts a job that is done every day into the queue, for ``at``, unless it waits or runs."""
    known = sa.select(_job.id).where(_job.kind == kind, _job.finished_at.is_(None)).limit(1)
    if session.scalar(known) is None:
        enqueue(session, kind, {}, None, at)


def claim(session: Session, job_id: int | None = None) -> Any:
    """Leases the job that has been due for longest, or the one that is named; its row, or None when nothing is due."""
    now = datetime.now(UTC)
    due = (_job.finished_at.is_(None), _job.due_at <= now)
    wanted = sa.select(_job.id).where(*due).order_by(_job.due_at, _job.id).limit(1)
    if job_id is not None:
        wanted = wanted.where(_job.id == job_id)
    statement = (
        sa.update(Job)
        .where(_job.id == wanted.with_for_update(skip_locked=True).scalar_subquery())
        .values(
            state=sa.case((_job.state == STOPPING, STOPPING), else_=RUNNING),
            attempt=_job.attempt + 1,
            due_at=now + LEASE,
            started_at=sa.func.coalesce(_job.started_at, sa.literal(now, _job.started_at.type)),
        )
        .returning(*_job)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).first()


def next_due(session: Session) -> datetime | None:
    """When there will be something to do; None when nothing is left."""
    due: datetime | None = session.scalar(
        sa.select(sa.func.min(_job.due_at)).where(_job.finished_at.is_(None))
    )
    return due


def renew(session: Session, leases: Sequence[tuple[int, int]]) -> None:
    """Keeps jobs, as (number, attempt), for another :data:`LEASE`."""
    mine = sa.tuple_(_job.id, _job.attempt).in_(leases)
    _change(session, mine, _job.finished_at.is_(None), due_at=datetime.now(UTC) + LEASE)


def tell(session: Session, job_id: int, attempt: int, done: int, total: int) -> str | None:
    """Keeps how far a job is, and the lease; its state, or None when it is another worker's by now."""
    values = {"done": done, "total": total, "due_at": datetime.now(UTC) + LEASE}
    statement = sa.update(Job).where(*_held(job_id, attempt)).values(**values).returning(_job.state)
    state: str | None = session.scalar(statement.execution_options(synchronize_session=False))
    return state


def finish(session: Session, job_id: int, attempt: int, state: str, **values: Any) -> bool:
    """Ends a job as done, failed or stopped; False when it is another worker's by now."""
    return _change(session, *_held(job_id, attempt), state=state, finished_at=datetime.now(UTC), **values)


def fail(session: Session, row: Any, problem: str) -> bool:
    """Puts a job that met an unexpected error back to be tried again, later each time; True when at last it has failed."""
    errors = row.errors + 1
    if errors >= MOST_ERRORS:
        return finish(session, row.id, row.attempt, FAILED, problem=problem, errors=errors)
    again = datetime.now(UTC) + FIRST_PAUSE * 4**row.errors
    _change(session, *_held(row.id, row.attempt), state=WAITING, due_at=again, problem=problem, errors=errors)
    return False


def again(session: Session, job_id: int, attempt: int, at: datetime, problem: str) -> bool:
    """Puts a new job into the place of one that is held; False when it is another worker's by now."""
    gone = sa.delete(Job).where(*_held(job_id, attempt)).returning(_job.kind, _job.arguments, _job.user_id)
    row = session.execute(gone.execution_options(synchronize_session=False)).first()
    if row is None:
        return False
    new_id = enqueue(session, row.kind, row.arguments, row.user_id, at, asked=False)
    return _change(session, _job.id == new_id, problem=problem)


def asleep(session: Session, kind: str) -> bool:
    """Whether jobs of a kind wait for a later time, and not because something went wrong."""
    return session.scalar(sa.select(_job.id).where(*_sleeping(kind)).limit(1)) is not None


def wake(session: Session, kind: str) -> None:
    """Makes the jobs that are :func:`asleep` due now."""
    if _change(session, *_sleeping(kind), due_at=datetime.now(UTC)):
        _ring(session)


def drop(session: Session, kind: str, arguments: Mapping[str, Any]) -> None:
    """Takes jobs out of the queue; whoever works on one of them can change nothing any more."""
    query = sa.select(_job.id, _job.arguments).where(_job.kind == kind, _job.finished_at.is_(None))
    ids = [row.id for row in session.execute(query) if given(row.arguments) == dict(arguments)]
    session.execute(sa.delete(Job).where(_job.id.in_(ids)).execution_options(synchronize_session=False))


def ask_to_stop(session: Session, actor: Actor, job_id: int) -> None:
    """Stops a job that waits; one that runs is told so when it next tells of its progress. Raises Conflict, RecordNotFound."""
    row = find(session, actor, job_id)
    now = datetime.now(UTC)
    waiting = _change(session, _job.id == job_id, _job.state == WAITING, state=STOPPED, finished_at=now)
    if not waiting and not _change(session, _job.id == row.id, _job.state == RUNNING, state=STOPPING):
        raise Conflict(_("This job does not wait or run any more"))


def retry(session: Session, actor: Actor, job_id: int) -> None:
    """Puts a job that failed or was stopped back into the queue. Raises Conflict, RecordNotFound."""
    find(session, actor, job_id)
    values = {"state": WAITING, "due_at": datetime.now(UTC), "finished_at": None, "errors": 0, "problem": ""}
    if not _change(session, _job.id == job_id, _job.state.in_((FAILED, STOPPED)), **values):
        raise Conflict(_("Only a job that failed or was stopped can be tried again"))
    _ring(session)


def find(session: Session, actor: Actor, job_id: int) -> Any:
    """The row of a job: one's own, or any as an administrator. Raises RecordNotFound."""
    row = session.execute(sa.select(Job.__table__).where(_job.id == job_id, *_own(actor))).first()
    if row is None:
        raise RecordNotFound()
    return row


def latest(
    session: Session, actor: Actor, limit: int, before: int | None = None, kinds: Sequence[str] = ()
) -> Sequence[Any]:
    """The jobs that the actor may see, the newest first; only those of some ``kinds`` when they are named."""
    query = sa.select(Job.__table__).where(*_own(actor)).order_by(_job.id.desc()).limit(limit)
    query = query.where(_job.kind.in_(kinds)) if kinds else query
    return session.execute(query.where(_job.id < before) if before else query).all()


def overdue(session: Session) -> int:
    """How many jobs nobody takes: some, when no worker runs."""
    late = sa.select(sa.func.count()).where(
        _job.finished_at.is_(None), _job.due_at < datetime.now(UTC) - LATE
    )
    return session.scalar(late.select_from(Job)) or 0


def forget_old(session: Session) -> None:
    """Removes jobs that ended long ago."""
    session.execute(sa.delete(Job).where(_job.finished_at < datetime.now(UTC) - KEPT))


def _own(actor: Actor) -> list[sa.ColumnElement[bool]]:
    return [] if actor.administrator else [_job.user_id == actor.user_id]


def _sleeping(kind: str) -> tuple[sa.ColumnElement[bool], ...]:
    later = _job.due_at > datetime.now(UTC)
    return _job.kind == kind, _job.finished_at.is_(None), _job.state == WAITING, _job.problem == "", later


def _held(job_id: int, attempt: int) -> tuple[sa.ColumnElement[bool], ...]:
    return _job.id == job_id, _job.attempt == attempt, _job.state.in_(UNFINISHED)


def _change(session: Session, *where: sa.ColumnElement[bool], **values: Any) -> bool:
    statement = sa.update(Job).where(*where).values(**values).execution_options(synchronize_session=False)
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def _ring(session: Session) -> None:
    """Wakes workers when the transaction is committed; on SQLite they see that the file has changed."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_notify(CHANNEL, sa.func.current_schema())))
