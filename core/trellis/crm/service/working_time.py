"""Working time: hours of a week and days that differ from it, in a time zone.

A moment is working time when a clock on the wall shows it so. Where the clock is put forward or back, the hours that are
skipped are not there, and those that come twice count twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from trellis.i18n import translator
from trellis.records.types import ValueInvalid

_ = translator("trellis")

Span = tuple[int, int]
"""From and until, in minutes since midnight; 1440 is the end of the day."""

DAY = 24 * 60
_LONGEST = 3_660
"""Days that are looked through for the end of a stretch of working time."""
_ABOUT = timedelta(hours=15)
"""No zone is further from UTC."""
_SPAN = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*[-–]\s*(\d{1,2})(?::(\d{2}))?")


def read_hours(text: str) -> tuple[Span, ...]:
    """``09:00-13:00, 14-18`` as spans in order; empty for a day off. Raises ValueInvalid."""
    spans: list[Span] = []
    for part in (one.strip() for one in text.split(",") if one.strip()):
        found = _SPAN.fullmatch(part)
        numbers = [int(one or 0) for one in found.groups()] if found else []
        start, end = (numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]) if found else (0, 0)
        if not found or max(numbers[1], numbers[3]) > 59 or not start < end <= DAY:
            raise ValueInvalid(_("Write hours as 09:00-13:00, 14:00-18:00; leave empty for a day off"))
        spans.append((start, end))
    spans.sort()
    if any(one[1] > next_[0] for one, next_ in pairwise(spans)):
        raise ValueInvalid(_("Hours of one day must not overlap"))
    return tuple(spans)


class NoWorkingTime(Exception):
    """A calendar has less working time than is asked for."""


@dataclass(frozen=True)
class WorkingTime:
    """``week`` holds the spans of Monday to Sunday, ``special`` those of single days (none on a holiday)."""

    zone: ZoneInfo
    week: Sequence[Sequence[Span]]
    special: Mapping[date, Sequence[Span]] = field(default_factory=dict)

    def after(self, start: datetime, seconds: float) -> datetime:
        """The moment when so many working seconds have gone by since ``start``, in UTC. Raises NoWorkingTime."""
        left = timedelta(seconds=seconds)
        for begin, end in self._spans(start):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise NoWorkingTime

    def between(self, start: datetime, end: datetime) -> float:
        """Working seconds from ``start`` to ``end``; 0 where ``end`` is not later."""
        total = timedelta()
        for begin, stop in self._spans(start):
            if begin >= end:
                break
            total += min(stop, end) - begin
        return total.total_seconds()

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Stretches of working time in UTC, from ``start`` on."""
        moment = start.astimezone(UTC)
        first = moment.astimezone(self.zone).date()
        for number in range(_LONGEST):
            for begin, end in self._of_day(first + timedelta(days=number)):
                if end > moment:
                    yield max(begin, moment), end

    def _of_day(self, day: date) -> list[tuple[datetime, datetime]]:
        spans = self.special.get(day, self.week[day.weekday()])
        midnight = datetime.combine(day, time(), UTC)
        found = []
        for low, high, offset in self._offsets(midnight - _ABOUT, midnight + timedelta(days=1) + _ABOUT):
            for start, end in spans:
                begin = max(low, midnight + timedelta(minutes=start) - offset)
                stop = min(high, midnight + timedelta(minutes=end) - offset)
                if begin < stop:
                    found.append((begin, stop))
        return sorted(found)

    def _offsets(self, low: datetime, high: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
        """The stretches between two moments in which the clock is not changed (once in two days at most)."""
        before, after = self._offset(low), self._offset(high)
        if before == after:
            yield low, high, before
            return
        known, wanted = low, high
        while wanted - known > timedelta(seconds=1):
            middle = known + (wanted - known) / 2
            if self._offset(middle) == before:
                known = middle
            else:
                wanted = middle
        change = wanted.replace(microsecond=0)
        yield low, change, before
        yield change, high, after

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).utcoffset() or timedelta()


ALWAYS = WorkingTime(ZoneInfo("UTC"), [[(0, DAY)]] * 7)
"""Day and night."""
