"""Running an import: batches through the one door, creating or updating by key, with every row accounted for."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.errors import PluginError, RecordInvalid, TrellisError
from trellis.plugins import Fault
from trellis.records.bulk import notice_growth
from trellis.records.door import Records
from trellis.records.expressions import ExpressionFailed
from trellis.records.importer import logs
from trellis.records.importer.by_headers import plan_by_headers
from trellis.records.importer.existing import Draft
from trellis.records.importer.mapping import Mapping, compiled
from trellis.records.importer.plans import Plan, plan_of
from trellis.records.importer.readers import Row, Source, open_source
from trellis.records.importer.rejected import RejectedRows
from trellis.records.importer.resuming import ImportedTwice, Progress, forget
from trellis.records.importer.saving import Outcome, Reasons, draft_of, reasons_of, write
from trellis.security.actor import Actor
from trellis.workspace import Workspace

BATCH = 1000
KEPT = 100
"""Rejections kept for the answer; all of them are in the errors file."""

Told = Callable[[int, int], None]
Noted = Callable[[Session], AbstractContextManager[None]]


@dataclass(frozen=True)
class Rejection:
    """A row that was not imported: its number in the file, and the reasons by field."""

    row: int
    errors: Reasons


@dataclass
class ImportResult:
    """What an import did: every row of a table counts once; of an event log those of one key count together.

    ``resumed`` are rows that an earlier, killed run had done; ``made`` are records beside those of the rows, which these
    name, by entity; ``unused`` are columns of the file that lead to no field.
    ``progress`` tells the file, where its rows are counted and the caller is to forget that when it has kept the result.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0
    resumed: int = 0
    made: Counter[str] = field(default_factory=Counter)
    unused: Sequence[str] = ()
    rejections: list[Rejection] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    progress: str = ""

    def to_json(self) -> dict[str, Any]:
        """The counts, and the first rejected rows with their reasons."""
        names = ("rows", "created", "updated", "unchanged", "skipped", "rejected", "resumed")
        rejections = [{"row": one.row, "errors": one.errors} for one in self.rejections]
        counts = {name: getattr(self, name) for name in names}
        return {**counts, "made": dict(self.made), "unused": list(self.unused), "rejections": rejections}


def run_import(
    workspace: Workspace,
    actor: Actor,
    entity: str,
    path: Path,
    *,
    mapping: str | Path | Plan | None = None,
    key: str | None = None,
    dry_run: bool = False,
    errors: Path | None = None,
    encoding: str | None = None,
    told: Told = lambda done, total: None,
    noted: Noted = lambda session: nullcontext(),
    forgets: bool = True,
) -> ImportResult:
    """Imports a file, which is first read to its end: a broken one imports nothing.

    Each batch is one transaction, so a killed import can be run again and nothing doubles: with a key each row finds its
    record, rows without one go on where the import was. A dry run does all of it in one transaction and takes it back.
    ``told`` hears how many rows of about how many are done, ``noted`` is entered around the
    writing in each transaction. Without ``forgets`` the caller forgets how far the import is, in the transaction that
    keeps its result: killed between the two, it would begin anew. Raises ImportFailed for a file that cannot be read,
    MappingInvalid, ExpressionInvalid, PermissionRefused.
    """
    with workspace.read() as session:
        edition = actor.sees(workspace.edition(session))
        view = edition.entity(entity)
        plan = mapping if isinstance(mapping, Plan) else None
        if mapping is not None and not isinstance(mapping, Plan):
            plan = plan_of(edition, entity, mapping, key)
    actor.require(entity, "create")
    if plan is None:
        source = open_source(path, encoding=encoding)
        plan = plan_by_headers(view, source.columns, key)
    else:
        source = open_source(path, encoding=encoding, **plan.reading)
    ready = compiled(edition, actor, view, plan, source)
    progress = Progress(workspace, path, (entity, plan)) if ready.log is None and not dry_run else None
    with RejectedRows(errors, source) as rejected:
        actor = dataclasses.replace(actor, source="import")
        run = _Run(workspace, actor, ready, source, rejected, told, noted, progress)
        if dry_run:
            return run.tried()
        result = run.done()
    if result.created >= BATCH:
        with workspace.write() as session:
            notice_growth(session, cast(sa.Table, view.entity.__table__))
    if progress is not None and forgets:
        with workspace.write() as session:
            forget(session, progress.key)
    return result


class _TakenBack(Exception):
    """Ends the transaction of a dry run."""


