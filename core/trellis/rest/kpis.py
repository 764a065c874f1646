"""KPIs over REST, as the command line gives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g
from sqlalchemy import select

from trellis.contributions import Kpi
from trellis.errors import RecordInvalid, TrellisError
from trellis.i18n import translator
from trellis.kpi import engine, snapshots
from trellis.kpi.catalogue import find
from trellis.kpi.periods import Grain, Period, containing, parse, today_in
from trellis.kpi.reported import NOTHING_KEPT
from trellis.kpi.results import KpiResult
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments, json_object, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.figures import PluginBroke, blame, freshened
from trellis.rest.problems import Malformed
from trellis.security.actor import Actor
from trellis.security.people import Unit
from trellis.security.roles import units_below

_ = translator("trellis")

MOST_POINTS = 60


@blueprint.get("/kpis")
def kpis(workspace: str) -> Response:
    arguments = Arguments()
    period, actor = _asked_period(arguments), _asked_actor(arguments)
    arguments.end()
    freshened()
    known = list(g.edition.all(Kpi).values())
    today = today_in(ZoneInfo(g.edition.settings.timezone))
    kept = snapshots.kept(g.session, known, [period], today) if actor.sees_everything else NOTHING_KEPT
    items = []
    for kpi in known:
        result = _guarded(kpi, lambda kpi=kpi: _with_points(actor, kpi, period, 2))  # type: ignore[misc]
        told = replace(result, reported=kept.of(kpi, period)) if result else None
        items.append(told.to_json() if told else _failed(kpi, period))
    return answer(items)


@blueprint.get("/kpis/<name:kpi>")
def one_kpi(workspace: str, kpi: str) -> Response:
    arguments = Arguments()
    period, actor = _asked_period(arguments), _asked_actor(arguments)
    by = arguments.text("by")
    points = arguments.number("points", 0, 0, MOST_POINTS)
    arguments.end()
    found = find(g.edition, kpi)
    freshened()
    result = _guarded(found, lambda: engine.value(g.session, g.edition, actor, kpi, period, by))
    if result is None:
        raise PluginBroke(
            _("The KPI “%(name)s” of the plugin “%(plugin)s” failed", name=kpi, plugin=found.owner)
        )
    data = result.to_json()
    if points:
        data["series"] = _with_points(actor, found, period, points).to_json()["series"]
    return answer(data)


@blueprint.post("/kpis/<name:kpi>:accept")
def accept_kpi(workspace: str, kpi: str) -> Response:
    """Reports what a closed period counts now, in the caller's name."""
    no_arguments()
    given = json_object()
    if set(given) != {"period"} or not isinstance(given["period"], str):
        raise RecordInvalid({"period": [_("Name the period: 2026-10")]})
    found, settings = find(g.edition, kpi), g.edition.settings
    period = parse(given["period"], settings.fiscal_month)
    return answer({"accepted": snapshots.accept(g.session, g.actor, found, period)})


def _asked_period(arguments: Arguments) -> Period:
    """The period that is asked for, or this month."""
    text = arguments.text("period")
    today = today_in(ZoneInfo(g.edition.settings.timezone))
    settings = g.edition.settings
    return parse(text, settings.fiscal_month, today) if text is not None else containing(today, Grain.MONTH)


def _asked_actor(arguments: Arguments) -> Actor:
    """The caller, limited to the unit that is asked for and those below it. Raises Malformed for one that is not to be seen."""
    actor: Actor = g.actor
    asked = arguments.number("unit", 0, 1, LARGEST_ID)
    if not asked:
        return actor
    seen = select(Unit.id).where(Unit.id == asked, Unit.deleted_at.is_(None), actor.visible(Unit))
    if g.session.scalar(seen) is None:
        raise Malformed(_("There is no unit %(number)s", number=asked), "unit")
    return replace(actor, within=units_below(g.session, asked))


def _with_points(actor: Actor, kpi: Kpi, period: Period, points: int) -> KpiResult:
    return engine.strip(g.session, g.edition, actor, [kpi.name], period, points=points)[0]


def _guarded(kpi: Kpi, ask: Callable[[], KpiResult]) -> KpiResult | None:
    """The answer of ``ask``; None when the code of the KPI's plugin failed."""
    try:
        with g.session.begin_nested():
            return ask()
    except TrellisError:
        raise
    except Exception as error:  # a select is code of a plugin: it may raise anything
        blame(kpi.owner, "trellis_kpis", error)
        return None


def _failed(kpi: Kpi, period: Period) -> dict[str, Any]:
    error = str(_("The plugin failed; its administrator has been told"))
    named = {"kpi": kpi.name, "title": str(kpi.title), "plugin": kpi.owner, "unit": kpi.unit.value}
    return {**named, "period": period.code, "value": None, "error": error}
