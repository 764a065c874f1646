"""The RFM matrix as a map of named areas (``charts.html``, rfm)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from flask import g

from trellis.crm.analytics.rfm import Rfm, rfm
from trellis.crm.analytics.rfm_areas import AREAS, by_area
from trellis.crm.analytics.window import Window
from trellis.i18n import format_number


def rfm_cells(window: Window, base: str) -> tuple[list[dict[str, Any]], int]:
    """The areas with their customers, and how many buyers there are in all."""
    found = rfm(g.session, g.edition, g.actor, window)
    return area_cells(found, base), found.customers


def area_cells(found: Rfm, base: str) -> list[dict[str, Any]]:
    """The areas, each with a way to its customers."""
    cells = []
    for key, (customers, codes) in by_area(found.cells).items():
        rule = json.dumps({"field": "rfm_code", "op": "in", "value": sorted(codes)})
        url = f"{base}/customer?{urlencode({'filter': rule})}" if codes else f"{base}/analytics/rfm"
        cells.append(
            {"key": key, "title": str(AREAS[key]), "customers": format_number(customers), "url": url}
        )
    return cells
