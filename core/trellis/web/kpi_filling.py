"""Filling in the grid of targets as if it were typed: from other periods, over the year, and down to the parts of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from babel import numbers
from flask import g

from trellis.i18n import current_formats, translator
from trellis.kpi import engine, planning
from trellis.kpi.periods import Period
from trellis.kpi.splits import PERSON, UNIT, split_names
from trellis.kpi.sums import is_sum
from trellis.kpi.words import typed_figure
from trellis.records.numbers import NumberUnclear, read_number
from trellis.security.roles import units_below
from trellis.web.kpi_targets import Row, Sheet, Typed, sum_of, value_in
from trellis.web.widgets import today

_ = translator("trellis")

COPY, GO_ON, EVEN, PATTERN = "copy", "go_on", "even", "pattern"
FILLS = {
    COPY: _("Copy from the year before"),
    GO_ON: _("Go on from the period before"),
    EVEN: _("Spread the year evenly"),
    PATTERN: _("Spread the year as last year came"),
}
EQUALLY, AS_LAST_YEAR, AS_NOW, ADD_UP = "equally", "as_last_year", "as_now", "add_up"
HANDED = {
    EQUALLY: _("Hand down equally"),
    AS_LAST_YEAR: _("Hand down as last year came"),
    AS_NOW: _("Hand down in the shares that stand below"),
    ADD_UP: _("Add up from below"),
}
"""Ways to fill the grid of a plan that is handed down; the first row is the plan above."""


def filled(sheet: Sheet, typed: Typed, act: str, percent: Decimal, only: str) -> int:
    """Fills rows in by one of ``FILLS`` or ``HANDED``, as if it were typed; ``only`` is the first key of one row.

    Returns how many cells that were.
    """
    if act in HANDED:
        proposed = _handed(sheet, typed, act, percent)
    else:
        proposed = [(row, _proposed(sheet, typed, row, act, percent)) for row in sheet.rows]
    number = 0
    for row, values in proposed:
        keys = [row.planned(period).key for period in sheet.columns]
        if only and only != keys[0] and act not in HANDED:
            continue
        for key, value in zip(keys, values, strict=True):
            text = typed_figure(row.kpi, value)
            if value is not None and text != typed.texts.get(key):
                typed.texts[key] = text
                number += 1
    return number


def _handed(
    sheet: Sheet, typed: Typed, act: str, percent: Decimal
) -> list[tuple[Row, Sequence[Decimal | None]]]:
    """What the parts are filled with from the plan above, ``percent`` higher, or that plan from the parts."""
    above, *parts = sheet.rows
    unit = above.kpi.unit
    now = [[value_in(row, typed, period) for period in sheet.columns] for row in sheet.rows]
    if not parts:
        return []
    if act == ADD_UP:
        sums = [sum_of(column[1:]) for column in zip(*now, strict=True)]
        return [(above, [planning.raised(unit, value, percent) for value in sums])]
    weights = [[Decimal(1)] * len(parts) for _column in sheet.columns]
    if act == AS_NOW:
        weights = [[value or Decimal(0) for value in column[1:]] for column in zip(*now, strict=True)]
    elif act == AS_LAST_YEAR:
        weights = _weights_before(sheet, parts)
    totals = [planning.raised(unit, value, percent) for value in now[0]]
    return list(zip(parts, planning.handed_down(unit, totals, weights), strict=True))


def _weights_before(sheet: Sheet, parts: Sequence[Row]) -> list[list[Decimal]]:
    """What each part came to in each period of the year before, and in that year."""
    none: Sequence[Any] = [None] * (len(sheet.columns) - 1)
    rows = [sheet.before.get(row.whose.get(sheet.by), none) for row in parts]
    months = [[Decimal(str(value or 0)) for value in column] for column in zip(*rows, strict=True)]
    return [*months, [sum(column, Decimal(0)) for column in zip(*months, strict=True)]]


def _proposed(sheet: Sheet, typed: Typed, row: Row, act: str, percent: Decimal) -> Sequence[Decimal | None]:
    """What a row is filled with; None where a cell stays as it is."""
    unit = row.kpi.unit
    if act == COPY:
        before = [sheet.known.values.get(row.planned(period.year_before)) for period in sheet.columns]
        return [planning.raised(unit, value, percent) for value in before]
    now = [value_in(row, typed, period) for period in sheet.columns]
    if act == GO_ON:
        return [*planning.going_on(unit, now[:-1], percent), now[-1]]
    total = now[-1]
    if total is None:
        return [None] * len(now)
    before = _before(sheet, row) if act == PATTERN else [None] * len(now)
    if not is_sum(g.edition, row.kpi):
        return [*planning.as_before(unit, total, before[:-1], before[-1]), total]
    weights = [one or Decimal(0) for one in before[:-1]]
    return [*planning.spread(unit, total, weights), total]


def _before(sheet: Sheet, row: Row) -> list[Decimal | None]:
    """What the periods of the year before came to, and that year, for whom the row is."""
    whole = sheet.whole.year_before
    whole = whole if whole.end <= today() else whole.year_before
    order = sorted(sheet.came, key=lambda period: period.first)
    values = [_came(row, order), _came(row, [whole])]
    return [values[0][order.index(period)] for period in sheet.came] + values[1]


def _came(row: Row, periods: Sequence[Period]) -> list[Decimal | None]:
    """What some periods came to, for whom the row is."""
    unit, person = row.whose.get(UNIT), row.whose.get(PERSON)
    actor = replace(g.actor, within=units_below(g.session, unit)) if unit else g.actor
    if person is None:
        points = engine.series(g.session, g.edition, actor, row.kpi.name, periods, today())
    elif PERSON not in split_names(g.edition, row.kpi):
        return [None] * len(periods)
    else:
        parts = engine.parts(g.session, g.edition, actor, row.kpi.name, periods, PERSON, today())
        points = next((list(part.points) for part in parts if part.key == person), [])
    values = [None if one.value is None else Decimal(str(one.value)) for one in points]
    return values or [None] * len(periods)


def percent_of(text: str) -> Decimal | None:
    """The percentage of a form; 0 when it is empty, None when it is no number that makes sense."""
    try:
        value = (
            read_number(text, numbers.get_decimal_symbol(current_formats())) if text.strip() else Decimal(0)
        )
    except (NumberUnclear, InvalidOperation):
        return None
    return value if -100 <= value <= 1000 else None
