"""Running an import: batches through the door, creating or updating by key, with every rejected row accounted for."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.errors import RecordInvalid, TrellisError
from trellis.i18n import translator
from trellis.plugins import Fault
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.importer.expressions import ExpressionFailed
from trellis.records.importer.mapping import IGNORED, Mapping, mapping_of
from trellis.records.importer.readers import Row, read_rows
from trellis.records.types import ValueInvalid
from trellis.security.actor import Actor
from trellis.workspace import Workspace

_ = translator("trellis")

BATCH = 1000
KEPT = 100
"""Rejections kept for the answer; all of them are in the errors file."""


@dataclass(frozen=True)
class Rejection:
    """A row that was not imported: its number in the file, and the reasons by field."""

    row: int
    errors: dict[str, list[str]]


@dataclass
class ImportResult:
    """What an import did. Rows of one key in one file count once."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The counts, and the first rejected rows with their reasons."""
        names = ("rows", "created", "updated", "unchanged", "skipped", "rejected")
        rejections = [{"row": one.row, "errors": one.errors} for one in self.rejections]
        return {**{name: getattr(self, name) for name in names}, "rejections": rejections}


@dataclass
class _Draft:
    """A record to be, from one row or from several with the same key."""

    row: Row
    values: dict[str, Any]
    id: int | None = None


class _DryRun(Exception):
    """Takes back everything that a dry run wrote."""


def run_import(
    workspace: Workspace,
    actor: Actor,
    entity: str,
    path: Path,
    *,
    mapping: str | Path | None = None,
    key: str | None = None,
    dry_run: bool = False,
    errors: Path | None = None,
    told: Callable[[int], None] = lambda done: None,
) -> ImportResult:
    """Imports a file. Each batch is one transaction, so a killed import can be run again: with a key nothing doubles.

    A dry run does all of it in one transaction and takes it back. ``told`` hears how many rows are done. Raises
    ImportFailed for a file that cannot be read, MappingInvalid, PermissionRefused.
    """
    with workspace.read() as session:
        edition = workspace.edition(session)
    actor.require(entity, "create")
    first = next(iter(read_rows(path)), None) if mapping is None else None
    chosen = mapping_of(edition, entity, mapping, key, first.cells if first else ())
    rows = read_rows(path, delimiter=chosen.delimiter, header=chosen.header)
    result = ImportResult()
    with ExitStack() as stack:
        rejected = _ErrorsFile(errors, stack)
        try:
            if dry_run:
                with workspace.write() as session:
                    _all_batches(
                        lambda: _Given(session), workspace, actor, chosen, rows, result, rejected, told
                    )
                    raise _DryRun
            _all_batches(workspace.write, workspace, actor, chosen, rows, result, rejected, told)
        except _DryRun:
            pass
    return result


class _Given:
    """An open session where a new one would be begun otherwise."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> Session:
        return self._session

    def __exit__(self, *_error: object) -> None:
        return None


def _all_batches(
    begin: Callable[[], Any],
    workspace: Workspace,
    actor: Actor,
    mapping: Mapping,
    rows: Iterator[Row],
    result: ImportResult,
    rejected: _ErrorsFile,
    told: Callable[[int], None],
) -> None:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        drafts = _drafts(mapping, batch, result, rejected)
        with begin() as session:
            records = Records(session, workspace.edition(session), actor)
            _save(records, mapping, drafts, result, rejected)
        records.committed()
        result.faults += records.faults
        result.rows += len(batch)
        told(result.rows)


def _drafts(
    mapping: Mapping, batch: Sequence[Row], result: ImportResult, rejected: _ErrorsFile
) -> list[_Draft]:
    """The records of a batch; rows with the same key are one record, of which later cells win (or the first row)."""
    found: list[_Draft] = []
    by_key: dict[str, _Draft] = {}
    for row in batch:
        if row.problem is not None:
            rejected.add(result, row, {"_record": [str(row.problem)]})
            continue
        try:
            if mapping.skip is not None and mapping.skip(row.cells, row.number):
                result.skipped += 1
                continue
            values = mapping.values(row.cells, row.number)
        except ExpressionFailed as error:
            rejected.add(result, row, {"_record": [str(error)]})
            continue
        if mapping.key is None:
            found.append(_Draft(row, values))
            continue
        key = values.get(mapping.key)
        if key is None:
            rejected.add(result, row, {mapping.key: [str(_("The key is empty"))]})
            continue
        known = by_key.get(str(key))
        if known is not None:
            if not mapping.create_only:
                known.values.update(values)
        else:
            by_key[str(key)] = _Draft(row, values)
            found.append(by_key[str(key)])
    return found


def _save(
    records: Records, mapping: Mapping, drafts: list[_Draft], result: ImportResult, rejected: _ErrorsFile
) -> None:
    """Saves the drafts; those that are refused go to the errors file, and the others are saved without them."""
    _find_existing(records, mapping, drafts)
    if mapping.create_only:
        result.unchanged += sum(draft.id is not None for draft in drafts)
        drafts = [draft for draft in drafts if draft.id is None]
    while drafts:
        try:
            records.save(mapping.view.name, [Write(id=draft.id, values=draft.values) for draft in drafts])
        except BatchInvalid as error:
            for index, refusal in error.failures.items():
                rejected.add(result, drafts[index].row, _reasons(refusal))
            drafts = [draft for index, draft in enumerate(drafts) if index not in error.failures]
            continue
        actions = [change.action for change in records.written]
        result.created += actions.count("created")
        result.updated += actions.count("updated")
        result.unchanged += len(drafts) - len(actions)
        return


def _find_existing(records: Records, mapping: Mapping, drafts: Sequence[_Draft]) -> None:
    """Gives each draft the id of the record that has its key already."""
    if mapping.key is None or not drafts:
        return
    entity, declared = mapping.view.entity, mapping.view.fields[mapping.key]
    column = declared.of(entity)
    wanted: dict[Any, list[_Draft]] = {}
    for draft in drafts:
        try:
            value = declared.type.check(draft.values[mapping.key])
        except ValueInvalid:
            continue  # the door will say what is wrong with it
        wanted.setdefault(value, []).append(draft)
    query = sa.select(column, entity.id).where(column.in_(list(wanted)), entity.deleted_at.is_(None))
    for value, record_id in records.session.execute(query.where(records.actor.visible(entity, "update"))):
        for draft in wanted[value]:
            draft.id = record_id


def _reasons(error: TrellisError) -> dict[str, list[str]]:
    if isinstance(error, RecordInvalid):
        return {name: [str(one) for one in found] for name, found in error.errors.items()}
    return {"_record": [str(error)]}


class _ErrorsFile:
    """The rejected rows as a CSV with the columns of the import, so that it can be mended and imported again."""

    def __init__(self, path: Path | None, stack: ExitStack) -> None:
        self._path = path
        self._stack = stack
        self._writer: csv.DictWriter[str] | None = None

    def add(self, result: ImportResult, row: Row, errors: dict[str, list[str]]) -> None:
        """Counts a rejected row and writes it."""
        result.rejected += 1
        if len(result.rejections) < KEPT:
            result.rejections.append(Rejection(row.number, errors))
        if self._path is None:
            return
        if self._writer is None:
            file = self._stack.enter_context(self._path.open("w", encoding="utf-8", newline=""))
            names = [name for name in row.cells if name not in IGNORED]
            self._writer = csv.DictWriter(file, [*names, *IGNORED], extrasaction="ignore")
            self._writer.writeheader()
        text = "; ".join(f"{name}: {' '.join(found)}" for name, found in errors.items())
        self._writer.writerow({**row.cells, "_row": row.number, "_problem": text})
