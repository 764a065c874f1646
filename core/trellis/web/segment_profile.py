"""The profile of a segment as its page shows it: figures beside those of all customers, and the values that differ."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import g

from trellis.crm.analytics.profile import Figures, Profile, Row
from trellis.crm.analytics.spread import spread_fields
from trellis.i18n import Text, format_money, format_number, format_percent, translator
from trellis.web.figures import signed
from trellis.web.segments import list_url
from trellis.web.sheets import Sheet

_ = translator("trellis")


def figure_sheet(found: Profile) -> Sheet | None:
    """What the segment brings, beside all customers."""
    if found.figures is None:
        return None
    money = g.edition.settings.currency

    def amount(value: Decimal | None) -> str:
        return "–" if value is None else format_money(value, money)

    lines: list[tuple[Text, list[str], list[Any]]] = []

    def line(title: Text, read: Any, say: Any) -> None:
        values = [read(one) for one in found.figures or ()]
        plain = [str(value) if isinstance(value, Decimal) else value for value in values]
        lines.append((title, [say(value) for value in values], plain))

    line(_("Customers"), lambda one: one.customers, format_number)
    line(_("Bought in 12 months"), lambda one: one.buying, lambda share: format_percent(share, 1) or "–")
    line(_("Revenue of 12 months"), lambda one: round(one.revenue, 2), amount)
    line(_("Revenue a customer"), lambda one: one.average(one.revenue, one.customers), amount)
    if found.cost_known:
        line(_("Margin of 12 months"), lambda one: round(one.margin, 2), amount)
    line(_("Average purchase day"), lambda one: one.average(one.revenue, one.days), amount)
    line(_("Retention"), _retention, lambda share: format_percent(share, 1) or "–")
    return Sheet(
        name="figures",
        title=_("What it brings"),
        heads=(_("Figure"), _("Segment"), _("All customers")),
        texts=[[str(title), *texts] for title, texts, _values in lines],
        rows=[[str(title), *values] for title, _texts, values in lines],
    )


def _retention(one: Figures) -> float | None:
    return one.retention


def profile_sheet(found: Profile, title: Text) -> Sheet:
    """The values of the profile as a file holds them."""
    return Sheet(
        name="profile",
        title=title,
        heads=(
            _("Field"),
            _("Value of the field"),
            _("Customers"),
            _("Share"),
            _("Share of all"),
            _("Difference"),
            _("Index"),
        ),
        texts=[],
        rows=[
            [row.label, row.title, row.count, row.share, row.share_of_all, _difference(row), row.index]
            for row in found.rows
        ],
    )


def profile_rows(found: Profile, base: str) -> list[dict[str, Any]]:
    """The values of the profile as the page shows them."""
    return [
        {
            "label": row.label,
            "title": row.title,
            "url": list_url(base, "customer", row.rule) if row.rule and row.count else "",
            "count": format_number(row.count),
            "share": row.share or 0.0,
            "share_text": format_percent(row.share, 1) or "–",
            "of_all": row.share_of_all or 0.0,
            "of_all_text": format_percent(row.share_of_all, 1) or "–",
            "index": "–" if row.index is None else format_number(row.index),
            "tone": ""
            if row.index is None
            else "good"
            if row.index > 100
            else "warn"
            if row.index < 100
            else "",
            "difference": _points(row),
        }
        for row in found.rows
    ]


def _difference(row: Row) -> float:
    return round((row.share or 0.0) - (row.share_of_all or 0.0), 6)


def _points(row: Row) -> str:
    difference = _difference(row) * 100
    number = signed(format_number(round(difference, 1), 1), difference)
    return str(_("%(number)s pp", number=number))


def profile_fields(current: str) -> list[dict[str, Any]]:
    """The fields whose whole distribution can be looked at."""
    fields = spread_fields(g.edition.entity("customer").fields.values())
    known: list[tuple[str, str]] = [
        ("", str(_("What differs most"))),
        *((one.name, str(one.label)) for one in fields),
    ]
    return [{"value": value, "title": title, "selected": value == current} for value, title in known]
