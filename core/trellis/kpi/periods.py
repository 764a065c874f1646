"""Periods: ``2026``, ``2026-Q3``, ``2026-10``, ``2026-W41``, ``2026-10-23``; ranges and rolling windows.

A period is half-open. Days are those of the workspace's time zone; moments are given in UTC. Years and quarters are those
of the fiscal year, and are called by the year in which it begins. A range is ``2026-01-15..2026-03-10``, both days with it;
a window (``last-30-days``) is the range of so many whole days before today.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates

from trellis.errors import TrellisError
from trellis.i18n import current_formats, format_date, format_day_range, translator
from trellis.records.days import is_moment

_ = translator("trellis")

FIRST_YEAR, LAST_YEAR = 1000, 9000


class PeriodInvalid(TrellisError):
    """A period is not written as Trellis reads it."""

    code = "period_invalid"

    def __init__(self, given: str) -> None:
        super().__init__(
            _(
                "“%(given)s” is not a period; write 2026, 2026-Q3, 2026-10, 2026-W41, 2026-10-23, "
                "2026-01-15..2026-03-10, or last-30-days",
                given=given[:40],
            )
        )


class Grain(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    RANGE = "range"


@dataclass(frozen=True)
class Period:
    """The days from ``first`` to before ``end``. ``grain`` is that of the period it is, or is the beginning of.

    ``fiscal_month`` is the month in which the fiscal year begins that names its year and quarter.
    """

    grain: Grain
    first: date
    end: date
    fiscal_month: int = 1

    @property
    def code(self) -> str:
        """How the period is written: ``2026-10``."""
        first = self.first
        match self.grain:
            case Grain.DAY:
                return first.isoformat()
            case Grain.WEEK:
                year, week, _day = first.isocalendar()
                return f"{year:04}-W{week:02}"
            case Grain.MONTH:
                return f"{first:%Y-%m}"
            case Grain.QUARTER:
                return f"{self.fiscal_year:04}-Q{self.quarter}"
            case Grain.YEAR:
                return f"{self.fiscal_year:04}"
            case Grain.RANGE:
                return f"{first.isoformat()}..{self.last.isoformat()}"

    @property
    def fiscal_year(self) -> int:
        """The year in which its fiscal year begins."""
        return self.first.year - (self.first.month < self.fiscal_month)

    @property
    def quarter(self) -> int:
        """The quarter of the fiscal year in which it begins."""
        return (self.first.month - self.fiscal_month) % 12 // 3 + 1

    def __str__(self) -> str:
        return self.code

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.first).days

    def shifted(self, number: int) -> Period:
        """The period ``number`` places later (earlier for a negative number), whole."""
        match self.grain:
            case Grain.DAY | Grain.WEEK:
                length = timedelta(days=7 if self.grain is Grain.WEEK else 1)
                return self._at(self.first + length * number, self.first + length * (number + 1))
            case Grain.MONTH | Grain.QUARTER | Grain.YEAR:
                months = _MONTHS[self.grain]
                first = months_later(self.first, months * number)
                return self._at(first, months_later(first, months))
            case Grain.RANGE:
                return self._shifted_range(number)

    def _shifted_range(self, number: int) -> Period:
        """By whole months where it is made of such, else by its days."""
        months = (self.end.year - self.first.year) * 12 + self.end.month - self.first.month
        if self.first.day == self.end.day == 1:
            return self._at(
                months_later(self.first, months * number), months_later(self.end, months * number)
            )
        length = timedelta(days=self.days * number)
        return self._at(self.first + length, self.end + length)

    def _at(self, first: date, end: date) -> Period:
        return dataclasses.replace(self, first=first, end=end)

    @property
    def previous(self) -> Period:
        """The whole period before."""
        return self.shifted(-1)

    @property
    def year_before(self) -> Period:
        """The same period of the year before (for weeks, the week 52 weeks earlier)."""
        if self.grain is Grain.DAY:
            day = months_later(self.first, -12)
            return self._at(day, day + timedelta(days=1))
        if self.grain is Grain.RANGE:
            first = months_later(self.first, -12)
            whole = self.first.day == self.end.day == 1
            return self._at(first, months_later(self.end, -12) if whole else first + timedelta(self.days))
        per_year = {Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 4, Grain.YEAR: 1}
        return self.shifted(-per_year[self.grain])

    def until(self, number: int) -> list[Period]:
        """The last ``number`` periods up to and with this one."""
        return [self.shifted(-back) for back in range(number - 1, -1, -1)]

    def split(self, grain: Grain) -> list[Period]:
        """The periods of a finer grain that begin in this one."""
        part = containing(self.first, grain, self.fiscal_month)
        if part.first < self.first:
            part = part.shifted(1)
        parts = []
        while part.first < self.end:
            parts.append(part)
            part = part.shifted(1)
        return parts

    def is_partial(self, today: date) -> bool:
        """Whether it has begun and not yet ended."""
        return self.first <= today < self.end

    def elapsed(self, today: date) -> Period:
        """The part of it that is gone, with ``today``."""
        return dataclasses.replace(self, end=min(self.end, max(self.first, today + timedelta(days=1))))

    def beginning(self, days: int) -> Period:
        """Its first ``days`` days: what a period that still runs is compared with."""
        return dataclasses.replace(self, end=min(self.end, self.first + timedelta(days=days)))

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Start and end as moments in UTC."""
        return midnight(self.first, zone), midnight(self.end, zone)

    def bounds(self, column: Any, zone: ZoneInfo) -> tuple[Any, Any]:
        """Start and end as ``column`` holds them: moments, or days."""
        return self.moments(zone) if is_moment(column) else (self.first, self.end)

    @property
    def label(self) -> str:
        """Its name in the reader's language: ``October 2026``, ``Q3 2026``."""
        return _LABELS[self.grain](self)

    @property
    def title(self) -> str:
        """Its name where it stands alone: with a capital letter in every language."""
        label = self.label
        return label[:1].upper() + label[1:]

    @property
    def short_label(self) -> str:
        """Its name on an axis, where the year is known: ``Oct``, ``Q3``, ``W41``."""
        return _SHORT_LABELS[self.grain](self)


_MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}


def months_later(day: date, months: int) -> date:
    """The same day of another month; the last day where that month is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    following = date(first.year + month // 11, (month + 1) % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which ``day`` begins in ``zone``."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def today_in(zone: ZoneInfo, now: datetime | None = None) -> date:
    """The day it is in ``zone``."""
    return (now or datetime.now(UTC)).astimezone(zone).date()


def containing(day: date, grain: Grain, fiscal_month: int = 1) -> Period:
    """The period of a grain in which ``day`` lies. Weeks are ISO weeks, from Monday."""
    match grain:
        case Grain.DAY | Grain.RANGE:
            return Period(grain, day, day + timedelta(days=1), fiscal_month)
        case Grain.WEEK:
            monday = day - timedelta(days=day.weekday())
            return Period(grain, monday, monday + timedelta(days=7), fiscal_month)
        case Grain.MONTH | Grain.QUARTER | Grain.YEAR:
            months = _MONTHS[grain]
            first = months_later(day.replace(day=1), -((day.month - fiscal_month) % months))
            return Period(grain, first, months_later(first, months), fiscal_month)


WINDOWS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "last-7-days": (7, 0),
        "last-30-days": (30, 0),
        "last-90-days": (90, 0),
        "last-365-days": (365, 0),
        "last-12-months": (0, 12),
    }
)
"""Rolling windows, as whole days before today or whole months before this one."""


def window(name: str, today: date) -> Period:
    """The rolling window of that name, as it stands ``today``. The day or month that still runs is not in it."""
    days, months = WINDOWS[name]
    end = today.replace(day=1) if months else today
    first = months_later(end, -months) if months else end - timedelta(days=days)
    return Period(Grain.RANGE, first, end)


_PATTERN = re.compile(r"(\d{4})(?:-(?:Q([1-4])|W(\d{2})|(\d{2})(?:-(\d{2}))?))?")


def parse(text: str, fiscal_month: int = 1, today: date | None = None) -> Period:
    """Reads a period; PeriodInvalid says how one is written. A window needs to know ``today``."""
    if isinstance(text, str) and today is not None and text.strip().lower() in WINDOWS:
        return window(text.strip().lower(), today)
    if isinstance(text, str) and ".." in text:
        return dataclasses.replace(_range(text), fiscal_month=fiscal_month)
    found = _PATTERN.fullmatch(text.strip().upper()) if isinstance(text, str) else None
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise PeriodInvalid(str(text))
    year, quarter, week, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None
    try:
        if quarter:
            first = months_later(date(year, fiscal_month, 1), quarter * 3 - 3)
            return containing(first, Grain.QUARTER, fiscal_month)
        if week is not None:
            return containing(date.fromisocalendar(year, week, 1), Grain.WEEK, fiscal_month)
        if month is not None:
            grain = Grain.MONTH if day is None else Grain.DAY
            return containing(date(year, month, day or 1), grain, fiscal_month)
    except ValueError:
        raise PeriodInvalid(text) from None
    return containing(date(year, fiscal_month, 1), Grain.YEAR, fiscal_month)


def _range(text: str) -> Period:
    """A free range of days, both with it."""
    try:
        first, last = (date.fromisoformat(part.strip()) for part in text.split(".."))
    except ValueError:
        raise PeriodInvalid(text) from None
    if not FIRST_YEAR <= first.year <= last.year <= LAST_YEAR or last < first:
        raise PeriodInvalid(text)
    return Period(Grain.RANGE, first, last + timedelta(days=1))


def parse_range(first: str, last: str, fiscal_month: int = 1) -> list[Period]:
    """The periods from ``first`` to ``last``, both of one grain, with both."""
    start, end = parse(first, fiscal_month), parse(last, fiscal_month)
    if start.grain is not end.grain or end.first < start.first:
        raise PeriodInvalid(f"{first}..{last}")
    periods = [start]
    while periods[-1].first < end.first:
        periods.append(periods[-1].shifted(1))
    return periods


def span(periods: Sequence[Period]) -> Period:
    """From the start of the earliest to the end of the latest."""
    first, end = min(one.first for one in periods), max(one.end for one in periods)
    return dataclasses.replace(periods[0], first=first, end=end)


def _dated(pattern: str) -> Callable[[Period], str]:
    return lambda period: dates.format_date(period.first, pattern, locale=current_formats())


def _week(period: Period) -> str:
    year, week, _day = period.first.isocalendar()
    return str(_("Week %(week)s, %(year)s", week=week, year=year))


def _short_week(period: Period) -> str:
    return str(_("W%(week)s", week=period.first.isocalendar().week))


def _fiscal(period: Period) -> str:
    """The name of a fiscal year: that of one year, or of the two that it lies in."""
    year = period.fiscal_year
    return f"{year}" if period.fiscal_month == 1 else f"{year}/{(year + 1) % 100:02}"


def _quarter(period: Period) -> str:
    return str(_("Q%(quarter)s %(year)s", quarter=period.quarter, year=_fiscal(period)))


def _range_label(period: Period) -> str:
    return f"{format_date(period.first)} – {format_date(period.last)}"


_LABELS: dict[Grain, Callable[[Period], str]] = {
    Grain.DAY: _dated("d MMMM y"),
    Grain.WEEK: _week,
    Grain.MONTH: _dated("LLLL y"),
    Grain.QUARTER: _quarter,
    Grain.YEAR: _fiscal,
    Grain.RANGE: _range_label,
}
_SHORT_LABELS: dict[Grain, Callable[[Period], str]] = {
    Grain.DAY: _dated("d MMM"),
    Grain.WEEK: _short_week,
    Grain.MONTH: _dated("LLL"),
    Grain.QUARTER: lambda period: str(_("Q%(quarter)s", quarter=period.quarter)),
    Grain.YEAR: _fiscal,
    Grain.RANGE: lambda period: format_day_range(period.last, period.last),
}
