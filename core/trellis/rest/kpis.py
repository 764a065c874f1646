"""KPIs over REST, as the command line gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g

from trellis.contributions import Kpi
from trellis.errors import TrellisError
from trellis.kpi import engine
from trellis.kpi.catalogue import find
from trellis.kpi.periods import Grain, Period, containing, parse, today_in
from trellis.kpi.results import KpiResult
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments
from trellis.rest.calls import blueprint
from trellis.rest.figures import blame, freshened

MOST_POINTS = 60


@blueprint.get("/kpis")
def kpis(workspace: str) -> Response:
    """All KPIs with their values in a period, this month if none is named."""
    arguments = Arguments()
    period = asked_period(arguments, Grain.MONTH)
    arguments.end()
    freshened()
    items = []
    for kpi in g.edition.all(Kpi).values():
        items.append(_guarded(kpi, lambda kpi=kpi: _strip(kpi, period, 2)) or _failed(kpi, period))
    return answer({"period": period.code, "items": items})


@blueprint.get("/kpis/<name:kpi_name>")
def kpi(workspace: str, kpi_name: str) -> Response:
    """One KPI in a period, split ``by`` unit, person, channel or segment, with its last ``points`` periods."""
    arguments = Arguments()
    period = asked_period(arguments, Grain.MONTH)
    by = arguments.text("by")
    points = arguments.number("points", 0, 0, MOST_POINTS)
    arguments.end()
    freshened()
    kpi = find(g.edition, kpi_name)
    result = _guarded(kpi, lambda: engine.value(g.session, g.edition, g.actor, kpi_name, period, by))
    if result is None:
        raise TrellisError(_failed(kpi, period)["error"])
    if points:
        result["series"] = _strip(kpi, period, points)["series"]
    return answer(result)


def asked_period(arguments: Arguments, usual: Grain) -> Period:
    """The period that is asked for, or the present one."""
    text = arguments.text("period")
    return parse(text) if text else containing(today_in(ZoneInfo(g.edition.settings.timezone)), usual)


def _strip(kpi: Kpi, period: Period, points: int) -> KpiResult:
    return engine.strip(g.session, g.edition, g.actor, [kpi.name], period, points=points)[0]
