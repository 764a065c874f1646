"""Segments, the KPI board, and the analytics of customer value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Direction, Kpi, Scope, Segment, Unit
from trellis.crm.analytics.refreshing import refresh
from trellis.crm.analytics.rfm import rfm
from trellis.crm.analytics.rfm_areas import AREAS, by_area
from trellis.crm.analytics.window import Window
from trellis.crm.project.rows import DIRECTIONS
from trellis.i18n import Text, currency_symbol, format_number, format_percent, format_short_money, translator
from trellis.kpi import engine
from trellis.kpi.periods import Grain, Period, containing, parse
from trellis.kpi.results import KpiResult, Point
from trellis.kpi.splits import split_names
from trellis.records.query import ListQuery
from trellis.records.rules import describe
from trellis.records.rules import parse as parse_rule
from trellis.segments.engine import members, movements, sizes
from trellis.web.display import currency_of, origin, title_of
from trellis.web.figures import delta, figure_text, finding, signed, trend, unit_word
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


# --- KPI board ---

SPLITS = {
    "unit": _("By unit"),
    "channel": _("By channel"),
    "segment": _("By segment"),
    "person": _("By person"),
}
_GRAINS = {"week": Grain.WEEK, "month": Grain.MONTH, "quarter": Grain.QUARTER}
_COLUMNS = 6


@blueprint.get("/<workspace>/kpis")
def kpis(workspace: str) -> str:
    """The KPI board: the last periods of each KPI against plan, or the period before where there is no plan."""
    grain = request.args.get("grain", "month")
    periods = containing(today(), _GRAINS.get(grain, Grain.MONTH)).until(12)
    results = engine.strip(
        g.session, g.edition, g.actor, list(g.edition.all(Kpi)), periods[-1], points=12, today=today()
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in results:
        direction = one.kpi.cell.direction if one.kpi.cell else Direction.MANAGEMENT
        groups.setdefault(direction, []).append(_kpi_row(one, grain))
    on_plan = sum(one.is_good is True for one in results)
    planned = sum(one.target is not None for one in results)
    summary = _(
        "%(good)s of %(all)s on or above plan", good=format_number(on_plan), all=format_number(planned)
    )
    board = {
        "title": str(_("Plan and fact")),
        "periods": [
            {"title": str(title), "url": f"{base()}/kpis?grain={key}", "current": key == grain}
            for key, title in (("week", _("Week")), ("month", _("Month")), ("quarter", _("Quarter")))
        ],
        "units": None,
        "legend_title": str(_("Deviation from plan, or from the period before")),
        "legend": [
            ("worse-2", str(_("over 3 % worse"))),
            ("worse", str(_("worse"))),
            ("on", str(_("on plan"))),
            ("better", str(_("better"))),
            ("better-2", str(_("over 3 % better"))),
        ],
        "summary": str(summary) if planned else "",
        "export_url": "",
        "trend_title": str(_("12 periods")),
        "columns": [{"title": period.short_label} for period in periods[-_COLUMNS:]],
        "groups": [
            {"title": str(DIRECTIONS[direction]), "rows": groups[direction]}
            for direction in Direction
            if direction in groups
        ],
    }
    crumbs = [(DIRECTIONS[Direction.MANAGEMENT], "model")]
    return page(
        "kpi.html",
        title=_("KPI board"),
        crumbs=crumbs,
        direction=Direction.MANAGEMENT.value,
        level="tactics",
        board=board,
        panel=_panel(request.args.get("kpi", ""), request.args.get("period", ""), grain),
    )


def _kpi_row(one: KpiResult, grain: str) -> dict[str, Any]:
    points = list(one.points)
    return {
        "name": one.kpi.name,
        "title": str(one.kpi.title),
        "unit": unit_word(one.kpi, currency_symbol(one.currency or g.edition.settings.currency)),
        "origin": origin(g.edition, one.kpi.owner),
        "values": trend(points),
        "ahead": None,
        "finding": f"{one.kpi.title}: {finding(one)}",
        "url": f"{base()}/kpis?{urlencode({'kpi': one.kpi.name, 'period': one.period.code, 'grain': grain})}",
        "open": False,
        "parts_url": "",
        "cells": [
            _kpi_cell(one, points, index, grain) for index in range(len(points) - _COLUMNS, len(points))
        ],
        "parts": [],
    }


def _kpi_cell(one: KpiResult, points: Sequence[Point], index: int, grain: str) -> dict[str, Any] | None:
    point, before = points[index], points[index - 1] if index else None
    if point.value is None:
        return None
    basis = point.target if point.target is not None else before.value if before else None
    url = f"{base()}/kpis?{urlencode({'kpi': one.kpi.name, 'period': point.period.code, 'grain': grain})}"
    text, state = "", ""
    running = point.period.is_partial(today()) and point.target is None
    if basis and not running:
        gap = float(point.value) - float(basis)
        part = gap / abs(float(basis))
        percent = one.kpi.unit is Unit.PERCENT
        shown = format_number(gap * 100, 1) if percent else format_percent(part)
        text = signed(shown, gap)
        worth = part if one.kpi.higher_is_better else -part
        state = (
            "on"
            if abs(part) < 0.0005
            else ("better" if worth > 0 else "worse") + ("-2" if abs(part) > 0.03 else "")
        )
    current = request.args.get("kpi") == one.kpi.name and request.args.get("period") == point.period.code
    value = figure_text(one.kpi, point.value, one.currency, short=True)
    return {"text": value, "delta": text, "state": state, "url": url, "current": current}


def _panel(name: str, code: str, grain: str) -> dict[str, Any] | None:
    kpi = g.edition.all(Kpi).get(name)
    if kpi is None:
        return None
    period: Period = parse(code) if code else containing(today(), Grain.MONTH)
    known = split_names(g.edition, kpi)
    by = next((one for one in SPLITS if one in known), None)
    one = engine.value(g.session, g.edition, g.actor, name, period, by=by, today=today())
    columns, high = _by_parts(kpi, one, period)
    change = delta(one)
    list_url = ""
    if one.entity and one.rule:
        list_url = f"{base()}/{one.entity}?{urlencode({'filter': json.dumps(one.rule)})}"
    currency = one.currency or g.edition.settings.currency
    return {
        "sub": f"{kpi.title} · {period.label}",
        "title": str(kpi.title),
        "close_url": f"{base()}/kpis?grain={grain}",
        "value": figure_text(kpi, one.value, currency) or str(_("not enough data")),
        "gap": {"text": change["text"], "tone": change["tone"]} if change else None,
        "gap_rest": str(_("against plan") if one.target is not None else finding(one)) if change else "",
        "columns_title": str(_("Over time")),
        "columns": columns,
        "ticks": [
            {"value": high * part, "text": figure_text(kpi, high * part, currency, short=True)}
            for part in (0, 1)
        ],
        "high": high * 1.05,
        "label": str(kpi.title),
        "causes_title": str(SPLITS[by]) if by else "",
        "causes": _causes(kpi, one, currency),
        "records": {"total": "", "url": list_url, "rows": []} if list_url else None,
        "formula": str(kpi.formula or ""),
    }


def _by_parts(kpi: Kpi, one: KpiResult, period: Period) -> tuple[list[dict[str, Any]], float]:
    """The figure over the last periods of the same length."""
    points = engine.series(g.session, g.edition, g.actor, kpi.name, period.until(6), today())
    currency = one.currency or g.edition.settings.currency
    columns: list[dict[str, Any]] = [
        {
            "label": point.period.short_label,
            "value": float(point.value or 0),
            "text": figure_text(kpi, point.value, currency, short=True),
            "plan": float(point.target) if point.target is not None else None,
            "tone": "",
            "ahead": False,
        }
        for point in points
    ]
    return columns, max((column["value"] for column in columns), default=0) or 1.0


def _causes(kpi: Kpi, one: KpiResult, currency: str) -> list[dict[str, Any]]:
    rows = [row for row in one.breakdown if row.value is not None][:8]
    top = max((abs(float(row.value or 0)) for row in rows), default=0) or 1
    return [
        {
            "title": row.title,
            "text": figure_text(kpi, row.value, currency, short=True),
            "share": float(row.value or 0) / top,
        }
        for row in rows
    ]


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
    sees_all = g.actor.scope("customer", "read") is Scope.ALL
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
