"""Imports in the browser: a file is sent, mapped, tried, imported; its result is kept and can be undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import files
from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.i18n import Text, format_datetime, format_number, plural_translator, translator
from trellis.quality.duplicates import comparable
from trellis.records.importer import runs
from trellis.records.importer.conventions import DAY_FIRST, MONTH_FIRST
from trellis.records.importer.mapping import BY_NAME, CHANGE, LEAVE
from trellis.records.importer.stages import stages
from trellis.records.types import Reference
from trellis.uploads import MB, most, too_large
from trellis.web.shell import entity_page, shell
from trellis.web.uploads import accept, limits, refusal
from trellis.web.views.lists import base, go, sentences, view_of

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("imports", __name__)
accept(blueprint, "import_")

KINDS: Mapping[str, Text] = {
    "text": _("Text"),
    "number": _("Decimal number"),
    "date": _("Date"),
    "email": _("Mail address"),
    "phone": _("Telephone"),
    "empty": _("Empty"),
}
STATES: Mapping[str, tuple[Text, str]] = {
    "draft": (_("Not started"), "neutral"),
    "waiting": (_("Waiting"), "info"),
    "running": (_("Running"), "info"),
    "undoing": (_("Being undone"), "info"),
    "done": (_("Done"), "good"),
    "failed": (_("Failed"), "danger"),
    "stopped": (_("Stopped"), "warn"),
    "undone": (_("Undone"), "neutral"),
}
BECOMES: Mapping[str, tuple[Text, str]] = {
    "new": (_("New record"), "good"),
    "changed": (_("Changed"), "info"),
    "left_out": (_("Left out"), "neutral"),
    "joined": (_("Same record"), "neutral"),
    "refused": (_("Refused"), "danger"),
}
COUNTS: Mapping[str, Text] = {
    "created": _("Created"),
    "updated": _("Changed"),
    "unchanged": _("Unchanged"),
    "skipped": _("Left out"),
    "rejected": _("Not accepted"),
}
ALIKE: Mapping[str, Text] = {
    "": _("Make a new one all the same"),
    LEAVE: _("Leave it out, name the record"),
    CHANGE: _("Change that record, if it is the only one"),
}
ENCODINGS = ("utf-8", "utf-16", "cp1251", "cp1252", "cp1250", "koi8-r", "cp866")
LATEST = 10
KEY_KINDS = ("text", "number", "date", "datetime")


@blueprint.get("/<workspace>/<entity>/import")
def begin(workspace: str, entity: str) -> str:
    return _begin(_importable(entity), refusal())


@blueprint.post("/<workspace>/<entity>/import")
def send(workspace: str, entity: str) -> BaseResponse | tuple[str, int]:
    view = _importable(entity)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _begin(view, [str(_("Choose a file"))]), 422
    with TemporaryDirectory(prefix="trellis-import-") as folder:
        path = Path(folder) / f"import{PurePosixPath(file.filename).suffix.lower()}"
        file.save(path)
        try:
            run_id = runs.draft(g.session, g.edition, g.actor, entity, path, file.filename)
        except TrellisError as error:
            if error.status != 422:
                raise
            return _begin(view, sentences(error)), 422
    return go(f"{base()}/imports/{run_id}")


@blueprint.get("/<workspace>/imports/<int:run_id>")
def show(workspace: str, run_id: int) -> str:
    row = runs.find(g.session, g.actor, run_id)
    view = _importable(row.entity)
    if row.state == "draft":
        return _page("imports/mapping.html", view, _mapping(view, row))
    return _page("imports/run.html", view, _progress(view, row))


@blueprint.post("/<workspace>/imports/<int:run_id>/preview")
def preview(workspace: str, run_id: int) -> str:
    """Keeps how the file is to be imported, and shows its first rows as they would become."""
    row = runs.find(g.session, g.actor, run_id)
    view = _importable(row.entity)
    runs.set_plan(g.session, row, _asked(row))
    try:
        found = runs.previewed(g.session, g.edition, g.actor, runs.find(g.session, g.actor, run_id))
    except TrellisError as error:
        problems = sentences(error)
        return render_template("imports/preview.html", preview={"problems": problems}, shell=shell())
    rows = [
        {
            "number": one.number,
            "becomes": str(BECOMES[one.becomes][0]),
            "tone": BECOMES[one.becomes][1],
            "cells": [
                {"text": _text(one.values.get(name)), "problems": one.errors.get(name, [])}
                for name in found.fields
            ],
            "problems": [
                f"{view.fields[name].label}: {' '.join(texts)}" if name in view.fields else " ".join(texts)
                for name, texts in one.errors.items()
                if name not in found.fields
            ],
        }
        for one in found.rows
    ]
    refused = sum(one.becomes == "refused" for one in found.rows)
    shown = {
        "heads": [str(view.fields[name].label) if name in view.fields else name for name in found.fields],
        "rows": rows,
        "refused": str(_n("%(num)s of these rows is refused", "%(num)s of these rows are refused", refused))
        if refused
        else "",
        "unused": ", ".join(found.unused),
    }
    return render_template("imports/preview.html", preview=shown, shell=shell())


@blueprint.post("/<workspace>/imports/<int:run_id>/run")
def run(workspace: str, run_id: int) -> BaseResponse | tuple[str, int]:
    row = runs.find(g.session, g.actor, run_id)
    view = _importable(row.entity)
    runs.set_plan(g.session, row, _asked(row))
    row = runs.find(g.session, g.actor, run_id)
    try:
        runs.start(g.session, g.edition, g.actor, row)
    except TrellisError as error:
        problems = sentences(error)
        return _page("imports/mapping.html", view, {**_mapping(view, row), "problems": problems}), 422
    if request.form.get("save_as", "").strip():
        runs.save_mapping(g.session, g.actor, row, request.form["save_as"])
    return go(f"{base()}/imports/{run_id}")


@blueprint.post("/<workspace>/imports/<int:run_id>/stages")
def read_stages(workspace: str, run_id: int) -> BaseResponse:
    """Keeps what is chosen so far, and comes back with the names of stages in the file."""
    row = runs.find(g.session, g.actor, run_id)
    _importable(row.entity)
    runs.set_plan(g.session, row, {**_asked(row), "read_stages": True})
    return go(f"{base()}/imports/{run_id}")


@blueprint.post("/<workspace>/imports/<int:run_id>/use")
def use(workspace: str, run_id: int) -> BaseResponse:
    """Takes a mapping that was saved before."""
    row = runs.find(g.session, g.actor, run_id)
    wanted = request.form.get("saved", "")
    saved = next((one for one in runs.saved_mappings(g.session, g.actor, row) if str(one.id) == wanted), None)
    if saved is None:
        abort(404)
    runs.set_plan(g.session, row, saved.plan)
    return go(f"{base()}/imports/{run_id}")


@blueprint.post("/<workspace>/imports/<int:run_id>/stop")
def stop(workspace: str, run_id: int) -> BaseResponse:
    runs.stop(g.session, g.actor, runs.find(g.session, g.actor, run_id))
    return go(f"{base()}/imports/{run_id}")


@blueprint.post("/<workspace>/imports/<int:run_id>/go-on")
def go_on(workspace: str, run_id: int) -> BaseResponse:
    """Puts an import that was stopped or failed back into the queue."""
    runs.go_on(g.session, g.actor, runs.find(g.session, g.actor, run_id))
    return go(f"{base()}/imports/{run_id}")


@blueprint.get("/<workspace>/imports/<int:run_id>/progress")
def progress(workspace: str, run_id: int) -> str:
    row = runs.find(g.session, g.actor, run_id)
    context = _progress(_importable(row.entity), row)
    return render_template("imports/progress.html", run=context, shell=shell())


@blueprint.get("/<workspace>/imports/<int:run_id>/rejected")
def rejected(workspace: str, run_id: int) -> Response:
    """The rows that were refused, with their reasons, to be mended and sent again."""
    row = runs.find(g.session, g.actor, run_id)
    data = b"".join(files.content(g.session, runs.rejected_name(row.id)))
    if not data:
        abort(404)
    name = f"rejected-{row.id}{runs.rejected_ending(row)}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, content_type="application/octet-stream", headers=headers)


@blueprint.post("/<workspace>/imports/<int:run_id>/undo")
def undo(workspace: str, run_id: int) -> BaseResponse:
    row = runs.find(g.session, g.actor, run_id)
    runs.start_undoing(g.session, g.actor, row)
    return go(f"{base()}/imports/{run_id}")


def _importable(entity: str) -> EntityView:
    view = view_of(entity)
    if not g.actor.may(entity, "create"):
        abort(403)
    return view


def _page(template: str, view: EntityView, context: Mapping[str, Any]) -> str:
    title = _("Import: %(plural)s", plural=view.info.plural)
    return entity_page(template, view, title=title, inside=True, run=context)


def _begin(view: EntityView, problems: list[str]) -> str:
    context = {
        "action": f"{base()}/{view.name}/import",
        "accept": ",".join(runs.ENDINGS),
        "largest": str(most(limits().import_)),
        "largest_text": str(too_large(limits().import_)),
        "largest_bytes": limits().import_ * MB,
        "problems": problems,
        "latest": [_summary(row) for row in runs.latest(g.session, g.actor, view.name, LATEST)],
    }
    return _page("imports/begin.html", view, context)


def _summary(row: Any) -> dict[str, Any]:
    title, tone = STATES[runs.state_of(row)]
    counts = [(name, row.result.get(name)) for name in COUNTS]
    return {
        "url": f"{base()}/imports/{row.id}",
        "file": row.filename,
        "when": format_datetime(row.started_at),
        "state": str(title),
        "tone": tone,
        "counts": ", ".join(
            f"{str(COUNTS[name]).lower()} {format_number(number)}" for name, number in counts if number
        ),
    }


def _mapping(view: EntityView, row: Any) -> dict[str, Any]:
    plan = row.plan
    by_column = {column: name for name, column in plan.get("columns", {}).items()}
    fields = list(_targets(view))
    ready = [(one.name, str(one.title)) for one in runs.ready_mappings(g.edition, row)]
    columns = [
        {
            "id": index,
            "name": one["name"],
            "kind": str(KINDS[one["kind"]]),
            "examples": one["examples"],
            "options": _options([("", str(_("Leave out"))), *fields], by_column.get(one["name"], "")),
        }
        for index, one in enumerate(plan["file"])
    ]
    keys = [
        (name, str(view.fields[name].label))
        for name in plan.get("columns", {})
        if name in view.fields and view.fields[name].type.kind in KEY_KINDS
    ]
    ending = PurePosixPath(row.filename).suffix.lower()
    return {
        "url": f"{base()}/imports/{row.id}",
        "back": f"{base()}/{view.name}/import",
        "file": row.filename,
        "rows": str(_n("%(num)s row", "%(num)s rows", row.total)),
        "columns": columns,
        "text": ending in (".csv", ".tsv", ".txt"),
        "saved": [
            {"value": one.id, "title": one.title} for one in runs.saved_mappings(g.session, g.actor, row)
        ],
        "ready": _options([("", str(_("By columns, as below"))), *ready], plan.get("mapping") or "")
        if ready
        else [],
        "found_by": _options([("", str(_("Every row is a new record"))), *keys], plan.get("key") or ""),
        "existing": _options(
            [("", str(_("Change it"))), ("leave", str(_("Leave it as it is")))],
            "leave" if plan.get("create_only") else "",
        ),
        "alike": _options([(value, str(title)) for value, title in ALIKE.items()], plan.get("alike") or "")
        if comparable(view)
        else [],
        "decimal": _options(
            [("", str(_("As the columns show"))), (".", "1234.50"), (",", "1234,50")],
            plan.get("decimal") or "",
        ),
        "dates": _options(
            [("", str(_("As the columns show"))), (DAY_FIRST, "31/12/2026"), (MONTH_FIRST, "12/31/2026")],
            plan.get("dates") or "",
        ),
        "encoding": _options(
            [("", str(_("Found out"))), *((one, one) for one in ENCODINGS)], plan.get("encoding") or ""
        ),
        "log": _log(view, row),
        "stages": _stages(view, row, by_column),
        "problems": [],
    }


def _targets(view: EntityView) -> Iterator[tuple[str, str]]:
    """The fields that a column may fill; references by the external id of their record, or by its name."""
    for name, field in view.fields.items():
        if field.read_only:
            continue
        yield name, str(field.label)
        if isinstance(field.type, Reference):
            yield f"{name}{BY_NAME}", str(_("%(field)s, by name", field=field.label))


def _log(view: EntityView, row: Any) -> dict[str, Any] | None:
    """An event log, where records of this kind can come of one."""
    lifecycle = next((one for one in view.lifecycles if one.replay is not None), None)
    if lifecycle is None:
        return None
    return {
        "wished": bool(row.plan.get("log")),
        "needs": str(
            _(
                "Choose columns for “%(stage)s” and “%(at)s”, and what rows are found by",
                stage=view.fields[lifecycle.field].label,
                at=view.fields[lifecycle.at].label,
            )
        ),
    }


def _stages(view: EntityView, row: Any, by_column: Mapping[str, str]) -> dict[str, Any] | None:
    """The stages that the file names, and what they mean, where records of this kind have stages."""
    if not view.lifecycles:
        return None
    field = view.lifecycles[0].field
    column = next((one for one, name in by_column.items() if name == field), "")
    wished = column and (row.plan.get("read_stages") or row.plan.get("states"))
    known = stages(view.lifecycles, row.plan.get("states") or {})
    titles = {stage.value: str(stage.title) for one in reversed(view.lifecycles) for stage in one.stages}
    names = runs.names_in(g.session, row, column) if wished else []
    return {
        "url": f"{base()}/imports/{row.id}/stages",
        "needs": str(
            _("Choose a column for “%(stage)s” to say what its names mean", stage=view.fields[field].label)
        ),
        "names": [
            {
                "id": place,
                "name": name,
                "options": _options(
                    [("", str(_("Refuse these rows"))), *titles.items()], known.get(name.casefold(), "")
                ),
            }
            for place, name in enumerate(names)
        ],
    }


def _states() -> dict[str, str]:
    """What the names of stages mean, as the form says."""
    names, meant = request.form.getlist("stage-name"), request.form.getlist("stage-means")
    return {name: stage for name, stage in zip(names, meant, strict=False) if stage}


def _options(pairs: list[tuple[str, str]], chosen: str) -> list[dict[str, Any]]:
    return [{"value": value, "title": title, "selected": value == chosen} for value, title in pairs]


def _asked(row: Any) -> dict[str, Any]:
    """The plan that the form describes."""
    form = request.form
    columns: dict[str, str] = {}
    for index, one in enumerate(row.plan["file"]):
        name = form.get(f"column-{index}", "")
        if name:
            columns.setdefault(name, one["name"])
    key = form.get("key", "")
    return {
        "columns": columns,
        "key": key if key in columns else None,
        "mapping": form.get("mapping") or None,
        "create_only": form.get("existing") == "leave",
        "alike": form.get("alike") or None,
        "decimal": form.get("decimal") or None,
        "dates": form.get("dates") or None,
        "encoding": form.get("encoding") or None,
        "log": form.get("log") == "true",
        "states": _states(),
    }


def _progress(view: EntityView, row: Any) -> dict[str, Any]:
    state, done = runs.state_of(row), runs.rows_done(row)
    title, tone = STATES[state]
    url = f"{base()}/imports/{row.id}"
    undone = row.result.get("undone")
    share = min(done / row.total, 1.0) if row.total else 0.0
    return {
        "url": url,
        "entity": str(view.info.plural),
        "list_url": f"{base()}/{view.name}",
        "again_url": f"{base()}/{view.name}/import",
        "file": row.filename,
        "state": str(title),
        "tone": tone,
        "going": state in runs.GOING,
        "may_go_on": state in ("stopped", "failed"),
        "done": done,
        "total": max(row.total, done),
        "percent": round(share * 100),
        "told": str(
            _(
                "%(done)s of %(total)s rows",
                done=format_number(done),
                total=format_number(max(row.total, done)),
            )
        ),
        "problem": runs.problem_of(row),
        "counts": [
            {
                "label": str(label),
                "value": format_number(row.result[name]),
                "tone": "danger" if name == "rejected" and row.result[name] else "",
            }
            for name, label in COUNTS.items()
            if name in row.result
        ],
        "rejections": [
            {
                "row": one["row"],
                "reasons": [
                    f"{view.fields[name].label}: {' '.join(texts)}"
                    if name in view.fields
                    else " ".join(texts)
                    for name, texts in one["errors"].items()
                ],
            }
            for one in row.result.get("rejections", [])[:20]
        ],
        "rejected_url": f"{url}/rejected" if files.sizes(g.session, [runs.rejected_name(row.id)]) else "",
        "may_undo": state in runs.ENDED
        and (state != "done" or row.result.get("created") or row.result.get("updated"))
        and g.actor.may(view.name, "delete"),
        "undone": [
            (str(_("In the bin")), format_number(undone["removed"])),
            (str(_("Given back")), format_number(undone["given_back"])),
            (str(_("Left: changed since, or not yours to change")), format_number(undone["left"])),
        ]
        if undone
        else [],
        "left": [f"{base()}/{view.name}/{one}" for one in undone["records_left"][:20]] if undone else [],
    }


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = next(iter(value.values()), "")
    return "" if value is None else str(value)
