"""Working time, held against a clock on the wall that is looked at minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trellis.crm.service.working_time import ALWAYS, NoWorkingTime, Span, WorkingTime, read_hours
from trellis.records.types import ValueInvalid

PRAGUE = ZoneInfo("Europe/Prague")
OFFICE: list[list[Span]] = [[(540, 1080)]] * 5 + [[], []]
"""Monday to Friday, 9 to 18."""


def at(text: str, zone: ZoneInfo = PRAGUE) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def works(time: WorkingTime, moment: datetime) -> bool:
    """Whether a clock on the wall shows working time."""
    local = moment.astimezone(time.zone)
    minute = local.hour * 60 + local.minute
    spans = time.special.get(local.date(), time.week[local.weekday()])
    return any(start <= minute < end for start, end in spans)


def counted(time: WorkingTime, start: datetime, end: datetime) -> int:
    """Working seconds, a minute at a time."""
    seconds, moment = 0, start
    while moment < end:
        seconds += 60 * works(time, moment)
        moment += timedelta(minutes=1)
    return seconds


def test_the_published_examples() -> None:
    """metrics.md, 44: Monday to Friday 9 to 18, opened on Friday at 17, four hours; paused on Monday from 9:30 to 10:30."""
    time = WorkingTime(PRAGUE, OFFICE)
    friday = at("2026-03-06T17:00")
    assert time.after(friday, 4 * 3600) == at("2026-03-09T12:00")
    paused = time.between(at("2026-03-09T09:30"), at("2026-03-09T10:30"))
    assert time.after(friday, 4 * 3600 + paused) == at("2026-03-09T13:00")


def test_nights_weekends_and_holidays_do_not_count() -> None:
    time = WorkingTime(PRAGUE, OFFICE, {date(2026, 5, 8): [], date(2026, 5, 9): [(600, 660)]})
    assert time.after(at("2026-05-07T17:30"), 3600) == at("2026-05-09T10:30")
    assert time.after(at("2026-05-07T17:00"), 3600) == at("2026-05-07T18:00")
    assert time.between(at("2026-05-08T00:00"), at("2026-05-10T23:00")) == 3600
    assert time.between(at("2026-05-08T00:00"), at("2026-05-07T00:00")) == 0


def test_hours_that_are_skipped_are_not_there_and_those_that_come_twice_count_twice() -> None:
    night = WorkingTime(PRAGUE, [[(0, 360)]] * 7)
    assert night.between(at("2026-03-29T00:00"), at("2026-03-29T12:00")) == 5 * 3600
    assert night.between(at("2026-10-25T00:00"), at("2026-10-25T12:00")) == 7 * 3600
    assert night.after(at("2026-03-29T01:00"), 2 * 3600) == at("2026-03-29T04:00")


ZONES = st.sampled_from(
    ["Europe/Prague", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "UTC"]
)
CHANGES = [
    (2026, 3, 7),
    (2026, 3, 28),
    (2026, 4, 4),
    (2026, 9, 5),
    (2026, 10, 3),
    (2026, 10, 24),
    (2026, 11, 1),
]
STARTS = st.builds(
    lambda day, minute: datetime(*day, tzinfo=UTC) + timedelta(minutes=minute),
    st.sampled_from(CHANGES),
    st.integers(0, 2 * 1440),
)


@st.composite
def days(draw: st.DrawFn) -> list[Span]:
    edges = sorted(draw(st.lists(st.integers(0, 1440), min_size=0, max_size=4, unique=True)))
    return list(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def times(draw: st.DrawFn) -> WorkingTime:
    week = [draw(days()) for _day in range(7)]
    special = draw(st.dictionaries(st.sampled_from([date(*one) for one in CHANGES]), days(), max_size=2))
    return WorkingTime(ZoneInfo(draw(ZONES)), week, special)


@settings(max_examples=60, deadline=None)
@given(time=times(), start=STARTS, length=st.integers(0, 3 * 1440))
def test_it_is_what_the_clock_on_the_wall_shows(time: WorkingTime, start: datetime, length: int) -> None:
    end = start + timedelta(minutes=length)
    seconds = time.between(start, end)
    assert seconds == counted(time, start, end)
    if seconds:
        due = time.after(start, seconds)
        assert due <= end and counted(time, start, due) == seconds
        assert works(time, due - timedelta(minutes=1))


def test_it_ends_where_there_is_no_working_time() -> None:
    with pytest.raises(NoWorkingTime):
        WorkingTime(PRAGUE, [[]] * 7).after(at("2026-01-01T00:00"), 60)
    assert ALWAYS.after(at("2026-01-01T00:00"), 60) == at("2026-01-01T00:01")


def test_hours_are_read_as_people_write_them() -> None:
    assert read_hours("14-18, 9:00 – 13:30") == ((540, 810), (840, 1080))
    assert read_hours("0-24") == ((0, 1440),) and read_hours(" ") == ()


@pytest.mark.parametrize("text", ["9", "9-25", "18-9", "9:75-10", "9-12, 11-13", "nine to five", "9-9"])
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueInvalid):
        read_hours(text)
