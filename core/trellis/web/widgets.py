"""The cards of a dashboard: what ``templates/widgets/<kind>.html`` shows, from the engines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import g

from trellis.contributions import Dashboard, Kpi, Segment, Widget
from trellis.crm.analytics.loyalty import Loyalty, loyalty_of
from trellis.crm.analytics.pyramid import Pyramid, pyramid
from trellis.crm.analytics.window import Window
from trellis.crm.service.tasks import OPEN
from trellis.i18n import (
    Text,
    format_number,
    format_percent,
    format_short_money,
    translator,
)
from trellis.kpi import engine
from trellis.kpi.periods import Grain, Period, containing, today_in
from trellis.plugins import CORE, Fault
from trellis.process.tasks import Tasks
from trellis.records.board import board, board_rule
from trellis.records.query import ListQuery
from trellis.segments.engine import sizes
from trellis.segments.history import movements
from trellis.web.display import origin, shown, title_of
from trellis.web.figures import delta, figure_text, finding, round_top, trend
from trellis.web.process_tasks import step_rows, when
from trellis.web.rfm_map import rfm_cells

_ = translator("trellis")

TIERS: Mapping[str, Text] = {
    "top": _("Top"),
    "large": _("Large"),
    "medium": _("Medium"),
    "small": _("Small"),
}
_GRAINS = {"week": Grain.WEEK, "month": Grain.MONTH, "quarter": Grain.QUARTER, "year": Grain.YEAR}


def today() -> date:
    """Today in the workspace's time zone."""
    return today_in(ZoneInfo(g.edition.settings.timezone))


def period_of(name: str) -> Period:
    """The running week, month, quarter or year."""
    return containing(today(), _GRAINS.get(name, Grain.MONTH), g.edition.settings.fiscal_month)


def widget_context(
    dashboard: Dashboard, index: int, widget: Widget, period: Period, base: str
) -> dict[str, Any]:
    """One card. A card of a plugin that fails becomes a quiet note, and a fault of the plugin."""
    common = {
        "id": index,
        "kind": widget.kind,
        "width": widget.width,
        "title": str(widget.title or ""),
        "sub": "",
        "origin": origin(g.edition, dashboard.owner)
        if dashboard.owner != CORE and widget.kind == "rfm"
        else None,
        "open_url": "",
    }
    make = _MAKERS.get(widget.kind)
    try:
        if make is None:
            raise ValueError(f"there is no widget “{widget.kind}”")
        return {**common, **make(widget, period, base)}
    except Exception as error:  # what a card shows comes from contributions, which are code of plugins
        if g.edition.restricts is not None:  # it shows a field that is withheld from the reader
            text = str(_("It shows what your role does not open"))
        elif dashboard.owner == CORE:
            raise
        else:
            g.records.faults.append(Fault.of(dashboard.owner, "trellis_dashboards", error))
            text = str(_("The rest of the page works. The administrator can see why"))
        return {
            **common,
            "fault": {
                "title": str(_("“%(card)s” is not available", card=widget.title or widget.kind)),
                "text": text,
            },
        }


def way_to_begin(base: str) -> dict[str, str] | None:
    """What fills a card about purchases, for those who may do it."""
    if not g.actor.may("order", "create"):
        return None
    return {"title": str(_("Import orders")), "icon": "upload", "url": f"{base}/order/import"}


