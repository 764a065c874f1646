"""Which rows of an import are records already: found by key, a batch with one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from trellis.errors import Message
from trellis.i18n import translator
from trellis.quality.merged import known_as
from trellis.records.bulk import among
from trellis.records.door import Records
from trellis.records.entity import Field
from trellis.records.importer.mapping import Mapping
from trellis.records.importer.plans import ID
from trellis.records.importer.readers import Row
from trellis.records.schema import EXTERNAL
from trellis.records.types import ValueInvalid

_ = translator("trellis")


class NoKey(NamedTuple):
    """Stands for the key of a row that has none: only this row is of its record."""

    place: int


@dataclass
class Draft:
    """A record to be, from one row or from several with the same key; ``place`` is how far in the file the last one is.

    ``id`` is that of the record that has the key already. ``steps`` are those of an event log: when which stage was reached,
    and what the row says beside that; ``kept`` follows from them. ``repeats`` are the later rows of a batch with the same
    key, each with whether it says anything else. ``into`` is the draft that took this one, for the record is the same.
    """

    row: Row
    place: int
    values: dict[str, Any]
    key: Any
    id: int | None = None
    steps: list[tuple[datetime, str, dict[str, Any]]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    repeats: list[tuple[Row, bool]] = field(default_factory=list)
    into: Draft | None = None

    @property
    def keyless(self) -> bool:
        """Its row has no key: it is a new record unless something else tells which one it is."""
        return isinstance(self.key, NoKey)

    def take(self, later: Draft) -> None:
        """Adds what a later row with the same key says: its cells win."""
        differs = any(self.values.get(name) != value for name, value in later.values.items())
        self.values.update(later.values)
        self.repeats.append((later.row, differs))


def find_existing(records: Records, mapping: Mapping, drafts: Sequence[Draft]) -> dict[int, Message]:
    """Gives each draft the id of its record; the positions of those that cannot be saved, with the reason."""
    declared = mapping.key_field
    if declared is None or not drafts:
        return {}
    found = _found(records, mapping, declared, [draft.key for draft in drafts if not draft.keyless])
    refused: dict[int, Message] = {}
    for index, draft in enumerate(drafts):
        if draft.keyless:
            continue
        known = found.get(draft.key, [])
        present = [one for one in known if not one.deleted]
        if len(present) > 1:
            refused[index] = _("Several records have “%(key)s” here", key=str(draft.key))
        elif present and not present[0].may and not mapping.create_only:
            refused[index] = _("You may not change the record that has “%(key)s” here", key=str(draft.key))
        elif present:
            draft.id = present[0].id
            if present[0][0] != draft.key:  # its key is that of a record merged into this one
                draft.values.pop(declared.name, None)
        elif known and (declared.unique or declared.name == ID):
            refused[index] = _("The record that has “%(key)s” here is in the recycle bin", key=str(draft.key))
        elif declared.name == ID:
            refused[index] = _("There is no such record")
    return refused


def find_same(records: Records, mapping: Mapping, drafts: Sequence[Draft]) -> dict[int, Message]:
    """Without a key: gives each draft the id of the record that is told apart by the same values, in one query."""
    names = mapping.view.info.told_apart_by
    fields = [mapping.view.fields[name] for name in names if name in mapping.view.fields]
    without = [index for index, one in enumerate(drafts) if one.keyless]
    if not without or not fields or len(fields) < len(names):
        return {}
    keys = {index: key for index in without if (key := _told_apart(fields, drafts[index])) is not None}
    entity = mapping.view.entity
    columns = [field.of(entity) for field in fields]
    query = sa.select(entity.id, records.actor.visible(entity, "update"), *columns)
    firsts = among(records.session, columns[0], [key[0] for key in keys.values()])
    here = query.where(firsts, records.actor.visible(entity), entity.deleted_at.is_(None))
    known = {tuple(key): (number, may) for number, may, *key in records.session.execute(here)}
    refused: dict[int, Message] = {}
    rows: dict[tuple[Any, ...], int] = {}
    for index, key in keys.items():
        draft = drafts[index]
        number, may = known.get(key, (None, True))
        if key in rows:
            refused[index] = _("Row %(row)s is about the same", row=rows[key])
        elif not may and not mapping.create_only:
            refused[index] = _("You may not change the record that has “%(key)s” here", key=str(key[0]))
        else:
            draft.id = number
        rows.setdefault(key, draft.row.number)
    return refused


def _told_apart(fields: Sequence[Field], draft: Draft) -> tuple[Any, ...] | None:
    """What tells a draft apart; None where a value cannot be read, which is told when it is saved."""
    try:
        return tuple(one.type.check(draft.values.get(one.name)) for one in fields)
    except ValueInvalid:
        return None


def _found(records: Records, mapping: Mapping, declared: Field, keys: Sequence[Any]) -> dict[Any, list[Any]]:
    """The records that have these keys and that the actor sees, those in the bin too: by key.

    One out of sight is as if it were not: a row with its key makes a new record, or is told that a unique key is taken.
    """
    entity = mapping.view.entity
    column = declared.of(entity)
    may = records.actor.visible(entity, "update")
    query = sa.select(column, entity.id, may.label("may"), entity.deleted_at.is_not(None).label("deleted"))
    query = query.where(records.actor.visible(entity))
    merged = known_as(records.session, mapping.view.name, keys) if declared.name == EXTERNAL else {}
    ids, has_key = set(merged.values()), among(records.session, column, keys)
    rows = records.session.execute(query.where(sa.or_(has_key, entity.id.in_(ids)) if ids else has_key))
    found: dict[Any, list[Any]] = {}
    by_id = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
        by_id[row.id] = row
    for key, survivor in merged.items():
        if survivor in by_id:
            found.setdefault(key, []).append(by_id[survivor])
    return found
