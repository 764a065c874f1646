"""Undoing an import by the events that it wrote: new records go to the bin without their keys, changed fields get their
former values.

What somebody has changed since is left as it is, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.records.door import Records
from trellis.records.query import ListQuery, Record
from trellis.records.schema import EXTERNAL
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
    """What undoing did; ``left`` are records that were changed since, or that may not be changed.

    ``made_left`` are, as (entity, id), those of the left ones that the import made because rows named them.
    """

    removed: int = 0
    restored: int = 0
    left: int = 0
    records_left: Sequence[int] = ()
    made_left: Sequence[tuple[str, int]] = ()

    def to_json(self) -> dict[str, Any]:
        """The counts, and some of the records that were left."""
        counts = {"removed": self.removed, "given_back": self.restored, "left": self.left}
        made = [list(one) for one in self.made_left]
        return {**counts, "records_left": list(self.records_left), "made_left": made}


def undo(
    workspace: Workspace,
    actor: Actor,
    entity: str,
    made: Collection[str],
    run_id: int,
    told: Callable[[int, int], None],
) -> Undone:
    """Takes an import back, its last event first, in transactions of their own; to be called again when it was killed.

    So do records of the entities ``made`` that it made beside those of its rows, unless others refer to them by now.
    """
    found = Undone()
    written = sa.or_(_event.entity == entity, sa.and_(_event.entity.in_(made), _event.action == "created"))
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
                events = entries(session, batch, before, AT_ONCE, written, _event.source == "import")
                records = Records(session, workspace.edition(session), actor)
                for event in events:
                    _take_back(records, event, event.entity != entity, found)
            records.committed()
            if not events:
                break
            before = events[-1].id
            done += len(events)
            told(done, total)
        with workspace.write() as session:
            session.execute(sa.delete(ImportBatch).where(_batch.id == batch.id))
    return found


def _take_back(records: Records, event: Any, made: bool, found: Undone) -> None:
    entity = event.entity
    view = records.edition.entity(entity)
    try:
        with records.session.begin_nested():
            record = records.get(entity, event.record_id)
            if records.actor.sees(
                records.edition
            ).restricts:  # what is withheld from the person must be as it was, too
                record = Records(records.session, records.edition, SYSTEM).get(entity, record.id)
            whole = _as_was(records, view, record, event) and not (
                made and _is_referred_to(records, entity, record.id)
            )
            if event.action == "created" and whole:
                if (
                    record.values.get(EXTERNAL) is not None
                ):  # the mended file may be imported under the same keys
                    records.update(entity, record.id, {EXTERNAL: None})
                records.delete(entity, record.id)
                found.removed += 1
            elif event.action == "updated":
                former = {name: event.changes[name][0] for name in _unchanged(view, record, event)}
                if former:
                    records.update(entity, record.id, former)
                    found.restored += 1
            if not whole:
                _leave(found, event, made)
    except TrellisError:
        _leave(found, event, made)


def _leave(found: Undone, event: Any, made: bool) -> None:
    found.left += 1
    if len(found.records_left) + len(found.made_left) >= AT_ONCE:
        return
    if made:
        found.made_left = [*found.made_left, (event.entity, event.record_id)]
    else:
        found.records_left = [*found.records_left, event.record_id]


def _is_referred_to(records: Records, entity: str, record_id: int) -> bool:
    """Whether a record of any kind refers to one, whoever may see it; those in the bin do not count."""
    for view, field in records.edition.referring(entity):
        rule = {"field": field.name, "op": "eq", "value": record_id}
        if ListQuery(view, records.edition, SYSTEM, rule=rule).count(records.session, 1):
            return True
    return False


def _as_was(records: Records, view: EntityView, record: Record, event: Any) -> bool:
    """Nobody has changed since what the import wrote."""
    if len(_unchanged(view, record, event)) < len([name for name in event.changes if name in view.fields]):
        return False
    if event.action != "created":
        return True
    present = to_json(view, record.values)
    added = {
        name
        for name, field in view.fields.items()
        if not field.read_only and present.get(name) is not None and name not in event.changes
    }
    return not added or not _was_told(records.session, event, added)


def _was_told(session: Session, event: Any, names: Collection[str]) -> bool:
    """Whether the log tells who gave a new record these fields: what Trellis itself fills in (a stage of customers) it does not."""
    later = sa.select(_event.changes).where(
        _event.entity == event.entity, _event.record_id == event.record_id, _event.id > event.id
    )
    return any(name in changes for changes in session.scalars(later) for name in names)


def _unchanged(view: EntityView, record: Record, event: Any) -> list[str]:
    present = to_json(view, {name: record.values[name] for name in event.changes if name in view.fields})
    return [name for name, value in present.items() if value == event.changes[name][1]]
