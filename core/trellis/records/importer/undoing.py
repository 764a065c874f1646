"""Undoing an import by the events that it wrote: new records go to the bin without their keys, changed fields get their
former values.

What somebody has changed since is left as it is, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.records.door import Records, Write
from trellis.records.query import ListQuery, Record
from trellis.records.schema import EXTERNAL
from trellis.records.spans import Span, entries, spanning
from trellis.records.values import to_json
from trellis.security.actor import SYSTEM, Actor
from trellis.system import Event, ImportBatch
from trellis.workspace import Workspace

AT_ONCE = 500
MOST_TOLD = 200

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
                for alike in _runs(events):
                    _take_back(records, alike, alike[0].entity != entity, found)
            records.committed()
            if not events:
                break
            before = events[-1].id
            done += len(events)
            told(done, total)
        with workspace.write() as session:
            session.execute(sa.delete(ImportBatch).where(_batch.id == batch.id))
    return found


def _runs(events: Sequence[Any]) -> Iterator[list[Any]]:
    """Parts of events one after another that did the same to different records of one entity: each is taken back at once."""
    run: list[Any] = []
    seen: set[int] = set()
    for event in events:
        if run and (
            (event.entity, event.action) != (run[0].entity, run[0].action) or event.record_id in seen
        ):
            yield run
            run, seen = [], set()
        run.append(event)
        seen.add(event.record_id)
    if run:
        yield run


def _take_back(records: Records, events: Sequence[Any], made: bool, found: Undone) -> None:
    """Takes back what a run of events wrote, as far as it is as it was."""
    entity, ids = events[0].entity, [event.record_id for event in events]
    view = records.edition.entity(entity)
    present = _present(records, view, ids)
    as_was = _as_were(records.session, view, present, events)
    if made:
        as_was -= _referred_to(records, entity, as_was)
    if events[0].action == "created":
        # The mended file may be imported under the same keys.
        former = {one: {EXTERNAL: None} for one in as_was if present[one].values.get(EXTERNAL) is not None}
        gone = as_was
    else:
        changes = {event.record_id: event.changes for event in events}
        former = {one: _former(view, record, changes[one]) for one, record in present.items()}
        gone = set()
    wanted = [one for one in ids if one in gone or former.get(one)]

    def write(chosen: Sequence[int]) -> None:
        records.save(entity, [Write(id=one, values=former[one]) for one in chosen if former.get(one)])
        records.delete_many(entity, [one for one in chosen if one in gone])

    refused = _refused(records, write, wanted)
    found.removed += len(gone - refused)
    found.restored += sum(one not in gone and one not in refused for one in wanted)
    for one in ids:
        if one not in as_was or one in refused:
            _leave(found, entity, one, made)


def _present(records: Records, view: EntityView, ids: Sequence[int]) -> dict[int, Record]:
    """Records that the actor may see, whole: also what is withheld from the actor must be as it was."""
    if not records.actor.may(view.name, "read"):
        return {}
    session, edition = records.session, records.edition
    seen = ListQuery(view, edition, records.actor, ids=ids).select(view.entity.__table__.c.id)
    query = ListQuery(view, edition, SYSTEM, ids=list(session.scalars(seen)), limit=len(ids))
    return {record.id: record for record in query.page(session).items}


def _refused(records: Records, write: Callable[[Sequence[int]], None], ids: Sequence[int]) -> set[int]:
    """Writes what can be written; the ids of the others, found by halves."""
    if not ids:
        return set()
    try:
        with records.whole():
            write(ids)
        return set()
    except TrellisError:
        if len(ids) == 1:
            return {*ids}
    half = len(ids) // 2
    return _refused(records, write, ids[:half]) | _refused(records, write, ids[half:])


def _leave(found: Undone, entity: str, record_id: int, made: bool) -> None:
    found.left += 1
    if len(found.records_left) + len(found.made_left) >= MOST_TOLD:
        return
    if made:
        found.made_left = [*found.made_left, (entity, record_id)]
    else:
        found.records_left = [*found.records_left, record_id]


def _referred_to(records: Records, entity: str, ids: Collection[int]) -> set[int]:
    """Those to which a record of any kind refers, whoever may see it; those in the bin do not count."""
    found: set[int] = set()
    for view, field in records.edition.referring(entity) if ids else ():
        rule = {"field": field.name, "op": "in", "value": list(ids)}
        query = ListQuery(view, records.edition, SYSTEM, rule=rule)
        found.update(records.session.scalars(query.select(field.of(view.entity)).distinct()))
    return found


def _as_were(
    session: Session, view: EntityView, present: Mapping[int, Record], events: Sequence[Any]
) -> set[int]:
    """The records that nobody has changed since what the import wrote."""
    same, added = set[int](), dict[int, set[str]]()
    for event in events:
        record = present.get(event.record_id)
        if record is None or len(_unchanged(view, record, event.changes)) < len(
            [name for name in event.changes if name in view.fields]
        ):
            continue
        same.add(record.id)
        if event.action == "created":
            values = to_json(view, record.values)
            added[record.id] = {
                name
                for name, field in view.fields.items()
                if not field.read_only and values.get(name) is not None and name not in event.changes
            }
    return same - _told_of(session, events, {one: names for one, names in added.items() if names})


def _told_of(session: Session, events: Sequence[Any], added: Mapping[int, Collection[str]]) -> set[int]:
    """The new records of which the log tells who gave them these fields: what Trellis itself fills in (a stage of customers)
    it does not."""
    if not added:
        return set()
    first = {event.record_id: event.id for event in events}
    later = sa.select(_event.id, _event.record_id, _event.changes).where(
        _event.entity == events[0].entity, _event.record_id.in_(added), _event.id > min(first.values())
    )
    return {
        row.record_id
        for row in session.execute(later)
        if row.id > first[row.record_id] and any(name in row.changes for name in added[row.record_id])
    }


def _unchanged(view: EntityView, record: Record, changes: Mapping[str, Any]) -> list[str]:
    present = to_json(view, {name: record.values[name] for name in changes if name in view.fields})
    return [name for name, value in present.items() if value == changes[name][1]]


def _former(view: EntityView, record: Record, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: changes[name][0] for name in _unchanged(view, record, changes)}
