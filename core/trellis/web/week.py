"""Where the records of a day stand in a week of hours: by their time, beside those that are at the same time.

Times are those of clocks on the wall in the workspace's zone, so that every day has 24 hours, also one on which clocks are
changed: an hour that comes twice is shown once, and one that is left out is empty. A record at midnight has no time: it
stands above the hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

STEP = 5
"""Minutes; records are placed to it."""
LANES = 8
"""Beside each other at most; more stand over each other."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in its day: from which minute, for how many, in which of how many lanes."""

    start: int
    length: int
    lane: int = 0
    lanes: int = 1

    @property
    def classes(self) -> str:
        """What the stylesheet knows it by: no style stands in a page."""
        return (
            f"at-h{self.start // 60} at-m{self.start % 60} for-{self.length}"
            f" lane-{self.lane} lanes-{self.lanes}"
        )


def minute_of(moment: datetime, zone: ZoneInfo) -> int:
    """The minute of the day that a clock on the wall shows."""
    local = moment.astimezone(zone)
    return local.hour * 60 + local.minute


def places(records: Sequence[tuple[int, timedelta]]) -> list[Place]:
    """The places of records that begin at these minutes and are so long, in the order of their beginnings."""
    spans = [(start - start % STEP, _rounded(length)) for start, length in records]
    found: list[Place] = []
    for group in _together(spans):
        ends: list[int] = []
        lanes = []
        for start, length in group:
            free = next((lane for lane, end in enumerate(ends) if end <= start), len(ends))
            ends[free : free + 1] = [start + length]
            lanes.append(free)
        width = min(len(ends), LANES)
        found += [
            Place(start, length, lane % LANES, width)
            for (start, length), lane in zip(group, lanes, strict=True)
        ]
    return found


def _rounded(length: timedelta) -> int:
    return min(max(round(length.total_seconds() / 60 / 30), 1) * 30, 240)


def _together(spans: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Those that overlap, also by way of others."""
    group: list[tuple[int, int]] = []
    end = 0
    for start, length in spans:
        if group and start >= end:
            yield group
            group = []
        group.append((start, length))
        end = max(end, start + length) if len(group) > 1 else start + length
    if group:
        yield group
