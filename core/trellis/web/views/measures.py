"""Segments, and the frame of the analytics of customer value with RFM."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, g
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Direction, Segment
from trellis.crm.analytics.refreshing import refresh
from trellis.crm.analytics.rfm import rfm
from trellis.crm.analytics.rfm_areas import AREAS, by_area
from trellis.crm.analytics.window import Window
from trellis.crm.project.rows import DIRECTIONS
from trellis.i18n import Text, format_number, format_percent, format_short_money, translator
from trellis.records.query import ListQuery
from trellis.records.rules import describe
from trellis.records.rules import parse as parse_rule
from trellis.segments.engine import members, sizes
from trellis.segments.history import movements
from trellis.web.display import currency_of, origin, title_of
from trellis.web.figures import signed
from trellis.web.rfm_map import area_cells
from trellis.web.shell import page, toast
from trellis.web.views.home import counted_at
from trellis.web.views.lists import base, go
from trellis.web.widgets import today

_ = translator("trellis")

blueprint = Blueprint("measures", __name__)

CUSTOMERS = {"direction": Direction.CUSTOMERS.value, "level": "strategy"}


# --- Segments ---


@blueprint.get("/<workspace>/segments")
def segments(workspace: str) -> str:
    g.actor.require("customer", "read")
    week = movements(g.session, g.edition, g.actor, datetime.now(UTC) - timedelta(days=7))
    groups: dict[str, list[dict[str, Any]]] = {}
    found = sizes(g.session, g.edition, g.actor)
    for one in found:
        entered, left = week.get(one.segment.name, (0, 0))
        change = {
            "text": signed(format_number(entered - left), entered - left),
            "tone": "good" if entered >= left else "warn",
        }
        groups.setdefault(one.segment.owner, []).append(
            {
                "title": str(one.segment.title),
                "description": str(one.segment.description or ""),
                "url": f"{base()}/segments/{one.segment.name}",
                "tone": one.segment.tone,
                "members": format_number(one.members),
                "share": one.share or 0.0,
                "share_text": format_percent(one.share, 0) if one.share is not None else "",
                "change": change if entered != left else None,
                "origin": origin(g.edition, one.segment.owner),
                "rule_text": _rule_text(one.segment),
            }
        )
    context = {
        "total": format_number(len(found)),
        "counted_at": counted_at(),
        "refresh_url": f"{base()}/segments/refresh" if g.actor.administrator else "",
        "new_url": "",
        "groups": [
            {"title": _owner_title(owner), "origin": origin(g.edition, owner), "rows": rows}
            for owner, rows in groups.items()
        ],
    }
    crumbs = [(DIRECTIONS[Direction.CUSTOMERS], "model")]
    return page("segments.html", title=_("Segments"), crumbs=crumbs, **CUSTOMERS, segments=context)


@blueprint.post("/<workspace>/segments/refresh")
def refresh_segments(workspace: str) -> BaseResponse:
    g.actor.require_administrator()
    done = refresh(g.session, g.edition)
    g.records.faults.extend(done.faults)
    toast(_("Counted again"))
    return go(f"{base()}/segments")


@blueprint.get("/<workspace>/segments/<name>")
def segment(workspace: str, name: str) -> str:
    """The members of a segment."""
    found = g.edition.all(Segment).get(name)
    if found is None or not g.actor.may(found.entity, "read"):
        abort(404)
    view = g.edition.entity(found.entity)
    ids = list(g.session.scalars(members(g.edition, g.actor, name).limit(200)))
    records = ListQuery(view, g.edition, g.actor, ids=ids, limit=200).page(g.session).items if ids else []
    size = sizes(g.session, g.edition, g.actor, [name])[0]
    rows = [
        {
            "title": title_of(view, record),
            "url": f"{base()}/{view.name}/{record.id}",
            "sub": str(record.values.get(view.info.subtitle_field or "") or ""),
            "figure": _amount(view, record),
        }
        for record in records
    ]
    list_url = ""
    if found.rule is not None:
        list_url = f"{base()}/{view.name}?{urlencode({'filter': json.dumps(found.rule, ensure_ascii=False)})}"
    context = {
        "title": str(found.title),
        "text": str(found.description or "") or _rule_text(found),
        "members": format_number(size.members),
        "share": size.share or 0.0,
        "share_text": format_percent(size.share, 1) if size.share is not None else "",
        "tone": found.tone,
        "origin": origin(g.edition, found.owner),
        "rows": rows,
        "list_url": list_url,
        "plural": str(view.info.plural),
        "counted_at": counted_at(),
    }
    crumbs = [(DIRECTIONS[Direction.CUSTOMERS], "model"), (_("Segments"), "segments")]
    return page("segment.html", title=found.title, crumbs=crumbs, **CUSTOMERS, segment=context)


def _amount(view: Any, record: Any) -> str:
    amount = view.fields.get(view.info.amount_field or "")
    if amount is None or record.values.get(amount.name) is None:
        return ""
    return format_short_money(record.values[amount.name], currency_of(g.edition, amount, record.values))


def _rule_text(segment: Segment) -> str:
    if segment.rule is None:
        return ""
    view = g.edition.entity(segment.entity)
    return describe(parse_rule(segment.rule, view, g.edition))


def _owner_title(owner: str) -> str:
    mark = origin(g.edition, owner)
    return mark["title"] if mark else str(_("Core"))


# --- Customer value ---

_TABS: tuple[tuple[str, Text], ...] = (
    ("pyramid", _("Pyramid")),
    ("rfm", _("RFM")),
    ("abc", _("ABC and XYZ")),
    ("significance", _("Significance")),
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
