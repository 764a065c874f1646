"""The frame of the analytics of customer value, with RFM."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.analytics.rfm import rfm
from trellis.crm.analytics.rfm_areas import AREAS, by_area
from trellis.crm.analytics.window import Window
from trellis.i18n import Text, format_number, format_percent, translator
from trellis.web.rfm_map import area_cells
from trellis.web.shell import page
from trellis.web.views.home import counted_at
from trellis.web.views.lists import base, go
from trellis.web.widgets import today, way_to_begin

_ = translator("trellis")

blueprint = Blueprint("measures", __name__)


_TABS: tuple[tuple[str, Text], ...] = (
    ("pyramid", _("Pyramid")),
    ("rfm", _("RFM")),
    ("abc", _("ABC and XYZ")),
    ("significance", _("Significance")),
    ("lifecycle", _("Lifecycle")),
    ("loyalty", _("Loyalty")),
    ("clv", _("Lifetime value")),
    ("satisfaction", _("Satisfaction")),
    ("programme", _("Loyalty programme")),
)


@blueprint.get("/<workspace>/analytics")
def analytics(workspace: str) -> BaseResponse:
    return go(f"{base()}/analytics/pyramid")


@blueprint.get("/<workspace>/analytics/rfm")
def show_rfm(workspace: str) -> str:
    found = rfm(g.session, g.edition, g.actor, Window.until(today()))
    formula = _(
        "Each buyer of 12 months gets a score 1 to 5 for recency, frequency (purchase days) and value: "
        "five groups of equal size, 5 the best; ties go by the customer's number."
    )
    rows = []
    for key, (customers, codes) in by_area(found.cells).items():
        share = customers / found.customers if found.customers else None
        rows.append(
            [
                str(AREAS[key]),
                format_number(customers),
                format_percent(share, 1),
                ", ".join(sorted(codes)[:6]),
            ]
        )
    table = {
        "columns": [str(one) for one in (_("Area"), _("Customers"), _("Share"), _("Codes"))],
        "rows": rows,
    }
    cells = area_cells(found, base()) if found.customers else []
    return analysis_page("rfm", formula, cells=cells, table=table, scores=None)


def analysis_page(name: str, formula: Text, *, export_url: str = "", **context: Any) -> str:
    """A page of the analytics of customer value, under the tabs of all of them."""
    title = dict(_TABS)[name]
    sees_all = g.actor.sees_all("customer")
    frame = {
        "title": str(_("Customer value")),
        "sub": counted_at(),
        "tabs": [
            {"title": str(one), "url": f"{base()}/analytics/{key}", "current": key == name}
            for key, one in _TABS
        ],
        "periods": [],
        "formula": str(formula),
        "export_url": export_url,
        "start": way_to_begin(base()),
        "scope": "" if sees_all else str(_("Only customers that you may see are counted")),
    }
    return page(
        f"analytics/{name}.html",
        title=title,
        crumbs=[(_("Customer value"), "analytics")],
        icon="chart-line",
        analytics=frame,
        **context,
    )
