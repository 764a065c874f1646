"""Many rows at once, as fast as each database takes them: written by COPY on PostgreSQL, 64 by a statement on SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import Session

from trellis.database import json_text
from trellis.driver import fetch, run
from trellis.records.events import Beside

FEW = 100
"""Fewer rows are not worth a COPY, which goes to the server and back twice."""
_TOGETHER = 64
"""Rows that one statement inserts on SQLite, of fewer than 500 columns: it writes the index of the search once a statement,
which for rows one by one takes most of the time."""

Row = Mapping[str, Any]
Convert = Callable[[Any], Any]


def new_ids(session: Session, table: sa.Table, number: int) -> Sequence[int]:
    """Ids for new records, so that many can be written by one statement.

    On SQLite a writing transaction is alone, so the next ids are free; PostgreSQL gives them from the table's sequence.
    """
    connection = session.connection()
    quoted = connection.dialect.identifier_preparer.quote(table.name)
    if connection.dialect.name == "sqlite":
        last = connection.exec_driver_sql(f"SELECT max(id) FROM {quoted}").scalar() or 0
        return range(last + 1, last + number + 1)
    # the name of the sequence is looked up once, not for each number
    statement = (
        "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id'))::regclass) FROM generate_series(1, %s)"
    )
    return connection.exec_driver_sql(statement, (quoted, number)).scalars().all()


def among(session: Session, column: Any, values: Collection[Any]) -> sa.ColumnElement[bool]:
    """``column`` has one of these values, given as one parameter: the statement is the same for any number of them."""
    if len(values) == 1:
        return column == next(iter(values))  # type: ignore[no-any-return]
    dialect = session.get_bind().dialect
    if dialect.name == "postgresql":
        return column == sa.any_(sa.literal(list(values), sa.ARRAY(column.type)))  # type: ignore[no-any-return]
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    kept = [value if process is None else process(value) for value in values]
    each = sa.func.json_each(json.dumps(kept)).table_valued("value")
    return column.in_(sa.select(each.c.value))  # type: ignore[no-any-return]


def rows_by(session: Session, columns: Sequence[Any], values: Collection[Any]) -> list[tuple[Any, ...]]:
    """These columns of the rows of which the first one has one of ``values``; nothing is compiled for it."""
    connection = session.connection()
    dialect, names = connection.dialect, tuple(columns)
    bind = _processor(names[0], dialect)
    given = [value if bind is None else bind(value) for value in values]
    wanted: Any = given[0] if len(given) == 1 else given
    if len(given) > 1 and dialect.name == "sqlite":
        wanted = json.dumps(given)
    rows, description = fetch(
        connection, _reading(names, dialect, len(given) == 1), (wanted,), described=True
    )
    reads = _readers(names, dialect, tuple(column[1] for column in description))
    if not any(reads):
        return [tuple(row) for row in rows]
    return [
        tuple(value if read is None else read(value) for read, value in zip(reads, row, strict=True))
        for row in rows
    ]


@lru_cache(maxsize=1000)
def _reading(columns: tuple[sa.Column[Any], ...], dialect: Dialect, one: bool) -> str:
    quote, mark = dialect.identifier_preparer.quote, _mark(dialect)
    several = (
        f"= ANY({mark})" if dialect.name == "postgresql" else f"IN (SELECT value FROM json_each({mark}))"
    )
    names = ", ".join(quote(column.name) for column in columns)
    condition = f"{quote(columns[0].name)} {f'= {mark}' if one else several}"
    return f"SELECT {names} FROM {quote(columns[0].table.name)} WHERE {condition}"


@lru_cache(maxsize=1000)
def _readers(
    columns: tuple[sa.Column[Any], ...], dialect: Dialect, codes: tuple[Any, ...]
) -> list[Convert | None]:
    """How values that come as these types of the driver are read."""
    return [
        column.type.dialect_impl(dialect).result_processor(dialect, code)
        for column, code in zip(columns, codes, strict=True)
    ]


def insert_rows(session: Session, table: sa.Table, common: Row, rows: Sequence[Row]) -> None:
    """Inserts rows; ``common`` holds what a row has that does not say otherwise. What neither holds is empty."""
    names = list(dict.fromkeys(chain.from_iterable(rows)))
    if _has_defaults(table, frozenset([*common, *names])):
        blank = dict.fromkeys(names)
        session.execute(sa.insert(table), [{**blank, **common, **row} for row in rows])
        return
    connection = session.connection()
    alike = {
        name: _convert(value, table.c[name], connection.dialect)
        for name, value in common.items()
        if name not in names
    }
    copies = connection.dialect.name == "postgresql" and len(rows) >= FEW
    prepare = _text_processor if copies else _processor
    lists = [
        _converted(prepare(table.c[name], connection.dialect), values)
        for name, values in _columns(names, rows, common)
    ]
    first = tuple(_texts(connection, alike.values()) if copies else alike.values())
    values = [first + row for row in zip(*lists, strict=True)]
    (_copy if copies else _insert)(connection, table, [*alike, *names], values)


def insert_row(session: Session, table: sa.Table, row: Row, beside: Sequence[Beside]) -> int:
    """Inserts one row that has no id yet, which is returned, and at least one other ``beside`` it.

    PostgreSQL does it by one statement: each that goes to the server and back takes as long as the insert itself.
    """
    connection = session.connection()
    dialect = connection.dialect
    if dialect.name == "sqlite" or _has_defaults(table, frozenset(row)):
        (record_id,) = new_ids(session, table, 1)
        insert_rows(session, table, {}, [{"id": record_id, **row}])
        insert_beside(session, [(record_id, one) for one in beside])
        return record_id
    parts = [f"written AS ({_inserting(connection, table, list(row))} RETURNING id)"]
    for place, one in enumerate(beside):
        parts.append(f"beside_{place} AS ({_inserting_beside(dialect, one)})")
    values = [
        _convert(value, where.c[name], dialect)
        for where, given in ((table, row), *((one.table, one.row) for one in beside))
        for name, value in given.items()
    ]
    statement = f"WITH {', '.join(parts)} SELECT id FROM written"
    ((record_id,),), _description = fetch(connection, statement, tuple(values))
    return record_id  # type: ignore[no-any-return]


def insert_beside(session: Session, rows: Sequence[tuple[int, Beside]]) -> None:
    """Inserts rows that belong to records with these ids, a statement for each table."""
    tables = dict.fromkeys((one.table, one.id_column) for _id, one in rows)
    for table, id_column in tables:
        some = [{id_column: record_id, **one.row} for record_id, one in rows if one.table is table]
        insert_rows(session, table, {}, some)


def _inserting_beside(dialect: Dialect, one: Beside) -> str:
    quote = dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, [*one.row, one.id_column]))
    marks = "".join(f"{_mark(dialect)}, " for _column in one.row)
    return f"INSERT INTO {quote(one.table.name)} ({columns}) SELECT {marks}id FROM written"


def change_rows(session: Session, table: sa.Table, rows: Sequence[tuple[int, int, Row]]) -> int:
    """Sets the same columns of many rows, each given by its id and the version it must have; how many had it."""
    connection = session.connection()
    quote, mark = connection.dialect.identifier_preparer.quote, _mark(connection.dialect)
    names = list(rows[0][2])
    lists = [
        _converted(_processor(table.c[name], connection.dialect), values)
        for name, values in _columns(names, [row for _id, _v, row in rows])
    ]
    values = [
        (*columns, record_id, version)
        for columns, (record_id, version, _row) in zip(zip(*lists, strict=True), rows, strict=True)
    ]
    changes = ", ".join(f"{quote(name)} = {mark}" for name in names)
    statement = f"UPDATE {quote(table.name)} SET {changes} WHERE id = {mark} AND version = {mark}"
    if len(values) > 1:
        return connection.exec_driver_sql(statement, values).rowcount
    return run(connection, statement, values[0])


@lru_cache(maxsize=1000)
def _has_defaults(table: sa.Table, given: frozenset[str]) -> bool:
    """Some other column has a value made by Python, which only SQLAlchemy fills in."""
    return any(column.default is not None and column.name not in given for column in table.columns)


@lru_cache(maxsize=5000)
def _processor(column: sa.Column[Any], dialect: Dialect) -> Convert | None:
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _convert(value: Any, column: sa.Column[Any], dialect: Dialect) -> Any:
    process = _processor(column, dialect)
    return value if process is None else process(value)


@lru_cache(maxsize=5000)
def _text_processor(column: sa.Column[Any], dialect: Dialect) -> Convert | None:
    """The processor for COPY, which needs no mark of what is JSON: that is text at once."""
    process = _processor(column, dialect)
    if process is None or not isinstance(column.type, sa.JSON):
        return process

    def as_text(value: Any) -> str | None:
        marked = process(value)
        return None if marked is None else json_text(marked.obj)

    return as_text


def _converted(process: Convert | None, values: list[Any]) -> list[Any]:
    return values if process is None else list(map(process, values))


def _columns(
    names: Sequence[str], rows: Sequence[Row], common: Row = MappingProxyType({})
) -> Iterator[tuple[str, list[Any]]]:
    """The values of rows by column."""
    are_whole = set(map(len, rows)) == {len(names)}
    for name in names:
        if are_whole:
            yield name, list(map(itemgetter(name), rows))
        else:
            otherwise = common.get(name)
            yield name, [row.get(name, otherwise) for row in rows]


def _insert(connection: Connection, table: sa.Table, names: Sequence[str], values: list[Any]) -> None:
    if len(values) == 1:
        run(connection, _inserting(connection, table, names), values[0])
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_inserting(connection, table, names), values)
    else:
        for some in _portions(values):
            statement = _inserting(connection, table, names, len(some))
            run(connection, statement, tuple(chain.from_iterable(some)))


def _portions(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Parts of some few sizes, so that few statements have to be prepared."""
    start = 0
    while start < len(values):
        end = start + min(_TOGETHER, 1 << (len(values) - start).bit_length() - 1)
        yield values[start:end]
        start = end


