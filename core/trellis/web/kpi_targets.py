"""What the grid of targets shows and reads: KPI by period, for the whole, a unit or a person, or handed down to parts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import orjson
from babel import numbers
from flask import g
from werkzeug.datastructures import MultiDict

from trellis.contributions import Direction, Kpi, Unit
from trellis.crm.project.rows import DIRECTIONS
from trellis.i18n import currency_symbol, current_formats, translator
from trellis.kpi.below import Below, Whom, people, ways
from trellis.kpi.periods import Grain, Period, PeriodInvalid, containing, parse
from trellis.kpi.splits import PERSON, UNIT
from trellis.kpi.targets import TARGET, Planned, Targets, targets
from trellis.kpi.words import typed_figure
from trellis.records.numbers import NumberUnclear, read_number
from trellis.web.figures import unit_word
from trellis.web.kpi_board import units
from trellis.web.widgets import today

_ = translator("trellis")

GRAINS = {"month": (_("Months"), Grain.MONTH), "quarter": (_("Quarters"), Grain.QUARTER)}
MOST_PEOPLE = 100
"""People on one page of the grid of a KPI."""
MOST_PARTS = 300
"""People that one plan is handed down to. The parts of a plan stand on one page, or they would not add up."""
MOST_PRODUCTS = 50
"""Products that were sold the year before and stand in the grid of a plan by product, the largest ones."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the grid: a KPI, for whom."""

    kpi: Kpi
    title: str
    whose: Mapping[str, int | None] = field(default_factory=dict)
    """For whom or which goods, by dimension."""

    def planned(self, period: Period) -> Planned:
        """What a cell plans."""
        return Planned(kpi=self.kpi.name, period=period.code, **self.whose)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What the address of the grid asks for: the rows of one KPI, or all KPIs for ``whom`` (``unit-3``, ``person-5``).

    With ``by`` too, the plan of one KPI for ``whom`` and its parts. ``part`` is the page of a KPI that more people can be
    planned for than stand on one.
    """

    year: str = ""
    grain: str = "month"
    whom: str = ""
    kpi: str = ""
    by: str = ""
    part: str = ""

    @classmethod
    def of(cls, arguments: MultiDict[str, str]) -> Sheet:
        """Reads an address; what it does not know is as usual."""
        asked = cls(**{one.name: arguments[one.name] for one in fields(cls) if one.name in arguments})
        asked = replace(
            asked,
            grain=asked.grain if asked.grain in GRAINS else "month",
            kpi=asked.kpi if asked.kpi in g.edition.all(Kpi) else "",
        )
        return replace(asked, by=asked.by if asked.by in asked.ways else "")

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
    def head(self) -> Whom:
        """For whom the plan is; the whole organisation for an address that names nobody."""
        with suppress(ValueError):
            return Whom.read(self.whom)
        return Whom()

    @cached_property
    def ways(self) -> list[str]:
        """By what the plan of the KPI can be handed down."""
        return ways(g.edition, g.edition.all(Kpi)[self.kpi], self.head) if self.kpi else []

    @cached_property
    def below(self) -> Below | None:
        """The parts of the plan, where it is handed down."""
        if not self.by:
            return None
        kpi = g.edition.all(Kpi)[self.kpi]
        return Below(session=g.session, edition=g.edition, actor=g.actor, kpi=kpi, whom=self.head, by=self.by)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows that the reader may see."""
        kpis = g.edition.all(Kpi)
        if self.below is not None:
            return self._handed_rows(self.below)
        if self.kpi:
            kpi = kpis[self.kpi]
            known = [] if self.place else [Row(kpi=kpi, title=str(_("The whole organisation")))]
            if not self.place:
                known += [Row(kpi=kpi, title=title, whose={UNIT: int(key)}) for key, title in units()]
            shown = list(self.everybody.items())[self.place : self.place + MOST_PEOPLE]
            return known + [Row(kpi=kpi, title=title, whose={PERSON: key}) for key, title in shown]
        whose = {UNIT: self.head.unit, PERSON: self.head.person}
        found = [Row(kpi=kpi, title=str(kpi.title), whose=whose) for kpi in kpis.values()]
        return sorted(found, key=lambda row: list(Direction).index(_direction(row.kpi)))

    @cached_property
    def everybody(self) -> Mapping[int, str]:
        """Whom one KPI can be planned for, and who has a plan without being here any more."""
        planned = {one.person for one in self._planned if one.person is not None}
        return people(g.session, g.actor, also=planned)

    @cached_property
    def place(self) -> int:
        """How many people stand on the pages before this one."""
        if not self.part.isdecimal() or len(self.part) > 9:
            return 0
        last = max(len(self.everybody) - 1, 0) // MOST_PEOPLE
        return min(max(int(self.part) - 1, 0), last) * MOST_PEOPLE

    @cached_property
    def too_many(self) -> int:
        """How many people the plan would be handed down to, where these are too many for one page; 0 otherwise."""
        if self.below is None or self.by != PERSON:
            return 0
        parts = len({*self.below.titles, *self.below.planned_in(self._planned)})
        return parts if parts > MOST_PARTS else 0

    def _handed_rows(self, below: Below) -> list[Row]:
        """The plan above, and a row for each part: with goods, those that are planned or were sold."""
        whose = {UNIT: self.head.unit, PERSON: self.head.person}
        titles = dict(options())
        above = Row(kpi=below.kpi, title=titles.get(self.head.text, titles[""]), whose=whose)
        if self.too_many:
            return [above]
        sold = [key for key in self.before if key is not None] if self.by == "product" else []
        keys = dict.fromkeys([*below.titles, *sorted(below.planned_in(self._planned)), *sold[:MOST_PRODUCTS]])
        named = below.named(list(keys))
        return [above, *(Row(kpi=below.kpi, title=named[key], whose=below.whose(key)) for key in keys)]

    @cached_property
    def before(self) -> Mapping[int | None, Sequence[Any]]:
        """What the parts came to in the periods of the year before."""
        if self.below is None:
            return {}
        order = sorted(self.came, key=lambda period: period.first)
        facts = self.below.facts(order, today())
        places = [order.index(period) for period in self.came]
        return {key: [values[place] for place in places] for key, values in facts.items()}

    @property
    def came(self) -> list[Period]:
        """The periods of the year before, by which a year is spread; for one that is not over yet, that of a year earlier."""
        before = [period.year_before for period in self.columns[:-1]]
        return [one if one.end <= today() else one.year_before for one in before]

    @property
    def _planned(self) -> list[Planned]:
        """What has a target in the year."""
        codes = {period.code for period in self.columns}
        return [one for one in self.known.values if one.period in codes]

    @cached_property
    def known(self) -> Targets:
        """What is planned now, with the year before."""
        kpis = g.edition.all(Kpi)
        before = [period.year_before for period in self.columns]
        wanted = [kpis[self.kpi]] if self.kpi else list(kpis.values())
        return targets(g.session, g.edition, wanted, [*self.columns, *before], g.actor)


