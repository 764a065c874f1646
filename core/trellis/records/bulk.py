"""Many rows at once, as fast as each database takes them: written by COPY on PostgreSQL, by one executemany on SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import Session

FEW = 20
"""Fewer rows are not worth a COPY, which goes to the server and back twice."""

Row = Mapping[str, Any]


def new_ids(session: Session, table: sa.Table, number: int) -> Sequence[int]:
    """Ids for new records, so that many can be written by one statement.

    On SQLite a writing transaction is alone, so the next ids are free; PostgreSQL gives them from the table's sequence.
    """
    connection = session.connection()
    quoted = connection.dialect.identifier_preparer.quote(table.name)
    if connection.dialect.name == "sqlite":
        last = connection.exec_driver_sql(f"SELECT max(id) FROM {quoted}").scalar() or 0
        return range(last + 1, last + number + 1)
    statement = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
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


def insert_rows(session: Session, table: sa.Table, common: Row, rows: Sequence[Row]) -> None:
    """Inserts rows of the same columns; ``common`` holds those that are alike in all of them."""
    names = list(rows[0])
    if _has_defaults(table, {*common, *names}):
        session.execute(sa.insert(table), [{**common, **row} for row in rows])
        return
    connection = session.connection()
    alike = tuple(_convert(common[name], table.c[name], connection.dialect) for name in common)
    lists = [_converted(name, table.c[name], connection.dialect, rows) for name in names]
    values = [(*alike, *row) for row in zip(*lists, strict=True)]
    copies = connection.dialect.name == "postgresql" and len(rows) >= FEW
    (_copy if copies else _insert)(connection, table, [*common, *names], values)


def _has_defaults(table: sa.Table, given: set[str]) -> bool:
    """Some other column has a value made by Python, which only SQLAlchemy fills in."""
    return any(column.default is not None and column.name not in given for column in table.columns)


def _processor(column: sa.Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _convert(value: Any, column: sa.Column[Any], dialect: Dialect) -> Any:
    process = _processor(column, dialect)
    return value if process is None else process(value)


def _converted(name: str, column: sa.Column[Any], dialect: Dialect, rows: Sequence[Row]) -> list[Any]:
    process = _processor(column, dialect)
    return [row[name] for row in rows] if process is None else [process(row[name]) for row in rows]


def _insert(connection: Connection, table: sa.Table, names: Sequence[str], values: list[Any]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    columns, marks = ", ".join(map(quote, names)), ", ".join([mark] * len(names))
    statement = f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({marks})"
    connection.exec_driver_sql(statement, values if len(values) > 1 else values[0])


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
