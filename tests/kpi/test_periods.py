"""Periods are read, placed in a time zone, compared and named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trellis.i18n import use_locale
from trellis.kpi.periods import Grain, Period, PeriodInvalid, containing, months_later, parse, parse_range

days = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("code", "first", "end"),
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026-Q3", date(2026, 7, 1), date(2026, 10, 1)),
        ("2026-q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026-10", date(2026, 10, 1), date(2026, 11, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        ("2026-W01", date(2025, 12, 29), date(2026, 1, 5)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 4)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 3, 1)),
    ],
)
def test_a_code_names_half_open_days(code: str, first: date, end: date) -> None:
    period = parse(code)
    assert (period.first, period.end) == (first, end)
    assert period.code == code.upper()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "26",
        "2026-13",
        "2026-Q5",
        "2026-W54",
        "2027-W53",
        "2026-02-30",
        "2026-1",
        "10-2026",
        "0001",
        "x" * 500,
    ],
)
def test_what_is_not_a_period_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(PeriodInvalid, match="2026-Q3"):
        parse(text)


@given(days, st.sampled_from(Grain))
def test_a_code_read_again_is_the_same_period(day: date, grain: Grain) -> None:
    period = containing(day, grain)
    assert period.first <= day < period.end
    assert parse(period.code) == period


@given(days, st.sampled_from(Grain), st.integers(-30, 30))
def test_periods_follow_each_other_without_gaps(day: date, grain: Grain, number: int) -> None:
    period = containing(day, grain)
    assert period.previous.end == period.first
    assert period.shifted(number).shifted(-number) == period
    assert period.until(3)[-1] == period
    assert [one.end for one in period.until(3)][:-1] == [one.first for one in period.until(3)][1:]


def test_a_year_before() -> None:
    assert parse("2026-03").year_before == parse("2025-03")
    assert parse("2026-Q1").year_before == parse("2025-Q1")
    assert parse("2026").year_before == parse("2025")
    assert parse("2024-02-29").year_before == parse("2023-02-28")


def test_months_later_keeps_the_day_or_takes_the_last() -> None:
    assert months_later(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert months_later(date(2024, 3, 31), -13) == date(2023, 2, 28)
    assert months_later(date(2024, 12, 15), 1) == date(2025, 1, 15)


def test_a_year_has_its_months() -> None:
    assert [one.code for one in parse("2026-Q1").split(Grain.MONTH)] == ["2026-01", "2026-02", "2026-03"]
    assert [one.code for one in parse_range("2025-11", "2026-02")] == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    ]
    with pytest.raises(PeriodInvalid):
        parse_range("2026-02", "2025-11")


def test_days_begin_at_midnight_of_the_time_zone_also_when_clocks_change() -> None:
    prague = ZoneInfo("Europe/Prague")
    assert parse("2026-03").moments(prague) == (
        datetime(2026, 2, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 31, 22, tzinfo=UTC),
    )
    start, end = parse("2026-03-29").moments(prague)
    assert (end - start).total_seconds() == 23 * 3600
    # clocks in Beirut go from 0:00 to 1:00, so that day begins at the change itself
    assert parse("2024-03-31").moments(ZoneInfo("Asia/Beirut"))[0] == datetime(2024, 3, 30, 22, tzinfo=UTC)


def test_a_running_period_is_compared_with_as_many_days() -> None:
    month = parse("2026-03")
    today = date(2026, 3, 22)
    assert month.is_partial(today) and not month.is_partial(date(2026, 4, 1))
    assert month.elapsed(today).days == 22
    assert month.previous.beginning(22) == Period(Grain.MONTH, date(2026, 2, 1), date(2026, 2, 23))
    assert month.previous.beginning(30).end == date(2026, 3, 1)


def test_labels_are_in_the_language_of_the_reader() -> None:
    codes = ("2026", "2026-Q3", "2026-10", "2026-W41", "2026-10-23")
    with use_locale("en"):
        assert [parse(code).label for code in codes] == [
            "2026",
            "Q3 2026",
            "October 2026",
            "Week 41, 2026",
            "23 October 2026",
        ]
        assert [parse(code).short_label for code in codes] == ["2026", "Q3", "Oct", "W41", "23 Oct"]
    with use_locale("ru"):
        assert parse("2026-10").label == "октябрь 2026"
        assert parse("2026-10-23").label == "23 октября 2026"


@pytest.mark.parametrize(
    ("code", "first", "end", "label"),
    [
        ("2026", date(2026, 4, 1), date(2027, 4, 1), "2026/27"),
        ("2026-Q1", date(2026, 4, 1), date(2026, 7, 1), "Q1 2026/27"),
        ("2026-Q4", date(2027, 1, 1), date(2027, 4, 1), "Q4 2026/27"),
    ],
)
def test_years_and_quarters_are_those_of_the_fiscal_year(
    code: str, first: date, end: date, label: str
) -> None:
    period = parse(code, 4)
    assert (period.first, period.end, period.code, period.label) == (first, end, code, label)
    assert containing(end - (end - first) / 2, period.grain, 4) == period
    assert parse(period.year_before.code, 4) == period.year_before
    assert period.year_before.shifted({Grain.QUARTER: 4, Grain.YEAR: 1}[period.grain]) == period


@pytest.mark.parametrize("month", range(1, 13))
def test_quarters_of_any_fiscal_year_follow_each_other(month: int) -> None:
    year = parse("2026", month)
    quarters = year.split(Grain.QUARTER)
    assert [one.code for one in quarters] == ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"]
    assert (quarters[0].first, quarters[-1].end) == (year.first, year.end)


def test_rolling_windows_end_before_today_and_compare_with_as_many_days() -> None:
    today = date(2026, 3, 15)
    week = parse("last-7-days", today=today)
    assert (week.first, week.end, week.code) == (date(2026, 3, 8), today, "2026-03-08..2026-03-14")
    assert (week.previous.first, week.previous.end) == (date(2026, 3, 1), date(2026, 3, 8))
    months = parse("last-12-months", today=today)
    assert (months.first, months.end) == (date(2025, 3, 1), date(2026, 3, 1))
    assert (months.previous.first, months.year_before) == (date(2024, 3, 1), months.previous)


@pytest.mark.parametrize(
    "text", ["2026-01-02..", "2026-02-01..2026-01-01", "2026-02-30..2026-03-01", "a..b", ".."]
)
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PeriodInvalid):
        parse(text)
