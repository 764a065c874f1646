"""Calendar days and periods of moments, in SQL, in a time zone.

PostgreSQL knows time zones. SQLite does not, so that the changes of the zone's offset are written into the statement as
a tree of comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_BRANCHES = 7


def is_moment(column: Any) -> bool:
    """Whether a column holds moments (UTC) rather than days."""
    return not isinstance(column.type, sa.Date)


def local_day(moment: Any, zone: str) -> sa.ColumnElement[date]:
    """The day of ``moment`` in a time zone; a column of days is taken as it is."""
    return LocalDay(moment, sa.literal_column(f"'{ZoneInfo(zone).key}'")) if is_moment(moment) else moment


class LocalDay(FunctionElement[date]):
    """The day of a moment in a zone. Make it by :func:`local_day`."""

    inherit_cache = True
    type = sa.Date()


@compiles(LocalDay)
def _as_usual(element: LocalDay, compiler: SQLCompiler, **kw: Any) -> str:
    moment, zone = (compiler.process(one, **kw) for one in element.clauses)
    return f"CAST({moment} AT TIME ZONE {zone} AS DATE)"


@compiles(LocalDay, "sqlite")
def _on_sqlite(element: LocalDay, compiler: SQLCompiler, **kw: Any) -> str:
    moment, zone = (compiler.process(one, **kw) for one in element.clauses)
    changes = offset_changes(zone.strip("'"))
    if changes == ((None, 0),):
        return f"SUBSTR({moment}, 1, 10)"
    return f"DATE({moment}, {_offset_on_sqlite(moment, changes)})"


def _offset_on_sqlite(moment: str, changes: Sequence[tuple[datetime | None, int]]) -> str:
    """A tree that is broad rather than deep: the parser of SQLite before 3.46 goes a hundred deep, the rest of a statement
    included."""
    if len(changes) == 1:
        return f"'{changes[0][1]:+d} minutes'"
    size = -(-len(changes) // _BRANCHES)
    parts = [changes[start : start + size] for start in range(0, len(changes), size)]
    cases = " ".join(
        f"WHEN {moment} < '{later[0][0]:%Y-%m-%d %H:%M:%S}' THEN {_offset_on_sqlite(moment, part)}"
        for part, later in pairwise(parts)
    )
    return f"CASE {cases} ELSE {_offset_on_sqlite(moment, parts[-1])} END"


@lru_cache(maxsize=64)
def offset_changes(zone: str) -> tuple[tuple[datetime | None, int], ...]:
    """(moment in UTC without zone, minutes from UTC since then), 1970 to 2100; the first is for all times before."""
    info = ZoneInfo(zone)
    moment, last = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(_LAST_YEAR, 1, 1, tzinfo=UTC)
    changes: list[tuple[datetime | None, int]] = [(None, _offset(info, moment))]
    while moment < last:
        later = moment + timedelta(days=7)
        if _offset(info, later) != changes[-1][1]:
            later = _first_with_another(info, moment, later, changes[-1][1])
            changes.append((later.replace(tzinfo=None), _offset(info, later)))
        moment = later
    return tuple(changes)


def _first_with_another(info: ZoneInfo, low: datetime, high: datetime, offset: int) -> datetime:
    """The minute between ``low`` and ``high`` at which the zone leaves ``offset``."""
    while high - low > timedelta(minutes=1):
        middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
        if _offset(info, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _offset(info: ZoneInfo, moment: datetime) -> int:
    return (moment.astimezone(info).utcoffset() or timedelta()) // timedelta(minutes=1)


class PeriodStart(FunctionElement[date]):
    """The first day of the unit of the calendar (day, week, month, quarter, year) in which a day falls."""

    inherit_cache = True
    type = sa.Date()

    def __init__(self, day: Any, unit: str) -> None:
        super().__init__(day, sa.literal_column(unit))


@compiles(PeriodStart)
def _start_as_usual(element: PeriodStart, compiler: SQLCompiler, **kw: Any) -> str:
    day, unit = (compiler.process(one, **kw) for one in element.clauses)
    return f"CAST(DATE_TRUNC('{unit}', {day}) AS DATE)"


_STARTS_ON_SQLITE = {
    "day": "DATE({0})",
    "week": "DATE({0}, '-6 days', 'weekday 1')",
    "month": "DATE({0}, 'start of month')",
    "quarter": "DATE({0}, 'start of month', '-' || ((STRFTIME('%m', {0}) - 1) % 3) || ' months')",
    "year": "DATE({0}, 'start of year')",
}


@compiles(PeriodStart, "sqlite")
def _start_on_sqlite(element: PeriodStart, compiler: SQLCompiler, **kw: Any) -> str:
    day, unit = (compiler.process(one, **kw) for one in element.clauses)
    return _STARTS_ON_SQLITE[unit].format(day)


class FromIso(FunctionElement[Any]):
    """A day or moment that stands as ISO text in an extension field, as its database compares days and moments."""

    inherit_cache = True

    def __init__(self, value: Any, into: Any) -> None:
        super().__init__(sa.type_coerce(value, sa.String()))
        self.type = into


@compiles(FromIso)
def _iso_as_usual(element: FromIso, compiler: SQLCompiler, **kw: Any) -> str:
    into = compiler.dialect.type_compiler_instance.process(element.type)
    return f"CAST({compiler.process(element.clauses, **kw)} AS {into})"


@compiles(FromIso, "sqlite")
def _iso_on_sqlite(element: FromIso, compiler: SQLCompiler, **kw: Any) -> str:
    made = "DATE" if isinstance(element.type, sa.Date) else "DATETIME"
    return f"{made}({compiler.process(element.clauses, **kw)})"


def bucket(column: Any, ranges: Sequence[tuple[Any, Any]]) -> sa.ColumnElement[int]:
    """The index of the half-open range in which ``column`` lies; -1 between ranges and outside.

    ``ranges`` follow each other in time. The comparisons make a balanced tree: a value is placed among n ranges by
    about log2(n) of them.
    """
    steps: list[tuple[Any, int]] = []  # from this bound on, this index
    for index, (start, end) in enumerate(ranges):
        if steps and steps[-1][0] == start:
            steps[-1] = (start, index)
        else:
            steps.append((start, index))
        steps.append((end, -1))
    return _placed(column, steps, -1)


def _placed(column: Any, steps: Sequence[tuple[Any, int]], below: int) -> sa.ColumnElement[int]:
    if not steps:
        return sa.literal_column(str(below), sa.Integer)
    middle = len(steps) // 2
    bound, index = steps[middle]
    return sa.case(
        (column < bound, _placed(column, steps[:middle], below)),
        else_=_placed(column, steps[middle + 1 :], index),
    )
