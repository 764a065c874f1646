"""What the KPI board shows: KPI by period against plan, the period before or the year before, with the forecast."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from flask import g
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from trellis.contributions import Direction, Kpi, Unit
from trellis.crm.project.rows import DIRECTIONS
from trellis.i18n import (
    Text,
    currency_symbol,
    format_date,
    format_day_range,
    format_number,
    format_percent,
    translator,
)
from trellis.kpi import engine
from trellis.kpi.periods import Grain, Period, PeriodInvalid, containing, parse, window
from trellis.kpi.reported import Recounted
from trellis.kpi.results import KpiResult, Part, Point, Value
from trellis.kpi.splits import split_names
from trellis.security.actor import Actor
from trellis.security.roles import units_below
from trellis.web.display import origin
from trellis.web.figures import bare_figure, figure_text, finding, signed, trend, unit_word
from trellis.web.widgets import today

_ = translator("trellis")

GRAINS = {
    "week": (_("Week"), Grain.WEEK),
    "month": (_("Month"), Grain.MONTH),
    "quarter": (_("Quarter"), Grain.QUARTER),
    "year": (_("Year"), Grain.YEAR),
}
ROLLING = {
    "last-7-days": _("Last 7 days"),
    "last-30-days": _("Last 30 days"),
    "last-90-days": _("Last 90 days"),
    "last-365-days": _("Last 365 days"),
    "last-12-months": _("Last 12 months"),
}
PLAN, BEFORE, YEAR = "plan", "before", "year"
AGAINST = {
    PLAN: _("Against plan"),
    BEFORE: _("Against the period before"),
    YEAR: _("Against the year before"),
}
LEGEND = {
    "worse-2": _("over 3 % worse"),
    "worse": _("worse"),
    "on": _("the same"),
    "better": _("better"),
    "better-2": _("over 3 % better"),
}
COLUMNS = 6
PERIODS = 12
_CLOSE, _EQUAL = 0.03, 0.0005
AGAINST_PLAN, AGAINST_BEFORE = _("against plan"), _("against the period before")
AGAINST_DAYS, AGAINST_YEAR = _("against as many days before"), _("against the year before")


def row_id(kpi: str) -> str:
    """What the row of a KPI is called in the page."""
    return f"kpi-{kpi.replace('.', '-')}"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the address of the board asks for: ``open`` is the KPI whose rows by ``by`` are shown; the rest opens the panel.

    ``grain`` is one of ``GRAINS``, a rolling window, or a range of days.
    """

    grain: str = "month"
    against: str = PLAN
    unit: str = ""
    open: str = ""
    by: str = ""
    kpi: str = ""
    period: str = ""
    key: str = ""

    @classmethod
    def of(cls, arguments: MultiDict[str, str]) -> Asked:
        """Reads an address; what it does not know is as usual."""
        given = {one.name: arguments[one.name] for one in fields(cls) if one.name in arguments}
        asked = cls(**given)
        if "from" in arguments:
            asked = replace(asked, grain=f"{arguments['from']}..{arguments.get('to', '')}")
        known = asked.grain in GRAINS or asked.grain in ROLLING or _free_range(asked.grain) is not None
        grain = asked.grain if known else "month"
        against = asked.against if asked.against in AGAINST else PLAN
        return replace(asked, grain=grain, against=against)

    def url(self, path: str, **changes: str) -> str:
        """The address with some parts changed; what is as usual is not written down."""
        state = vars(replace(self, **changes))
        usual = vars(Asked())
        return path + "?" + urlencode({name: value for name, value in state.items() if value != usual[name]})

    def url_at(self, path: str, row: str, **changes: str) -> str:
        """The address with some parts changed, at the row of the KPI ``row``: the board stays where it was."""
        return f"{self.url(path, **changes)}#{row_id(row)}"

    @property
    def periods(self) -> list[Period]:
        """The last periods up to the running one, or up to the window or range asked for."""
        if self.grain not in GRAINS:
            chosen = _free_range(self.grain) or window(self.grain, today())
            return replace(chosen, fiscal_month=g.edition.settings.fiscal_month).until(COLUMNS)
        return containing(today(), GRAINS[self.grain][1], g.edition.settings.fiscal_month).until(PERIODS)

    @cached_property
    def actor(self) -> Actor:
        """The reader, limited to the unit asked for and those below it."""
        reader: Actor = g.actor
        if not self.unit.isdecimal() or len(self.unit) > 18:
            return reader
        return replace(reader, within=units_below(g.session, int(self.unit)))