def _kpi_strip(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    names = [name for name in widget.options.get("kpis", ()) if name in g.edition.all(Kpi)]
    results = engine.strip(g.session, g.edition, g.actor, names, period, today=today())
    figures = []
    for one in results:
        values = trend(one.points)
        plan = [float(point.target) for point in one.points if point.target is not None]
        top = max(float(one.value or 0), float(one.target or 0), 1e-9)
        figures.append(
            {
                "name": one.kpi.name,
                "title": str(one.kpi.title),
                "url": f"{base}/kpis?{urlencode({'kpi': one.kpi.name, 'period': period.code})}",
                "value": figure_text(one.kpi, one.value, one.currency, short=True),
                "delta": delta(one),
                "values": values,
                "plan": plan if len(plan) == len(values) else [],
                "fact": float(one.value or 0) / top / 1.08 if one.target is not None else None,
                "target": float(one.target) / top / 1.08 if one.target is not None else None,
                "tone": ""
                if one.partial or one.on_plan in (None, True)
                else "warn"
                if abs((one.attainment or 0) - 1) <= 0.03
                else "danger",
                "left": finding(one),
                "right": str(
                    _("Plan %(value)s", value=figure_text(one.kpi, one.target, one.currency, short=True))
                )
                if one.target is not None
                else "",
                "finding": f"{one.kpi.title}: {figure_text(one.kpi, one.value, one.currency)}",
                "origin": origin(g.edition, one.kpi.owner),
            }
        )
    return {"figures": figures}


def _kpi_trend(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    name = next(iter(widget.options.get("kpis", ())), "")
    kpi = g.edition.all(Kpi)[name]
    points = engine.series(g.session, g.edition, g.actor, name, period.until(12), today())
    currency = g.edition.settings.currency
    known = [value for point in points for value in (point.value, point.target) if value is not None]
    high = round_top(max([float(value) for value in known], default=0))
    columns = [
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
    ticks = [
        {"value": high * part, "text": figure_text(kpi, high * part, currency, short=True)}
        for part in (0, 0.5, 1)
    ]
    return {
        "title": str(widget.title or kpi.title),
        "columns": columns if any(column["value"] for column in columns) else [],
        "ticks": ticks,
        "high": high * 1.05,
        "label": str(kpi.title),
        "has_plan": any(column["plan"] for column in columns),
        "plot_width": 420 if widget.width < 7 else 720,
        "open_url": f"{base}/kpis?{urlencode({'kpi': name, 'period': period.code})}",
        "table_url": f"{base}/kpis#kpi-{name.replace('.', '-')}",
        "start": way_to_begin(base),
    }


def pyramid_context(found: Pyramid, base: str) -> dict[str, Any]:
    """The picture and table of a pyramid (``charts.html``)."""
    revenue = sum((tier.revenue for tier in found.tiers), 0)
    margin = sum((tier.margin for tier in found.tiers), 0) if found.coverage.cost_known else 0
    tiers = []
    ends = [Decimal(0), *(share for _name, share in found.cuts)]
    for tier, (start, end) in zip(found.tiers, pairwise(ends), strict=True):
        part = float(tier.revenue / revenue) if revenue else 0.0
        profit = float(tier.margin / margin) if margin else None
        head = tier.revenue / tier.customers if tier.customers else None
        rule = f'{{"field":"tier","op":"eq","value":"{tier.tier}"}}'
        tiers.append(
            {
                "title": str(TIERS[tier.tier]),
                "share_text": f"{format_number((end - start) * 100)} %",
                "customers": format_number(tier.customers),
                "per_head": format_short_money(head, found.currency),
                "revenue_share": max(part, 0.0),
                "revenue_text": format_percent(part, 0),
                "profit_share": max(profit or 0.0, 0.0),
                "profit_text": format_percent(profit, 0) if profit is not None else "",
                "url": f"{base}/customer?{urlencode({'filter': rule})}",
            }
        )
    return {
        "tiers": tiers if found.customers else [],
        "prospects": format_number(found.prospects),
        "inactive": format_number(found.inactive),
    }


def _pyramid(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    found = pyramid(g.session, g.edition, g.actor, Window.until(today()))
    made = pyramid_context(found, base)
    return {
        "title": str(widget.title or _("Customer pyramid")),
        "sub": str(_("last 12 months")),
        "pyramid": made,
        "prospects": made["prospects"],
        "inactive": made["inactive"],
        "open_url": f"{base}/analytics/pyramid",
        "table_url": f"{base}/analytics/pyramid#table",
        "start": way_to_begin(base),
    }


def _rfm(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    cells, buyers = rfm_cells(Window.until(today()), base)
    return {
        "title": str(widget.title or _("RFM segments")),
        "sub": str(_("%(number)s buyers", number=format_number(buyers))) if buyers else "",
        "cells": cells if buyers else [],
        "open_url": f"{base}/analytics/rfm",
        "table_url": f"{base}/analytics/rfm#table",
        "start": way_to_begin(base),
    }


def cohorts_context(found: Loyalty, steps: int = 11) -> dict[str, Any] | None:
    """The retention table (``charts.html``): the share of each cohort that bought again, in percent."""
    rows = []
    for one in found.cohorts:
        if not one.size:
            continue
        shares = [active / one.size for active in one.active[1 : steps + 1]]
        rows.append(
            {
                "title": one.period.short_label,
                "size": format_number(one.size),
                "url": first_bought(one.period),
                "cells": [_heat(share) for share in shares] + [None] * (steps - len(shares)),
            }
        )
    if not rows:
        return None
    width = max(sum(cell is not None for cell in row["cells"]) for row in rows)
    for row in rows:
        row["cells"] = row["cells"][:width]
    return {"steps": [f"M{step}" for step in range(1, width + 1)], "rows": rows}


def first_bought(period: Period) -> str:
    """The list of the customers who bought first in a period; none for whom the first purchase may be another than they see."""
    if not g.actor.sees_income(g.edition):
        return ""
    rule = {
        "field": "first_order_at",
        "op": "between",
        "value": [period.first.isoformat(), period.last.isoformat()],
    }
    return f"/{g.workspace.name}/customer?{urlencode({'filter': json.dumps(rule)})}"


def _heat(share: float) -> dict[str, Any]:
    step = min(6, int(share * 14)) if share < 0.5 else 6
    return {"text": format_number(round(share * 100), 0), "step": step}


def _retention(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    months = containing(today(), Grain.MONTH).until(12)
    found = loyalty_of(g.session, g.edition, g.actor, months, today())
    return {
        "title": str(widget.title or _("Retention by first-purchase month")),
        "sub": str(_("share of the cohort that bought again, %")),
        "cohorts": cohorts_context(found),
        "open_url": f"{base}/analytics/loyalty",
        "start": way_to_begin(base),
    }


def _segments(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    names = [name for name in widget.options.get("names", ()) if name in g.edition.all(Segment)] or None
    found = sizes(g.session, g.edition, g.actor, names)
    rows = [
        {
            "title": str(one.segment.title),
            "url": f"{base}/segments/{one.segment.name}",
            "tone": one.segment.tone,
            "members": format_number(one.members),
            "share": one.share or 0.0,
            "share_text": format_percent(one.share, 0) if one.share is not None else "",
            "origin": origin(g.edition, one.segment.owner),
        }
        for one in sorted(found, key=lambda size: -size.members)[:8]
    ]
    title = str(widget.title or _("Segments"))
    return {"title": title, "segments": rows, "open_url": f"{base}/segments"}


def task_rows(limit: int, base: str) -> list[dict[str, Any]]:
    """What waits for the reader, of processes and activities, the most urgent first."""
    rows = step_rows(Tasks(g.records).mine(limit), base)
    if g.actor.may("activity", "read"):
        rows += _activity_rows(limit, base)
    rows.sort(key=lambda row: (row["due"] is None, row["due"] or _NEVER))
    return rows[:limit]


_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def _activity_rows(limit: int, base: str) -> list[dict[str, Any]]:
    view = g.edition.entity("activity")
    query = ListQuery(view, g.edition, g.actor, rule=OPEN, sort=("due_at",), limit=limit)
    now = datetime.now(UTC)
    rows = []
    for record in query.page(g.session).items:
        due = record.values.get("due_at")
        late = due is not None and due < now
        url = f"{base}/activity/{record.id}"
        rows.append(
            {
                "id": str(record.id),
                "when": when(due, now),
                "due": due,
                "late": late,
                "title": title_of(view, record),
                "text": record.titles.get("customer", ""),
                "url": url,
                "badge": {"text": str(_("Overdue")), "tone": "danger"} if late else None,
                "done_url": f"{url}/done",
                "record": record,
            }
        )
    return rows


def _tasks(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    view = g.edition.entity("activity")
    number = g.session.scalar(ListQuery(view, g.edition, g.actor, rule=OPEN).count_statement(limit=1000)) or 0
    number += Tasks(g.records).number(1000)
    return {
        "title": str(widget.title or _("My tasks")),
        "sub": format_number(number) if number else "",
        "tasks": task_rows(6, base),
        "open_url": f"{base}/tasks",
        "start": {"title": str(_("New task")), "icon": "plus", "url": f"{base}/activity/new?kind=task"}
        if g.actor.may("activity", "create")
        else None,
        "table_url": f"{base}/activity?{urlencode({'filter': json.dumps(OPEN)})}",
    }


def _list(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    options = widget.options
    view = g.edition.entity(options["entity"])
    if not g.actor.may(view.name, "read"):
        return {"columns": [], "rows": []}
    names = [name for name in options.get("fields", ()) if name in view.fields]
    sort = options.get("sort", ())
    query = ListQuery(
        view,
        g.edition,
        g.actor,
        rule=options.get("rule"),
        sort=(sort,) if isinstance(sort, str) else sort,
        limit=options.get("limit", 6),
    )
    columns = [{"label": str(view.info.title), "align": "start"}]
    columns += [
        {
            "label": str(view.fields[name].label),
            "align": "end" if view.fields[name].type.kind == "number" else "start",
        }
        for name in names
    ]
    rows = [
        {
            "title": title_of(view, record),
            "url": f"{base}/{view.name}/{record.id}",
            "cells": [shown(g.edition, base, view.fields[name], record) for name in names],
        }
        for record in query.page(g.session).items
    ]
    title = str(widget.title or view.info.plural)
    return {"title": title, "columns": columns, "rows": rows, "open_url": f"{base}/{view.name}"}


def _board(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    options = widget.options
    view = g.edition.entity(options["entity"])
    wanted = options.get("lifecycle")
    lifecycle = next((one for one in view.lifecycles if one.name == wanted), view.lifecycles[0])
    found = board(g.session, g.edition, g.actor, lifecycle, cards=0)
    url = f"{base}/{view.name}/board?{urlencode({'board': lifecycle.name})}"
    currency = g.edition.settings.currency
    stages = [
        {
            "title": str(column.stage.title),
            "url": url,
            "count": format_number(column.count),
            "sum": format_short_money(column.amount, currency) if column.amount is not None else "",
            "share": column.share,
        }
        for column in found.open
    ]
    title = str(widget.title or lifecycle.title)
    return {
        "title": title,
        "stages": stages if found.count else [],
        "open_url": url,
        "table_url": f"{base}/{view.name}?{urlencode({'filter': json.dumps(board_rule(lifecycle))})}",
    }


def _changes(widget: Widget, period: Period, base: str) -> dict[str, Any]:
    """Segments that grew or shrank most this week."""
    monday = containing(today(), Grain.WEEK).first
    since = datetime.combine(monday, time(), ZoneInfo(g.edition.settings.timezone))
    moved = movements(g.session, g.edition, g.actor, since)
    rows = []
    for name, (entered, left) in sorted(moved.items(), key=lambda pair: -(pair[1][0] + pair[1][1]))[:5]:
        segment = g.edition.all(Segment)[name]
        grew = entered >= left
        text = _("%(entered)s came, %(left)s left", entered=format_number(entered), left=format_number(left))
        rows.append(
            {
                "icon": "trending-up" if grew else "trending-down",
                "tone": "good" if grew else "warn",
                "title": str(segment.title),
                "text": str(text),
                "url": f"{base}/segments/{name}",
            }
        )
    return {
        "title": str(widget.title or _("What changed this week")),
        "changes": rows,
        "open_url": f"{base}/segments",
    }


_MAKERS: Mapping[str, Callable[[Widget, Period, str], dict[str, Any]]] = {
    "kpi_strip": _kpi_strip,
    "kpi_trend": _kpi_trend,
    "pyramid": _pyramid,
    "rfm": _rfm,
    "retention": _retention,
    "segments": _segments,
    "tasks": _tasks,
    "list": _list,
    "board": _board,
    "changes": _changes,
}
"""Each kind of widget and how its card is made."""