def _inserting(connection: Connection, table: sa.Table, names: Sequence[str], rows: int = 1) -> str:
    quote, mark = connection.dialect.identifier_preparer.quote, _mark(connection.dialect)
    columns, marks = ", ".join(map(quote, names)), ", ".join([mark] * len(names))
    return f"INSERT INTO {quote(table.name)} ({columns}) VALUES {', '.join([f'({marks})'] * rows)}"


def _mark(dialect: Dialect) -> str:
    """What stands for a value in the text of a statement."""
    return "%s" if dialect.name == "postgresql" else "?"


def _copy(connection: Connection, table: sa.Table, names: Sequence[str], values: list[Any]) -> None:
    import psycopg

    quote = connection.dialect.identifier_preparer.quote
    statement = f"COPY {quote(table.name)} ({', '.join(map(quote, names))}) FROM STDIN"
    try:
        cursor: Any = connection.connection.cursor()
        with cursor, cursor.copy(statement) as copy:
            for row in values:
                copy.write_row(row)
    except psycopg.Error as error:  # as SQLAlchemy reports those of its own statements
        kind = sa.exc.IntegrityError if isinstance(error, psycopg.IntegrityError) else sa.exc.DBAPIError
        raise kind(statement, None, error) from error


def _texts(connection: Connection, values: Iterable[Any]) -> Iterator[str | None]:
    """Values as the driver writes them, once for all rows: of a moment, which they all have, that takes as long as the rest."""
    from psycopg.adapt import PyFormat, Transformer

    driver: Any = connection.connection.dbapi_connection
    forms = Transformer(driver)
    for value in values:
        dumped = None if value is None else forms.get_dumper(value, PyFormat.TEXT).dump(value)
        yield None if dumped is None else bytes(dumped).decode()


def notice_growth(session: Session, table: sa.Table) -> None:
    """Lets PostgreSQL look at a table that has grown by many rows: until it does, it plans for the few it saw last.

    Its autovacuum would do so too, but minutes later. SQLite plans by its indexes.
    """
    if session.get_bind().dialect.name == "postgresql":
        name = session.connection().dialect.identifier_preparer.format_table(table)
        session.connection().exec_driver_sql(f"ANALYZE {name}")
