"""The frame of the analytics of customers and products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.analytics.counted import Made, told
from trellis.i18n import Text, translator
from trellis.kpi.income import IncomeWithheld
from trellis.kpi.rates import RATE
from trellis.web.errors import Answer, known
from trellis.web.shell import page
from trellis.web.views.home import counted_at
from trellis.web.views.lists import base, go
from trellis.web.widgets import way_to_begin

_ = translator("trellis")

blueprint = Blueprint("measures", __name__)


@dataclass(frozen=True, kw_only=True)
class Family:
    """Pages of analytics that stand under the same tabs: the path of each, with its title.

    ``scope`` is what a reader is told, on the page of a name, who does not see all that is counted.
    """

    title: Text
    tabs: tuple[tuple[str, Text], ...]
    scope: Callable[[str], Text | None]

    def crumbs(self) -> list[tuple[Text, str]]:
        """The way to its first page."""
        return [(self.title, self.tabs[0][0])]

    def named(self, name: str) -> tuple[str, Text]:
        """The path and title of the page of that name."""
        return next(one for one in self.tabs if one[0].partition("?")[0].endswith(f"/{name}"))


def _scope_of_value(name: str) -> Text | None:
    made = {
        "lifecycle": Made.CUSTOMERS,
        "satisfaction": Made.CUSTOMERS,
        "significance": Made.SCORES,
    }
    return told(g.edition, g.actor, made.get(name, Made.SALES))


def _scope_of_portfolio(name: str) -> Text | None:
    if all(g.actor.sees_all(one) for one in ("product", "order", "order_line")):
        return None
    return _("Only what was sold in orders that you may see is counted")


CUSTOMER_VALUE = Family(
    title=_("Customer value"),
    scope=_scope_of_value,
    tabs=(
        ("analytics/pyramid", _("Pyramid")),
        ("analytics/rfm", _("RFM")),
        ("analytics/abc", _("ABC and XYZ")),
        ("analytics/significance", _("Significance")),
        ("analytics/lifecycle", _("Lifecycle")),
        ("analytics/loyalty", _("Loyalty")),
        ("analytics/clv", _("Lifetime value")),
        ("analytics/satisfaction", _("Satisfaction")),
        ("analytics/programme", _("Loyalty programme")),
    ),
)
PORTFOLIO = Family(
    title=_("Product portfolio"),
    scope=_scope_of_portfolio,
    tabs=(
        ("portfolio/bcg", _("BCG matrix")),
        ("analytics/abc?of=products", _("ABC and XYZ")),
        ("portfolio/cross_sell", _("Bought together")),
        ("portfolio/product_lifecycle", _("Lifecycle")),
    ),
)


@blueprint.get("/<workspace>/analytics")
def analytics(workspace: str) -> BaseResponse:
    return go(f"{base()}/analytics/pyramid")


@blueprint.app_errorhandler(IncomeWithheld)
def withheld(error: IncomeWithheld) -> Answer:
    """The page without its figures and with the reason, so that its reader goes on from there."""
    path = request.path.removeprefix(f"{base()}/")
    if path not in dict(CUSTOMER_VALUE.tabs):
        return known(error)
    name = path.rpartition("/")[2]
    return analysis_page(
        name, None, template="analytics/withheld.html", reason=str(error.detail)
    ), error.status


def analysis_page(
    name: str,
    formula: Text | None,
    *,
    export_url: str = "",
    family: Family = CUSTOMER_VALUE,
    template: str = "",
    left_out: Text | None = None,
    **context: Any,
) -> str:
    """A page of analytics, under the tabs of its family. ``left_out`` says what is in no figure for want of a rate."""
    here, title = family.named(name)
    frame = {
        "title": str(family.title),
        "sub": counted_at() if family is CUSTOMER_VALUE else "",
        "tabs": [
            {
                "title": str(one),
                "url": f"{base()}/{path}",
                "current": path == here,
            }
            for path, one in family.tabs
        ],
        "periods": [],
        "formula": str(formula or ""),
        "export_url": export_url,
        "start": way_to_begin(base()),
        "scope": "" if template else str(family.scope(name) or ""),
        "left_out": str(left_out or ""),
        "rates_url": f"{base()}/{RATE}" if g.actor.may(RATE, "read") else "",
    }
    return page(
        template or f"analytics/{name}.html",
        title=title,
        crumbs=family.crumbs(),
        icon="chart-line",
        analytics=frame,
        **context,
    )
