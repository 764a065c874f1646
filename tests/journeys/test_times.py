"""When steps of journeys are due, by the clock on the wall: over midnight, over weekends, and when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from trellis.journeys.times import allowed_from, clock, waited_until

PRAGUE = ZoneInfo("Europe/Prague")
NIGHT = ("21:00", "09:00")


def at(text: str) -> datetime:
    """A moment of the clock in Prague."""
    return datetime.fromisoformat(text).replace(tzinfo=PRAGUE)


@pytest.mark.parametrize(
    ("now", "hours", "days", "allowed"),
    [
        ("2026-03-03T12:00", NIGHT, (), "2026-03-03T12:00"),
        ("2026-03-03T21:00", NIGHT, (), "2026-03-04T09:00"),
        ("2026-03-04T00:30", NIGHT, (), "2026-03-04T09:00"),
        ("2026-03-04T09:00", NIGHT, (), "2026-03-04T09:00"),
        ("2026-03-03T13:00", ("12:00", "14:00"), (), "2026-03-03T14:00"),
        ("2026-03-06T22:00", NIGHT, (5, 6), "2026-03-09T09:00"),  # Friday night to Monday morning
        ("2026-03-07T12:00", ("", ""), (5, 6), "2026-03-09T00:00"),
        ("2026-03-28T22:00", NIGHT, (), "2026-03-29T09:00"),  # the night that is an hour shorter
        ("2026-10-24T22:00", NIGHT, (), "2026-10-25T09:00"),  # and the one that is longer
        ("2026-03-29T01:30", ("22:00", "02:30"), (), "2026-03-29T03:30"),  # its end is passed over
        ("2026-03-03T12:00", ("10:00", "10:00"), (), "2026-03-03T12:00"),
    ],
)
def test_quiet_hours_end_by_the_clock(
    now: str, hours: tuple[str, str], days: tuple[int, ...], allowed: str
) -> None:
    found = allowed_from(at(now).astimezone(UTC), *hours, days, PRAGUE)
    assert found == at(allowed).astimezone(UTC)


def wait(**more: Any) -> dict[str, Any]:
    return {"days": 0, "hours": 0, "until": "", "at": "", "weekdays": [], **more}


@pytest.mark.parametrize(
    ("step", "now", "until"),
    [
        (wait(days=2), "2026-03-03T12:00", "2026-03-05T12:00"),
        (wait(days=1), "2026-03-28T12:00", "2026-03-29T12:00"),  # a day of 23 hours
        (wait(days=1, at="10:00"), "2026-03-03T12:00", "2026-03-05T10:00"),
        (wait(days=1, at="14:00"), "2026-03-03T12:00", "2026-03-04T14:00"),
        (wait(days=1, weekdays=[0]), "2026-03-03T12:00", "2026-03-09T12:00"),
        (wait(until="2026-12-24", at="10:00"), "2026-03-03T12:00", "2026-12-24T10:00"),
        (wait(until="2026-01-01"), "2026-03-03T12:00", "2026-03-03T12:00"),
        (wait(hours=3), "2026-03-29T01:00", "2026-03-29T05:00"),  # three hours are three hours
        (wait(days=1), "2026-10-24T12:00", "2026-10-25T12:00"),  # a day of 25 hours
        (wait(days=1, at="02:30"), "2026-03-28T02:00", "2026-03-29T03:30"),  # the clocks pass over it
        (wait(days=7, at="09:00"), "2026-10-20T09:00", "2026-10-27T09:00"),
    ],
)
def test_a_wait_is_over_by_the_clock(step: dict[str, Any], now: str, until: str) -> None:
    assert waited_until(step, at(now).astimezone(UTC), PRAGUE) == at(until).astimezone(UTC)


def test_what_is_no_time_of_day_is_told() -> None:
    assert [clock(text) for text in ("24:00", "9", "9:5", "09:60", "", "ab:cd", "-1:00")] == [None] * 7
