"""Undoing an import by the events that it wrote: new records go to the bin, changed fields get their former values.

What somebody has changed since is left as it is, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.records.door import Records
from trellis.records.query import Record
from trellis.records.spans import Span, entries, spanning
from trellis.records.values import to_json
from trellis.security.actor import SYSTEM, Actor
from trellis.system import Event, ImportBatch
from trellis.workspace import Workspace

AT_ONCE = 200

_event = Event.__table__.c
_batch = ImportBatch.__table__.c


class Journal:
    """Keeps which events a run writes, in the transactions that write them."""

    def __init__(self, run_id: int) -> None:
        self._run_id = run_id

    def noting(self, session: Session) -> AbstractContextManager[None]:
        """Around the writing of one transaction."""

        def keep(span: Span) -> None:
            session.execute(sa.insert(ImportBatch).values(run_id=self._run_id, **span))

        return spanning(session, keep)


@dataclass
class Undone:
    """What undoing did; ``left`` are records that were changed since, or that may not be changed."""

    removed: int = 0
    restored: int = 0
    left: int = 0
    records_left: Sequence[int] = ()

    def to_json(self) -> dict[str, Any]:
        """The counts, and some of the records that were left."""
        counts = {"removed": self.removed, "given_back": self.restored, "left": self.left}
        return {**counts, "records_left": list(self.records_left)[:AT_ONCE]}


def undo(
    workspace: Workspace, actor: Actor, entity: str, run_id: int, told: Callable[[int, int], None]
) -> Undone:
    """Takes an import back, its last event first, in transactions of their own; to be called again when it was killed."""
    found = Undone(records_left=[])
    with workspace.read() as session:
        batches = session.execute(
            sa.select(ImportBatch.__table__).where(_batch.run_id == run_id).order_by(_batch.id.desc())
        ).all()
        total = sum(batch.last_event - batch.first_event + 1 for batch in batches)
    done = 0
    for batch in batches:
        before = batch.last_event + 1
        while True:
            with workspace.write() as session:
                events = entries(
                    session, batch, before, AT_ONCE, _event.entity == entity, _event.source == "import"
                )
                records = Records(session, workspace.edition(session), actor)
                for event in events:
                    _take_back(records, entity, event, found)
            records.committed()
            if not events:
                break
            before = events[-1].id
            done += len(events)
            told(done, total)
        with workspace.write() as session:
            session.execute(sa.delete(ImportBatch).where(_batch.id == batch.id))
    return found


def _take_back(records: Records, entity: str, event: Any, found: Undone) -> None:
    view = records.edition.entity(entity)
    try:
        with records.session.begin_nested():
            record = records.get(entity, event.record_id)
            if records.actor.sees(
                records.edition
            ).restricts:  # what is withheld from the person must be as it was, too
                record = Records(records.session, records.edition, SYSTEM).get(entity, record.id)
            whole = _as_was(view, record, event)
            if event.action == "created" and whole:
                records.delete(entity, record.id)
                found.removed += 1
            elif event.action == "updated":
                former = {name: event.changes[name][0] for name in _unchanged(view, record, event)}
                if former:
                    records.update(entity, record.id, former)
                    found.restored += 1
            if not whole:
                _leave(found, event.record_id)
    except TrellisError:
        _leave(found, event.record_id)


def _leave(found: Undone, record_id: int) -> None:
    found.left += 1
    if len(found.records_left) < AT_ONCE:
        found.records_left = [*found.records_left, record_id]


def _as_was(view: EntityView, record: Record, event: Any) -> bool:
    """Nobody has changed since what the import wrote."""
    if len(_unchanged(view, record, event)) < len([name for name in event.changes if name in view.fields]):
        return False
    if event.action != "created":
        return True
    present = to_json(view, record.values)
    open_ = [name for name, field in view.fields.items() if not field.read_only and name in present]
    return all(present[name] is None for name in open_ if name not in event.changes)


def _unchanged(view: EntityView, record: Record, event: Any) -> list[str]:
    present = to_json(view, {name: record.values[name] for name in event.changes if name in view.fields})
    return [name for name, value in present.items() if value == event.changes[name][1]]
