"""When a report is due next."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from trellis.crm.sales.reports.entities import WEEKDAYS

_WEEKDAYS = [one.value for one in WEEKDAYS]


def next_after(report: Mapping[str, Any], moment: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment behind ``moment`` at which a report is due; None for one that is sent only when asked for.

    An hour that a change of the clocks leaves out is the one that follows it.
    """
    if not report["active"] or report["rhythm"] == "never":
        return None
    for day in _days(report, moment.astimezone(zone).date()):
        due = datetime.combine(day, time(report["hour"]), zone).astimezone(UTC)
        if due > moment:
            return due
    raise AssertionError("a rhythm has no end")


def _days(report: Mapping[str, Any], today: date) -> Iterator[date]:
    """The days of a rhythm, from today on."""
    day = today
    while True:
        last = monthrange(day.year, day.month)[1]
        wanted = {
            "daily": True,
            "weekly": day.weekday() == _WEEKDAYS.index(report["weekday"]),
            "monthly": day.day == min(report["month_day"], last),
        }
        if wanted[report["rhythm"]]:
            yield day
        day += timedelta(days=1)
