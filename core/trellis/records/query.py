"""List queries: one SELECT for a page of records, with the titles of the records they refer to.

Limited to what the actor may read, filtered by a rule and a text, sorted by any fields, continued by cursors.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from trellis.records import cursor as cursors
from trellis.records.branches import branches, put_together
from trellis.records.joins import Joins, source, table_of
from trellis.records.keyset import Range, SortKey, ranges_after
from trellis.records.layout import Layout, Reader, Record, layout_of, reader_of
from trellis.records.prepared import ME, Prepared, Shelf, Unprepared
from trellis.records.rules import Node, RuleContext, parse, shape_of, to_json, to_sql, today_in
from trellis.records.sorting import paths_of, sort_key
from trellis.search import vocabulary
from trellis.search.asked import Asked
from trellis.search.common import way_to_go
from trellis.search.matching import Unindexed, can_find, found, texts_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from trellis.edition import Edition, EntityView
    from trellis.security.actor import Actor

__all__ = ["ListQuery", "Page", "Record"]

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a list, and the cursor of the page that follows (None on the last)."""

    items: list[Record]
    next: str | None


class ListQuery:
    """A list of records of one entity.

    - ``rule``: JSON or a parsed node;  ``text``: words that must all be found in searchable fields. Where nothing has
      them, words like them are looked for instead (by :meth:`page` and :meth:`count`)
    - ``sort``: field names, ``-`` before those in descending order; the entity's own sort where none is given
    - ``fields``: names of the fields wanted, also through references (``customer.city``); by default all
    - ``cursor``: where the page before ended;  ``deleted``: the records in the bin instead of the others
    - ``ids``: only these records; or a select of their ids (the members of a segment)
    """

    def __init__(
        self,
        view: EntityView,
        edition: Edition,
        actor: Actor,
        *,
        rule: Node | Mapping[str, Any] | None = None,
        sort: Sequence[str] = (),
        fields: Sequence[str] | None = None,
        text: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        deleted: bool = False,
        ids: Sequence[int] | sa.Select[Any] | None = None,
        today: date | None = None,
    ) -> None:
        if (seen := actor.sees(edition)).restricts:  # for most people there are no rules, and nothing to do
            edition = seen
            view = edition.entity(view.name)
        self.view = view
        self.limit = max(1, limit)
        self._context = RuleContext(edition=edition, actor=actor, today=today or today_in(edition))
        self._rule = parse(rule, view, edition, listed=True) if isinstance(rule, Mapping) else rule
        self._asked = Asked.checked(text or "")
        self._text = [] if self._asked is None else self._asked.words
        self._walk = 0
        self._deleted = deleted
        self._ids = _possible(ids)
        self._named = (tuple(sort), None if fields is None else tuple(fields))
        self._paths = self._kept.get((view.name, self._named), lambda: paths_of(view, edition, sort, fields))
        self._cursor = cursor

    def statement(self) -> sa.Select[Any]:
        """The SELECT of the page (of its first rows, where it crosses into empty values of the sort)."""
        return next(self.statements())

    def statements(self) -> Iterator[sa.Select[Any]]:
        """The SELECT of the page; one more, for where it crosses, to be asked when rows are missing."""
        if self._apart:
            yield self._together()
        elif self._after is None:
            yield self._sorted(self._select, self._keys)
        else:
            for following in ranges_after(self._keys, self._after, self._joins.bind):
                yield self._sorted(self._select.where(following.condition), following.keys)

    def select(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """A SELECT of other columns of the entity (sums, ids) over the records of all pages."""
        return self.selecting(lambda _joins: columns)

    def selecting(self, columns: Callable[[Joins], Sequence[sa.ColumnElement[Any]]]) -> sa.Select[Any]:
        """As :meth:`select`, of columns that may be those of records referred to."""
        return self._selecting(columns, self._new_joins())

    def _selecting(
        self, columns: Callable[[Joins], Sequence[sa.ColumnElement[Any]]], joins: Joins
    ) -> sa.Select[Any]:
        chosen, conditions = columns(joins), self._conditions(joins)
        return joins.add_to(sa.select(*chosen).select_from(table_of(joins.root))).where(*conditions)

    def order(self, joins: Joins) -> list[sa.UnaryExpression[Any]]:
        """The sort of the list, for :meth:`selecting`."""
        return [key.order for key in self._keys_by(joins)]

    def _keys_by(self, joins: Joins) -> list[SortKey]:
        return [sort_key(path, descending, joins) for path, descending in self._paths.sort]

    def count_statement(self, limit: int | None = None) -> sa.Select[Any]:
        """Counts the records of all pages; with ``limit``, only up to it."""
        if limit is None:
            return self.select(sa.func.count())
        return sa.select(sa.func.count()).select_from(self.select(sa.literal(1)).limit(limit).subquery())

    def page(self, session: Session) -> Page:
        """The page."""
        if self._asked is not None and self._sorts_by_index:
            self._walk = way_to_go(session, self._context.edition, self._asked, self._whole)
        rows = self._rows(session)
        if self._walk and len(rows) <= self.limit:  # its hits are far apart here, or there are no more
            self._walk = 0
            self._forget()
            rows = self._rows(session)
        if not rows and self._loosen(session):
            rows = self._rows(session)
        rows, more = rows[: self.limit], len(rows) > self.limit
        items = self._layout.records(rows)
        last = len(self._paths.sort)
        return Page(items, cursors.encode(self._fingerprint, rows[-1][-last:]) if more else None)

    def count(self, session: Session, limit: int | None = None) -> int:
        """How many records there are on all pages; with ``limit``, only up to it."""
        found = session.scalar(self.count_statement(limit)) or 0
        if not found and self._loosen(session):
            found = session.scalar(self.count_statement(limit)) or 0
        return found

    def figures(
        self,
        session: Session,
        name: Hashable,
        columns: Callable[[Joins], Sequence[sa.ColumnElement[Any]]],
        around: Callable[[sa.Select[Any]], sa.Select[Any]],
    ) -> Sequence[Any]:
        """The rows of a statement ``around`` a SELECT of columns over the records of all pages, prepared as pages are.

        ``name`` stands for the columns and for what is around them. Words are taken loosely where :meth:`page` took them so.
        """
        connection, values = session.connection(), list[Any]()
        shape = self._shape(values, paged=False)
        prepared = None
        if shape is not None:
            key = (connection.dialect, name, shape)

            def prepare() -> tuple[Prepared, ...] | None:
                joins = self._new_joins()
                statement = around(self._selecting(columns, joins))
                return self._prepared([statement], joins, connection.dialect, values)

            prepared = self._kept.get(key, prepare)
        if prepared is None:
            return session.execute(around(self.selecting(columns))).all()
        return prepared[0].rows(connection, values)

    def _rows(self, session: Session) -> list[Any]:
        """The rows of the page and the first one behind it."""
        rows: list[Any] = []
        for read in self._reads(session):
            rows += read()
            if len(rows) > self.limit:
                break
        return rows

    @cached_property
    def _apart(self) -> list[Node]:
        """The rules of the branches that the list is read in; none where it is read at once."""
        if self._asked is not None or self._ids is not None:
            return []
        return branches(self._rule, cast(sa.Table, self.view.entity.__table__), self._paths.sort)

    def _together(self) -> sa.Select[Any]:
        """The page out of the first records of each branch, of which no more than the keys is read."""
        heads = [head for rule in self._apart for head in self._heads(rule)]
        found = put_together(heads, self._keys, self.limit + 1)
        order = [replace(key, expression=Unindexed(key.expression)).order for key in self._keys]
        return self._joins.add_to(self._listed).where(self._joins.root.id.in_(found)).order_by(*order)

    def _heads(self, rule: Node) -> Iterator[sa.Select[Any]]:
        """Ids and sort keys of the first records of a branch, from the cursor on."""
        branch, joins = copy(self), self._new_joins()
        branch._rule, joins.values = rule, self._joins.values
        keys, after = self._keys_by(joins), self._after
        columns = [joins.root.id, *(key.expression.label(f"key_{at}") for at, key in enumerate(keys))]
        ranges = [Range(sa.true(), keys)] if after is None else ranges_after(keys, after, joins.bind)
        conditions = branch._conditions(joins)
        head = joins.add_to(sa.select(*columns).select_from(table_of(joins.root))).where(*conditions)
        for one in ranges:
            yield self._sorted(head.where(one.condition), one.keys)

    def _reads(self, session: Session) -> Iterator[Callable[[], Sequence[Any]]]:
        """What reads the rows of each of :meth:`statements`: as it was prepared for lists of this shape, if it can be."""
        connection, values = session.connection(), list[Any]()
        shape = self._shape(values)
        prepared = None
        if shape is not None:
            key = (connection.dialect, shape)
            prepared = self._kept.get(key, lambda: self._prepare(connection.dialect, values))
        if prepared is None:
            yield from (partial(self._plain, session, one) for one in self.statements())
        else:
            yield from (partial(one.rows, connection, values) for one in prepared)

    @staticmethod
    def _plain(session: Session, statement: sa.Select[Any]) -> Sequence[Any]:
        return session.execute(statement).all()

    def _shape(self, values: list[Any], *, paged: bool = True) -> Hashable | None:
        """What lists have in common whose statements differ by no more than ``values``, which it fills; None for no such list.

        Without ``paged``, statements over the records of all pages.
        """
        actor, ids = self._context.actor, self._ids
        if ids is not None and not (isinstance(ids, list) and len(ids) == 1):
            return None
        values.append(actor.user_id)
        after = self._after if paged else None
        rules, apart = [], list[Node | None](self._apart if paged else ())
        for rule in apart or [self._rule]:
            values += (one for one in after or () if one is not None)
            values += ids or ()
            rules.append("all" if rule is None else shape_of(rule, self._context, values))
        if None in rules or self._context.edition.entities.get(self.view.name) is not self.view:
            return None
        text = None
        if self._asked is not None:
            finds = can_find(self._asked, self.view)
            values += texts_of(self._asked) if finds else ()
            text = (self._walk, finds)
        listed = (self.view.name, self._deleted, ids is None, actor.reading, tuple(rules), text)
        empty = None if after is None else tuple(one is None for one in after)
        return (*listed, self._named, self.limit, empty) if paged else listed

    def _prepare(self, dialect: Dialect, values: Sequence[Any]) -> tuple[Prepared, ...] | None:
        """The statements of the page, to be run with other values."""
        self._forget()
        return self._prepared(list(self.statements()), self._joins, dialect, values)

    @staticmethod
    def _prepared(
        statements: Sequence[sa.Select[Any]], joins: Joins, dialect: Dialect, values: Sequence[Any]
    ) -> tuple[Prepared, ...] | None:
        me = sa.bindparam(ME, values[0], sa.BigInteger())
        variables = [me, *joins.values]
        assert [one.value for one in variables] == list(values), (
            "values are bound in another order than expected"
        )
        try:
            return tuple(Prepared(statement, variables, dialect) for statement in statements)
        except Unprepared:
            return None

    def _loosen(self, session: Session) -> bool:
        """Takes the words loosely from now on, where nothing has them as they are."""
        if self._asked is None or self._asked.loose:
            return False
        if self._cursor is not None and session.scalar(self.select(sa.literal(1)).limit(1)):
            return False
        loose = vocabulary.loosened(session, self._asked)
        if loose is None:
            return False
        self._asked, self._walk = loose, 0
        self._forget()
        return True

    def _forget(self) -> None:
        """Makes the parts of the statement anew when they are asked for."""
        for name in ("_joins", "_keys", "_readers", "_listed", "_select", "_has_words"):
            self.__dict__.pop(name, None)

    def _new_joins(self) -> Joins:
        return Joins(source(self.view.entity), self.view, self._context.edition, self._context.actor)

    def _conditions(self, joins: Joins, *, ordered: bool = False) -> list[sa.ColumnElement[bool]]:
        root = joins.root
        kept = root.deleted_at.is_not(None) if self._deleted else root.deleted_at.is_(None)
        conditions = [kept, self._context.actor.visible(root)]
        if isinstance(self._ids, list) and len(self._ids) == 1:
            conditions.append(root.id == joins.bind(self._ids[0], sa.BigInteger()))
        elif self._ids is not None:
            conditions.append(root.id.in_(self._ids))
        if self._rule is not None:
            conditions.append(to_sql(self._rule, joins, self._context))
        if self._asked is not None and not (self._walk and ordered):
            conditions.append(self._words_in(joins, ordered=ordered))
        return conditions

    def _words_in(self, joins: Joins, *, ordered: bool) -> sa.ColumnElement[bool]:
        assert self._asked is not None
        return found(
            self._asked, self.view, self._whole, walk=self._walk > 0, ordered=ordered, bind=joins.bind
        )

    @cached_property
    def _kept(self) -> Shelf:
        """What is kept with the edition for lists of the same shape."""
        return self._context.edition.cached("lists", Shelf)  # type: ignore[no-any-return]

    @cached_property
    def _after(self) -> list[Any] | None:
        """The sort keys of the row that the page follows."""
        if self._cursor is None:
            return None
        types = self._kept.get(
            (self.view.name, self._named, "types"), lambda: [key.type for key in self._keys]
        )
        return cursors.decode(self._cursor, self._fingerprint, types)

    @cached_property
    def _layout(self) -> Layout:
        key = (self.view.name, self._named, "layout")
        return self._kept.get(key, lambda: layout_of(self.view.name, self._readers))

    @property
    def _whole(self) -> EntityView:
        return self._context.edition.whole.entity(self.view.name)

    @property
    def _sorts_by_index(self) -> bool:
        """The sort follows an index, so that the first records are read without the others."""
        path, _descending = self._paths.sort[0]
        if path.hops or path.is_reference:
            return False
        table = cast(sa.Table, self.view.entity.__table__)
        heads = {next(iter(index.columns)).name for index in table.indexes} | {"id"}
        return path.field.indexed if path.field.is_extension else path.field.column in heads

    @cached_property
    def _joins(self) -> Joins:
        return self._new_joins()

    @cached_property
    def _keys(self) -> list[SortKey]:
        return self._keys_by(self._joins)

    @cached_property
    def _readers(self) -> list[Reader]:
        return [reader_of(path, self._joins) for path in self._paths.fields]

    @cached_property
    def _listed(self) -> sa.Select[Any]:
        """Columns: id, version, the extension values where wanted, those of each reader, the sort keys."""
        root = self._joins.root
        fixed = [root.id, root.version, root.extra if self._reads_extra else sa.null().label("extra")]
        wanted = [column for reader in self._readers for column in reader.columns]
        keys = [key.expression.label(f"key_{index}") for index, key in enumerate(self._keys)]
        return sa.select(*fixed, *wanted, *keys).select_from(table_of(root))

    @cached_property
    def _select(self) -> sa.Select[Any]:
        conditions = self._conditions(self._joins, ordered=True)
        return self._joins.add_to(self._listed).where(*conditions)

    def _sorted(self, statement: sa.Select[Any], keys: Sequence[SortKey]) -> sa.Select[Any]:
        most = self._literally(self.limit + 1)
        if self._asked is None:
            return statement.order_by(*(key.order for key in keys)).limit(most)
        # All hits of a text are sorted: by their keys alone, and no more than the page is read whole.
        order = [replace(key, expression=Unindexed(key.expression)).order for key in keys]
        root = self._joins.root
        if self._walk:
            first = statement.with_only_columns(root.id, self._has_words.label("has_words"))
            near = first.order_by(*(key.order for key in keys)).limit(self._literally(self._walk)).subquery()
            hits = sa.select(near.c.id).where(near.c.has_words).limit(most)
        else:
            hits = statement.with_only_columns(root.id).order_by(*order).limit(most).correlate(None)
        return self._joins.add_to(self._listed).where(root.id.in_(hits)).order_by(*order)

    @cached_property
    def _has_words(self) -> sa.ColumnElement[bool]:
        return self._words_in(self._joins, ordered=True)

    def _literally(self, most: int) -> Any:
        """How many rows of a statement are wanted.

        Written into the statement where the way to the hits of a text is decided here: PostgreSQL then keeps its plan, which
        takes as long to make as a page to read. All other lists it plans for what they ask for.
        """
        everything = (
            self._rule is None
            and self._ids is None
            and self._context.actor.visible(self._joins.root) is sa.true()
        )
        decided = self._asked is not None and (everything or not self._walk)
        return sa.literal_column(str(most)) if decided else most

    @property
    def _reads_extra(self) -> bool:
        return any(not reader.columns for reader in self._readers)

    @cached_property
    def _fingerprint(self) -> str:
        rule = None if self._rule is None else to_json(self._rule)
        sort = [(path.name, descending) for path, descending in self._paths.sort]
        return cursors.digest(
            self.view.name, rule, sort, self._text, cursors.told_apart(self._ids), self._deleted
        )


def _possible(ids: Sequence[int] | sa.Select[Any] | None) -> list[int] | sa.Select[Any] | None:
    if ids is None or isinstance(ids, sa.Select):
        return ids
    return [one for one in ids if 0 < one <= LARGEST_ID]
