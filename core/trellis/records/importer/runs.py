"""Imports in steps: a file is kept, looked at, mapped and tried; then it runs, and can be undone.

What a run has reached stands in the database: the page that started it may be left, and after a kill it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import ImportMapping
from trellis.edition import Edition
from trellis.errors import Conflict, RecordInvalid, RecordNotFound, TrellisError
from trellis.i18n import translator
from trellis.records.importer import parts
from trellis.records.importer.mapping import Plan, plan_from_json, plan_of
from trellis.records.importer.preview import Preview, preview
from trellis.records.importer.readers import open_source
from trellis.records.importer.rejected import SPREADSHEET
from trellis.records.importer.runner import ImportResult, run_import
from trellis.records.importer.suggesting import columns_of_file, suggested
from trellis.records.importer.undoing import Journal, undo
from trellis.records.schema import EXTERNAL
from trellis.records.tables import DELIMITED, JSON_LINES
from trellis.security.actor import Actor
from trellis.system import ImportPart, ImportRun, SavedMapping
from trellis.workspace import Workspace

_ = translator("trellis")

ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".jsonl", ".ndjson", ".json")
LARGEST = 64 * 1024 * 1024
KEPT = timedelta(days=14)
"""How long files of imports are kept."""
SILENT = timedelta(minutes=2)
"""A run that has told nothing for so long was killed; it may be gone on with."""

_run = ImportRun.__table__.c


def draft(session: Session, edition: Edition, actor: Actor, entity: str, path: Path, filename: str) -> int:
    """Keeps a file and what it seems to hold; returns the number of the import. Raises ImportFailed, RecordInvalid."""
    view = edition.entity(entity)
    actor.require(entity, "create")
    if PurePosixPath(filename).suffix.lower() not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise RecordInvalid({"file": [_("The name must end in one of: %(known)s", known=known)]})
    source = open_source(path)
    columns = columns_of_file(source)
    found = suggested(edition, view, columns)
    plan = {
        "columns": found,
        "key": EXTERNAL if EXTERNAL in found else None,
        "file": [{"name": one.name, "kind": one.kind, "examples": list(one.examples)} for one in columns],
    }
    now = datetime.now(UTC)
    old = sa.select(_run.id).where(_run.started_at < now - KEPT)
    session.execute(sa.delete(ImportPart).where(ImportPart.run_id.in_(old)))
    values: dict[str, Any] = {
        "user_id": actor.user_id,
        "entity": entity,
        "filename": filename[-255:],
        "dry_run": False,
    }
    values |= {"started_at": now, "seen_at": now, "rows": 0, "result": {}, "problem": "", "state": "draft"}
    insert = sa.insert(ImportRun).values(**values, plan=plan, total=source.count).returning(_run.id)
    run_id = int(session.scalar(insert) or 0)
    parts.keep(session, run_id, parts.SOURCE, path)
    return run_id


def find(session: Session, actor: Actor, run_id: int) -> Any:
    """The row of an import: one's own, or any as an administrator. Raises RecordNotFound."""
    own = [] if actor.administrator else [_run.user_id == actor.user_id]
    row = session.execute(sa.select(ImportRun.__table__).where(_run.id == run_id, *own)).first()
    if row is None:
        raise RecordNotFound()
    return row


def latest(session: Session, actor: Actor, entity: str, number: int = 10) -> Sequence[Any]:
    """The last imports of an entity that the actor may see."""
    own = [] if actor.administrator else [_run.user_id == actor.user_id]
    query = sa.select(ImportRun.__table__).where(_run.entity == entity, _run.dry_run.is_(False), *own)
    return session.execute(query.order_by(_run.id.desc()).limit(number)).all()


def is_stuck(row: Any) -> bool:
    """The process that worked on an import was killed."""
    silent = row.seen_at < datetime.now(UTC) - SILENT
    return row.state in ("running", "undoing") and silent


def set_plan(session: Session, row: Any, asked: Mapping[str, Any]) -> None:
    """Keeps how a draft is to be imported. Raises Conflict when it has been started."""
    plan = {**asked, "file": row.plan["file"]}
    statement = sa.update(ImportRun).where(_run.id == row.id, _run.state == "draft").values(plan=plan)
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(_("This import has been started already"))


def plan_for(edition: Edition, row: Any) -> Plan:
    """The mapping that a run was asked for. Raises MappingInvalid."""
    asked = row.plan
    if asked.get("mapping"):
        return plan_of(edition, row.entity, asked["mapping"], None)
    if not asked.get("columns"):
        raise RecordInvalid({"columns": [_("Choose a field for one column at least")]})
    names = ("columns", "key", "create_only", "decimal", "dates", "delimiter")
    return plan_from_json({name: asked[name] for name in names if asked.get(name)})


def previewed(session: Session, edition: Edition, actor: Actor, row: Any) -> Preview:
    """The first rows of a draft, tried. Raises ImportFailed, MappingInvalid, RecordInvalid."""
    with TemporaryDirectory(prefix="trellis-import-") as folder:
        path = _place(folder, row)
        if not parts.bring_start(session, row.id, path):
            raise RecordInvalid({"file": [_("The file is not kept any more; send it again")]})
        plan = plan_for(edition, row)
        return preview(session, edition, actor, row.entity, plan, path, row.plan.get("encoding"))


