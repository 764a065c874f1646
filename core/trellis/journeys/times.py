"""When steps of journeys are due: how long a wait lasts, and when a message may leave, by the clock of a time zone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

WEEK = 7


def clock(text: str) -> time | None:
    """``09:30``; None for what is no time of day."""
    hours, mark, minutes = text.partition(":")
    if not (mark and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2):
        return None
    return time(int(hours), int(minutes)) if int(hours) < 24 and int(minutes) < 60 else None


def day(text: str) -> date | None:
    """``2026-12-24``; None for what is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def waited_until(step: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> datetime:
    """When a wait that begins ``now`` is over."""
    fixed = day(step["until"])
    if fixed is not None:
        found = max(_at(fixed, clock(step["at"]) or time(), zone), now)
    else:
        found = days_on(now, step["days"], zone) + timedelta(hours=step["hours"])
    at = clock(step["at"])
    if at is not None:
        found = _next(found, at, zone)
    if step["weekdays"]:
        found = _on_weekday(found, step["weekdays"], zone)
    return found


def days_on(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same time of day so many days later."""
    local = moment.astimezone(zone)
    return _at(local.date() + timedelta(days=days), local.time(), zone)


def allowed_from(
    now: datetime, quiet_from: str, quiet_to: str, quiet_days: Collection[int], zone: ZoneInfo
) -> datetime:
    """The first moment, from ``now`` on, that is neither in quiet hours, which may go over midnight, nor on a quiet day."""
    begin, end = clock(quiet_from), clock(quiet_to)
    found = now
    for _turn in range(2 * WEEK + 1):
        local = found.astimezone(zone)
        if local.weekday() in quiet_days:
            found = _at(local.date() + timedelta(days=1), time(), zone)
        elif begin is not None and end is not None and _is_quiet(local.time(), begin, end):
            over = local.time() >= begin and end <= begin
            found = max(_at(local.date() + timedelta(days=over), end, zone), found + timedelta(minutes=1))
        else:
            break
    return found


def _is_quiet(now: time, begin: time, end: time) -> bool:
    if begin <= end:
        return begin <= now < end
    return now >= begin or now < end


def _next(moment: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The first moment, from one on, at which the clock shows ``at``."""
    today = moment.astimezone(zone).date()
    shown = (
        _at(today, at, zone),
        _at(today, at.replace(fold=1), zone),
    )  # twice where the clocks go back over it
    return next((one for one in shown if one >= moment), _at(today + timedelta(days=1), at, zone))


def _on_weekday(moment: datetime, weekdays: Collection[int], zone: ZoneInfo) -> datetime:
    """The same time of day on the first of these weekdays."""
    today = moment.astimezone(zone).weekday()
    ahead = next(days for days in range(WEEK) if (today + days) % WEEK in weekdays)
    return days_on(moment, ahead, zone) if ahead else moment


def _at(when: date, at: time, zone: ZoneInfo) -> datetime:
    """A time of day in a zone; one that the clocks pass over is that much later."""
    return datetime.combine(when, at, zone).astimezone(UTC)
