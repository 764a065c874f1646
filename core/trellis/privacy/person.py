"""Which records are about one person: the record itself, what was merged into it, and what refers to these."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition, EntityView
from trellis.errors import Conflict
from trellis.i18n import translator
from trellis.quality.merged import parts_of
from trellis.records.door import Records
from trellis.records.entity import Field
from trellis.records.types import Email, Phone

_ = translator("trellis")

AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Person:
    """The records about somebody, also those in the bin: ``records`` has the ids of each entity, their own first.

    Other records of the same entity are other people, though they may refer to this one.
    """

    view: EntityView
    id: int
    title: str
    records: Mapping[str, tuple[int, ...]]

    @property
    def own(self) -> tuple[int, ...]:
        """The record and those merged into it."""
        return self.records[self.view.name]


def is_person(view: EntityView) -> bool:
    """Whether records of an entity are people: they have a name, and a mail address or telephone number that is personal data."""
    if view.info.title_field in view.references:  # it is called by the name of somebody else
        return False
    return any(isinstance(one.type, Email | Phone) and one.personal for one in view.fields.values())


def personal_fields(view: EntityView) -> list[Field]:
    """The fields of an entity that hold data of a person."""
    return [field for field in view.fields.values() if field.personal]


def person_of(records: Records, entity: str, record_id: int) -> Person:
    """The records about somebody, whatever the actor's own reach.

    Raises RecordNotFound, PermissionRefused without the right to personal data, Conflict for what is no person.
    """
    record = records.get(entity, record_id)
    records.actor.require_personal_data()
    edition = records.edition
    view = edition.entity(entity)
    if not is_person(view):
        raise Conflict(_("%(entities)s hold no personal data", entities=view.info.plural))
    session = records.session
    own = tuple(_with_merged(session, entity, record_id))
    found: dict[str, dict[int, None]] = {entity: dict.fromkeys(own)}
    _follow(session, edition, found, entity, own)
    title = str(record.values.get(view.info.title_field) or f"#{record_id}")
    ids = {name: tuple(known) for name, known in found.items() if known}
    return Person(view=view, id=record_id, title=title, records=ids)


def rows_of(session: Session, view: EntityView, ids: Collection[int]) -> Iterator[Mapping[str, Any]]:
    """The rows of records, in the order of their ids, also of those in the bin."""
    table = view.entity.__table__
    for some in batches(sorted(ids)):
        query = sa.select(table).where(table.c.id.in_(some)).order_by(table.c.id)
        for row in session.execute(query).mappings():
            yield dict(row)


def batches(ids: Collection[int]) -> Iterator[list[int]]:
    """The ids, some at once."""
    left = iter(ids)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _with_merged(session: Session, entity: str, record_id: int) -> Iterator[int]:
    yield record_id
    for part in parts_of(session, entity, record_id):
        yield from _with_merged(session, entity, part.record_id)


def _follow(
    session: Session, edition: Edition, found: dict[str, dict[int, None]], entity: str, ids: Collection[int]
) -> None:
    """Adds what refers to these records; from there on what refers to people, and what is contained in a record."""
    root = next(iter(found))
    for view, reference in edition.referring(entity):
        if view.name in (root, "user"):
            continue
        known = found.setdefault(view.name, {})
        new = [one for one in _referring(session, view, reference, ids) if one not in known]
        known.update(dict.fromkeys(new))
        contains = any(one.info.parent for one, _field in edition.referring(view.name))
        if new and (is_person(view) or contains):
            _follow_into(session, edition, found, view, new)


def _follow_into(
    session: Session,
    edition: Edition,
    found: dict[str, dict[int, None]],
    view: EntityView,
    ids: Collection[int],
) -> None:
    if is_person(view):
        _follow(session, edition, found, view.name, ids)
        return
    for part, reference in edition.referring(view.name):
        if part.info.parent == reference.name:
            found.setdefault(part.name, {}).update(dict.fromkeys(_referring(session, part, reference, ids)))


def _referring(session: Session, view: EntityView, reference: Field, ids: Collection[int]) -> Iterator[int]:
    entity = view.entity
    for some in batches(ids):
        yield from session.scalars(sa.select(entity.id).where(reference.of(entity).in_(some)))
