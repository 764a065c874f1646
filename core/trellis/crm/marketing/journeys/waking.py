"""The job that moves a journey on: in the queue for when its next member is due, so that nobody looks for them (MC5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.marketing.journeys.tables import MEMBERS
from trellis.jobs.queue import enqueue_once

KIND = "journey"
SOON = timedelta(seconds=1)

_member = MEMBERS.c


def wake(session: Session, journey: int, at: datetime) -> None:
    """Sees to it that the journey is moved on at a moment."""
    enqueue_once(session, KIND, {"journey": journey}, at)


def wake_next(session: Session, journey: int, now: datetime) -> None:
    """Sees to it that the journey is moved on when its next member is due; those whom another worker has now, soon."""
    due = sa.select(sa.func.min(_member.due_at)).where(
        _member.journey_id == journey, _member.due_at.is_not(None)
    )
    at = session.scalar(due)
    if at is not None:
        wake(session, journey, max(at, now + SOON))