def _free_range(text: str) -> Period | None:
    """A range of days; None for what is none."""
    with suppress(PeriodInvalid):
        return parse(text) if ".." in text else None
    return None


def units() -> list[tuple[str, str]]:
    """Id and name of the units that the reader may see."""
    if not g.actor.may("unit", "read"):
        return []
    unit = g.edition.entity("unit").entity
    query = select(unit.id, unit.name).where(unit.deleted_at.is_(None), g.actor.visible(unit))
    return [(str(row[0]), row[1]) for row in g.session.execute(query.order_by(unit.name))]


def results(asked: Asked) -> list[KpiResult]:
    """All KPIs of the edition in the running period, each with its last periods and its forecast."""
    names = list(g.edition.all(Kpi))
    periods = asked.periods
    return engine.strip(
        g.session,
        g.edition,
        asked.actor,
        names,
        periods[-1],
        points=len(periods),
        today=today(),
        ahead=True,
        reported=True,
    )


def year_before(asked: Asked, name: str) -> list[Value | None]:
    """The values of the year before for the periods of the board, as they were reported."""
    if asked.against != YEAR:
        return []
    periods = [period.year_before for period in asked.periods]
    points = engine.series(g.session, g.edition, asked.actor, name, periods, today(), reported=True)
    return [point.value for point in points]


def columns(asked: Asked) -> list[dict[str, Any]]:
    """The heads of the columns; the running one says which days it holds."""
    found = []
    for period in asked.periods[-COLUMNS:]:
        gone = period.elapsed(today())
        partial = period.is_partial(today()) and period.grain is not Grain.WEEK
        days = partial or period.grain is Grain.RANGE
        found.append({"title": format_day_range(gone.first, gone.last) if days else period.short_label})
    return [*found, {"title": str(_("Forecast"))}]


def groups(asked: Asked, found: Sequence[KpiResult], path: str) -> list[dict[str, Any]]:
    """The rows of the board under the directions of the model."""
    by_direction: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        direction = one.kpi.cell.direction if one.kpi.cell else Direction.MANAGEMENT
        by_direction.setdefault(direction, []).append(_row(asked, one, path))
    return [
        {"title": str(DIRECTIONS[direction]), "rows": by_direction[direction]}
        for direction in Direction
        if direction in by_direction
    ]


def basis(
    asked: Asked, points: Sequence[Point], index: int, last_year: Sequence[Value | None]
) -> Value | None:
    """What the point ``index`` of a series is held against; the plan, or the period before where there is none."""
    before = points[index - 1].value if index else None
    if asked.against == YEAR:
        return last_year[index - len(points)] if last_year else None
    if asked.against == PLAN and points[index].target is not None:
        return points[index].target
    return before


def _row(asked: Asked, one: KpiResult, path: str) -> dict[str, Any]:
    name, points = one.kpi.name, list(one.points)
    last_year = year_before(asked, name)
    by = breakdown(asked, one.kpi)
    is_open = asked.open == name and bool(by)
    cells = [
        _cell(asked, one, points, index, last_year, path)
        for index in range(len(points) - COLUMNS, len(points))
    ]
    return {
        "id": row_id(name),
        "title": str(one.kpi.title),
        "unit": unit_word(one.kpi, currency_symbol(one.currency or g.edition.settings.currency)),
        "origin": origin(g.edition, one.kpi.owner),
        "values": trend(points),
        "ahead": float(one.forecast.value) if one.forecast else None,
        "finding": f"{one.kpi.title}: {finding(one)}",
        "url": asked.url_at(path, name, kpi=name, period=one.period.code, key=""),
        "open": is_open,
        "parts_url": asked.url_at(path, name, open="" if is_open else name) if by else "",
        "cells": [*cells, _forecast_cell(one)],
        "parts": _parts(asked, one, by, path) if is_open else [],
    }


def breakdown(asked: Asked, kpi: Kpi) -> str:
    """By what the rows of a KPI open: as asked for, or the first that it knows."""
    known = split_names(g.edition, kpi)
    return asked.by if asked.by in known else next(iter(known), "")


def parts(asked: Asked, kpi: Kpi, by: str) -> list[tuple[Part, Sequence[Value | None]]]:
    """The rows of a breakdown, each with its values of the year before where the board is held against these."""
    known = g.session, g.edition, asked.actor, kpi.name
    last_year = {}
    if asked.against == YEAR:
        before = [period.year_before for period in asked.periods]
        last_year = {
            part.key: [point.value for point in part.points]
            for part in engine.parts(*known, before, by, today(), reported=True)
        }
    found = engine.parts(*known, asked.periods, by, today(), reported=True)
    return [(part, last_year.get(part.key, ())) for part in found]


