"""The forecast above a board: won so far, the weighted pipeline, and the plan where there is one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import g

from trellis.contributions import Kpi, Lifecycle, Rule
from trellis.i18n import format_short_money, translator
from trellis.kpi.periods import Grain, Period, containing, today_in
from trellis.kpi.targets import targets
from trellis.records.forecast import Forecast, forecast

_ = translator("trellis")


def forecast_context(lifecycle: Lifecycle, rule: Rule | None) -> dict[str, Any] | None:
    """What ``board_forecast.html`` shows of the running quarter; the plan is of everybody, so only without a filter."""
    period = containing(
        today_in(ZoneInfo(g.edition.settings.timezone)), Grain.QUARTER, g.edition.settings.fiscal_month
    )
    found = forecast(g.session, g.edition, g.actor, lifecycle, period.first, period.last, rule)
    plan = None if rule else _plan(lifecycle, period)
    if found is None or not (found.expected or found.best or plan):
        return None
    scale = float(max(found.expected + found.best, plan or 0, Decimal(1)))
    parts = [
        ("seq6", _("Won"), found.won),
        ("seq4", _("Commit"), found.committed),
        ("seq2", _("Weighted rest"), found.likely),
        ("rest", _("Best case"), found.best),
    ]
    return {
        "title": str(_("Forecast, %(period)s", period=period.label)),
        "value": _money(found.expected),
        "gap": _gap(found, plan),
        "gap_rest": str(_("of %(plan)s plan", plan=_money(plan))) if plan else "",
        "parts": [
            {
                "share": float(value) / scale,
                "key": key,
                "label": str(label),
                "text": f"+{_money(value)}" if key == "rest" else _money(value),
            }
            for key, label, value in parts
        ],
        "plan": {"share": float(plan) / scale, "text": str(_("Plan %(plan)s", plan=_money(plan)))}
        if plan
        else None,
        "facts": [
            {"label": str(_("Weighted pipeline")), "value": _money(found.weighted), "change": "", "tone": ""}
        ],
    }


def _money(amount: Decimal | None) -> str:
    return format_short_money(amount, g.edition.settings.currency)


def _gap(found: Forecast, plan: Decimal | None) -> dict[str, str] | None:
    if not plan:
        return None
    gap = found.expected - plan
    if gap < 0:
        return {"text": str(_("%(gap)s short", gap=_money(-gap))), "tone": "danger"}
    return {"text": str(_("%(gap)s ahead", gap=_money(gap))), "tone": "good"}


def _plan(lifecycle: Lifecycle, period: Period) -> Decimal | None:
    """The target of the lifecycle's KPI in a quarter."""
    kpi: Kpi | None = g.edition.all(Kpi).get(lifecycle.kpi or "")
    if kpi is None:
        return None
    return targets(g.session, g.edition, [kpi], [period], g.actor).of(kpi, period)
