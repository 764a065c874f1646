"""The job that moves a journey on: in the queue for when its next member is due, so that nobody looks for them (MC5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.marketing.journeys.tables import MEMBERS
from trellis.jobs.job import WAITING, Job
from trellis.jobs.queue import enqueue

KIND = "journey"
SOON = timedelta(seconds=1)

_job, _member = Job.__table__.c, MEMBERS.c


def wake(session: Session, journey: int, at: datetime) -> None:
    """Sees to it that the journey is moved on at a moment.

    A job that waits until then at the latest does. It is held until this is committed, so that whoever takes it sees what
    was written here; one that is taken just now may have looked already, and is passed over.
    """
    due = (_job.kind == KIND, _job.finished_at.is_(None), _job.state == WAITING, _job.due_at <= at)
    held = sa.select(_job.arguments).where(*due).with_for_update(read=True, skip_locked=True)
    if not any(one["journey"] == journey for one in session.scalars(held)):
        enqueue(session, KIND, {"journey": journey}, None, at)


def wake_next(session: Session, journey: int, now: datetime) -> None:
    """Sees to it that the journey is moved on when its next member is due; those whom another worker has now, soon."""
    due = sa.select(sa.func.min(_member.due_at)).where(
        _member.journey_id == journey, _member.due_at.is_not(None)
    )
    at = session.scalar(due)
    if at is not None:
        wake(session, journey, max(at, now + SOON))