class _Run:
    """One import under way."""

    def __init__(
        self,
        workspace: Workspace,
        actor: Actor,
        mapping: Mapping,
        source: Source,
        rejected: RejectedRows,
        told: Told,
        noted: Noted,
        progress: Progress | None,
    ) -> None:
        self._workspace = workspace
        self._actor = actor
        self._mapping = mapping
        self._source = source
        self._rejected = rejected
        self._told = told
        self._noted = noted
        self._progress = progress
        self._before = progress.done if progress is not None else 0
        self._dry: Session | None = None
        self._refused: list[tuple[Row, Reasons]] = []
        self._result = ImportResult(unused=mapping.unused)

    def tried(self) -> ImportResult:
        """The result that the import would have; nothing is kept."""
        try:
            with self._workspace.write() as self._dry:
                self.done()
                raise _TakenBack
        except _TakenBack:
            return self._result

    def done(self) -> ImportResult:
        """Imports all rows."""
        rows = self._source.rows()
        if self._mapping.log is not None:
            return self._logged(rows)
        if self._progress is not None:
            self._result.progress = self._progress.key
        if self._mapping.key is None:
            self._result.resumed = sum(1 for _row in islice(rows, self._before))
        place = self._result.resumed
        while batch := list(islice(rows, BATCH)):
            drafts = list(self._drafts(batch, place))
            place += len(batch)
            self._save(drafts, place)
            self._hand_back()
            self._result.rows += len(batch)
            self._told(place, max(place, self._source.count))
        return self._result

    def _logged(self, rows: Iterator[Row]) -> ImportResult:
        """Imports an event log: its rows are read to the end first, for those of a record stand anywhere."""
        drafts = logs.gathered(self._mapping, rows, self._step)
        self._hand_back()
        for first in range(0, len(drafts), BATCH):
            some = drafts[first : first + BATCH]
            self._save(some, some[-1].place)
            self._hand_back()
            self._told(min(first + BATCH, len(drafts)), len(drafts))
        return self._result

    def _step(self, row: Row, place: int) -> Draft | None:
        """What a row of a log tells of a record; None where it is left out or refused."""
        self._result.rows += 1
        try:
            draft = draft_of(self._mapping, row, place)
            if draft is None:
                self._result.skipped += 1
            else:
                logs.take_step(self._mapping, draft)
        except ExpressionFailed as error:
            self._reject(row, {"_record": [str(error)]})
            return None
        except RecordInvalid as error:
            self._reject(row, reasons_of(error))
            return None
        return draft

    def _drafts(self, batch: Sequence[Row], start: int) -> Iterator[Draft]:
        """The records of a batch. Rows with the same key are one, of which later cells win (or the first row)."""
        by_key: dict[Any, Draft] = {}
        for place, row in enumerate(batch, start=start + 1):
            try:
                draft = draft_of(self._mapping, row, place)
            except ExpressionFailed as error:
                self._reject(row, {"_record": [str(error)]})
                continue
            except RecordInvalid as error:
                self._reject(row, reasons_of(error))
                continue
            if draft is None:
                self._result.skipped += 1
                continue
            if place <= self._before and draft.keyless:
                self._result.resumed += 1
                self._result.rows -= 1
                continue
            known = by_key.setdefault(draft.key, draft)
            if known is draft:
                continue
            if self._mapping.create_only:
                known.repeats.append((row, False))
            else:
                known.take(draft)
        yield from by_key.values()

    def _save(self, drafts: list[Draft], place: int) -> None:
        """Saves drafts in one transaction; what is refused as a whole is tried in halves, until the culprit is alone."""
        progress = self._progress if self._mapping.key is None or any(one.keyless for one in drafts) else None
        try:
            with self._begin() as session:
                records = Records(session, self._workspace.edition(session), self._actor)
                with self._noted(session):
                    outcome = write(records, self._mapping, drafts)
                if progress is not None:
                    progress.reach(session, place)
        except (PluginError, ImportedTwice):
            raise
        except (TrellisError, sa.exc.OperationalError) as error:
            if len(drafts) > 1:
                half = len(drafts) // 2
                self._save(drafts[:half], drafts[half - 1].place)
                self._save(drafts[half:], place)
                return
            if not isinstance(error, TrellisError) or not drafts:
                raise
            outcome = Outcome(refused=[(drafts[0], reasons_of(error))])
        else:
            self._keep(records)
            if progress is not None:
                progress.done = place
        self._count(outcome)

    def _begin(self) -> AbstractContextManager[Session]:
        return self._workspace.write() if self._dry is None else _part_of(self._dry)

    def _keep(self, records: Records) -> None:
        """What follows a commit; a dry run has none."""
        if self._dry is not None:
            return
        records.committed()
        self._result.faults += records.faults

    def _count(self, outcome: Outcome) -> None:
        self._result.created += outcome.created
        self._result.updated += outcome.updated
        self._result.unchanged += outcome.unchanged
        self._result.made += outcome.made
        for draft, errors in outcome.refused:
            for row in (draft.row, *(later for later, _differs in draft.repeats)):
                self._reject(row, errors)

    def _reject(self, row: Row, errors: Reasons) -> None:
        self._refused.append((row, errors))

    def _hand_back(self) -> None:
        """Counts and keeps the rows that were refused since the last time, in the order of the file."""
        for row, errors in sorted(self._refused, key=lambda one: one[0].number):
            self._result.rejected += 1
            if len(self._result.rejections) < KEPT:
                self._result.rejections.append(Rejection(row.number, errors))
            self._rejected.add(row, errors)
        self._refused.clear()


@contextmanager
def _part_of(session: Session) -> Iterator[Session]:
    """A part of a transaction that can fail alone."""
    with session.begin_nested():
        yield session
