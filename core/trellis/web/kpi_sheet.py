"""The KPI board as a spreadsheet: a row for each figure, with what it is held against, as the page has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import g

from trellis.contributions import Kpi, Unit
from trellis.crm.sales.reports.figures import unit_of
from trellis.i18n import translator
from trellis.kpi.results import KpiResult, Part, Point, Value
from trellis.kpi.splits import split_names, split_of
from trellis.records.tables import Figure
from trellis.web.kpi_board import (
    LEGEND,
    Asked,
    breakdown,
    compared,
    deviation,
    parts,
    recounted_text,
    year_before,
)

_ = translator("trellis")

_PATTERNS = {Unit.MONEY: "#,##0.00", Unit.COUNT: "#,##0", Unit.PERCENT: "0.0%", Unit.RATIO: "#,##0.00"}
_OTHER = "#,##0.0"
_HEADS = (
    _("KPI"),
    _("Broken down by"),
    _("Row"),
    _("Unit of measure"),
    _("Period"),
    _("Fact"),
    _("Plan"),
    _("Held against"),
    _("What that is"),
    _("Deviation"),
    _("Deviation, %"),
    _("Status"),
    _("Forecast"),
    _("Forecast from"),
    _("Forecast to"),
    _("Note"),
)


def heads() -> list[str]:
    """The heads of the columns in the reader's language."""
    return [str(one) for one in _HEADS]


def rows(asked: Asked, found: Sequence[KpiResult]) -> Iterator[dict[str, Any]]:
    """The figures of each KPI, and of the rows it is broken down to: those asked for, or those that are open on the page."""
    names = heads()
    for one in found:
        for cells in _of_kpi(asked, one):
            yield dict(zip(names, cells, strict=True))


def _of_kpi(asked: Asked, one: KpiResult) -> Iterator[tuple[Any, ...]]:
    last_year = year_before(asked, one.kpi.name)
    for index in range(len(one.points)):
        yield _cells(asked, one, one.points, index, last_year)
    by = _rows_by(asked, one.kpi)
    if by:
        label = str(split_of(g.edition, one.kpi, by).label)
        for part, before in parts(asked, one.kpi, by):
            for index, point in enumerate(part.points):
                if (point.value, point.target) == (None, None):
                    continue
                yield _cells(asked, one, part.points, index, before, (label, part))


def _rows_by(asked: Asked, kpi: Kpi) -> str:
    if asked.by in split_names(g.edition, kpi):
        return asked.by
    return breakdown(asked, kpi) if asked.open == kpi.name else ""


def _cells(
    asked: Asked,
    one: KpiResult,
    points: Sequence[Point],
    index: int,
    last_year: Sequence[Value | None],
    row: tuple[str, Part] | None = None,
) -> tuple[Any, ...]:
    kpi, point = one.kpi, points[index]
    value, against, words = compared(asked, one, points, index, last_year, part=row is not None)
    known = value is not None and against is not None
    gap = value - against if value is not None and against is not None else None  # type: ignore[operator]
    share = float(gap) / abs(float(against)) if gap is not None and against else None
    ahead = one.forecast if row is None and point.period == one.period else None
    forecasts = (ahead.value, ahead.low, ahead.high) if ahead else (None, None, None)
    return (
        str(kpi.title),
        row[0] if row else "",
        row[1].title if row else "",
        unit_of(kpi, g.edition.settings.currency),
        point.period.code,
        _figure(kpi, point.value),
        _figure(kpi, point.target),
        _figure(kpi, against),
        str(words) if known else "",
        _figure(kpi, gap),
        None if share is None or kpi.unit is Unit.PERCENT else Figure(share, "0.0%"),
        str(LEGEND.get(deviation(kpi, value, against)[1], "")),
        *(_figure(kpi, number) for number in forecasts),
        recounted_text(kpi, point.recounted, one.currency) if point.recounted else "",
    )


def _figure(kpi: Kpi, value: Value | None) -> Figure | None:
    """A value as a number that the spreadsheet shows in the unit of its KPI."""
    return None if value is None else Figure(float(value), _PATTERNS.get(kpi.unit, _OTHER))
