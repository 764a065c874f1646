"""Imports in steps: a file is kept, looked at, mapped and tried; then a job does it, and it can be undone.

What a run has reached stands in the database: the page that started it may be left, and after a kill it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import files
from trellis.edition import Edition, EntityView
from trellis.errors import Conflict, RecordInvalid, RecordNotFound, TrellisError
from trellis.i18n import translator
from trellis.jobs import Job, JobInterrupted, Work, ask_to_stop, enqueue, retry
from trellis.jobs.job import FAILED, UNFINISHED
from trellis.records.importer.plans import BY_NAME, ID, KEYS, Plan, plan_from_json, plan_of
from trellis.records.importer.preview import Preview, preview
from trellis.records.importer.readers import Row, open_source
from trellis.records.importer.rejected import SPREADSHEET
from trellis.records.importer.resuming import forget
from trellis.records.importer.runner import ImportResult, run_import
from trellis.records.importer.suggesting import columns_of_file, named_by_number, suggested
from trellis.records.importer.undoing import Journal, undo
from trellis.records.schema import EXTERNAL
from trellis.records.tables import DELIMITED, JSON_LINES
from trellis.security.actor import Actor
from trellis.system import ImportRun
from trellis.uploads import check_content
from trellis.workspace import Workspace

_ = translator("trellis")

ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".jsonl", ".ndjson", ".json")
KIND = "import"
READING = ("encoding", "delimiter", "sheet")
"""How a file is opened, where it is not found out."""
KEPT = ("file", "sheets", "totals", *READING)
GOING = ("waiting", "running", "undoing")
ENDED = ("done", "failed", "stopped")

_run = ImportRun.__table__.c
_job = Job.__table__.c


def draft(session: Session, edition: Edition, actor: Actor, entity: str, path: Path, filename: str) -> int:
    """Keeps a file and what it seems to hold; returns the number of the import. Raises ImportFailed, RecordInvalid."""
    view = edition.entity(entity)
    actor.require(entity, "create")
    check_name(filename)
    check_content(path, filename)
    plan, rows = _looked_at(edition, view, path, {})
    return keep(session, actor, entity, path, filename, plan, total=rows)


def read_anew(session: Session, edition: Edition, row: Any, reading: Mapping[str, Any]) -> None:
    """Looks at the file of a draft again, opened in another way (:data:`READING`). Raises ImportFailed, Conflict."""
    with TemporaryDirectory(prefix="trellis-import-") as folder:
        path = _brought(session, folder, row)
        plan, rows = _looked_at(edition, edition.entity(row.entity), path, reading)
    set_plan(session, row, plan, total=rows)


def _looked_at(
    edition: Edition, view: EntityView, path: Path, reading: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """What a file seems to hold and how it may be imported, and about how many rows it has."""
    source = open_source(path, **reading)
    columns = columns_of_file(source)
    found = suggested(edition, view, columns)
    found |= named_by_number(view, found)
    told = [{"name": one.name, "kind": one.kind, "examples": list(one.examples)} for one in columns]
    key = next((name for name in (ID, EXTERNAL) if name in found), None)
    totals = [
        [one.number, {name: str(cell) for name, cell in one.cells.items() if cell}]
        for one in source.totals.values()
    ]
    plan = {
        "columns": found,
        "key": key,
        "file": told,
        "sheets": list(source.sheets),
        "totals": totals,
        **reading,
    }
    return plan, source.count


def check_name(filename: str) -> None:
    """Raises RecordInvalid unless the ending is one of :data:`ENDINGS`."""
    if PurePosixPath(filename).suffix.lower() not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise RecordInvalid({"file": [_("The name must end in one of: %(known)s", known=known)]})


def keep(
    session: Session,
    actor: Actor,
    entity: str,
    path: Path,
    filename: str,
    plan: Mapping[str, Any],
    *,
    total: int,
    dry_run: bool = False,
) -> int:
    """Keeps a file and how it is to be imported, as a draft; returns the number of the import."""
    values: dict[str, Any] = {"user_id": actor.user_id, "entity": entity, "filename": filename[-255:]}
    values |= {
        "dry_run": dry_run,
        "started_at": datetime.now(UTC),
        "plan": plan,
        "total": total,
        "state": "draft",
    }
    insert = sa.insert(ImportRun).values(**values, result={}).returning(_run.id)
    run_id = int(session.scalar(insert) or 0)
    files.keep(session, source_name(run_id), path)
    return run_id


def source_name(run_id: int) -> str:
    """The name that the file of an import is kept under."""
    return f"import/{run_id}/source"


def rejected_name(run_id: int) -> str:
    """The name that the rejected rows of an import are kept under."""
    return f"import/{run_id}/rejected"


_FOUND = (
    *ImportRun.__table__.c,
    _job.done.label("job_done"),
    _job.state.label("job_state"),
    _job.problem.label("job_problem"),
    _job.arguments.label("job_arguments"),
)


def find(session: Session, actor: Actor, run_id: int) -> Any:
    """The row of an import with what its job says: one's own, or any as an administrator. Raises RecordNotFound."""
    row = session.execute(_visible(actor).where(_run.id == run_id)).first()
    if row is None:
        raise RecordNotFound()
    return row


