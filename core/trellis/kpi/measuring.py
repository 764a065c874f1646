"""Measuring one KPI: one statement for a value, for a series, and for a series broken down.

A series of a KPI with an entity and a date is split by time inside its own select; otherwise each period is asked for by
itself, in one statement. What it comes to where there is nothing at all (0 orders, no average) is asked along with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Kpi
from trellis.edition import Edition
from trellis.guard import limited
from trellis.kpi.periods import Period
from trellis.kpi.query import KpiQuery
from trellis.kpi.results import Value, number
from trellis.kpi.splits import Split, grouped
from trellis.plugins import CORE
from trellis.records.days import bucket
from trellis.security.actor import Actor

COMPARED = -3
_EMPTY = -2
_FEW = 2
"""So many periods are asked for one by one: each is a short stretch of an index, and nothing need be grouped."""
Rows = Mapping[int, tuple[Any, int]]
"""(value, rows in other currencies) by index of period; those compared with count down from ``COMPARED``."""


def select(kpi: Kpi, query: KpiQuery) -> sa.Select[Any]:
    """The statement that the code of a KPI builds."""
    return kpi.select(query) if kpi.owner == CORE else limited(lambda: kpi.select(query))


def measure(
    session: Session,
    edition: Edition,
    actor: Actor,
    kpi: Kpi,
    periods: Sequence[Period],
    today: date,
    compared: Sequence[Period] = (),
) -> Rows:
    """A KPI in each of ``periods``, which follow each other, and in those it is ``compared`` with, in one statement."""

    def ask(wanted: Sequence[Period], index: Any) -> sa.Select[Any]:
        query = KpiQuery(edition, actor, wanted, today)
        statement = select(kpi, query)
        foreign = query.foreign if kpi.entity is not None else sa.literal_column("0", sa.Integer)
        return statement.add_columns(foreign.label("kpi_foreign"), index.label("kpi_bucket"))

    parts: list[sa.Select[Any]] = []
    if _splits_by_time(kpi, periods):
        parts.append(ask(periods, _bucket(edition, kpi, periods)).group_by("kpi_bucket"))
        parts.append(ask(periods[-1:], _constant(_EMPTY)).where(sa.false()))
    else:
        parts += [ask([period], _constant(index)) for index, period in enumerate(periods)]
    parts += [ask([one], _constant(COMPARED - index)) for index, one in enumerate(compared)]
    rows = session.execute(sa.union_all(*parts) if len(parts) > 1 else parts[0])
    return {row[2]: (row[0], row[1]) for row in rows}


def measured(kpi: Kpi, rows: Rows, index: int) -> Value | None:
    """The value of one period among the ``rows`` of :func:`measure`."""
    return number(kpi.unit, row_of(rows, index)[0])


def row_of(rows: Rows, index: int) -> tuple[Any, int]:
    """One period among the ``rows`` of :func:`measure`."""
    return rows.get(index) or rows.get(_EMPTY) or (None, 0)


def measure_parts(
    session: Session,
    edition: Edition,
    actor: Actor,
    kpi: Kpi,
    periods: Sequence[Period],
    today: date,
    split: Split,
) -> dict[Any, tuple[str, dict[int, Any]]]:
    """Title and raw values by index of period, for each key of a breakdown; the largest first."""
    if _splits_by_time(kpi, periods):
        statement = select(kpi, KpiQuery(edition, actor, periods, today))
        parts = [grouped(statement, split, edition, actor, _bucket(edition, kpi, periods))]
    else:
        asked = (
            (index, select(kpi, KpiQuery(edition, actor, [one], today))) for index, one in enumerate(periods)
        )
        parts = [grouped(statement, split, edition, actor, _constant(index)) for index, statement in asked]
    found: dict[Any, tuple[str, dict[int, Any]]] = {}
    for part in parts:
        for key, raw, name, index in session.execute(part):
            if index >= 0:
                found.setdefault(key, (split.title(key, name), {}))[1][index] = raw
    return found


def _splits_by_time(kpi: Kpi, periods: Sequence[Period]) -> bool:
    return kpi.entity is not None and kpi.date is not None and len(periods) > _FEW


def _bucket(edition: Edition, kpi: Kpi, periods: Sequence[Period]) -> sa.ColumnElement[int]:
    zone = ZoneInfo(edition.settings.timezone)
    return bucket(kpi.date, [period.bounds(kpi.date, zone) for period in periods])


def _constant(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(number), sa.Integer)
