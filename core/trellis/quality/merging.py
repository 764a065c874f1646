"""Merging: one record takes over what is chosen of another, and everything that refers to it; and the way back.

All of it goes through the one door, in one transaction, so that each change is checked, audited and told to plugins. What
refers to the merged record moves whatever the actor's own reach: a part left behind would be lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import attachments
from trellis.edition import EntityView
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.process.about import hand_over
from trellis.quality.distinct import hand_on
from trellis.quality.merged import Merged
from trellis.records.door import Records, Write
from trellis.records.entity import Base, Entity
from trellis.records.events import MERGING
from trellis.records.query import Record
from trellis.records.reach import with_all_rights
from trellis.records.schema import EXTERNAL
from trellis.scripts import about as conversations
from trellis.security.actor import Act

_ = translator("trellis")

AT_ONCE = 500
_FILES = "files"
"""Where a merge keeps which attachments it moved, beside the references."""


def mergeable(view: EntityView) -> bool:
    """Whether records of an entity can be merged: people of the workspace cannot, each signs in as themselves."""
    return view.name != "user"


def merge(records: Records, entity: str, survivor: int, other: int, take: Collection[str] = ()) -> Merged:
    """Makes the record ``other`` part of ``survivor``, which takes over the fields ``take`` of it.

    ``other`` goes to the bin. Raises RecordNotFound, PermissionRefused (one must be allowed to change the one and delete
    the other), RecordInvalid for a field that cannot be taken, Conflict for what cannot be merged.
    """
    view = records.edition.entity(entity)
    if not mergeable(view) or survivor == other:
        raise Conflict(_("Choose two different records; users cannot be merged"))
    kept, gone = records.get(entity, survivor), records.get(entity, other)
    _check(view, take)
    _require(records, entity, "update", kept)
    _require(records, entity, "delete", gone)
    wide = with_all_rights(records)
    known = {wide.get(entity, one).values.get(EXTERNAL) for one in (survivor, other)}
    taken = {name: gone.values.get(name) for name in take}
    cleared = {name: taken[name] for name in taken if view.fields[name].unique and taken[name] is not None}
    if cleared:  # a unique value can be in one place only
        wide.update(entity, other, {name: None for name in cleared})
    if taken:
        records.update(entity, survivor, taken)
    moved = dict(_move(wide, entity, other, survivor))
    moved[_FILES] = attachments.hand_over(records.session, entity, other, survivor)
    wide.delete(entity, other)
    elsewhere = known - {None, wide.get(entity, survivor).values.get(EXTERNAL)}
    to_json = {name: view.fields[name].type.to_json for name in taken}
    done = Merged(
        entity=entity,
        record_id=other,
        survivor_id=survivor,
        external_id=next(iter(elsewhere), None),  # what the survivor is known by beside its own
        fields={name: [to_json[name](kept.values.get(name)), to_json[name](taken[name])] for name in taken},
        cleared={name: to_json[name](value) for name, value in cleared.items()},
        moved=moved,
        user_id=records.actor.user_id,
        user_name=records.actor.name,
        at=datetime.now(UTC),
    )
    records.session.add(done)
    hand_on(records.session, entity, other, survivor)
    hand_over(records.session, entity, other, survivor)
    conversations.hand_over(records.session, entity, other, survivor)
    records.take_over(wide)
    return done


def unmerge(records: Records, entity: str, other: int) -> Merged:
    """Takes a merge back: the other record returns with what referred to it and what it gave.

    What was changed since is left as it is. Raises RecordNotFound when ``other`` was not merged.
    """
    done = records.session.get(Merged, (entity, other))
    if done is None:
        raise RecordNotFound()
    view = records.edition.entity(entity)
    survivor = records.get(entity, done.survivor_id)
    _require(records, entity, "update", survivor)
    records.actor.require(entity, "delete")
    wide = with_all_rights(records)
    wide.restore(entity, other)
    back = {
        name: before
        for name, (before, after) in done.fields.items()
        if name in view.fields and view.fields[name].type.to_json(survivor.values.get(name)) == after
    }
    if back:
        wide.update(entity, survivor.id, back)
    given = {name: value for name, value in done.cleared.items() if name in back}
    if given:
        wide.update(entity, other, given)
    attachments.give(records.session, done.moved.get(_FILES, ()), other)
    for place, ids in done.moved.items():
        name, _dot, field = place.rpartition(".")
        if name in records.edition.entities:
            _point(wide, name, field, _still(records, name, field, ids, survivor.id), other)
    records.session.delete(done)
    records.session.flush()
    records.take_over(wide)
    return done


def _require(records: Records, entity: str, act: Act, record: Record) -> None:
    if not records.actor.reaches(entity, act, {**record.values, "id": record.id}):
        raise PermissionRefused()


def _check(view: EntityView, take: Collection[str]) -> None:
    errors = {}
    for name in take:
        field = view.fields.get(name)
        if field is None:
            errors[name] = [_("%(entity)s has no field “%(name)s”", entity=view.info.title, name=name)]
        elif field.read_only:
            errors[name] = [_("This field cannot be changed")]
    if errors:
        raise RecordInvalid(errors)


def _move(wide: Records, entity: str, other: int, survivor: int) -> Iterator[tuple[str, list[int]]]:
    """Points everything that refers to ``other`` to ``survivor``, in the bin too; the ids of what was moved by place."""
    for view, field in wide.edition.referring(entity):
        referring = sa.select(view.entity.id).where(field.of(view.entity) == other)
        if view.name == entity and survivor in wide.session.scalars(referring):
            _point(wide, entity, field.name, [survivor], None)  # it cannot be a part of itself
        ids = list(wide.session.scalars(referring))
        if ids:
            _point(wide, view.name, field.name, ids, survivor)
            yield f"{view.name}.{field.name}", ids
    _move_hidden(wide, entity, other, survivor)


def _point(wide: Records, entity: str, field: str, ids: list[int], target: int | None) -> None:
    """Sets a reference of many records through the door; those in the bin directly, since the door does not open there."""
    table = wide.edition.entity(entity).entity
    declared = wide.edition.entity(entity).fields[field]
    given: dict[str, Any] = {field: target}
    values, kept = ({}, given) if declared.read_only else (given, {})
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        living = set(
            wide.session.scalars(sa.select(table.id).where(table.id.in_(some), table.deleted_at.is_(None)))
        )
        with _merging(wide.session):
            wide.save(entity, [Write(id=one, values=values, kept=kept) for one in some if one in living])
        binned = [one for one in some if one not in living]
        if binned and declared.column is not None:
            wide.session.execute(
                sa.update(table).where(table.id.in_(binned)).values({declared.column: target})
            )


@contextmanager
def _merging(session: Session) -> Iterator[None]:
    """Lets references be written that people may not change."""
    session.info[MERGING] = True
    try:
        yield
    finally:
        del session.info[MERGING]


def _still(records: Records, entity: str, field: str, ids: list[int], target: int) -> list[int]:
    """Those of the records that refer to ``target`` now."""
    view = records.edition.whole.entity(entity)
    column = view.fields[field].of(view.entity)
    found: list[int] = []
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        query = sa.select(view.entity.id).where(view.entity.id.in_(some), column == target)
        found += records.session.scalars(query)
    return found


def _move_hidden(wide: Records, entity: str, other: int, survivor: int) -> None:
    """Records of plugins that are disabled here refer too, and have no door now."""
    target = wide.edition.entity(entity).entity.__table__
    shown = {view.entity.__table__ for view in wide.edition.entities.values()}
    there = set(sa.inspect(wide.session.connection()).get_table_names())
    records = [
        cast(sa.Table, one.local_table) for one in Base.registry.mappers if issubclass(one.class_, Entity)
    ]
    for table in records:
        if table in shown or table.name not in there:
            continue
        for key in table.foreign_keys:
            if key.column.table is target:
                column = key.parent
                wide.session.execute(sa.update(table).where(column == other).values({column.name: survivor}))


def merged_values(kept: Mapping[str, Any], gone: Mapping[str, Any], view: EntityView) -> list[str]:
    """The fields that are better taken from the other record, as a proposal: those that the survivor has empty."""
    return [
        name
        for name, field in view.fields.items()
        if not field.read_only and kept.get(name) in (None, "") and gone.get(name) not in (None, "")
    ]
