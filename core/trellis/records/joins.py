"""Outer joins to the records that a statement's records refer to: one alias for each path of references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from trellis.records.entity import Entity, EntityInfo, Field
from trellis.records.types import Reference

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView
    from trellis.security.actor import Actor

Hops = tuple[Field, ...]


class Source:
    """Columns of an entity's table under their attribute names, without the cost of ORM expressions."""

    def __init__(self, info: EntityInfo, table: sa.FromClause) -> None:
        self.__entity__ = info
        self.table = table
        self.__dict__.update(table.c.items())


def source(entity: type[Entity], *, alias: bool = False) -> type[Entity]:
    """A stand-in for the entity class whose attributes are columns of its table, or of an alias of it."""
    table = entity.__table__
    return cast(type[Entity], Source(entity.__entity__, table.alias() if alias else table))


def table_of(entity: type[Entity]) -> sa.FromClause:
    """The table (or alias) behind an entity class, an ORM alias of it, or a stand-in for it."""
    return entity.table if isinstance(entity, Source) else sa.inspect(entity).selectable


class Joins:
    """The sources of one statement: its own entity and, joined when first asked for, the records referred to.

    A record that the actor may not read, or that is in the bin, is not joined: its columns are NULL.
    """

    def __init__(self, root: type[Entity], view: EntityView, edition: Edition, actor: Actor) -> None:
        self.root = root
        self.view = view
        self.edition = edition
        self.actor = actor
        self._sources: dict[tuple[str, ...], type[Entity]] = {}
        self._joins: list[tuple[sa.FromClause, sa.ColumnElement[bool]]] = []
        self.values: list[sa.BindParameter[Any]] = []

    def source(self, hops: Hops) -> type[Entity]:
        """The entity at the end of ``hops``; the statement's own for no hops."""
        if not hops:
            return self.root
        key = tuple(field.name for field in hops)
        if key not in self._sources:
            self._sources[key] = self._join(hops)
        return self._sources[key]

    def bind(self, value: Any, kind: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
        """A value of the statement, kept among ``values`` in the order of asking."""
        bound = sa.bindparam(None, value, kind, unique=True)
        self.values.append(bound)
        return bound

    def view_of(self, hops: Hops) -> EntityView:
        """The view of the entity at the end of ``hops``."""
        return self.edition.entity(_target(hops[-1])) if hops else self.view

    def title_path(self, hops: Hops, *, depth: int = 2) -> tuple[Hops, Field]:
        """Where the name of the record at the end of ``hops`` is: maybe in one that it refers to."""
        view = self.view_of(hops)
        field = view.fields[view.info.title_field]
        if isinstance(field.type, Reference) and depth:
            return self.title_path((*hops, field), depth=depth - 1)
        return hops, field

    def title(self, hops: Hops) -> sa.ColumnElement[Any]:
        """The name of the record at the end of ``hops``."""
        place, field = self.title_path(hops)
        return field.of(self.source(place))

    def look_up(self, table: sa.FromClause, condition: sa.ColumnElement[bool]) -> None:
        """Joins what holds at most one row for each record of the statement."""
        self._joins.append((table, condition))

    def add_to(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """``statement`` with the outer joins that were asked for."""
        for table, condition in self._joins:
            statement = statement.outerjoin_from(table_of(self.root), table, condition)
        return statement

    def _join(self, hops: Hops) -> type[Entity]:
        before, hop = self.source(hops[:-1]), hops[-1]
        entity = self.edition.entity(_target(hop)).entity
        key = ("joined", self.view.name, *(field.name for field in hops))
        # kept with the edition, since an alias of a wide table is dear to make
        joined: type[Entity] = self.edition.cached(key, lambda: source(entity, alias=True))
        readable = self.actor.visible(joined)
        condition = sa.and_(joined.id == hop.of(before), joined.deleted_at.is_(None), readable)
        self._joins.append((table_of(joined), condition))
        return joined


def _target(hop: Field) -> str:
    assert isinstance(hop.type, Reference)
    return hop.type.entity
