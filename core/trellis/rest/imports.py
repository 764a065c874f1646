"""Imports over REST: a file is sent, its rows become records through the door, and what was refused comes back."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from flask import Response, g, request, url_for
from werkzeug.datastructures import FileStorage

from trellis.contributions import ImportMapping
from trellis.edition import EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.importer import open_source, runs
from trellis.records.importer.by_headers import plan_by_headers
from trellis.records.importer.mapping import compiled
from trellis.records.importer.plans import plan_of
from trellis.rest import idempotency
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.problems import WrongMediaType
from trellis.uploads import check_content
from trellis.web import context

_ = translator("trellis")

PARTS = ("entity", "mapping", "key", "dry_run")
PER_PAGE, MOST_PER_PAGE = 50, 500
PATIENCE = 20.0
"""Seconds that the call waits for the end of its import; then the answer is 202."""
LOOKED_AT_EVERY = 0.05
_waiting = threading.BoundedSemaphore(2)
"""So many calls of a process may wait; the others are answered at once, so that threads are left for everybody else."""


@blueprint.post("/imports")
def create_import(workspace: str) -> Response:
    """Puts an import into the queue, and waits a while for its end."""
    no_arguments()
    if request.mimetype != "multipart/form-data":
        raise WrongMediaType(_("Send multipart/form-data with the parts “file” and “entity”"))
    file, entity, dry_run = _asked()
    view = g.edition.entity(entity)
    g.actor.require(entity, "create")
    context.release()
    with TemporaryDirectory(prefix="trellis-import-") as folder:
        path = Path(folder) / f"import{PurePosixPath(file.filename or '').suffix.lower()}"
        file.save(path)
        check_content(path, path.name)
        plan, rows = _plan(view, path)
        with g.workspace.write() as session:
            name = file.filename or ""
            run_id = runs.keep(session, g.actor, entity, path, name, plan, total=rows, dry_run=dry_run)
            runs.start(session, g.edition, g.actor, runs.find(session, g.actor, run_id))
            idempotency.promise(session, _accepted(runs.find(session, g.actor, run_id)))
    return _accepted(_ended(run_id))


@blueprint.get("/imports")
def imports(workspace: str) -> Response:
    arguments = Arguments()
    limit = arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE)
    before = arguments.number("cursor", 0, 1, LARGEST_ID)
    arguments.end()
    rows = runs.started(g.session, g.actor, limit + 1, before or None)
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return answer({"items": [_written(row) for row in rows[:limit]], "next": following})


@blueprint.get("/imports/<id:import_id>")
def one_import(workspace: str, import_id: int) -> Response:
    no_arguments()
    return answer(_written(runs.find(g.session, g.actor, import_id)))


def _accepted(row: Any) -> Response:
    place = url_for("rest.one_import", workspace=g.workspace.name, import_id=row.id)
    return answer(_written(row), 202 if runs.state_of(row) in runs.GOING else 201, {"Location": place})


def _asked() -> tuple[FileStorage, str, bool]:
    """The file, the entity, and whether nothing is to be written."""
    errors: dict[str, list[Any]] = {}
    unknown = [name for name in (*request.form, *request.files) if name not in (*PARTS, "file")]
    errors |= {
        name: [_("An import has no such part; there are: %(known)s", known=", ".join(PARTS))]
        for name in unknown
    }
    file = request.files.get("file")
    if file is None or not file.filename:
        errors["file"] = [_("Send the file itself, with its name")]
    elif PurePosixPath(file.filename).suffix.lower() not in runs.ENDINGS:
        errors["file"] = [_("The name must end in one of: %(known)s", known=", ".join(runs.ENDINGS))]
    if not request.form.get("entity"):
        errors["entity"] = [_("This field needs a value")]
    dry_run = request.form.get("dry_run", "false").lower()
    if dry_run not in ("true", "false"):
        errors["dry_run"] = [_("“%(name)s” is true or false", name="dry_run")]
    if errors or file is None:
        raise RecordInvalid(errors)
    return file, request.form["entity"], dry_run == "true"


def _plan(view: EntityView, path: Path) -> tuple[dict[str, Any], int]:
    """The mapping, checked against the file, as it is kept; and about how many rows the file has."""
    mapping, key = _mapping(path.parent), request.form.get("key") or None
    if mapping is None:
        source = open_source(path)
        plan = plan_by_headers(view, source.columns, key)
    else:
        plan = plan_of(g.edition, view.name, mapping, key)
        source = open_source(path, **plan.reading)
    compiled(g.edition, g.actor, view, plan, source)
    return dataclasses.asdict(plan), source.count


def _ended(run_id: int) -> Any:
    """The import when it has ended, or when :data:`PATIENCE` has, or at once where enough calls wait already."""
    waits = _waiting.acquire(blocking=False)
    try:
        until = time.monotonic() + (PATIENCE if waits else 0)
        while True:
            with g.workspace.read() as session:
                row = runs.find(session, g.actor, run_id)
            if runs.state_of(row) not in runs.GOING or time.monotonic() > until:
                return row
            time.sleep(LOOKED_AT_EVERY)
    finally:
        if waits:
            _waiting.release()


def _mapping(folder: Path) -> str | Path | None:
    """The mapping: in JSON, or by the name of one that a plugin brings. Never the name of a file of the server."""
    given = request.form.get("mapping", "").strip()
    if not given:
        return None
    if given.startswith("{"):
        try:
            orjson.loads(given)
        except orjson.JSONDecodeError:
            raise RecordInvalid({"mapping": [_("The mapping is not valid JSON")]}) from None
        path = folder / "mapping.json"
        path.write_text(given, encoding="utf-8")
        return path
    if given not in g.edition.all(ImportMapping):
        known = ", ".join(g.edition.all(ImportMapping)) or "-"
        message = _("There is no mapping “%(name)s”; there are: %(known)s", name=given[:80], known=known)
        raise RecordInvalid({"mapping": [message]})
    return given


def _written(row: Any) -> dict[str, Any]:
    told = {
        "id": row.id,
        "state": runs.state_of(row),
        "entity": row.entity,
        "filename": row.filename,
        "dry_run": row.dry_run,
    }
    times = {"started_at": row.started_at, "finished_at": row.finished_at}
    return {
        **told,
        **times,
        "problem": runs.problem_of(row) or None,
        "rows": runs.rows_done(row),
        **row.result,
    }
