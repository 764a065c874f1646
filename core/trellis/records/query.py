"""List queries: one SELECT for a page of records, with the titles of the records they refer to.

Limited to what the actor may read, filtered by a rule and a text, sorted by any fields, continued by cursors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records import cursor as cursors
from trellis.records.joins import Joins, source, table_of
from trellis.records.keyset import SortKey, ranges_after
from trellis.records.rules import Node, Path, RuleContext, parse, resolve, to_json, to_sql, today_in
from trellis.search import vocabulary
from trellis.search.asked import Asked
from trellis.search.matching import Unindexed, found, is_common

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from trellis.edition import Edition, EntityView
    from trellis.security.actor import Actor

_ = translator("trellis")

MOST_SORT_KEYS = 8
LARGEST_ID = 2**63 - 1


@dataclass(slots=True)
class Record:
    """One record as a list shows it.

    ``values`` maps field names to Python values. A reference holds the id, and ``titles`` the name, of the
    record it leads to; both are left empty when the actor may not read that record or it is in the bin.
    """

    entity: str
    id: int
    version: int
    values: dict[str, Any]
    titles: dict[str, str]


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
        if actor.fields:  # for most people there are no rules, and nothing to do
            edition = actor.sees(edition)
            view = edition.entity(view.name)
        self.view = view
        self.limit = max(1, limit)
        self._context = RuleContext(edition=edition, actor=actor, today=today or today_in(edition))
        self._rule = parse(rule, view, edition) if isinstance(rule, Mapping) else rule
        self._asked = Asked.checked(text or "")
        self._text = [] if self._asked is None else self._asked.words
        self._walk = False
        self._deleted = deleted
        self._ids = _possible(ids)
        self._sort = tuple(_sort_path(name, view, edition) for name in _sort_names(sort, view))
        self._fields = _field_paths(fields, view, edition)
        self._cursor = cursor

    def statement(self) -> sa.Select[Any]:
        """The SELECT of the page (of its first rows, where it crosses into empty values of the sort)."""
        return next(self.statements())

    def statements(self) -> Iterator[sa.Select[Any]]:
        """The SELECT of the page; one more, for where it crosses, to be asked when rows are missing."""
        keys = self._keys
        if self._cursor is None:
            yield self._sorted(self._select, keys)
            return
        values = cursors.decode(self._cursor, self._fingerprint, [key.type for key in keys])
        for following in ranges_after(keys, values):
            yield self._sorted(self._select.where(following.condition), following.keys)

    def select(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """A SELECT of other columns of the entity (sums, ids) over the records of all pages."""
        return self.selecting(lambda _joins: columns)

    def selecting(self, columns: Callable[[Joins], Sequence[sa.ColumnElement[Any]]]) -> sa.Select[Any]:
        """As :meth:`select`, of columns that may be those of records referred to."""
        joins = self._new_joins()
        chosen, conditions = columns(joins), self._conditions(joins)
        return joins.add_to(sa.select(*chosen).select_from(table_of(joins.root))).where(*conditions)

    def order(self, joins: Joins) -> list[sa.UnaryExpression[Any]]:
        """The sort of the list, for :meth:`selecting`."""
        return [_sort_key(path, descending, joins).order for path, descending in self._sort]

    def count_statement(self, limit: int | None = None) -> sa.Select[Any]:
        """Counts the records of all pages; with ``limit``, only up to it."""
        if limit is None:
            return self.select(sa.func.count())
        return sa.select(sa.func.count()).select_from(self.select(sa.literal(1)).limit(limit).subquery())

    def page(self, session: Session) -> Page:
        """The page."""
        if self._asked is not None and self._sorts_by_index:
            self._walk = is_common(session, self._asked, self._whole)
        rows = self._rows(session)
        if not rows and self._loosen(session):
            rows = self._rows(session)
        rows, more = rows[: self.limit], len(rows) > self.limit
        items = [self._record(row) for row in rows]
        return Page(items, cursors.encode(self._fingerprint, rows[-1][-len(self._keys) :]) if more else None)

    def count(self, session: Session, limit: int | None = None) -> int:
        """How many records there are on all pages; with ``limit``, only up to it."""
        found = session.scalar(self.count_statement(limit)) or 0
        if not found and self._loosen(session):
            found = session.scalar(self.count_statement(limit)) or 0
        return found

    def _rows(self, session: Session) -> list[Any]:
        """The rows of the page and the first one behind it."""
        rows: list[Any] = []
        for statement in self.statements():
            rows += session.execute(statement).all()
            if len(rows) > self.limit:
                break
        return rows

    def _loosen(self, session: Session) -> bool:
        """Takes the words loosely from now on, where nothing has them as they are."""
        if self._asked is None or self._asked.loose:
            return False
        if self._cursor is not None and session.scalar(self.select(sa.literal(1)).limit(1)):
            return False
        loose = vocabulary.loosened(session, self._asked)
        if loose is None:
            return False
        self._asked, self._walk = loose, False
        self.__dict__.pop("_select", None)
        return True

    def _new_joins(self) -> Joins:
        return Joins(source(self.view.entity), self.view, self._context.edition, self._context.actor)

    def _conditions(self, joins: Joins, *, ordered: bool = False) -> list[sa.ColumnElement[bool]]:
        root = joins.root
        kept = root.deleted_at.is_not(None) if self._deleted else root.deleted_at.is_(None)
        conditions = [kept, self._context.actor.visible(root)]
        if self._ids is not None:
            conditions.append(root.id.in_(self._ids))
        if self._rule is not None:
            conditions.append(to_sql(self._rule, joins, self._context))
        if self._asked is not None:
            conditions.append(found(self._asked, self.view, self._whole, walk=self._walk, ordered=ordered))
        return conditions

    @property
    def _whole(self) -> EntityView:
        return self._context.edition.whole.entity(self.view.name)

    @property
    def _sorts_by_index(self) -> bool:
        """The sort follows an index, so that the first records are read without the others."""
        path, _descending = self._sort[0]
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
        return [_sort_key(path, descending, self._joins) for path, descending in self._sort]

    @cached_property
    def _readers(self) -> list[_Reader]:
        return [_reader(path, self._joins) for path in self._fields]

    @cached_property
    def _select(self) -> sa.Select[Any]:
        """Columns: id, version, the extension values where wanted, those of each reader, the sort keys."""
        root = self._joins.root
        conditions = self._conditions(self._joins, ordered=True)
        fixed = [root.id, root.version, root.extra if self._reads_extra else sa.null().label("extra")]
        wanted = [column for reader in self._readers for column in reader.columns]
        keys = [key.expression.label(f"key_{index}") for index, key in enumerate(self._keys)]
        statement = sa.select(*fixed, *wanted, *keys).select_from(table_of(root))
        return self._joins.add_to(statement).where(*conditions)

    def _sorted(self, statement: sa.Select[Any], keys: Sequence[SortKey]) -> sa.Select[Any]:
        if self._asked is not None and not self._walk:
            keys = [replace(key, expression=Unindexed(key.expression)) for key in keys]
        return statement.order_by(*(key.order for key in keys)).limit(self.limit + 1)

    @property
    def _reads_extra(self) -> bool:
        return any(not reader.columns for reader in self._readers)

    @cached_property
    def _fingerprint(self) -> str:
        rule = None if self._rule is None else to_json(self._rule)
        sort = [(path.name, descending) for path, descending in self._sort]
        return cursors.digest(self.view.name, rule, sort, self._text, _named(self._ids), self._deleted)

    def _record(self, row: Any) -> Record:
        values: dict[str, Any] = {}
        titles: dict[str, str] = {}
        extra = row[2] or {}
        place = 3
        for reader in self._readers:
            if reader.decode is not None:
                values[reader.name] = reader.decode(extra.get(reader.name))
                continue
            value = values[reader.name] = row[place]
            place += 1
            if reader.titled:
                if value is not None:
                    title = row[place]
                    titles[reader.name] = f"#{value}" if title is None else str(title)
                place += 1
        return Record(self.view.name, row[0], row[1], values, titles)


@dataclass(frozen=True, slots=True)
class _Reader:
    """How a field is read from a row: from its ``columns``, or by ``decode`` from ``extra``."""

    name: str
    columns: tuple[Any, ...] = ()
    titled: bool = False
    decode: Callable[[Any], Any] | None = None


def _reader(path: Path, joins: Joins) -> _Reader:
    if path.is_reference:
        hops = (*path.hops, path.field)
        return _Reader(path.name, (joins.source(hops).id, joins.title(hops)), titled=True)
    if path.field.is_extension and not path.hops:
        return _Reader(path.name, decode=path.field.type.from_extra)
    return _Reader(path.name, (path.field.of(joins.source(path.hops)),))


def _possible(ids: Sequence[int] | sa.Select[Any] | None) -> list[int] | sa.Select[Any] | None:
    if ids is None or isinstance(ids, sa.Select):
        return ids
    return [one for one in ids if 0 < one <= LARGEST_ID]


def _named(ids: list[int] | sa.Select[Any] | None) -> Any:
    """What tells one set of ids from another, in JSON."""
    if not isinstance(ids, sa.Select):
        return ids
    compiled = ids.compile()
    return [str(compiled), [str(value) for value in compiled.params.values()]]


def _field_paths(names: Sequence[str] | None, view: EntityView, edition: Edition) -> list[Path]:
    if names is None:
        return [Path((), field) for field in view.fields.values()]
    return [resolve(name, view, edition, at="fields") for name in dict.fromkeys(names)]


def _sort_names(names: Sequence[str], view: EntityView) -> list[str]:
    """The sort as asked for or usual, with the id at the end, in the direction of the key before it."""
    asked = [name for one in names or [view.info.sort] for name in one.split(",") if name]
    wanted = asked or [view.info.title_field]
    if len(wanted) > MOST_SORT_KEYS:
        raise RuleInvalid(_("A list can be sorted by at most %(most)s fields", most=MOST_SORT_KEYS), "sort")
    unique: list[str] = []
    for name in wanted:
        if name.removeprefix("-") == "id":
            return [*unique, name]
        unique.append(name)
    return [*unique, "-id" if unique[-1].startswith("-") else "id"]


def _sort_path(name: str, view: EntityView, edition: Edition) -> tuple[Path, bool]:
    path = resolve(name.removeprefix("-"), view, edition, at="sort")
    if path.field.type.kind == "json":
        raise RuleInvalid(_("A list cannot be sorted by %(field)s", field=path.field.label), "sort")
    return path, name.startswith("-")


def _sort_key(path: Path, descending: bool, joins: Joins) -> SortKey:
    if path.is_reference:
        hops, title = joins.title_path((*path.hops, path.field))
        return SortKey(title.of(joins.source(hops)), title.type, descending)
    return SortKey(path.field.of(joins.source(path.hops)), path.field.type, descending, path.may_be_empty)