def latest(session: Session, actor: Actor, entity: str, limit: int) -> Sequence[Any]:
    """The last imports of an entity that the actor may see, drafts too, the newest first; no dry runs."""
    query = _visible(actor).where(_run.entity == entity, _run.dry_run.is_(False))
    return session.execute(query.order_by(_run.id.desc()).limit(limit)).all()


def started(session: Session, actor: Actor, limit: int, before: int | None = None) -> Sequence[Any]:
    """The imports that the actor may see and that were started, the newest first; those ``before`` a number."""
    query = _visible(actor).where(_run.state != "draft").order_by(_run.id.desc()).limit(limit)
    return session.execute(query.where(_run.id < before) if before else query).all()


def _visible(actor: Actor) -> sa.Select[Any]:
    own = [] if actor.administrator else [_run.user_id == actor.user_id]
    joined = ImportRun.__table__.outerjoin(Job.__table__, _job.id == _run.job_id)
    return sa.select(*_FOUND).select_from(joined).where(*own)


def state_of(row: Any) -> str:
    """Where an import stands, also when its job ended before it could say so."""
    if row.state in GOING and row.job_state is not None and row.job_state not in UNFINISHED:
        return str(row.job_state)
    return str(row.state or ("done" if row.finished_at else "failed"))


def rows_done(row: Any) -> int:
    """How many rows of an import are done."""
    return int(row.job_done or 0) if row.state in GOING else int(row.rows)


def problem_of(row: Any) -> str:
    """Why an import failed; empty when it did not."""
    return str(row.problem or (row.job_problem if state_of(row) == FAILED else "") or "")


def set_plan(session: Session, row: Any, asked: Mapping[str, Any], total: int | None = None) -> None:
    """Keeps how a draft is to be imported; what the page does not ask for stays. Raises Conflict when it has been started."""
    plan = {**{name: row.plan[name] for name in KEPT if name in row.plan}, **asked}
    statement = sa.update(ImportRun).where(_run.id == row.id, _run.state == "draft")
    statement = statement.values(plan=plan, total=row.total if total is None else total)
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(_("This import has been started already"))


def plan_for(edition: Edition, row: Any) -> Plan:
    """The mapping that a run was asked for. Raises MappingInvalid."""
    asked = row.plan
    if asked.get("mapping"):
        known = plan_of(edition, row.entity, asked["mapping"], None)
        make = tuple(name for name in asked.get("make") or () if f"{name}{BY_NAME}" in known.columns)
        blank = tuple(name for name in asked.get("blank") or () if f"{name}{BY_NAME}" in known.columns)
        fixed = {name: one for name, one in (asked.get("fixed") or {}).items() if one is not None}
        reading = {name: asked[name] for name in ("delimiter", "sheet") if asked.get(name)}
        return replace(known, alike=asked.get("alike"), fixed=fixed, make=make, blank=blank, **reading)
    if not asked.get("columns"):
        raise RecordInvalid({"columns": [_("Choose a field for one column at least")]})
    return plan_from_json({name: asked[name] for name in KEYS if asked.get(name) is not None})


def previewed(session: Session, edition: Edition, actor: Actor, row: Any) -> Preview:
    """The first rows of a draft, tried. Raises ImportFailed, MappingInvalid, RecordInvalid."""
    with TemporaryDirectory(prefix="trellis-import-") as folder:
        path = _place(folder, row)
        whole = path.suffix.lower() in (".xlsx", ".xls", ".ods")
        if not (files.bring if whole else files.bring_start)(session, source_name(row.id), path):
            raise RecordInvalid({"file": [_("The file is not kept any more; send it again")]})
        plan = plan_for(edition, row)
        totals = [Row(number, cells) for number, cells in row.plan.get("totals") or ()]
        encoding = row.plan.get("encoding")
        return preview(session, edition, actor, row.entity, plan, path, encoding, totals)


MOST_NAMES = 60
"""Names of stages and choices in a file that can be told apart on a page."""


def names_in(session: Session, row: Any, columns: Sequence[str]) -> dict[str, list[str]]:
    """What columns of a draft's file hold, each text once, in the order of the file. Raises ImportFailed."""
    with TemporaryDirectory(prefix="trellis-import-") as folder:
        path = _place(folder, row)
        if not files.bring(session, source_name(row.id), path):
            return {}
        source = open_source(path, **{name: row.plan.get(name) for name in READING})
        found: dict[str, dict[str, None]] = {column: {} for column in columns}
        for one in source.rows():
            for column, texts in found.items():
                text = str(one.cells.get(column) or "").strip()
                if text and len(texts) < MOST_NAMES:
                    texts[text] = None
        return {column: list(texts) for column, texts in found.items()}


def start(session: Session, edition: Edition, actor: Actor, row: Any) -> None:
    """Puts the work of a draft into the queue. Raises MappingInvalid, Conflict."""
    plan_for(edition, row)
    _begin(session, actor, row, ("draft",), undo=False)


