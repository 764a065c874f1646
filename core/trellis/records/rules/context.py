"""Who asks, when, and in which edition: what a rule needs beside the records."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from trellis.records.rules.nodes import Period, Relative, Unit

if TYPE_CHECKING:
    from trellis.edition import Edition
    from trellis.security.actor import Actor

Lookup = Callable[[str, int], Mapping[str, Any] | None]
"""The values of a referred record by entity and id; None when it is deleted or hidden from the actor."""
Referring = Callable[[str, str, int], Iterable[Mapping[str, Any]]]
"""The values of the records of an entity whose field refers to an id; without those deleted or hidden from the actor."""
Membership = Callable[[str, int], bool]
"""Whether a segment has the record of this id."""


@dataclass(frozen=True, kw_only=True)
class RuleContext:
    """``today`` is the day in the workspace's time zone; ``lookup``, ``referring`` and ``member`` are for Python.

    ``few`` says that few records are asked about: what relates to them is looked up for each, not gathered for all.
    """

    edition: Edition
    actor: Actor
    today: date
    lookup: Lookup | None = None
    referring: Referring | None = None
    member: Membership | None = None
    few: bool = False

    @classmethod
    def now(cls, edition: Edition, actor: Actor, lookup: Lookup | None = None) -> RuleContext:
        """The context of this moment."""
        return cls(edition=edition, actor=actor, today=today_in(edition), lookup=lookup)

    def day(self, value: date | Relative) -> date:
        """A day of the calendar, also from one that is relative to today."""
        return shifted(self.today, value) if isinstance(value, Relative) else value

    def days(self, value: date | Relative | Period) -> tuple[date, date]:
        """The first and the last day of a period; a day is a period of its own."""
        if not isinstance(value, Period):
            return self.day(value), self.day(value)
        settings = self.edition.settings
        first, after = (
            begin(self.today, value.unit, number, settings.first_weekday, settings.fiscal_month)
            for number in (value.first, value.last + 1)
        )
        return first, after - timedelta(days=1)

    def start(self, day: date) -> datetime:
        """The moment at which ``day`` begins in the workspace's time zone."""
        try:
            midnight = datetime.combine(day, time.min, ZoneInfo(self.edition.settings.timezone))
            return midnight.astimezone(UTC)
        except OverflowError:
            return (datetime.min if day.year == 1 else datetime.max).replace(tzinfo=UTC)

    def end(self, day: date) -> datetime:
        """The moment at which the day after ``day`` begins."""
        return datetime.max.replace(tzinfo=UTC) if day == date.max else self.start(day + timedelta(days=1))


def begin(today: date, unit: Unit, number: int, first_weekday: int = 0, fiscal_month: int = 1) -> date:
    """The day on which a unit of the calendar begins, counted from that of ``today``.

    Weeks begin on ``first_weekday`` (0 is Monday), quarters and years are those of the fiscal year from ``fiscal_month``.
    """
    match unit:
        case Unit.DAY:
            return today + timedelta(days=number)
        case Unit.WEEK:
            return today - timedelta(days=(today.weekday() - first_weekday) % 7) + timedelta(weeks=number)
        case Unit.MONTH:
            return shifted(today.replace(day=1), Relative(months=number))
        case Unit.QUARTER:
            inside = (today.month - fiscal_month) % 3
            return shifted(today.replace(day=1), Relative(months=3 * number - inside))
        case Unit.YEAR:
            inside = (today.month - fiscal_month) % 12
            return shifted(today.replace(day=1), Relative(months=12 * number - inside))


def today_in(edition: Edition) -> date:
    """The day it is now in the workspace's time zone."""
    return datetime.now(ZoneInfo(edition.settings.timezone)).date()


def shifted(today: date, distance: Relative) -> date:
    """``today`` moved by days, or by months (the 31st becomes the last day of a shorter month)."""
    years, month = divmod(today.month - 1 + distance.months, 12)
    year = today.year + years
    day = min(today.day, calendar.monthrange(year, month + 1)[1])
    return date(year, month + 1, day) + timedelta(days=distance.days)