def _parts(asked: Asked, one: KpiResult, by: str, path: str) -> list[dict[str, Any]]:
    return [
        {
            "title": part.title,
            "values": trend(part.points),
            "cells": [*_part_cells(asked, one, part, last_year, path), None],
        }
        for part, last_year in parts(asked, one.kpi, by)
    ]


def _part_cells(
    asked: Asked, one: KpiResult, part: Part, last_year: Sequence[Value | None], path: str
) -> list[dict[str, Any] | None]:
    points = list(part.points)
    return [
        _cell(asked, one, points, index, last_year, path, key=_key(part.key))
        for index in range(len(points) - COLUMNS, len(points))
    ]


def _key(key: Any) -> str:
    """A key of a breakdown in an address; what has none is a dash."""
    return "-" if key is None else str(key)


def _cell(
    asked: Asked,
    one: KpiResult,
    points: Sequence[Point],
    index: int,
    last_year: Sequence[Value | None],
    path: str,
    key: str = "",
) -> dict[str, Any] | None:
    point = points[index]
    if point.value is None:
        return None
    value, against, _words = compared(asked, one, points, index, last_year, part=bool(key))
    text, state = deviation(one.kpi, value, against)
    code = point.period.code
    return {
        "text": bare_figure(one.kpi, point.value),
        "delta": text,
        "state": state,
        "url": asked.url_at(path, one.kpi.name, kpi=one.kpi.name, period=code, key=key),
        "current": (asked.kpi, asked.period, asked.key) == (one.kpi.name, code, key),
        "recounted": recounted_text(one.kpi, point.recounted, one.currency) if point.recounted else "",
    }


def compared(
    asked: Asked,
    one: KpiResult,
    points: Sequence[Point],
    index: int,
    last_year: Sequence[Value | None],
    *,
    part: bool = False,
) -> tuple[Value | None, Value | None, Text]:
    """Fact, what it is held against, and the words for that. A running period: its forecast against the plan, its days
    against as many; that of a part of the KPI against nothing."""
    point = points[index]
    if not point.period.is_partial(today()):
        against = basis(asked, points, index, last_year)
        if asked.against == YEAR:
            return point.value, against, AGAINST_YEAR
        planned = asked.against == PLAN and point.target is not None
        return point.value, against, AGAINST_PLAN if planned else AGAINST_BEFORE
    if part:
        return None, None, AGAINST_BEFORE
    if asked.against == PLAN and one.target is not None:
        known = (one.forecast.value, one.target) if one.forecast else (None, None)
        return *known, _("forecast against plan")
    if asked.against == YEAR:
        return one.value, one.year_before, _("against as many days a year before")
    return one.value, one.previous, AGAINST_DAYS


def deviation(kpi: Kpi, value: Value | None, against: Value | None) -> tuple[str, str]:
    """The deviation in words and its step on the scale of five; nothing where one of both is not known."""
    if value is None or not against:
        return "", ""
    gap = float(value) - float(against)
    part = gap / abs(float(against))
    shown = format_number(gap * 100, 1) if kpi.unit is Unit.PERCENT else format_percent(part)
    worth = part if kpi.higher_is_better else -part
    if abs(part) < _EQUAL:
        return signed(shown, gap), "on"
    return signed(shown, gap), ("better" if worth > 0 else "worse") + ("-2" if abs(part) > _CLOSE else "")


def recounted_text(kpi: Kpi, told: Recounted, currency: str) -> str:
    """What was reported of a closed period, what it counts now, and since when."""
    reported, value = (
        figure_text(kpi, one, currency) or str(_("not enough data")) for one in (told.reported, told.value)
    )
    words = {"reported": reported, "value": value, "since": format_date(told.at)}
    if told.version is not None:
        return str(_("reported %(reported)s; by the new definition %(value)s, since %(since)s", **words))
    return str(_("reported %(reported)s, recounted %(value)s, since %(since)s", **words))


def _forecast_cell(one: KpiResult) -> dict[str, Any] | None:
    if one.forecast is None:
        return None
    text, _state = deviation(one.kpi, one.forecast.value, one.target)
    value = bare_figure(one.kpi, one.forecast.value)
    return {"text": value, "delta": text, "state": "", "url": "", "current": False}
