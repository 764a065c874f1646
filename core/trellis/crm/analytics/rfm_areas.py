"""Names for the areas of the RFM matrix, as marketing people use them.

An area is a field of recency (1 to 5) by the mean of frequency and monetary score, rounded half up.
"""

from __future__ import annotations

from collections.abc import Mapping

from trellis.i18n import Text, translator

_ = translator("trellis")

AREAS: Mapping[str, Text] = {
    "cannot_lose": _("Cannot lose"),
    "at_risk": _("At risk"),
    "hibernating": _("Hibernating"),
    "loyal": _("Loyal"),
    "need_attention": _("Need attention"),
    "about_to_sleep": _("About to sleep"),
    "champions": _("Champions"),
    "potential_loyalists": _("Potential loyalists"),
    "promising": _("Promising"),
    "new": _("New customers"),
}
"""Key and title of each area."""

_ROWS = {  # recency -> area for value 1, 2, 3, 4, 5
    1: ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    2: ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    3: ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    4: ("promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"),
    5: ("new", "potential_loyalists", "potential_loyalists", "champions", "champions"),
}


def area_of(code: str) -> str:
    """The area of an RFM code such as ``545``."""
    recency, frequency, monetary = map(int, code)
    return _ROWS[recency][(frequency + monetary + 1) // 2 - 1]


def by_area(cells: Mapping[str, int]) -> dict[str, tuple[int, list[str]]]:
    """Customers and codes of each area, from the customers of each code."""
    found: dict[str, tuple[int, list[str]]] = {key: (0, []) for key in AREAS}
    for code, customers in cells.items():
        known, codes = found[area_of(code)]
        found[area_of(code)] = (known + customers, [*codes, code])
    return found
