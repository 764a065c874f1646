"""Undoing an act on many records by the events that it wrote: fields get their former values, the bin is left or filled.

What somebody has changed since is left as it is, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from trellis.edition import EntityView
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.records.door import Records, Write
from trellis.records.mass import AT_ONCE, MOST_REASONS, Done, Refused, titles_of, written
from trellis.records.query import ListQuery
from trellis.records.spans import entries
from trellis.records.values import to_json
from trellis.system import Event, MassChange

_ = translator("trellis")

_event = Event.__table__.c

CHANGED = _("Somebody has changed this since")
GONE = _("This record is not there any more, or not open to you")

Failures = dict[int, RecordInvalid]


def undo(records: Records, entity: str, change_id: int) -> Done:
    """Takes an act back, once, for the one who did it.

    ``changed`` counts the records that are as they were, ``refused`` names those that are not, or not in all fields.
    Raises RecordNotFound when there is nothing to undo.
    """
    with records.whole():
        change = _claim(records, entity, change_id)
        failures: Failures = {}
        given_back = 0
        before = change.last_event + 1
        while events := entries(records.session, change, before, AT_ONCE, _event.entity == entity):
            before = events[-1].id
            if change.act == "update":
                given_back += _give_back(records, entity, events, failures)
            else:
                given_back += _turn_round(records, entity, change.act, events, failures)
        ids = list(failures)
        titles = titles_of(records, entity, ids[:MOST_REASONS]) if ids else {}
        refused = [Refused(one, titles.get(one, f"#{one}"), failures[one].errors) for one in ids]
    return Done(kind=change.act, changed=given_back, refused=refused)


def _claim(records: Records, entity: str, change_id: int) -> Any:
    """The act, marked as undone; another call at the same moment finds it so."""
    own = (MassChange.id == change_id, MassChange.entity == entity, MassChange.undone_at.is_(None))
    statement = (
        sa.update(MassChange)
        .where(*own, MassChange.user_id == records.actor.user_id)
        .values(undone_at=datetime.now(UTC))
        .returning(*MassChange.__table__.c)
        .execution_options(synchronize_session=False)
    )
    change = records.session.execute(statement).first()
    if change is None:
        raise RecordNotFound(_("There is nothing to undo: it is undone already, or too long ago"))
    return change


def _give_back(records: Records, entity: str, events: Sequence[Any], failures: Failures) -> int:
    """Fields that still hold what the act wrote get their former values; how many records are as they were."""
    seen = records.actor.sees(records.edition)
    view = seen.entity(entity)
    ids = list({event.record_id for event in events})
    query = ListQuery(view, seen, records.actor, ids=ids, limit=len(ids))
    found = {record.id: record for record in query.page(records.session).items}
    writes: dict[int, Write] = {}
    for event in events:
        record = found.get(event.record_id)
        if record is None:
            failures[event.record_id] = RecordInvalid({"_record": [GONE]})
            continue
        former, changed = _former(view, record.values, event.changes)
        if changed:
            failures[record.id] = RecordInvalid({name: [CHANGED] for name in changed})
        if former:
            writes[record.id] = Write(id=record.id, values=former, version=record.version)

    def write(chosen: Sequence[int]) -> None:
        records.save(entity, [writes[one] for one in chosen])

    return _kept(write, list(writes), failures)


def _former(
    view: EntityView, values: dict[str, Any], changes: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The former values of the fields that nobody has changed since, and the names of the others."""
    open_ = [name for name in changes if name in view.fields and not view.fields[name].read_only]
    present = to_json(view, {name: values[name] for name in open_})
    changed = [name for name in open_ if present[name] != changes[name][1]]
    return {name: changes[name][0] for name in open_ if name not in changed}, changed


def _turn_round(records: Records, entity: str, act: str, events: Sequence[Any], failures: Failures) -> int:
    """Brings back what the act moved to the bin, or the other way round."""
    ids = [event.record_id for event in events]
    binned = act == "delete"
    view = records.edition.entity(entity)
    right = records.actor.visible(view.entity, "delete")
    query = ListQuery(view, records.edition, records.actor, ids=ids, deleted=binned)
    open_ = set(records.session.scalars(query.select(view.entity.__table__.c.id).where(right)))
    failures |= {one: RecordInvalid({"_record": [CHANGED]}) for one in ids if one not in open_}

    def write(chosen: Sequence[int]) -> None:
        if binned:
            records.restore_many(entity, chosen)
        else:
            records.delete_many(entity, chosen)

    return _kept(write, [one for one in ids if one in open_], failures)


def _kept(write: Callable[[Sequence[int]], None], ids: list[int], failures: Failures) -> int:
    """Writes what can be written; how many of the records are whole again."""
    failures |= written(write, ids) if ids else {}
    return sum(one not in failures for one in ids)
