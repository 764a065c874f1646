"""The KPI board (MG6): plan and fact, with forecast, breakdowns and the records behind each figure."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Response, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Direction
from trellis.crm.project.rows import DIRECTIONS
from trellis.errors import Conflict
from trellis.i18n import format_number, plural_translator, translator
from trellis.kpi import snapshots
from trellis.kpi.catalogue import find
from trellis.kpi.income import withholds_income
from trellis.kpi.periods import parse
from trellis.kpi.results import KpiResult
from trellis.kpi.targets import TARGET
from trellis.web import kpi_board, kpi_sheet
from trellis.web.kpi_board import AGAINST, GRAINS, LEGEND, ROLLING, Asked
from trellis.web.kpi_panel import panel
from trellis.web.sheets import table_file
from trellis.web.shell import page, toast
from trellis.web.views.lists import base, go
from trellis.web.widgets import way_to_begin

_ = translator("trellis")
_n = plural_translator("trellis")

BEHIND = 5

blueprint = Blueprint("kpis", __name__)


@blueprint.get("/<workspace>/kpis")
def show(workspace: str) -> str:
    """The KPI board: the last periods of each KPI, and the panel of one figure."""
    asked, path = Asked.of(request.args), f"{base()}/kpis"
    return page(
        "kpi.html",
        title=_("KPI board"),
        crumbs=[(DIRECTIONS[Direction.MANAGEMENT], "model")],
        direction=Direction.MANAGEMENT.value,
        level="tactics",
        board=_board(asked, path),
        panel=panel(asked, path),
    )


def _board(asked: Asked, path: str) -> dict[str, Any]:
    """The board as the template shows it."""
    found = kpi_board.results(asked)
    return {
        "title": str(_("Plan and fact")),
        "periods": [
            {
                "title": str(title),
                "url": asked.url(path, grain=grain, kpi="", period="", key=""),
                "current": grain == asked.grain,
            }
            for grain, (title, _grain) in GRAINS.items()
        ],
        "rolling": _menu(
            str(ROLLING.get(asked.grain, _("Other days"))),
            [(name, str(title)) for name, title in ROLLING.items()],
            asked.grain,
            lambda grain: asked.url(path, grain=grain, kpi="", period="", key=""),
        ),
        "range": _range(asked, path),
        "units": _menu(
            str(_("All units")),
            [("", str(_("All units"))), *kpi_board.units()],
            asked.unit,
            lambda unit: asked.url(path, unit=unit, key=""),
        ),
        "against": _menu(
            str(AGAINST[asked.against]),
            [(name, str(title)) for name, title in AGAINST.items()],
            asked.against,
            lambda against: asked.url(path, against=against),
        ),
        "nothing_yet": not asked.unit
        and not any(point.value or point.target for one in found for point in one.points),
        "start": way_to_begin(base()),
        "legend_title": str(_("Deviation")),
        "legend": [(step, str(text)) for step, text in LEGEND.items()],
        "summary": _summary(asked, found),
        "behind": _behind(asked, found, path),
        "targets_url": f"{base()}/kpis/targets" if g.actor.may(TARGET, "read") else "",
        "export_url": asked.url(f"{base()}/kpis.xlsx"),
        "trend_title": str(_n("%(num)s period", "%(num)s periods", len(asked.periods))),
        "columns": kpi_board.columns(asked),
        "groups": kpi_board.groups(asked, found, path),
    }


@blueprint.post("/<workspace>/kpis/accept")
def accept(workspace: str) -> BaseResponse:
    """Reports what a closed period counts now, in the reader's name."""
    asked = Asked.of(request.args)
    kpi = find(g.edition, asked.kpi)
    period = parse(asked.period, g.edition.settings.fiscal_month)
    try:
        snapshots.accept(g.session, g.actor, kpi, period)
        toast(_("%(kpi)s in %(period)s is reported as it counts now", kpi=kpi.title, period=period.label))
    except Conflict as error:
        toast(str(error))
    return go(asked.url(f"{base()}/kpis"))


@blueprint.get("/<workspace>/kpis.xlsx")
def export(workspace: str) -> Response:
    """The board as a spreadsheet."""
    asked = Asked.of(request.args)
    found = kpi_board.results(asked)
    return table_file("kpis", kpi_sheet.heads(), kpi_sheet.rows(asked, found), "xlsx")


def _summary(asked: Asked, found: list[KpiResult]) -> str:
    """How many KPIs are on plan, by the forecast where the period still runs; what the others are held against; whose records count."""
    planned = [one for one in found if one.target is not None]
    good = sum(bool(one.on_plan) for one in planned)
    texts = []
    if planned:
        numbers = {"good": format_number(good), "all": format_number(len(planned))}
        texts.append(str(_("%(good)s of %(all)s on or above plan", **numbers)))
    if asked.against == kpi_board.PLAN and len(planned) < len(found):
        texts.append(str(_("without a plan: against the period before")))
    if not g.actor.sees_everything:
        texts.append(str(_("counts only what you may see")))
    if withholds_income(g.edition):
        texts.append(
            str(
                _(
                    "without figures of what customers brought: your role does not open each kind of these records"
                )
            )
        )
    return " · ".join(texts)


def _behind(asked: Asked, found: list[KpiResult], path: str) -> list[dict[str, str]]:
    """The first of the KPIs that miss their plan, each with the way to its figure."""
    missed = [one for one in found if one.on_plan is False][:BEHIND]
    return [
        {
            "title": str(one.kpi.title),
            "url": asked.url_at(path, one.kpi.name, kpi=one.kpi.name, period=one.period.code, key=""),
        }
        for one in missed
    ]


def _range(asked: Asked, path: str) -> dict[str, Any]:
    """The form of a free range of days; the rest of the address goes with it."""
    last = asked.periods[-1]
    kept = asked.url("", grain="month", kpi="", period="", key="").removeprefix("?")
    return {
        "action": path,
        "hidden": parse_qsl(kept),
        "first": last.first.isoformat(),
        "last": last.last.isoformat(),
        "current": asked.grain not in GRAINS and asked.grain not in ROLLING,
    }


def _menu(title: str, options: list[tuple[str, str]], chosen: str, url: Any) -> dict[str, Any] | None:
    """A menu of ways to look at the board; None where there is nothing to choose."""
    if len(options) < 2:
        return None
    known = dict(options)
    return {
        "title": known.get(chosen, title),
        "options": [{"title": text, "url": url(key), "current": key == chosen} for key, text in options],
    }
