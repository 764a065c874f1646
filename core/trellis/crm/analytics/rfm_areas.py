"""Names for the areas of the RFM matrix, as marketing people use them.

An area is a field of recency (1 to 5) by the mean of frequency and monetary score, rounded half up.
"""

from __future__ import annotations

from collections.abc import Mapping

from trellis.i18n import Text, translator

_ = translator("trellis")

AREAS: Mapping[str, Text] = {
    "cannot": _("Cannot lose"),
    "at": _("At risk"),
    "hibernating": _("Hibernating"),
    "loyal": _("Loyal"),
    "need": _("Need attention"),
    "about": _("About to sleep"),
    "champions": _("Champions"),
    "potential": _("Potential loyalists"),
    "promising": _("Promising"),
    "new": _("New"),
}
"""Key and title of each area."""

_ROWS = {  # recency -> area for value 1, 2, 3, 4, 5
    1: ("hibernating", "hibernating", "at", "at", "cannot"),
    2: ("hibernating", "hibernating", "at", "at", "cannot"),
    3: ("about", "about", "need", "loyal", "loyal"),
    4: ("promising", "potential", "potential", "loyal", "loyal"),
    5: ("new", "potential", "potential", "champions", "champions"),
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
