"""What the grid of targets shows and reads: KPI by period, for the whole, a unit or a person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import orjson
from babel import numbers
from flask import g
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from trellis.contributions import Direction, Kpi, Unit
from trellis.crm.project.rows import DIRECTIONS
from trellis.i18n import currency_symbol, current_formats, format_number, translator
from trellis.kpi import engine, planning
from trellis.kpi.periods import Grain, Period, PeriodInvalid, containing, parse
from trellis.kpi.splits import PERSON, UNIT, split_names
from trellis.kpi.targets import TARGET, Planned, Targets, targets
from trellis.records.numbers import NumberUnclear, read_number
from trellis.security.people import User
from trellis.security.roles import units_below
from trellis.web.figures import unit_word
from trellis.web.kpi_board import units
from trellis.web.widgets import today

_ = translator("trellis")

GRAINS = {"month": (_("Months"), Grain.MONTH), "quarter": (_("Quarters"), Grain.QUARTER)}
COPY, GO_ON, EVEN, PATTERN = "copy", "go_on", "even", "pattern"
FILLS = {
    COPY: _("Copy from the year before"),
    GO_ON: _("Go on from the period before"),
    EVEN: _("Spread the year evenly"),
    PATTERN: _("Spread the year as last year came"),
}
MOST_PEOPLE = 100


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the grid: a KPI, for whom."""

    kpi: Kpi
    title: str
    unit: int | None = None
    person: int | None = None

    def planned(self, period: Period) -> Planned:
        """What a cell plans."""
        return Planned(kpi=self.kpi.name, period=period.code, unit=self.unit, person=self.person)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What the address of the grid asks for: the rows of one KPI, or all KPIs for ``whom`` (``unit-3``, ``person-5``)."""

    year: str = ""
    grain: str = "month"
    whom: str = ""
    kpi: str = ""

    @classmethod
    def of(cls, arguments: MultiDict[str, str]) -> Sheet:
        """Reads an address; what it does not know is as usual."""
        asked = cls(**{one.name: arguments[one.name] for one in fields(cls) if one.name in arguments})
        return replace(
            asked,
            grain=asked.grain if asked.grain in GRAINS else "month",
            kpi=asked.kpi if asked.kpi in g.edition.all(Kpi) else "",
        )

    def url(self, path: str, **changes: str) -> str:
        """The address with some parts changed."""
        state = {name: value for name, value in vars(replace(self, **changes)).items() if value}
        return f"{path}?{urlencode({key: state[key] for key in sorted(state)})}"

    @cached_property
    def whole(self) -> Period:
        """The fiscal year that is planned."""
        month = g.edition.settings.fiscal_month
        with suppress(PeriodInvalid):
            return containing(parse(self.year, month).first, Grain.YEAR, month)
        return containing(today(), Grain.YEAR, month)

    @cached_property
    def columns(self) -> list[Period]:
        """The periods of the year, and the year."""
        return [*self.whole.split(GRAINS[self.grain][1]), self.whole]

    @cached_property
    def rows(self) -> list[Row]:
        """The rows that the reader may see."""
        kpis = g.edition.all(Kpi)
        if self.kpi:
            kpi = kpis[self.kpi]
            known = [Row(kpi=kpi, title=str(_("The whole organisation")))]
            known += [Row(kpi=kpi, title=title, unit=int(key)) for key, title in units()]
            return known + [Row(kpi=kpi, title=title, person=key) for key, title in people()]
        unit, person = _whom(self.whom)
        found = [Row(kpi=kpi, title=str(kpi.title), unit=unit, person=person) for kpi in kpis.values()]
        return sorted(found, key=lambda row: list(Direction).index(_direction(row.kpi)))

    @cached_property
    def known(self) -> Targets:
        """What is planned now, with the year before."""
        kpis = list({row.kpi.name: row.kpi for row in self.rows}.values())
        before = [period.year_before for period in self.columns]
        return targets(g.session, kpis, [*self.columns, *before], g.actor)


@dataclass
class Typed:
    """What was typed into the cells, by key; what the cells showed before; and what is wrong."""

    texts: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)


def people() -> list[tuple[int, str]]:
    """Id and name of the people who may sign in, as far as the reader may see them."""
    if not g.actor.may("user", "read"):
        return []
    query = select(User.id, User.name).where(User.deleted_at.is_(None), User.active, g.actor.visible(User))
    return [(row.id, row.name) for row in g.session.execute(query.order_by(User.name).limit(MOST_PEOPLE))]


def may_plan() -> bool:
    """Whether the reader may write targets at all."""
    return bool(g.actor.may(TARGET, "create") and g.actor.may(TARGET, "update"))


def text_of(kpi: Kpi, value: Decimal | None) -> str:
    """A target as a cell shows it: percent as percent, all digits that it has."""
    if value is None:
        return ""
    shown = value * 100 if kpi.unit is Unit.PERCENT else value
    digits = -int(shown.normalize().as_tuple().exponent)
    return format_number(shown, max(digits, 0))


def value_of(kpi: Kpi, text: str) -> Decimal | None:
    """What a cell means. Raises NumberUnclear."""
    text = text.strip().rstrip("%").strip()
    if not text:
        return None
    mark = numbers.get_decimal_symbol(current_formats())
    value = read_number(text, mark, by_program=False)
    return value / 100 if kpi.unit is Unit.PERCENT else value


def typed_in(sheet: Sheet, form: MultiDict[str, str]) -> Typed:
    """Reads the form of the grid."""
    keys = [row.planned(period).key for row in sheet.rows for period in sheet.columns]
    shown: Any = {}
    with suppress(orjson.JSONDecodeError):
        shown = orjson.loads(form.get("shown", "{}"))
    shown = shown if isinstance(shown, dict) else {}
    return Typed(
        texts={key: form[key] for key in keys if key in form},
        shown={key: str(shown.get(key, "")) for key in keys},
    )


def wanted(sheet: Sheet, typed: Typed) -> dict[Planned, Decimal | None]:
    """The targets that were changed. What cannot be read, or was changed by somebody else, is noted in ``typed``."""
    found: dict[Planned, Decimal | None] = {}
    for row in sheet.rows:
        for period in sheet.columns:
            planned = row.planned(period)
            given = typed.texts.get(planned.key)
            if given is None or given.strip() == typed.shown[planned.key]:
                continue
            now = text_of(row.kpi, sheet.known.values.get(planned))
            try:
                value = value_of(row.kpi, given)
            except NumberUnclear as error:
                typed.errors[planned.key] = [str(error.message)]
                continue
            if now not in (typed.shown[planned.key], text_of(row.kpi, value)):
                text = _("Somebody has changed this since; it is %(value)s now", value=now or "–")
                typed.errors[planned.key] = [str(text)]
                continue
            found[planned] = value
    return found


def filled(sheet: Sheet, typed: Typed, act: str, percent: Decimal, only: str) -> int:
    """Fills rows in by one of ``FILLS``, as if it were typed; ``only`` is the first key of one row. How many cells."""
    number = 0
    for row in sheet.rows:
        keys = [row.planned(period).key for period in sheet.columns]
        if only and only != keys[0]:
            continue
        for key, value in zip(keys, _proposed(sheet, typed, row, act, percent), strict=True):
            text = text_of(row.kpi, value)
            if value is not None and text != typed.texts.get(key):
                typed.texts[key] = text
                number += 1
    return number


def _proposed(sheet: Sheet, typed: Typed, row: Row, act: str, percent: Decimal) -> Sequence[Decimal | None]:
    """What a row is filled with; None where a cell stays as it is."""
    unit = row.kpi.unit
    if act == COPY:
        before = [sheet.known.values.get(row.planned(period.year_before)) for period in sheet.columns]
        return [planning.raised(unit, value, percent) for value in before]
    now = [_now(row, typed, period) for period in sheet.columns]
    if act == GO_ON:
        return [*planning.going_on(unit, now[:-1], percent), now[-1]]
    total = now[-1]
    if total is None:
        return [None] * len(now)
    parts = len(now) - 1
    weights = _pattern(sheet, row) if act == PATTERN else [Decimal(1)] * parts
    return [*planning.spread(unit, total, weights), total]


def _now(row: Row, typed: Typed, period: Period) -> Decimal | None:
    """What stands in a cell, as far as it can be read."""
    with suppress(NumberUnclear):
        return value_of(row.kpi, typed.texts.get(row.planned(period).key, ""))
    return None


def _pattern(sheet: Sheet, row: Row) -> list[Decimal]:
    """What the periods of the year before came to, for whom the row is."""
    before = [period.year_before for period in sheet.columns[:-1]]
    actor = replace(g.actor, within=units_below(g.session, row.unit)) if row.unit else g.actor
    if row.person is None:
        points = engine.series(g.session, g.edition, actor, row.kpi.name, before, today())
    elif PERSON not in split_names(g.edition, row.kpi):
        points = []
    else:
        parts = engine.parts(g.session, g.edition, actor, row.kpi.name, before, PERSON, today())
        points = next((list(part.points) for part in parts if part.key == row.person), [])
    values = [Decimal(str(point.value or 0)) for point in points]
    return values or [Decimal(1)] * len(before)


def percent_of(text: str) -> Decimal | None:
    """The percentage of a form; 0 when it is empty, None when it is no number that makes sense."""
    try:
        value = (
            read_number(text, numbers.get_decimal_symbol(current_formats())) if text.strip() else Decimal(0)
        )
    except (NumberUnclear, InvalidOperation):
        return None
    return value if -100 <= value <= 1000 else None


def grid(sheet: Sheet, typed: Typed) -> dict[str, Any]:
    """The grid as the template shows it."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in sheet.rows:
        head = "" if sheet.kpi else str(DIRECTIONS[_direction(row.kpi)])
        groups.setdefault(head, []).append(_row(sheet, typed, row))
    shown = {cell["key"]: cell["shown"] for rows in groups.values() for row in rows for cell in row["cells"]}
    heads = [period.short_label for period in sheet.columns[:-1]]
    return {
        "columns": [*heads, str(_("Year %(year)s", year=sheet.whole.label))],
        "groups": [{"title": title, "rows": rows} for title, rows in groups.items()],
        "shown": json.dumps({key: text for key, text in shown.items() if text}, ensure_ascii=False),
    }


