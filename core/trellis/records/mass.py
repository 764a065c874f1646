"""Acts on many records at once: those that were ticked, or all that a list finds. All or none, through the one door.

A record that cannot be changed is named with its reason; nothing is written then, unless the caller leaves those out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from trellis.errors import Message, PermissionRefused, RecordInvalid, RecordNotFound, TrellisError
from trellis.i18n import translator
from trellis.records import schema
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.query import LARGEST_ID, ListQuery
from trellis.records.spans import Span, spanning
from trellis.security.actor import Act
from trellis.system import MassChange

_ = translator("trellis")

Kind = Literal["update", "delete", "restore"]

MOST = 10_000
"""One transaction with more would keep other people waiting."""
AT_ONCE = 500
MOST_REASONS = 100
KEPT = timedelta(days=7)

_RIGHTS: Mapping[Kind, Act] = {"update": "update", "delete": "delete", "restore": "delete"}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The records with these ``ids``; without them, all that a list with this ``rule`` and ``text`` finds."""

    ids: Sequence[int] | None = None
    rule: Mapping[str, Any] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that is left as it is: its title, and why, by field (``_record`` for the record as a whole)."""

    id: int
    title: str
    errors: Mapping[str, Sequence[Message]]


@dataclass(frozen=True, kw_only=True)
class Done:
    """What an act did: how many records it changed, and which it left. ``id`` is what it can be undone by."""

    id: int | None = None
    kind: Kind
    changed: int
    refused: Sequence[Refused] = ()


class MassRefused(TrellisError):
    """Some of the records cannot be changed, so none was. ``refused`` are up to :data:`MOST_REASONS` of them."""

    status = 422
    code = "mass_refused"
    title = _("Some of these records cannot be changed, so none was")

    def __init__(self, refused: Sequence[Refused], asked: int) -> None:
        super().__init__()
        self.refused = list(refused)
        self.asked = asked


class TooManyRecords(TrellisError):
    """The selection is larger than one act may be."""

    status = 422
    code = "too_many_records"

    def __init__(self) -> None:
        super().__init__(
            _("At most %(most)s records can be changed at once; narrow the list by a filter", most=MOST)
        )


def update(
    records: Records,
    entity: str,
    selection: Selection,
    values: Mapping[str, Any],
    *,
    leave_out: bool = False,
) -> Done:
    """Gives all records of the selection these values.

    ``leave_out`` changes the others when some cannot be changed. Raises RecordInvalid for values that are wrong in any
    record, MassRefused, TooManyRecords, PermissionRefused.
    """
    seen = records.actor.sees(records.edition)
    schema.load(seen, seen.entity(entity), values)

    def write(ids: Sequence[int]) -> None:
        records.save(entity, [Write(id=one, values=values) for one in ids])

    return _act(records, entity, selection, "update", write, leave_out)


def delete(records: Records, entity: str, selection: Selection, *, leave_out: bool = False) -> Done:
    """Moves all records of the selection to the bin; as :func:`update`."""
    return _act(records, entity, selection, "delete", lambda ids: records.delete_many(entity, ids), leave_out)


def restore(records: Records, entity: str, selection: Selection, *, leave_out: bool = False) -> Done:
    """Brings the records of the selection back from the bin; as :func:`update`."""
    return _act(
        records, entity, selection, "restore", lambda ids: records.restore_many(entity, ids), leave_out
    )


def _act(
    records: Records,
    entity: str,
    selection: Selection,
    kind: Kind,
    write: Callable[[Sequence[int]], None],
    leave_out: bool,
) -> Done:
    records.actor.require(entity, _RIGHTS[kind])
    open_, failures = _selected(records, entity, selection, kind)
    asked = len(open_) + len(failures)
    with records.whole(), noted(records, entity, kind) as acts:
        for start in range(0, len(open_), AT_ONCE):
            failures |= written(write, open_[start : start + AT_ONCE])
            if len(failures) > MOST_REASONS and not leave_out:
                break
        refused = _told(records, entity, failures, deleted=kind == "restore")
        if failures and not leave_out:
            raise MassRefused(refused, asked)
    return Done(id=acts[0] if acts else None, kind=kind, changed=asked - len(failures), refused=refused)


def written(write: Callable[[Sequence[int]], None], ids: Sequence[int]) -> dict[int, RecordInvalid]:
    """Writes those that can be written; why not the others."""
    try:
        write(ids)
        return {}
    except BatchInvalid as error:
        failures = {ids[index]: one for index, one in error.failures.items()}
    left = [one for one in ids if one not in failures]
    return failures | (written(write, left) if left else {})


def _selected(
    records: Records, entity: str, selection: Selection, kind: Kind
) -> tuple[list[int], dict[int, RecordInvalid]]:
    """The ids to write, and those that are out of reach. Raises TooManyRecords."""
    wanted = None if selection.ids is None else set(selection.ids)
    if wanted is not None and len(wanted) > MOST:
        raise TooManyRecords()
    view = records.edition.entity(entity)
    query = ListQuery(
        view,
        records.edition,
        records.actor,
        ids=None if wanted is None else list(wanted),
        rule=selection.rule,
        text=selection.text,
        deleted=kind == "restore",
    )
    key, may = view.entity.__table__.c.id, records.actor.visible(view.entity, _RIGHTS[kind])
    statement = query.select(key, may.label("may")).order_by(key).limit(MOST + 1)
    found = {row.id: row.may for row in records.session.execute(statement)}
    if len(found) > MOST:
        raise TooManyRecords()
    nowhere = RecordInvalid({"_record": [RecordNotFound.title]})
    refused = {one: nowhere for one in sorted(wanted or ()) if one not in found}
    forbidden = RecordInvalid({"_record": [PermissionRefused.title]})
    refused |= {one: forbidden for one, open_ in found.items() if not open_}
    return [one for one, open_ in found.items() if open_], refused


@contextmanager
def noted(records: Records, entity: str, kind: Kind) -> Iterator[list[int]]:
    """Keeps which events are written meanwhile; gives the id of the act, when it changed anything."""
    session, user_id, acts = records.session, records.actor.user_id, list[int]()

    def keep(span: Span) -> None:
        if user_id is None:
            return
        now = datetime.now(UTC)
        session.execute(sa.delete(MassChange).where(MassChange.at < now - KEPT))
        change = MassChange(at=now, user_id=user_id, entity=entity, act=kind, **span)
        session.add(change)
        session.flush()
        acts.append(change.id)

    with spanning(session, keep):
        yield acts


def _told(
    records: Records, entity: str, failures: Mapping[int, RecordInvalid], *, deleted: bool
) -> list[Refused]:
    """The first failures, with the titles of their records where the actor may read them."""
    ids = list(failures)[:MOST_REASONS]
    titles = titles_of(records, entity, ids, deleted=deleted) if ids else {}
    return [Refused(one, titles.get(one, f"#{one}"), failures[one].errors) for one in ids]


def titles_of(records: Records, entity: str, ids: Sequence[int], *, deleted: bool = False) -> dict[int, str]:
    """What records are called; only those that the actor may read."""
    view = records.edition.entity(entity)
    title = view.info.title_field
    known = [one for one in ids if 0 < one <= LARGEST_ID]
    options: dict[str, Any] = {"ids": known, "limit": len(known), "deleted": deleted, "fields": [title]}
    if title not in records.actor.sees(records.edition).entity(entity).fields:
        return {}
    found = ListQuery(view, records.edition, records.actor, **options).page(records.session).items
    named = ((one.id, one.titles.get(title) or one.values.get(title)) for one in found)
    return {record_id: str(name) for record_id, name in named if name is not None}