def start_undoing(session: Session, actor: Actor, row: Any) -> None:
    """Puts into the queue that what an import did shall be taken back. Raises Conflict while it goes."""
    _begin(session, actor, row, ENDED, undo=True)


def stop(session: Session, actor: Actor, row: Any) -> None:
    """Ends an import where it is; what it did stays, and can be undone or gone on with."""
    if row.state not in GOING:
        raise Conflict(_("This import does not wait or run any more"))
    ask_to_stop(session, actor, row.job_id)


def go_on(session: Session, actor: Actor, row: Any) -> None:
    """Puts an import that was stopped or failed, or the undoing of one, back into the queue. Raises Conflict."""
    if row.job_id is None:
        raise Conflict(_("This import has not been started"))
    retry(session, actor, row.job_id)
    state = _going(row.job_arguments["undo"])
    session.execute(sa.update(ImportRun).where(_run.id == row.id).values(state=state, problem=""))


def _begin(session: Session, actor: Actor, row: Any, before: Sequence[str], *, undo: bool) -> None:
    job_id = enqueue(session, KIND, {"run": row.id, "undo": undo}, actor.user_id)
    moved = sa.update(ImportRun).where(_run.id == row.id, _run.state == row.state)
    allowed = state_of(row) in before
    if not allowed or session.execute(moved.values(state=_going(undo), job_id=job_id)).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(_("This import has been started already"))


def _going(undo: bool) -> str:
    return "undoing" if undo else "waiting"


def work(work: Work) -> None:
    """The job of an import: does it, or takes it back, from where the attempt before was killed."""
    workspace, actor, run_id = work.workspace, work.actor, int(work.arguments["run"])
    progress = ""
    with workspace.read() as session:
        row = find(session, actor, run_id)
    try:
        if work.arguments["undo"]:
            found = undo(workspace, actor, row.entity, _made(workspace, row), run_id, work.tell).to_json()
            values: dict[str, Any] = {"state": "undone", "result": {**row.result, "undone": found}}
        else:
            _change(workspace, run_id, state="running")
            done = _work(workspace, actor, row, work.tell)
            workspace.record_faults(done.faults)
            progress = done.progress
            values = {"state": "done", "rows": done.resumed + done.rows, "result": done.to_json()}
    except TrellisError as error:
        _change(workspace, run_id, state="failed", finished_at=datetime.now(UTC), problem=str(error))
        raise
    except JobInterrupted as interrupted:
        if interrupted.stopped:
            _change(workspace, run_id, state="stopped", finished_at=datetime.now(UTC))
        raise
    with workspace.write() as session:
        statement = sa.update(ImportRun).where(_run.id == run_id)
        session.execute(statement.values(finished_at=datetime.now(UTC), **values))
        forget(session, progress)
        work.finish(session, {})


def _made(workspace: Workspace, row: Any) -> set[str]:
    """The entities of which an import makes records because its rows name them."""
    with workspace.read() as session:
        view = workspace.edition(session).entities.get(row.entity)
    fields = view.references if view is not None else {}
    return {fields[name].type.entity for name in row.plan.get("make") or () if name in fields}  # type: ignore[attr-defined]


def _work(workspace: Workspace, actor: Actor, row: Any, told: Any) -> ImportResult:
    with TemporaryDirectory(prefix="trellis-import-") as folder:
        path = _place(folder, row)
        rejected = Path(folder) / f"rejected{rejected_ending(row)}"
        with workspace.read() as session:
            plan = plan_for(actor.sees(workspace.edition(session)), row)
            _brought(session, folder, row)
        result = run_import(
            workspace,
            actor,
            row.entity,
            path,
            mapping=plan,
            dry_run=row.dry_run,
            errors=rejected,
            encoding=row.plan.get("encoding"),
            told=_nothing if row.dry_run else told,
            noted=Journal(row.id).noting,
            forgets=False,
        )
        if rejected.exists():
            with workspace.write() as session:
                files.keep(session, rejected_name(row.id), rejected)
        return result


def _nothing(_rows: int, _total: int) -> None:
    """A dry run is one transaction of its own, beside which SQLite lets nobody write."""


def rejected_ending(row: Any) -> str:
    """The format of the file of rejected rows: that of the file, where we write it."""
    ending = PurePosixPath(row.filename).suffix.lower()
    return ending if ending in (*DELIMITED, *JSON_LINES, SPREADSHEET) else ".csv"


def _change(workspace: Workspace, run_id: int, **values: Any) -> None:
    with workspace.write() as session:
        session.execute(sa.update(ImportRun).where(_run.id == run_id).values(**values))


def _brought(session: Session, folder: str, row: Any) -> Path:
    """The file of an import. Raises RecordInvalid where it is gone."""
    path = _place(folder, row)
    if not files.bring(session, source_name(row.id), path):
        raise RecordInvalid({"file": [_("The file is not kept any more; send it again")]})
    return path


def _place(folder: str, row: Any) -> Path:
    return Path(folder) / f"import{PurePosixPath(row.filename).suffix.lower()}"
