"""The panel beside the KPI board: one figure with its plan, what made the difference, its records, how it is counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import g

from trellis.contributions import Kpi
from trellis.edition import EntityView
from trellis.i18n import format_date, format_number, translator
from trellis.kpi import engine, snapshots
from trellis.kpi.behind import drill_rule, records
from trellis.kpi.composite import leaves
from trellis.kpi.periods import Grain, Period, containing, parse
from trellis.kpi.results import KpiResult, Part, Point, Value
from trellis.kpi.splits import Split, split_names, split_of
from trellis.records.query import ListQuery, Record
from trellis.web.display import shown, title_of
from trellis.web.figures import figure_text, gap_text, is_seen
from trellis.web.kpi_board import (
    AGAINST_BEFORE,
    AGAINST_DAYS,
    AGAINST_PLAN,
    AGAINST_YEAR,
    PLAN,
    YEAR,
    Asked,
    breakdown,
    recounted_text,
)
from trellis.web.widgets import today

_ = translator("trellis")

CAUSES, RECORDS, COLUMNS = 8, 3, 6


def panel(asked: Asked, path: str) -> dict[str, Any] | None:
    """The panel of the figure that the address names; None when it names none."""
    kpi = g.edition.all(Kpi).get(asked.kpi)
    if kpi is None:
        return None
    fiscal_month = g.edition.settings.fiscal_month
    period = (
        parse(asked.period, fiscal_month, today())
        if asked.period
        else containing(today(), Grain.MONTH, fiscal_month)
    )
    one = engine.value(g.session, g.edition, asked.actor, kpi.name, period, today=today())
    if one.reported is not None:  # as on the board; what it counts now is said below
        one = replace(one, value=one.reported.value)
    by = breakdown(asked, kpi)
    part = _part(asked, kpi, period, by) if asked.key and by else None
    points = part.points if part else _series(asked, kpi, period)
    value, against, words = _held(asked, one, points)
    currency = one.currency or g.edition.settings.currency
    columns = [_column(kpi, point, currency) for point in points]
    high = max((column["value"] for column in columns), default=0) or 1.0
    return {
        "sub": f"{kpi.title} · {period.label}" if part else period.label,
        "title": part.title if part else str(kpi.title),
        "close_url": asked.url_at(path, kpi.name, kpi="", period="", key=""),
        "value": figure_text(kpi, value, currency) or str(_("not enough data")),
        "gap": _gap(kpi, value, against),
        "gap_rest": words if against is not None else "",
        "plan": _plan(kpi, part.points[-1].target if part else one.target, currency),
        "columns_title": str(_("Over time")),
        "columns": columns,
        "ticks": [
            {"value": high * share, "text": figure_text(kpi, high * share, currency, short=True)}
            for share in (0, 1)
        ],
        "high": high * 1.05,
        "label": str(kpi.title),
        "forecast": _forecast(kpi, one, currency) if not part else "",
        "splits": _splits(asked, kpi, by, path) if not part else [],
        "causes_title": str(_("What made the difference")),
        "causes": _causes(asked, kpi, period, by, currency) if by and not part else [],
        "records": _records(asked, kpi, period, by if part else None),
        "leaves": _leaves(asked, kpi, period, path),
        "left_out": _left_out(asked, one),
        "formula": str(kpi.formula or ""),
        **_reported(one, points[-1] if part else None, asked, path, currency),
        "version": f"{kpi.version}" if kpi.version > 1 else "",
    }


def _reported(one: KpiResult, part: Point | None, asked: Asked, path: str, currency: str) -> dict[str, Any]:
    """What was reported of a closed period: since when, by whom, and whether it counts otherwise now; of a part, that alone."""
    kept = one.reported
    if part is not None or kept is None or asked.key or asked.unit:
        told = recounted_text(one.kpi, part.recounted, currency) if part and part.recounted else ""
        return {"reported": "", "recounted": told, "accept_url": ""}
    words = {
        "value": figure_text(one.kpi, kept.value, currency) or _("not enough data"),
        "at": format_date(kept.at),
    }
    text = (
        _("Reported on %(at)s: %(value)s, accepted by %(name)s", **words, name=kept.by)
        if kept.by
        else _("Reported on %(at)s: %(value)s", **words)
    )
    differs = recounted_text(one.kpi, kept.recounted, currency) if kept.recounted else ""
    may = bool(differs) and snapshots.may_accept(g.actor)
    return {
        "reported": str(text),
        "recounted": differs,
        "accept_url": asked.url(f"{path}/accept") if may else "",
    }


def _left_out(asked: Asked, one: KpiResult) -> str:
    """Which amounts are not in the figure, because their currency has no rate."""
    if not one.foreign:
        return ""
    found = engine.without_rate(g.session, g.edition, asked.actor, one.kpi.name, one.period)
    named = ", ".join(f"{code} ({format_number(number)})" for code, number in sorted(found.items()))
    return str(_("Left out, as there is no rate of the day: %(named)s", named=named)) if named else ""


def _series(asked: Asked, kpi: Kpi, period: Period) -> list[Point]:
    periods = period.until(COLUMNS)
    return engine.series(g.session, g.edition, asked.actor, kpi.name, periods, today(), reported=True)


def _part(asked: Asked, kpi: Kpi, period: Period, by: str) -> Part | None:
    who = g.session, g.edition, asked.actor, kpi.name
    found = engine.parts(*who, period.until(COLUMNS), by, today(), reported=True)
    return next((one for one in found if ("-" if one.key is None else str(one.key)) == asked.key), None)


def _held(asked: Asked, one: KpiResult, points: Sequence[Point]) -> tuple[Value | None, Value | None, str]:
    """Fact, what it is held against, and the words for that."""
    last = points[-1]
    if asked.key:
        if last.target is not None and asked.against == PLAN and not one.partial:
            return last.value, last.target, str(AGAINST_PLAN)
        return last.value, None if one.partial else points[-2].value, str(AGAINST_BEFORE)
    if asked.against == PLAN and one.target is not None and not one.partial:
        return one.value, one.target, str(AGAINST_PLAN)
    if asked.against == YEAR:
        return one.value, one.year_before, str(AGAINST_YEAR)
    words = AGAINST_DAYS if one.partial else AGAINST_BEFORE
    return one.value, one.previous, str(words)


def _plan(kpi: Kpi, target: Value | None, currency: str) -> str:
    return "" if target is None else str(_("Plan: %(value)s", value=figure_text(kpi, target, currency)))


def _gap(kpi: Kpi, value: Value | None, against: Value | None) -> dict[str, str] | None:
    if value is None or against is None:
        return None
    gap = float(value) - float(against)
    share = gap / abs(float(against)) if against else None
    text = gap_text(kpi, gap, share)
    if text is None:
        return None
    better = (gap >= 0) is kpi.higher_is_better
    return {"text": text, "tone": ("good" if better else "danger") if is_seen(text) else ""}


def _column(kpi: Kpi, point: Point, currency: str) -> dict[str, Any]:
    return {
        "label": point.period.short_label,
        "value": float(point.value or 0),
        "text": figure_text(kpi, point.value, currency, short=True),
        "plan": float(point.target) if point.target is not None else None,
        "tone": "",
        "ahead": False,
    }


def _forecast(kpi: Kpi, one: KpiResult, currency: str) -> str:
    """The forecast in words, with its interval and its ground."""
    if one.forecast is None:
        return ""
    value, low, high = (
        figure_text(kpi, number, currency, short=True)
        for number in (one.forecast.value, one.forecast.low, one.forecast.high)
    )
    return str(
        _(
            "Forecast %(value)s (in four of five cases %(low)s to %(high)s): the last %(number)s periods from the same "
            "day to their end.",
            value=value,
            low=low,
            high=high,
            number=format_number(one.forecast.periods),
        )
    )


def _splits(asked: Asked, kpi: Kpi, by: str, path: str) -> list[dict[str, Any]]:
    """The ways to break the figure down."""
    return [
        {
            "title": str(split_of(g.edition, kpi, name).label),
            "url": asked.url_at(path, kpi.name, by=name, key=""),
            "current": name == by,
        }
        for name in split_names(g.edition, kpi)
    ]


def _causes(asked: Asked, kpi: Kpi, period: Period, by: str, currency: str) -> list[dict[str, Any]]:
    """By how much each row of the breakdown differs from the period before, the largest differences first."""
    before = period.year_before if asked.against == YEAR else period.previous
    if period.is_partial(today()):
        before = before.beginning(period.elapsed(today()).days)
    found = engine.parts(g.session, g.edition, asked.actor, kpi.name, [before, period], by, today())
    gaps = [
        (part.title, float(part.points[1].value or 0) - float(part.points[0].value or 0)) for part in found
    ]
    gaps = sorted((row for row in gaps if row[1]), key=lambda row: -abs(row[1]))[:CAUSES]
    most = max((abs(gap) for _title, gap in gaps), default=1.0)
    return [
        {
            "title": title,
            "text": _signed(kpi, gap, currency),
            "share": gap / most,
            "bad": (gap > 0) is not kpi.higher_is_better,
        }
        for title, gap in gaps
    ]


def _signed(kpi: Kpi, gap: float, currency: str) -> str:
    text = figure_text(kpi, gap, currency, short=True)
    return f"+{text}" if gap > 0 and is_seen(text) else text


def _records(asked: Asked, kpi: Kpi, period: Period, by: str | None) -> dict[str, Any] | None:
    """The records behind the figure: how many, the largest of them, and the way to their list."""
    split = split_of(g.edition, kpi, by) if by else None
    key = _key(split, asked.key) if split is not None else None
    found = records(g.edition, asked.actor, kpi.name, period, by, key, today())
    if found is None or not g.actor.may(found[0], "read"):
        return None
    view = g.edition.entity(found[0])
    rule = drill_rule(g.edition, kpi, period, split, key, asked.actor.within)
    sort = f"-{view.info.amount_field}" if view.info.amount_field in view.fields else view.info.sort
    query = ListQuery(view, g.edition, g.actor, ids=found[1], sort=[sort] if sort else [], limit=RECORDS)
    address = urlencode({"filter": json.dumps(rule, ensure_ascii=False)}) if rule else ""
    return {
        "total": format_number(query.count(g.session, 100_000)),
        "url": f"/{g.workspace.name}/{view.name}?{address}" if address else "",
        "rows": [_record(view, record) for record in query.page(g.session).items],
    }


def _leaves(asked: Asked, kpi: Kpi, period: Period, path: str) -> list[dict[str, str]]:
    """The figures that a formula is over: each of them has its records."""
    if kpi.select is not None:
        return []
    return [
        {"title": str(one.title), "url": asked.url_at(path, one.name, kpi=one.name, period=period.code)}
        for one in leaves(g.edition, kpi)
    ]


def _key(split: Split, text: str) -> Any:
    """The key of a row, of the type that rows of the breakdown have."""
    if text in ("", "-"):
        return None
    whole = issubclass(split.key.type.python_type, int) and text.isdecimal() and len(text) < 19
    return int(text) if whole else text


def _record(view: EntityView, record: Record) -> dict[str, Any]:
    amount = view.fields.get(view.info.amount_field or "")
    date_field = view.info.date_field
    when = record.values.get(date_field) if date_field else None
    figure = ""
    if amount is not None and record.values.get(amount.name) is not None:
        figure = shown(g.edition, "", amount, record)["text"]
    return {
        "title": title_of(view, record),
        "url": f"/{g.workspace.name}/{view.name}/{record.id}",
        "when": format_date(when) if when else "",
        "figure": figure,
    }
