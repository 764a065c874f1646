"""Processes that start by the clock: one instance each time that is due, however many workers there are and die.

The next time of each schedule is a job. Times that pass while nobody works through the queue are made up for by one start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from cronsim import CronSim, CronSimError
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.i18n import translator
from trellis.jobs.job import Job
from trellis.jobs.queue import enqueue
from trellis.process import versions
from trellis.process.runs import starting

_ = translator("trellis")

SCHEDULE_JOB, PLAN_JOB = "process_schedule", "process_schedules"
FIELDS = 5

_job = Job.__table__.c


def check(text: str) -> None:
    """Raises ValueError for what is no schedule, or never due."""
    next_after(text, datetime.now(UTC), ZoneInfo("UTC"))


def next_after(text: str, moment: datetime, zone: ZoneInfo) -> datetime:
    """The first time behind a moment at which a schedule is due. Raises ValueError."""
    try:
        if len(text.split()) != FIELDS:
            raise CronSimError
        return next(CronSim(text, moment.astimezone(zone))).astimezone(UTC)
    except (CronSimError, StopIteration):
        problem = (
            _("“%(text)s” is no schedule: write minute, hour, day, month and weekday as in cron", text=text)
            if text
            else _("Say when it starts: minute, hour, day, month and weekday as in cron")
        )
        raise ValueError(problem) from None


def schedules(edition: Edition) -> Iterator[tuple[str, str]]:
    """The processes that start by the clock, with when: by their settings, and by the timer of their start event."""
    for process in starting(edition):
        start = versions.present(edition, process).start
        for text in dict.fromkeys((process.schedule, start.detail if start.event == "timer" else "")):
            if text:
                yield process.name, text


def plan(session: Session, edition: Edition) -> None:
    """Sees that the next time of each schedule is in the queue, once. Times that are due by now stay."""
    zone, now = ZoneInfo(edition.settings.timezone), datetime.now(UTC)
    wanted = {(name, text): next_after(text, now, zone) for name, text in schedules(edition)}
    kept = set()
    planned = sa.select(_job.id, _job.arguments).where(_job.kind == SCHEDULE_JOB, _job.finished_at.is_(None))
    for row in session.execute(planned).all():
        told = row.arguments
        key, at = (told["process"], told["schedule"]), datetime.fromisoformat(told["at"])
        if at > now and wanted.get(key) != at:
            session.execute(
                sa.delete(Job).where(_job.id == row.id).execution_options(synchronize_session=False)
            )
        elif at > now:
            kept.add(key)
    for key, at in wanted.items():
        if key not in kept:
            enqueue(session, SCHEDULE_JOB, arguments(*key, at), None, at)


def arguments(process: str, schedule: str, at: datetime) -> dict[str, str]:
    """What the job of one time is told."""
    return {"process": process, "schedule": schedule, "at": at.isoformat()}


def key_of(told: Mapping[str, Any]) -> str:
    """What keeps one time from starting two instances."""
    return f"schedule:{told['process']}:{told['at']}"
