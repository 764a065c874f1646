"""The grid of targets (MG6): KPI by period for the organisation, a unit or a person, edited in place."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Direction, Kpi
from trellis.crm.project.rows import DIRECTIONS
from trellis.errors import RecordInvalid
from trellis.i18n import format_number, plural_translator, translator
from trellis.kpi.below import LEVELS
from trellis.kpi.targets import TARGET, save
from trellis.records.door import BatchInvalid
from trellis.web import kpi_filling, kpi_targets
from trellis.web.kpi_filling import FILLS, HANDED
from trellis.web.kpi_targets import GRAINS, MOST_PEOPLE, Sheet, Typed
from trellis.web.shell import page, toast
from trellis.web.views.lists import base, go, messages

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("kpi_targets", __name__)


@blueprint.before_request
def only_readers() -> None:
    if not g.actor.may(TARGET, "read"):
        abort(403)


@blueprint.get("/<workspace>/kpis/targets")
def show(workspace: str) -> str:
    return _page(Sheet.of(request.args), Typed())


@blueprint.post("/<workspace>/kpis/targets")
def keep(workspace: str) -> BaseResponse | tuple[str, int]:
    """Writes the cells that were changed, all or none."""
    sheet = Sheet.of(request.args)
    typed = kpi_targets.typed_in(sheet, request.form)
    wanted = kpi_targets.wanted(sheet, typed)
    act = None
    if not typed.errors:
        try:
            act = save(g.records, wanted)
        except BatchInvalid as error:
            keys = [planned.key for planned in wanted]
            typed.errors |= {keys[place]: _sentences(one) for place, one in error.failures.items()}
    if typed.errors:
        return _page(sheet, typed), 422
    text = _n("%(num)s target is saved", "%(num)s targets are saved", len(wanted))
    toast(text, f"{base()}/{TARGET}/bulk/undo?change={act}" if act else "")
    return go(sheet.url(request.path))


@blueprint.post("/<workspace>/kpis/targets/fill")
def fill(workspace: str) -> str | tuple[str, int]:
    """Fills cells in as if they were typed; nothing is written before they are saved."""
    sheet = Sheet.of(request.args)
    typed = kpi_targets.typed_in(sheet, request.form)
    percent = kpi_filling.percent_of(request.form.get("percent", ""))
    if percent is None or request.form.get("act") not in _fills(sheet):
        return _page(sheet, typed, [str(_("Must be a number from −100 to 1000"))]), 422
    number = kpi_filling.filled(sheet, typed, request.form["act"], percent, request.form.get("only", ""))
    told = _n(
        "%(num)s cell is filled in; save to keep it", "%(num)s cells are filled in; save to keep them", number
    )
    return _page(sheet, typed, told=str(told) if number else str(_("There is nothing to fill in from")))


def _fills(sheet: Sheet) -> dict[str, Any]:
    """The ways to fill the grid in."""
    return {**HANDED, **FILLS} if sheet.by else FILLS


def _sentences(error: RecordInvalid) -> list[str]:
    return [one for found in messages(error).values() for one in found]


def _page(sheet: Sheet, typed: Typed, percent_errors: list[str] | None = None, told: str = "") -> str:
    path = f"{base()}/kpis/targets"
    grid = kpi_targets.grid(sheet, typed)
    context: dict[str, Any] = {
        **grid,
        "action": sheet.url(path),
        "fill_url": sheet.url(f"{path}/fill"),
        "editable": kpi_targets.may_plan(),
        "year": sheet.whole.label,
        "before_url": sheet.url(path, year=sheet.whole.previous.code),
        "after_url": sheet.url(path, year=sheet.whole.shifted(1).code),
        "grains": [
            {"title": str(title), "url": sheet.url(path, grain=name), "current": name == sheet.grain}
            for name, (title, _grain) in GRAINS.items()
        ],
        "whom": _chooser(sheet, path),
        "kpis": _kpi_chooser(sheet, path),
        "ways": _way_chooser(sheet, path),
        "pages": _pages(sheet, path),
        "too_many": sheet.too_many,
        "fills": [
            {"value": name, "title": str(title), "selected": name == request.form.get("act")}
            for name, title in _fills(sheet).items()
        ],
        "only": _rows_to_fill(grid),
        "percent": request.form.get("percent", ""),
        "percent_errors": percent_errors or [],
        "told": told,
        "problems": len(typed.errors),
        "import_url": f"{base()}/{TARGET}/import",
        "list_url": f"{base()}/{TARGET}",
    }
    return page(
        "kpi_targets.html",
        title=_("Targets"),
        crumbs=[(DIRECTIONS[Direction.MANAGEMENT], "model"), (_("KPI board"), "kpis")],
        direction=Direction.MANAGEMENT.value,
        level="tactics",
        targets=context,
    )


def _chooser(sheet: Sheet, path: str) -> dict[str, Any]:
    """For whom is planned: the organisation, a unit or a person."""
    options = kpi_targets.options()
    known = dict(options)
    everybody = bool(sheet.kpi) and not sheet.by
    return {
        "title": str(_("Everybody")) if everybody else known.get(sheet.whom, known[""]),
        "options": [
            {
                "title": title,
                "url": sheet.url(path, whom=key) if sheet.by else sheet.url(path, whom=key, kpi="", part=""),
                "current": key == sheet.whom and not everybody,
            }
            for key, title in options
        ],
    }


def _pages(sheet: Sheet, path: str) -> dict[str, Any] | None:
    """The pages of a KPI that more people can be planned for than stand on one."""
    if not sheet.kpi or sheet.by or len(sheet.everybody) <= MOST_PEOPLE:
        return None
    number, total = sheet.place // MOST_PEOPLE + 1, len(sheet.everybody)
    until = min(sheet.place + MOST_PEOPLE, total)
    first, last = format_number(sheet.place + 1), format_number(until)
    told = {"first": first, "last": last, "total": format_number(total)}
    return {
        "title": str(_("People %(first)s–%(last)s of %(total)s", **told)),
        "prev_url": sheet.url(path, part=str(number - 1)) if number > 1 else "",
        "next_url": sheet.url(path, part=str(number + 1)) if until < total else "",
    }


def _way_chooser(sheet: Sheet, path: str) -> dict[str, Any] | None:
    """Whether one KPI is planned for everybody, or one plan is handed down, and by what."""
    if not sheet.ways:
        return None
    options = {"": str(_("Not handed down"))} | {by: str(LEVELS[by]) for by in sheet.ways}
    return {
        "title": str(_("Handed down: %(by)s", by=options[sheet.by])) if sheet.by else options[""],
        "options": [
            {"title": title, "url": sheet.url(path, by=by, part=""), "current": by == sheet.by}
            for by, title in options.items()
        ],
    }


def _kpi_chooser(sheet: Sheet, path: str) -> dict[str, Any]:
    """All KPIs, or one of them for everybody."""
    options = [("", str(_("All KPIs")))]
    options += [(name, str(kpi.title)) for name, kpi in g.edition.all(Kpi).items()]
    return {
        "title": dict(options)[sheet.kpi],
        "options": [
            {
                "title": title,
                "url": sheet.url(path, kpi=key, whom="", by="", part=""),
                "current": key == sheet.kpi,
            }
            for key, title in options
        ],
    }


def _rows_to_fill(grid: dict[str, Any]) -> list[dict[str, Any]]:
    chosen = request.form.get("only", "")
    rows = [row for group in grid["groups"] for row in group["rows"]]
    found = [{"value": row["key"], "title": row["title"], "selected": row["key"] == chosen} for row in rows]
    return [{"value": "", "title": str(_("All rows")), "selected": not chosen}, *found]
