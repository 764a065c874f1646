"""Totals of a list as its page shows them: rows under the table, and the sum of the amounts in the foot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import g

from trellis.errors import SumTooLarge
from trellis.i18n import Text, currency_symbol, format_money, format_number, format_percent, translator
from trellis.records import types
from trellis.records.entity import Field
from trellis.records.query import ListQuery
from trellis.records.totals import Total, counted, totals

_ = translator("trellis")

MEASURES: Mapping[str, Text] = {
    "sum": _("Sum"),
    "mean": _("Average"),
    "least": _("Minimum"),
    "most": _("Maximum"),
}


def count_and_sums(query: ListQuery, limit: int) -> tuple[int, list[dict[str, str]]]:
    """How many records a list has, up to ``limit``, and the sum of their amounts for its foot."""
    name, usual = query.view.info.amount_field, g.edition.settings.currency
    try:
        number, found = counted(g.session, query, limit, name, usual)
    except SumTooLarge as error:  # the list opens all the same, so that the amount can be found
        number, found = counted(g.session, query, limit, None, usual)
        return number, [{"label": "", "value": str(error.title)}]
    label = str(query.view.fields[name].label).lower() if name and found else ""
    return number, [{"label": label, "value": format_money(one.sum, one.currency)} for one in found]


def total_rows(query: ListQuery, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows under the table: what is counted, and a text for each column that has numbers."""
    usual = g.edition.settings.currency
    try:
        found = totals(g.session, query, names, usual)
    except SumTooLarge as error:
        return [{"label": str(error.title), "cells": ["" for _name in names]}]
    currencies = sorted({one.currency for one in found if one.currency}, key=lambda one: (one != usual, one))
    rows = []
    for currency in currencies or [usual]:
        here = {one.field: one for one in found if one.currency == currency}
        if currency == (currencies or [usual])[0]:
            here |= {one.field: one for one in found if not one.currency}
        for measure, title in MEASURES.items():
            label = str(title) if len(currencies) < 2 else f"{title}, {currency_symbol(currency)}"
            cells = [_total_text(query.view.fields[name], here.get(name), measure) for name in names]
            rows.append({"label": label, "cells": cells})
    return rows


def _total_text(field: Field, total: Total | None, measure: str) -> str:
    if total is None or (measure == "sum" and not field.type.adds_up):
        return ""
    value = getattr(total, measure)
    if isinstance(field.type, types.Percent):
        return format_percent(value, 1)
    if not isinstance(field.type, types.Money):
        return format_number(round(value, 2))
    bare = total.currency == g.edition.settings.currency
    return format_number(value, 2) if bare else format_money(value, total.currency)
