"""Beside a customer: significance and classes, and why they are what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.crm.analytics.significance import terms_of
from trellis.crm.customers.entities import SIGNIFICANCE
from trellis.errors import PermissionRefused
from trellis.i18n import Text, format_number, format_percent, translator
from trellis.records.door import Records

_ = translator("trellis")

SHOWN = (
    "significance",
    "significance_class",
    "significance_terms",
    "abc",
    "abc_before",
    "xyz",
    "xyz_variation",
)


def reasons(records: Records, customer: int) -> Mapping[str, Any]:
    """The terms of the score by weight, and what decided the classes. Raises PermissionRefused for hidden fields."""
    seen = records.actor.sees(records.edition)
    values = records.get("customer", customer).values
    if any(name not in values for name in SHOWN):
        raise PermissionRefused()
    terms = terms_of(seen, values["significance_terms"])
    score = values["significance"]
    titles = {option.value: option.label for option in SIGNIFICANCE}
    return {
        "score": None if score is None else format_number(score, 1),
        "score_class": str(titles.get(values["significance_class"], "")),
        "terms": [
            {
                "title": one.title,
                "weight": format_number(one.weight),
                "share": None if one.norm is None else one.norm / 100,
                "text": "–" if one.norm is None else format_number(round(one.norm)),
            }
            for one in terms
        ]
        if score is not None
        else [],
        "missing": ", ".join(one.title for one in terms if one.norm is None) if score is not None else "",
        "classes": [str(one) for one in _classes(values)],
    }


def _classes(values: Mapping[str, Any]) -> list[Text]:
    found = []
    if values["abc"]:
        share = format_percent(values["abc_before"])
        found.append(
            _("%(letter)s: customers above bring %(share)s of the total", letter=values["abc"], share=share)
        )
    if values["xyz"]:
        share = format_percent(values["xyz_variation"])
        text = _(
            "%(letter)s: income varies by %(share)s from month to month", letter=values["xyz"], share=share
        )
        found.append(text if share else _("Z: there is no positive income to vary"))
    elif values["abc"]:
        found.append(_("No XYZ class: a customer for less than a year"))
    return found


PANELS = [
    Panel(
        name="significance",
        title=_("Significance"),
        cell=Cell(Direction.CUSTOMERS, Level.TACTICS, "CU4"),
        entity="customer",
        load=reasons,
        template="analytics/reasons.html",
    ),
]
