"""How many working days a period has, for run-rate forecasts."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.service.calendars import WEEK, BusinessCalendar, Holiday
from trellis.crm.service.working_time import read_hours

_WEEKDAYS = 5


def working_days(session: Session, first: date, end: date) -> int:
    """The working days from ``first`` to before ``end``: those of the oldest business calendar, or Monday to Friday."""
    calendar = session.scalar(
        sa.select(BusinessCalendar)
        .where(BusinessCalendar.deleted_at.is_(None))
        .order_by(BusinessCalendar.id)
        .limit(1)
    )
    special: dict[date, bool] = {}
    works = [day < _WEEKDAYS for day in range(len(WEEK))]
    if calendar is not None:
        works = [bool(read_hours(getattr(calendar, day) or "")) for day in WEEK]
        query = sa.select(Holiday.day, Holiday.hours).where(
            Holiday.calendar_id == calendar.id,
            Holiday.deleted_at.is_(None),
            Holiday.day >= first,
            Holiday.day < end,
        )
        special = {day: bool(read_hours(hours or "")) for day, hours in session.execute(query)}
    days = (first + timedelta(days=number) for number in range((end - first).days))
    return sum(special.get(day, works[day.weekday()]) for day in days)
