"""Imports over REST: a file is sent, its rows become records through the door, and what was refused comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import sqlalchemy as sa
from flask import Response, g, request, url_for
from werkzeug.datastructures import FileStorage

from trellis.contributions import ImportMapping
from trellis.errors import RecordInvalid, RecordNotFound, TrellisError
from trellis.i18n import translator
from trellis.records.importer import ImportResult, run_import
from trellis.rest import idempotency
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.problems import WrongMediaType
from trellis.system import ImportRun
from trellis.web import context

_ = translator("trellis")

PARTS = ("entity", "mapping", "key", "dry_run")
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".jsonl", ".ndjson", ".json")
PER_PAGE, MOST_PER_PAGE = 50, 500
_run = ImportRun.__table__.c


@blueprint.post("/imports")
def create_import(workspace: str) -> Response:
    no_arguments()
    if request.mimetype != "multipart/form-data":
        raise WrongMediaType(_("Send multipart/form-data with the parts “file” and “entity”"))
    file, entity, dry_run = _asked()
    g.edition.entity(entity)
    g.actor.require(entity, "create")
    context.release()
    run_id = _begin(entity, file.filename or "", dry_run)
    try:
        result = _import(run_id, entity, file, dry_run)
    except TrellisError as error:
        _change(run_id, finished_at=datetime.now(UTC), problem=str(error))
        raise
    except BaseException as error:
        _change(run_id, finished_at=datetime.now(UTC), problem=type(error).__name__)
        raise
    g.work.faults += result.faults
    _change(run_id, finished_at=datetime.now(UTC), rows=result.rows, result=result.to_json())
    place = url_for("rest.one_import", workspace=workspace, import_id=run_id)
    return answer(_written(_found(run_id)), 201, {"Location": place})


@blueprint.get("/imports")
def imports(workspace: str) -> Response:
    arguments = Arguments()
    limit = arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE)
    before = arguments.number("cursor", 0, 1, LARGEST_ID)
    arguments.end()
    query = sa.select(ImportRun.__table__).where(*_own()).order_by(_run.id.desc()).limit(limit + 1)
    rows = g.session.execute(query.where(_run.id < before) if before else query).all()
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return answer({"items": [_written(row) for row in rows[:limit]], "next": following})


@blueprint.get("/imports/<id:import_id>")
def one_import(workspace: str, import_id: int) -> Response:
    no_arguments()
    return answer(_written(_found(import_id)))


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
    elif PurePosixPath(file.filename).suffix.lower() not in ENDINGS:
        errors["file"] = [_("The name must end in one of: %(known)s", known=", ".join(ENDINGS))]
    if not request.form.get("entity"):
        errors["entity"] = [_("This field needs a value")]
    dry_run = request.form.get("dry_run", "false").lower()
    if dry_run not in ("true", "false"):
        errors["dry_run"] = [_("“%(name)s” is true or false", name="dry_run")]
    if errors or file is None:
        raise RecordInvalid(errors)
    return file, request.form["entity"], dry_run == "true"


def _import(run_id: int, entity: str, file: FileStorage, dry_run: bool) -> ImportResult:
    with TemporaryDirectory(prefix="trellis-import-") as folder:
        path = Path(folder) / f"import{PurePosixPath(file.filename or '').suffix.lower()}"
        file.save(path)
        return run_import(
            g.workspace,
            g.actor,
            entity,
            path,
            mapping=_mapping(Path(folder)),
            key=request.form.get("key") or None,
            dry_run=dry_run,
            told=_nothing if dry_run else lambda rows, _total: _tell(run_id, rows),
        )


def _tell(run_id: int, rows: int) -> None:
    """Says that the import is alive, and so is the call that asked for it."""
    _change(run_id, rows=rows, seen_at=datetime.now(UTC))
    idempotency.still_at_work()


def _nothing(_rows: int, _total: int) -> None:
    """A dry run is one transaction of its own, beside which SQLite lets nobody write."""


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


def _begin(entity: str, filename: str, dry_run: bool) -> int:
    values = {"user_id": g.actor.user_id, "entity": entity, "filename": filename[-255:], "dry_run": dry_run}
    now = datetime.now(UTC)
    values |= {"started_at": now, "seen_at": now, "rows": 0, "result": {}, "problem": ""}
    with g.workspace.write() as session:
        return int(session.scalar(sa.insert(ImportRun.__table__).values(values).returning(_run.id)))  # type: ignore[arg-type]


def _change(run_id: int, **values: Any) -> None:
    with g.workspace.write() as session:
        session.execute(sa.update(ImportRun.__table__).where(_run.id == run_id).values(**values))  # type: ignore[arg-type]


def _own() -> list[sa.ColumnElement[bool]]:
    """One's own imports; for administrators, all."""
    return [] if g.actor.administrator else [_run.user_id == g.actor.user_id]


def _found(import_id: int) -> Any:
    row = g.session.execute(sa.select(ImportRun.__table__).where(_run.id == import_id, *_own())).first()
    if row is None:
        raise RecordNotFound()
    return row


def _written(row: Any) -> dict[str, Any]:
    state = "failed" if row.problem else "done" if row.finished_at else "running"
    problem = row.problem or None
    if state == "running" and not row.dry_run and row.seen_at < datetime.now(UTC) - idempotency.SILENT:
        state, problem = (
            "failed",
            str(_("The import was interrupted; send the file again, it goes on from there")),
        )
    told = {
        "id": row.id,
        "state": state,
        "entity": row.entity,
        "filename": row.filename,
        "dry_run": row.dry_run,
    }
    times = {"started_at": row.started_at, "finished_at": row.finished_at, "problem": problem}
    return {**told, **times, "rows": row.rows, **row.result}
