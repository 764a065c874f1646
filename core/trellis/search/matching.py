"""What is asked for as a condition of SQL on one entity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeEngine

from trellis.records.entity import ExtraValue, Field
from trellis.records.types import Phone
from trellis.search.asked import Asked

if TYPE_CHECKING:
    from trellis.edition import EntityView


WORDS = "search_words"
"""The column of each table on PostgreSQL that holds the words by which a record is found."""


class Bind(Protocol):
    """Makes a parameter of a statement."""

    def __call__(self, value: Any, kind: TypeEngine[Any]) -> sa.BindParameter[Any]: ...


def searchable(view: EntityView) -> list[Field]:
    """The fields of an entity that are searched, in one order for all readers."""
    found = [field for field in view.fields.values() if field.searchable and field.type.kind == "text"]
    return sorted(found, key=lambda field: field.name)


def text_of(fields: Sequence[Field], dialect: Dialect, row: str = "") -> str:
    """The text that the index is made of, as SQL: all fields in a row. One spelling for queries and for the index.

    ``row`` is what stands before the names of columns (``customer.``, ``new.``).
    """
    parts = []
    for field in fields:
        value = value_of(field, dialect, row)
        parts.append(f"coalesce({value}, '')")
        if isinstance(field.type, Phone):
            parts.append(f"coalesce(trellis_number_ends({value}), '')")
    return " || ' ' || ".join(parts)


def value_of(field: Field, dialect: Dialect, row: str) -> str:
    """The value of a field, as SQL."""
    if field.column is not None:
        return row + dialect.identifier_preparer.quote(field.column)
    extra: sa.ColumnElement[Any] = sa.literal_column(f"{row}extra")
    return str(ExtraValue(extra, field.name, field.type).compile(dialect=dialect))


def table_of(view: EntityView) -> str:
    """The name of an entity's table."""
    return cast(sa.Table, view.entity.__table__).name


def fts_name(table: str) -> str:
    """The FTS5 table of an entity's table."""
    return f"core_search_{table}"


def found(
    asked: Asked,
    view: EntityView,
    whole: EntityView,
    *,
    walk: bool = False,
    ordered: bool = False,
    most: int = 0,
    bind: Bind | None = None,
) -> sa.ColumnElement[bool]:
    """Records that have what is asked for in the fields of ``view``; ``whole`` is the entity with all that is indexed.

    Where the reader may not read all of them, the text of the others is looked through for each hit of the index.
    With ``walk`` the index is left alone, for a statement that looks at records one by one. ``ordered`` says that
    the statement does so in its order, or sorts its hits by what no index has (:class:`Unindexed`). ``most`` is how many hits of the index suffice,
    if not all are wanted.
    """
    if not can_find(asked, view):
        return sa.false()
    seen, indexed = searchable(view), searchable(whole)
    return _Found(texts_of(asked), table_of(whole), seen, indexed, walk, ordered, most, bind or _bind)


def can_find(asked: Asked, view: EntityView) -> bool:
    """Whether there is something to look for, and somewhere to look."""
    return bool(asked.words or asked.digits) and bool(searchable(view))


def texts_of(asked: Asked) -> tuple[str, str, str]:
    """What is asked for as :func:`found` binds it: for FTS5, for looking through texts, and for PostgreSQL."""
    return asked.fts(), orjson.dumps(asked.tokens()).decode(), asked.forms()


def _bind(value: Any, kind: TypeEngine[Any]) -> sa.BindParameter[Any]:
    return sa.literal(value, kind)


class _Found(sa.ColumnElement[bool]):
    """The condition in the words of each database. Its parts are few, so that a list with a text costs little more."""

    inherit_cache = True
    _traverse_internals = [
        ("table", InternalTraversal.dp_string),
        ("spelling", InternalTraversal.dp_string),
        ("walk", InternalTraversal.dp_boolean),
        ("ordered", InternalTraversal.dp_boolean),
        ("most", InternalTraversal.dp_string),
        ("fts", InternalTraversal.dp_clauseelement),
        ("tokens", InternalTraversal.dp_clauseelement),
        ("tsquery", InternalTraversal.dp_clauseelement),
    ]
    type = sa.Boolean()
    _is_implicitly_boolean = True  # or SQLite would be asked whether it “= 1”, and would not use the index

    def __init__(
        self,
        texts: tuple[str, str, str],
        table: str,
        seen: Sequence[Field],
        indexed: Sequence[Field],
        walk: bool,
        ordered: bool,
        most: int,
        bind: Bind,
    ) -> None:
        self.ordered = ordered
        self.table = table
        self.most = f" LIMIT {most}" if most else ""
        self.seen, self.indexed, self.walk = seen, indexed, walk
        self.spelling = " ".join(f"{one.name}:{one.column}:{one.type!r}" for one in (*seen, *indexed))
        fts, tokens, forms = texts
        self.fts, self.tokens = bind(fts, sa.String()), bind(tokens, sa.String())
        self.tsquery = bind(forms, sa.String())


class Unindexed(FunctionElement[Any]):
    """A value to sort by, such that PostgreSQL sorts the hits of a text rather than follow an index to them."""

    inherit_cache = True


@compiles(Unindexed)
def _as_it_is(element: Unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(Unindexed, "postgresql")
def _out_of_an_array(element: Unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(ARRAY[{compiler.process(element.clauses, **kw)}])[1]"


@compiles(_Found)
def _on_sqlite(element: _Found, compiler: SQLCompiler, **kw: Any) -> str:
    quote = compiler.preparer.quote
    table, index = quote(element.table), quote(fts_name(element.table))
    conditions = []
    if not element.walk:
        asked = compiler.process(element.fts, **kw)
        conditions.append(
            f"{table}.id IN (SELECT rowid FROM {index} WHERE {index} MATCH {asked}{element.most})"
        )
    if element.walk or element.seen != element.indexed:
        text = text_of(element.seen, compiler.dialect, f"{table}.")
        conditions.append(f"trellis_holds({text}, {compiler.process(element.tokens, **kw)})")
    return f"({' AND '.join(conditions)})"


@compiles(_Found, "postgresql")
def _on_postgresql(element: _Found, compiler: SQLCompiler, **kw: Any) -> str:
    table = compiler.preparer.quote(element.table)
    asked = f"trellis_asked({compiler.process(element.tsquery, **kw)})"
    if element.ordered or not element.walk:
        # Made once, and unknown to the planner: one plan is as good for all that is asked for.
        asked = f"(SELECT {asked})"
    if element.walk or element.ordered:
        conditions = [f"{table}.{WORDS} @@ {asked}"]
    else:  # an array is made first, and by the index
        hits = f"SELECT hit.id FROM {table} AS hit WHERE hit.{WORDS} @@ {asked}{element.most}"
        conditions = [f"{table}.id = ANY (ARRAY({hits}))"]
    if element.seen != element.indexed:
        conditions.append(f"trellis_words({text_of(element.seen, compiler.dialect, f'{table}.')}) @@ {asked}")
    return f"({' AND '.join(conditions)})"