def _row(sheet: Sheet, typed: Typed, row: Row) -> dict[str, Any]:
    cells = []
    for period in sheet.columns:
        planned = row.planned(period)
        now = text_of(row.kpi, sheet.known.values.get(planned))
        text = typed.texts.get(planned.key, now)
        shown = typed.shown.get(planned.key, now)
        cells.append(
            {
                "key": planned.key,
                "id": planned.key.replace("/", "-").replace(".", "-"),
                "label": f"{row.title}, {period.label}",
                "text": text,
                "shown": shown,
                "changed": text.strip() != shown,
                "errors": typed.errors.get(planned.key, []),
            }
        )
    return {
        "title": row.title,
        "unit": unit_word(row.kpi, currency_symbol(g.edition.settings.currency)),
        "kpi": row.kpi,
        "key": cells[0]["key"],
        "cells": cells,
    }


def _direction(kpi: Kpi) -> Direction:
    return kpi.cell.direction if kpi.cell else Direction.MANAGEMENT


def _whom(text: str) -> tuple[int | None, int | None]:
    """(unit, person) of ``unit-3``, ``person-5``; neither for all else."""
    kind, _dash, number = text.partition("-")
    if not number.isdecimal() or len(number) > 18:
        return None, None
    return (int(number), None) if kind == UNIT else (None, int(number)) if kind == PERSON else (None, None)
