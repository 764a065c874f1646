"""Imports in the browser: a file is sent, mapped, tried, imported; its result is kept and can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import files
from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.i18n import Text, format_datetime, format_number, plural_translator, translator
from trellis.records.importer import runs, saved_mappings
from trellis.records.importer.headings import NUMBER_HERE
from trellis.records.importer.plans import ID
from trellis.uploads import MB, most, too_large
from trellis.web.import_mapping import asked_plan, asked_reading, found_by, mapping_context
from trellis.web.import_offers import changes_fixed, fixed_texts, offers
from trellis.web.shell import entity_page, shell
from trellis.web.uploads import accept, limits, refusal
from trellis.web.views.lists import base, go, sentences, view_of

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("imports", __name__)
accept(blueprint, "import_")

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
    "keyless": (_("New record, for its key is empty"), "good"),
    "changed": (_("Changed"), "info"),
    "left_out": (_("Left out"), "neutral"),
    "total": (_("Left out: looks like a total"), "neutral"),
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
LATEST = 10


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
        return _page("imports/mapping.html", view, mapping_context(view, row, base()))
    return _page("imports/run.html", view, _progress(view, row))


@blueprint.post("/<workspace>/imports/<int:run_id>/preview")
def preview(workspace: str, run_id: int) -> str:
    """Keeps how the file is to be imported, and shows its first rows as they would become."""
    row = runs.find(g.session, g.actor, run_id)
    view = _importable(row.entity)
    runs.set_plan(g.session, row, asked_plan(view, row))
    row = runs.find(g.session, g.actor, run_id)
    try:
        shown = _previewed(view, row)
    except TrellisError as error:
        shown = {"problems": sentences(error)}
    beside = {
        "offers": offers(view, row, base()),
        "found_by": found_by(view, row),
        "swap_fixed": changes_fixed(),
        "url": f"{base()}/imports/{run_id}",
    }
    return render_template("imports/preview.html", preview=shown, shell=shell(), **beside)


def _previewed(view: EntityView, row: Any) -> dict[str, Any]:
    found = runs.previewed(g.session, g.edition, g.actor, row)
    fixed = fixed_texts(view, row)
    rows = [
        {
            "number": one.number,
            "becomes": str(BECOMES[one.becomes][0]),
            "tone": BECOMES[one.becomes][1],
            "cells": [
                {
                    "text": fixed.get(name) or _text(one.values.get(name)),
                    "problems": one.errors.get(name, []),
                    "made": name in one.made,
                }
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
    titles = {ID: str(NUMBER_HERE)} | {name: str(field.label) for name, field in view.fields.items()}
    refused = sum(one.becomes == "refused" for one in found.rows)
    return {
        "heads": [titles.get(name, name) for name in found.fields],
        "rows": rows,
        "refused": str(_n("%(num)s of these rows is refused", "%(num)s of these rows are refused", refused))
        if refused
        else "",
        "unused": ", ".join(found.unused),
    }


@blueprint.post("/<workspace>/imports/<int:run_id>/run")
def run(workspace: str, run_id: int) -> BaseResponse | tuple[str, int]:
    row = runs.find(g.session, g.actor, run_id)
    view = _importable(row.entity)
    runs.set_plan(g.session, row, asked_plan(view, row))
    row = runs.find(g.session, g.actor, run_id)
    try:
        runs.start(g.session, g.edition, g.actor, row)
    except TrellisError as error:
        problems = sentences(error)
        return _page(
            "imports/mapping.html", view, {**mapping_context(view, row, base()), "problems": problems}
        ), 422
    if request.form.get("save_as", "").strip():
        saved_mappings.save(g.session, g.actor, row, request.form["save_as"])
    return go(f"{base()}/imports/{run_id}")


@blueprint.post("/<workspace>/imports/<int:run_id>/stages")
def read_stages(workspace: str, run_id: int) -> BaseResponse:
    """Keeps what is chosen so far, and comes back with the names of stages in the file."""
    row = runs.find(g.session, g.actor, run_id)
    view = _importable(row.entity)
    runs.set_plan(g.session, row, {**asked_plan(view, row), "read_stages": True})
    return go(f"{base()}/imports/{run_id}")


@blueprint.post("/<workspace>/imports/<int:run_id>/read")
def read_anew(workspace: str, run_id: int) -> BaseResponse | tuple[str, int]:
    """Opens the file in another way: another sheet, encoding or delimiter."""
    row = runs.find(g.session, g.actor, run_id)
    view = _importable(row.entity)
    try:
        runs.read_anew(g.session, g.edition, row, asked_reading(row))
    except TrellisError as error:
        if error.status != 422:
            raise
        context = {**mapping_context(view, row, base()), "problems": sentences(error)}
        return _page("imports/mapping.html", view, context), 422
    return go(f"{base()}/imports/{run_id}")


@blueprint.post("/<workspace>/imports/<int:run_id>/use")
def use(workspace: str, run_id: int) -> BaseResponse:
    """Takes a mapping that was saved before."""
    row = runs.find(g.session, g.actor, run_id)
    wanted = request.form.get("saved", "")
    saved = next((one for one in saved_mappings.mine(g.session, g.actor, row) if str(one.id) == wanted), None)
    if saved is None:
        abort(404)
    plan = {name: value for name, value in saved.plan.items() if name not in runs.KEPT}
    runs.set_plan(g.session, row, plan)
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
        ]
        + [
            {"label": str(_made(entity)), "value": format_number(number), "tone": ""}
            for entity, number in row.result.get("made", {}).items()
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
            (str(_("Left: changed since, in use, or not yours to change")), format_number(undone["left"])),
        ]
        if undone
        else [],
        "left": _left(view, undone) if undone else [],
    }


def _made(entity: str) -> Text:
    """What is said of records that were made because rows named them."""
    known = g.edition.entities.get(entity)
    return _("Made beside them: %(plural)s", plural=known.info.plural if known else entity)


def _left(view: EntityView, undone: Mapping[str, Any]) -> list[str]:
    """The addresses of records that undoing left as they are; some of them."""
    left = [(view.name, one) for one in undone["records_left"]]
    left += [(entity, one) for entity, one in undone.get("made_left", ())]
    return [f"{base()}/{entity}/{one}" for entity, one in left[:20]]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = next(iter(value.values()), "")
    return "" if value is None else str(value)
