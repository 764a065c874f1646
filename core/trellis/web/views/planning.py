"""The sales plan beside the analysis of sales: plan and fact, outlook, and what is handed down to whom (SA2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request

from trellis.crm.analytics.answers import asked_plan
from trellis.crm.sales.planning import Asked, Figures, SalesPlan, planned_kpis, sales_plan
from trellis.i18n import Text, format_number, format_percent, translator
from trellis.kpi.behind import drill_rule, entity_of
from trellis.kpi.below import LEVELS
from trellis.kpi.periods import Grain, containing
from trellis.kpi.results import Value, number, number_json
from trellis.kpi.splits import PERSON, UNIT, split_of
from trellis.kpi.targets import TARGET
from trellis.web import kpi_targets
from trellis.web.choosing import asked, choices
from trellis.web.display import new_title
from trellis.web.figures import bare_figure, figure_text, signed
from trellis.web.sheets import Sheet, asked_file
from trellis.web.shell import entity_page
from trellis.web.views.funnels import TABS
from trellis.web.views.lifetime import joined
from trellis.web.views.lists import base, view_of
from trellis.web.widgets import today

_ = translator("trellis")

blueprint = Blueprint("planning", __name__)


@blueprint.get("/<workspace>/opportunity/plan")
def show(workspace: str) -> str | Response:
    wanted = asked_plan(asked("plan"))
    found = sales_plan(wanted)
    sheet = _sheet(found)
    file = asked_file([sheet])
    if file is not None:
        return file
    view = view_of("opportunity")
    return entity_page(
        "sales/plan.html",
        view,
        title=_("Sales plan"),
        inside=True,
        analytics=_frame(found),
        controls=_controls(wanted),
        whom=_whom(wanted),
        kpi=_kpi(wanted),
        parts=_stack(found),
        facts=_facts(found),
        note=_difference(found),
        rows=[_row(wanted, found, row.key, row.title, row.figures) for row in found.rows],
        heads=sheet.context()["columns"],
        table=sheet.context(),
        up=_up(found),
    )


def _frame(found: SalesPlan) -> dict[str, Any]:
    kept = {"period": request.args["period"]} if request.args.get("period") else {}
    view = view_of("opportunity")
    return {
        "title": str(_("Sales")),
        "sub": f"{found.title or _('The whole organisation')} · {found.period.label}",
        "tabs": [
            {
                "title": str(title),
                "url": f"{base()}/opportunity/{name}?{urlencode(kept)}",
                "current": name == "plan",
            }
            for name, title in TABS
        ],
        "periods": [],
        "formula": str(_how(found)),
        "scope": str(_("Only records that you may see are counted")) if found.visible_only else "",
        "targets_url": _targets_url(found) if g.actor.may(TARGET, "read") else "",
        "may_plan": kpi_targets.may_plan(),
        "start": {"title": new_title(view), "icon": "plus", "url": f"{base()}/opportunity/new"}
        if g.actor.may("opportunity", "create")
        else None,
    }


def _targets_url(found: SalesPlan) -> str:
    """The grid of targets in which this plan is handed down."""
    state = {"kpi": found.kpi.name, "by": found.by, "whom": found.whom.text, "year": found.period.code}
    return f"{base()}/kpis/targets?{urlencode({name: value for name, value in state.items() if value})}"


def _controls(wanted: Asked) -> list[dict[str, Any]]:
    fiscal_month = g.edition.settings.fiscal_month
    grains = (Grain.MONTH, Grain.QUARTER, Grain.YEAR)
    month, quarter, year = (containing(today(), grain, fiscal_month) for grain in grains)
    known = {one.code: one.label for one in (quarter.previous, month, quarter, quarter.shifted(1), year)}
    known.setdefault(wanted.period.code, wanted.period.label)
    levels = [(by, LEVELS[by]) for by in wanted.ways]
    return [
        choices(
            "period", _("Period"), known.items(), "" if request.args.get("period") else wanted.period.code
        ),
        choices("by", _("Handed down by"), levels, "" if request.args.get("by") else wanted.by),
    ]


def _kpi(wanted: Asked) -> dict[str, Any]:
    known = planned_kpis(g.edition)
    return {
        "title": str(wanted.kpi.title),
        "options": [
            {
                "title": str(kpi.title),
                "url": _url(kpi=name, whom=wanted.whom.text),
                "current": name == wanted.kpi.name,
            }
            for name, kpi in known.items()
        ],
    }


def _whom(wanted: Asked) -> dict[str, Any]:
    options = kpi_targets.options()
    return {
        "title": dict(options).get(wanted.whom.text) or wanted.title,
        "options": [
            {"title": title, "url": _url(whom=key), "current": key == wanted.whom.text}
            for key, title in options
        ],
    }


def _url(**changes: str) -> str:
    """The page for somebody else, by what is usual there."""
    kept = {name: request.args[name] for name in ("kpi", "period") if request.args.get(name)}
    return f"{base()}/opportunity/plan?{urlencode({name: one for name, one in {**kept, **changes}.items() if one})}"


def _up(found: SalesPlan) -> str:
    return _url() if found.whom.text else ""


def _short(found: SalesPlan, value: Value | None) -> str:
    return figure_text(found.kpi, _plain(found, value), found.currency, short=True)


def _plain(found: SalesPlan, value: Value | None) -> Value | None:
    return number(found.kpi.unit, value)


def _facts(found: SalesPlan) -> list[dict[str, str]]:
    one = found.whole
    gone, whole = found.days
    facts: list[tuple[Text, str, Text | str]] = [
        (_("Plan"), _short(found, one.plan), ""),
        (_("Fact"), _short(found, one.fact), _share(one.attainment)),
    ]
    if one.deviation is not None:
        facts.append((_("Deviation"), _signed(found, one.deviation), _("fact − plan")))
    if found.partial:
        days = _("%(gone)s of %(whole)s working days", gone=format_number(gone), whole=format_number(whole))
        facts.append((_("Run-rate"), _short(found, one.run_rate), days))
        if found.forecast is not None:
            told = _(
                "%(low)s to %(high)s in four of five cases",
                low=_short(found, found.forecast.low),
                high=_short(found, found.forecast.high),
            )
            facts.append((_("As past periods went on"), _short(found, found.forecast.value), told))
    if one.pipeline is not None:
        expected = _share(float(one.expected / one.plan) if one.plan and one.expected is not None else None)
        facts += [
            (_("Weighted pipeline"), _short(found, one.pipeline.weighted), _("expected to close by the end")),
            (_("Fact and pipeline"), _short(found, one.expected), expected),
        ]
        if one.pipeline.overdue:
            facts.append((_("Overdue"), _short(found, one.pipeline.overdue), _("open after its day, apart")))
        if one.pipeline.unpriced:
            facts.append(
                (_("Without an amount"), format_number(one.pipeline.unpriced), _("open, not in the pipeline"))
            )
    return [{"label": str(label), "value": value, "text": str(text)} for label, value, text in facts]


def _share(value: float | None) -> str:
    return "" if value is None else str(_("%(share)s of plan", share=format_percent(value)))


def _signed(found: SalesPlan, value: Any) -> str:
    return "–" if value is None else signed(_short(found, value), float(value))


def _stack(found: SalesPlan) -> dict[str, Any] | None:
    """Fact and pipeline as a bar, with a mark where the plan is."""
    one = found.whole
    fact = float(one.fact or 0)
    open_now = float(one.pipeline.weighted) if one.pipeline else 0.0
    scale = max(fact + open_now, float(one.plan or 0))
    if scale <= 0 or fact < 0:
        return None
    parts = [("seq6", _("Fact"), fact), ("rest", _("Weighted pipeline"), open_now)]
    return {
        "label": str(_("Fact and pipeline against the plan")),
        "parts": [
            {"key": key, "label": str(label), "share": value / scale, "text": _short(found, value)}
            for key, label, value in parts
            if value
        ],
        "plan": {
            "share": float(one.plan) / scale,
            "text": str(_("Plan %(plan)s", plan=_short(found, one.plan))),
        }
        if one.plan
        else None,
    }


def _difference(found: SalesPlan) -> dict[str, str] | None:
    """What is said of plans above and below that do not agree."""
    if found.below is None:
        return None
    below = _short(found, found.below)
    if found.difference is None:
        told = _("Nothing is planned above; together below: %(below)s", below=below)
    elif found.difference == 0:
        return {"tone": "good", "icon": "check", "text": str(_("All of the plan is handed down"))}
    elif found.difference > 0:
        told = _(
            "Planned above and not below: %(rest)s (together below: %(below)s)",
            rest=_short(found, found.difference),
            below=below,
        )
    else:
        told = _(
            "Planned below and not above: %(rest)s (together below: %(below)s)",
            rest=_short(found, -found.difference),
            below=below,
        )
    return {"tone": "warn", "icon": "scale", "text": str(told)}


def _row(wanted: Asked, found: SalesPlan, key: int | None, title: str, one: Figures) -> dict[str, Any]:
    deviation = one.deviation
    return {
        "title": title,
        "url": _way_down(wanted, found, key),
        "cells": _texts(found, one),
        "tone": "" if deviation is None or found.partial else "good" if deviation >= 0 else "danger",
        "attainment": one.attainment,
        "fact_url": _list_url(wanted, found, key),
    }


def _way_down(wanted: Asked, found: SalesPlan, key: int | None) -> str:
    if key is None or found.by not in (UNIT, PERSON):
        return ""
    return _url(whom=f"{found.by}-{key}")


def _list_url(wanted: Asked, found: SalesPlan, key: int | None) -> str:
    """The records of a part that is one person or one product; a unit counts those below it too."""
    if key is None or found.by not in (PERSON, "product"):
        return ""
    split = split_of(g.edition, found.kpi, found.by)
    rule = drill_rule(g.edition, found.kpi, found.period, split, key)
    only = wanted.below.only
    if rule is None:
        return ""
    if only is not None:
        field = split_of(g.edition, found.kpi, only[0]).field
        if field is None:
            return ""
        limit: Mapping[str, Any] = {"field": field, "op": "in", "value": list(only[1])}
        rule = {"all": [rule, limit]}
    return f"{base()}/{entity_of(found.kpi)}?{urlencode({'filter': json.dumps(rule, ensure_ascii=False)})}"


def _columns(found: SalesPlan) -> list[Text]:
    heads = [_("Plan"), _("Fact"), _("Attainment"), _("Deviation"), _("Run-rate")]
    if found.whole.pipeline is not None:
        heads += [_("Weighted pipeline"), _("Overdue"), _("Fact and pipeline")]
    return heads


def _values(one: Figures, *, pipeline: bool) -> list[Any]:
    values = [one.plan, one.fact, one.attainment, one.deviation, one.run_rate]
    if pipeline and one.pipeline is not None:
        values += [one.pipeline.weighted, one.pipeline.overdue, one.expected]
    return values


def _texts(found: SalesPlan, one: Figures) -> list[str]:
    values = _values(one, pipeline=found.whole.pipeline is not None)
    return [
        (format_percent(value) or "–") if place == 2 else _bare(found, value, of_gap=place == 3)
        for place, value in enumerate(values)
    ]


def _bare(found: SalesPlan, value: Any, *, of_gap: bool) -> str:
    if value is None:
        return "–"
    text = bare_figure(found.kpi, _plain(found, value))
    return signed(text, float(value)) if of_gap else text


def _sheet(found: SalesPlan) -> Sheet:
    pipeline = found.whole.pipeline is not None
    heads = [LEVELS.get(found.by, _("Part")), *_columns(found)]
    unit = found.kpi.unit
    lines = [(row.title, row.figures) for row in found.rows]
    lines.append((str(_("Above: %(title)s", title=found.title or _("The whole organisation"))), found.whole))
    return Sheet(
        name="plan",
        title=_("Plan and fact"),
        heads=heads,
        texts=[[title, *_texts(found, one)] for title, one in lines],
        rows=[
            [
                title,
                *(
                    value if place == 2 else number_json(unit, number(unit, value))
                    for place, value in enumerate(_values(one, pipeline=pipeline))
                ),
            ]
            for title, one in lines
        ],
        currency=found.currency,
        money=[place for place in range(1, len(heads)) if place != 3] if found.currency else (),
    )


def _how(found: SalesPlan) -> Text:
    told = [
        _(
            "Plan and fact are those of the KPI “%(kpi)s”: targets as they stand in the grid, those of all months together where a "
            "longer period has none of its own. Units count with what is below them.",
            kpi=found.kpi.title,
        )
    ]
    if found.partial:
        told.append(
            _("Run-rate: fact × working days of the period / working days that are gone, today with them.")
        )
    if found.whole.pipeline is not None:
        told.append(
            _(
                "Weighted pipeline: amount × probability of open opportunities that are expected to close from today to the end of "
                "the period, by their main product; overdue ones stand apart, those without an amount are left out."
            )
        )
    return joined(told)