@dataclass
class Typed:
    """What was typed into the cells, by key; what the cells showed before; and what is wrong."""

    texts: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)


def options() -> list[tuple[str, str]]:
    """For whom can be planned, as addresses say it, with titles."""
    found = [("", str(_("The whole organisation")))]
    found += [(f"{UNIT}-{key}", title) for key, title in units()]
    return found + [(f"{PERSON}-{key}", title) for key, title in people(g.session, g.actor).items()]


def may_plan() -> bool:
    """Whether the reader may write targets at all."""
    return bool(g.actor.may(TARGET, "create") and g.actor.may(TARGET, "update"))


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
            now = typed_figure(row.kpi, sheet.known.values.get(planned))
            try:
                value = value_of(row.kpi, given)
            except NumberUnclear as error:
                typed.errors[planned.key] = [str(error.message)]
                continue
            if now not in (typed.shown[planned.key], typed_figure(row.kpi, value)):
                text = _("Somebody has changed this since; it is %(value)s now", value=now or "–")
                typed.errors[planned.key] = [str(text)]
                continue
            found[planned] = value
    return found


def value_in(row: Row, typed: Typed, period: Period) -> Decimal | None:
    """What stands in a cell, as far as it can be read."""
    with suppress(NumberUnclear):
        return value_of(row.kpi, typed.texts.get(row.planned(period).key, ""))
    return None


def sum_of(values: Sequence[Decimal | None]) -> Decimal | None:
    """The values that there are together; None where there are none."""
    given = [value for value in values if value is not None]
    return sum(given, Decimal(0)) if given else None


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
        "sums": _sums(sheet, typed),
        "shown": json.dumps({key: text for key, text in shown.items() if text}, ensure_ascii=False),
    }


def _row(sheet: Sheet, typed: Typed, row: Row) -> dict[str, Any]:
    cells = []
    for period in sheet.columns:
        planned = row.planned(period)
        now = typed_figure(row.kpi, sheet.known.values.get(planned))
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


def _sums(sheet: Sheet, typed: Typed) -> list[dict[str, Any]]:
    """What the parts of a plan come to, and what of it is not handed down."""
    if sheet.below is None:
        return []
    kpi = sheet.below.kpi
    together, left = [], []
    for period in sheet.columns:
        above, *parts = (_shown(sheet, typed, row, period) for row in sheet.rows)
        total = sum_of(parts)
        rest = None if above is None or total is None else above - total
        together.append({"text": typed_figure(kpi, total), "tone": ""})
        left.append(
            {"text": typed_figure(kpi, rest), "tone": "" if not rest else "warn" if rest > 0 else "danger"}
        )
    titles = (_("Together below"), _("Above, not below"))
    return [
        {"title": str(title), "cells": cells} for title, cells in zip(titles, (together, left), strict=True)
    ]


def _shown(sheet: Sheet, typed: Typed, row: Row, period: Period) -> Decimal | None:
    """The value of a cell as it is shown: typed, or planned."""
    planned = row.planned(period)
    return value_in(row, typed, period) if planned.key in typed.texts else sheet.known.values.get(planned)


def _direction(kpi: Kpi) -> Direction:
    return kpi.cell.direction if kpi.cell else Direction.MANAGEMENT
