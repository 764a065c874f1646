"""Days of a time zone and placing in periods, in SQL: the same as Python says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trellis.records.days import bucket, local_day, offset_changes
from trellis.records.types import UtcDateTime
from trellis.workspace import Workspace

ZONES = [
    "UTC",
    "Europe/Prague",
    "Asia/Kolkata",
    "America/St_Johns",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Beirut",
]
MOMENTS = [datetime(2025, 12, 31, 12, tzinfo=UTC) + timedelta(hours=7 * step) for step in range(1300)]


@pytest.mark.parametrize("zone", ZONES)
def test_a_moment_has_the_day_that_python_gives_it(workspace: Workspace, zone: str) -> None:
    around = [
        change.replace(tzinfo=UTC) + timedelta(seconds=shift)
        for change, _offset in offset_changes(zone)
        if change is not None and 1995 < change.year < 2035
        for shift in (-1, 0, 1)
    ]
    moments = MOMENTS + around
    table = (
        sa.values(sa.column("at", UtcDateTime()), name="moments")
        .data([(one,) for one in moments])
        .cte("moments")
    )
    with workspace.read() as session:
        rows = session.execute(sa.select(table.c.at, local_day(table.c.at, zone))).all()
    assert len(rows) == len(moments)
    assert [day for _at, day in rows] == [at.astimezone(ZoneInfo(zone)).date() for at, _day in rows]


def test_a_column_of_days_is_taken_as_it_is(workspace: Workspace) -> None:
    day = sa.bindparam(None, date(2026, 3, 1), sa.Date())
    with workspace.read() as session:
        assert session.scalar(sa.select(local_day(day, "Asia/Tokyo"))) == date(2026, 3, 1)


ranges = st.lists(st.integers(0, 60), min_size=2, max_size=20, unique=True).map(sorted)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(ranges, st.booleans())
def test_a_day_is_placed_in_its_range(workspace: Workspace, bounds: list[int], gaps: bool) -> None:
    first = date(2026, 1, 1)
    starts = [first + timedelta(days=bound) for bound in bounds]
    pairs = list(pairwise(starts))[:: 2 if gaps else 1]
    days = [first + timedelta(days=day) for day in range(-2, 64)]
    table = sa.values(sa.column("day", sa.Date()), name="days").data([(one,) for one in days]).cte("days")
    with workspace.read() as session:
        rows = session.execute(sa.select(table.c.day, bucket(table.c.day, pairs))).all()
    for day, index in rows:
        expected = next((place for place, (start, end) in enumerate(pairs) if start <= day < end), -1)
        assert index == expected
