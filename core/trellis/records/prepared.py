"""Statements compiled once and run again with other values.

SQLAlchemy goes through all parts of a statement each time to find its SQL, which for a page of a list takes longer than the
database needs. Here the text is kept, with how its values are bound and its columns are read.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from trellis.driver import fetch

T = TypeVar("T")
Convert = Callable[[Any], Any]

ME = "trellis_me"
"""The parameter of statements that is the id of who asks."""
MOST_KEPT = 1_000
_POSTPONED = re.compile(r"__\[POSTCOMPILE_(\w+)\]")


class Unprepared(Exception):
    """The statement holds something whose SQL depends on its values in ways that are not known here."""


class Prepared:
    """A SELECT whose ``variables`` get their values in :meth:`rows`; all others keep those that they have."""

    def __init__(
        self, statement: sa.Select[Any], variables: Sequence[sa.BindParameter[Any]], dialect: Dialect
    ) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self._dialect = dialect
        self._types = [one["type"] for one in statement.column_descriptions]
        self._readers: list[tuple[int, Convert]] | None = None
        names = {one: name for one in variables if (name := _name_in(compiled, one)) is not None}
        self._sql: str = _POSTPONED.sub(lambda found: _written(compiled, found[1], dialect), compiled.string)
        if "__[POSTCOMPILE_" in self._sql:
            raise Unprepared(self._sql)
        escaped = compiled.escaped_bind_names or {}
        self._bound = [
            (place, escaped.get(names[one], names[one]), _binder(one, dialect))
            for place, one in enumerate(variables)
            if one in names
        ]
        self._values = self._constants(compiled, dialect)
        bound = self._values.keys() | {name for _place, name, _bind in self._bound}
        self._positions = (
            [name for name in compiled.positiontup if name in bound] if compiled.positional else None
        )

    def rows(self, connection: Connection, values: Sequence[Any]) -> Sequence[Any]:
        """The rows, with a value for each of the variables."""
        bound = dict(self._values)
        for place, name, bind in self._bound:
            bound[name] = values[place] if bind is None else bind(values[place])
        given = bound if self._positions is None else tuple(bound[name] for name in self._positions)
        rows, description = fetch(connection, self._sql, given, described=self._readers is None)
        if self._readers is None:
            self._readers = self._read_by(description)
        return [self._converted(row, self._readers) for row in rows] if self._readers else rows

    @staticmethod
    def _constants(compiled: Any, dialect: Dialect) -> dict[str, Any]:
        escaped = compiled.escaped_bind_names or {}
        values = compiled.construct_params()
        bound = {}
        for one, name in compiled.bind_names.items():
            if one in compiled.post_compile_params or one in compiled.literal_execute_params:
                continue
            key, bind = escaped.get(name, name), _binder(one, dialect)
            bound[key] = values[key] if bind is None else bind(values[key])
        return bound

    def _read_by(self, description: Sequence[Any]) -> list[tuple[int, Convert]]:
        """The columns whose values are converted; drivers say by their own code how they come."""
        readers = []
        for place, (kind, column) in enumerate(zip(self._types, description, strict=True)):
            read = kind.dialect_impl(self._dialect).result_processor(self._dialect, column[1])
            if read is not None:
                readers.append((place, read))
        return readers

    @staticmethod
    def _converted(row: Any, readers: Sequence[tuple[int, Convert]]) -> list[Any]:
        converted = list(row)
        for place, read in readers:
            converted[place] = read(converted[place])
        return converted


class Fixed:
    """A SELECT that is always the same but for its parameters, which stand in the order of ``variables``."""

    def __init__(self, statement: sa.Select[Any], *variables: sa.BindParameter[Any]) -> None:
        self._statement, self._variables = statement, variables
        self._kept: WeakKeyDictionary[Dialect, Prepared] = WeakKeyDictionary()

    def rows(self, connection: Connection, *values: Any) -> Sequence[Any]:
        """The rows."""
        prepared = self._kept.get(connection.dialect)
        if prepared is None:
            prepared = Prepared(self._statement, self._variables, connection.dialect)
            self._kept[connection.dialect] = prepared
        return prepared.rows(connection, values)


class Shelf:
    """What was made of late, for as many keys as ``most``: the oldest go first."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under ``key``; made when there is nothing."""
        try:
            return self._kept[key]  # type: ignore[no-any-return]
        except KeyError:
            made = make()
        with self._lock:
            while len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = made
        return made


def _name_in(compiled: Any, one: sa.BindParameter[Any]) -> str | None:
    """What a parameter is called in a statement, if it stands there."""
    if one.unique:
        return compiled.bind_names.get(one)  # type: ignore[no-any-return]
    return one.key if one.key in compiled.binds else None


def _binder(one: sa.BindParameter[Any], dialect: Dialect) -> Convert | None:
    return one.type.dialect_impl(dialect).bind_processor(dialect)


def _written(compiled: Any, name: str, dialect: Dialect) -> str:
    """The values of a parameter that SQLAlchemy would write into the statement when it is run."""
    one = compiled.binds[name]
    literal = one.type.dialect_impl(dialect).literal_processor(dialect)
    if literal is None:
        raise Unprepared(repr(one))
    values = one.effective_value
    return ", ".join(map(literal, values)) if one.expanding else literal(values)
