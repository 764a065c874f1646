"""Entities whose records are parts of one another: what stands below a record, and that none comes to be part of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.bulk import among
from trellis.records.joins import source
from trellis.records.types import Reference

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView
    from trellis.records.entity import Field
    from trellis.security.actor import Actor

_ = translator("trellis")

Lookup = Callable[[str, int], Mapping[str, Any] | None]


def tree_of(edition: Edition, field: Field) -> str | None:
    """The field by which the records that ``field`` refers to are parts of one another; None where they are not."""
    target = edition.entities.get(field.type.entity) if isinstance(field.type, Reference) else None
    return target.info.tree if target else None


def branch(edition: Edition, actor: Actor, entity: str, root: Any) -> sa.Select[Any]:
    """The ids of a record and of all below it, as far as the actor sees the way to them."""
    view = edition.entity(entity)

    def seen() -> Any:
        table = source(view.entity, alias=True)
        return table, (table.deleted_at.is_(None), actor.visible(table))

    top, shown = seen()
    found = sa.select(top.id.label("id")).where(top.id == root, *shown).cte(recursive=True)
    part, shown = seen()
    above = view.fields[view.info.tree or ""].of(part)
    found = found.union(sa.select(part.id).join(found, above == found.c.id).where(*shown))
    return sa.select(found.c.id)


def way_up(entity: str, tree: str, start: int | None, lookup: Lookup) -> Iterator[int]:
    """A record and all that it is part of, from below, as far as ``lookup`` finds them."""
    passed: set[int] = set()
    while start is not None and start not in passed and (record := lookup(entity, start)) is not None:
        passed.add(start)
        yield start
        start = record.get(tree)


def check_circles(
    session: Session, view: EntityView, drafts: Mapping[int, tuple[int | None, Mapping[str, Any]]]
) -> dict[int, RecordInvalid]:
    """Reports records that would be part of themselves, through others of the batch too; one query for each step up."""
    name = view.info.tree
    if name is None:
        return {}
    moved = {
        record: values[name]
        for record, values in drafts.values()
        if record is not None and values.get(name) is not None
    }
    above: dict[int, int | None] = dict(moved)
    wanted = set(moved.values()) - above.keys()
    table = cast(sa.Table, view.entity.__table__)
    parent = view.fields[name].of(view.entity)
    while wanted:
        query = sa.select(table.c.id, parent).where(among(session, table.c.id, wanted))
        above |= {number: None for number in wanted} | {row[0]: row[1] for row in session.execute(query)}
        wanted = {above[number] for number in wanted} - above.keys() - {None}

    def lookup(_entity: str, number: int) -> Mapping[str, Any]:
        return {name: above[number]}

    message = _("That is itself a part of this one; choose another")
    return {
        index: RecordInvalid({name: [message]})
        for index, (record, _values) in drafts.items()
        if record in moved and record in way_up(view.name, name, moved[record], lookup)
    }