def start(session: Session, edition: Edition, row: Any) -> None:
    """Says that a draft shall run. Raises MappingInvalid, Conflict."""
    plan_for(edition, row)
    _move(session, row.id, ("draft",), "waiting")


def start_undoing(session: Session, row: Any) -> None:
    """Says that what an import did shall be taken back."""
    _move(session, row.id, ("done", "failed"), "undoing", seen_at=datetime.now(UTC) - 2 * SILENT)


def _move(session: Session, run_id: int, before: Sequence[str], state: str, **more: Any) -> None:
    moved = sa.update(ImportRun).where(_run.id == run_id, _run.state.in_(before)).values(state=state, **more)
    if session.execute(moved).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(_("This import has been started already"))


def work(workspace: Workspace, actor: Actor, run_id: int) -> None:
    """Does what an import waits for; nothing when it waits for nothing, or another process is at it."""
    with workspace.write() as session:
        row = find(session, actor, run_id)
        if not (row.state == "waiting" or is_stuck(row)):
            return
        state = "undoing" if row.state == "undoing" else "running"
        here = (_run.id == run_id, _run.seen_at == row.seen_at)
        claimed = sa.update(ImportRun).where(*here).values(state=state, seen_at=datetime.now(UTC))
        if session.execute(claimed).rowcount != 1:  # type: ignore[attr-defined]
            return

    def told(done: int, _total: int) -> None:
        _change(workspace, run_id, rows=done, seen_at=datetime.now(UTC))

    try:
        if state == "undoing":
            found = undo(workspace, actor, row.entity, run_id, told).to_json()
            result = {**row.result, "undone": found}
            _change(workspace, run_id, state="undone", finished_at=datetime.now(UTC), result=result)
            return
        done = _work(workspace, actor, row, told)
        workspace.record_faults(done.faults)
        told_all = {"state": "done", "rows": done.resumed + done.rows, "result": done.to_json()}
        _change(workspace, run_id, finished_at=datetime.now(UTC), **told_all)
    except TrellisError as error:
        _change(workspace, run_id, state="failed", finished_at=datetime.now(UTC), problem=str(error))


def _work(workspace: Workspace, actor: Actor, row: Any, told: Any) -> ImportResult:
    with TemporaryDirectory(prefix="trellis-import-") as folder:
        path = _place(folder, row)
        rejected = Path(folder) / f"rejected{rejected_ending(row)}"
        with workspace.read() as session:
            plan = plan_for(workspace.edition(session), row)
            if not parts.bring(session, row.id, parts.SOURCE, path):
                raise RecordInvalid({"file": [_("The file is not kept any more; send it again")]})
        result = run_import(
            workspace,
            actor,
            row.entity,
            path,
            mapping=plan,
            errors=rejected,
            encoding=row.plan.get("encoding"),
            told=told,
            noted=Journal(row.id).noting,
        )
        if rejected.exists():
            with workspace.write() as session:
                parts.keep(session, row.id, parts.REJECTED, rejected)
        return result


def rejected_ending(row: Any) -> str:
    """The format of the file of rejected rows: that of the file, where we write it."""
    ending = PurePosixPath(row.filename).suffix.lower()
    return ending if ending in (*DELIMITED, *JSON_LINES, SPREADSHEET) else ".csv"


def _change(workspace: Workspace, run_id: int, **values: Any) -> None:
    with workspace.write() as session:
        session.execute(sa.update(ImportRun).where(_run.id == run_id).values(**values))


def _place(folder: str, row: Any) -> Path:
    return Path(folder) / f"import{PurePosixPath(row.filename).suffix.lower()}"


# --- Mappings that are used again ---


def save_mapping(session: Session, actor: Actor, row: Any, title: str) -> None:
    """Keeps the mapping of an import under a name; one's own of that name is replaced."""
    mine = (SavedMapping.entity == row.entity, SavedMapping.user_id == actor.user_id)
    title = title.strip()[:120]
    session.execute(sa.delete(SavedMapping).where(*mine, SavedMapping.title == title))
    plan = {name: value for name, value in row.plan.items() if name != "file"}
    session.add(SavedMapping(entity=row.entity, title=title, user_id=actor.user_id, plan=plan))
    session.flush()


def saved_mappings(session: Session, actor: Actor, row: Any) -> Sequence[SavedMapping]:
    """One's own mappings whose columns the file of an import has."""
    names = {one["name"] for one in row.plan["file"]}
    mine = (SavedMapping.entity == row.entity, SavedMapping.user_id == actor.user_id)
    found = session.scalars(sa.select(SavedMapping).where(*mine).order_by(SavedMapping.id.desc())).all()
    return [one for one in found if set(one.plan.get("columns", {}).values()) <= names]


def ready_mappings(edition: Edition, row: Any) -> list[ImportMapping]:
    """The mappings of plugins whose plain columns the file of an import has."""
    names = {one["name"] for one in row.plan["file"]}
    return [
        one
        for one in edition.all(ImportMapping).values()
        if one.entity == row.entity
        and {origin for origin in one.columns.values() if not origin.startswith("=")} <= names
    ]
