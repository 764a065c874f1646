"""Statements straight to the driver, for those whose text is known and that are asked many times a second.

SQLAlchemy would make a description of the answer each time, which takes as long as a quick statement itself. Where somebody
watches statements (``before_cursor_execute``), they run through SQLAlchemy, so that tests and tracing see them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trellis.errors import SumTooLarge

_OUT_OF_RANGE = "22003"
"""numeric_value_out_of_range, as PostgreSQL calls it."""


def fetch(connection: Connection, sql: str, values: Any, *, described: bool = False) -> tuple[Any, Any]:
    """The rows as the driver gives them; and, where it is asked for, its description of their columns."""
    if connection.dispatch.before_cursor_execute:
        watched: Any = connection.exec_driver_sql(sql, values)
        description = watched.cursor.description
        return watched.all(), description
    with _executed(connection, sql, values) as cursor:
        return cursor.fetchall(), cursor.description if described else None


def run(connection: Connection, sql: str, values: Sequence[Any] = ()) -> int:
    """How many rows a statement wrote."""
    if connection.dispatch.before_cursor_execute:
        return connection.exec_driver_sql(sql, tuple(values) or None).rowcount
    with _executed(connection, sql, values or None) as cursor:
        return cursor.rowcount  # type: ignore[no-any-return]


def is_too_large(error: BaseException | None) -> bool:
    """A sum has left the numbers that the database knows, or those of the column that it was to go to."""
    return str(error) == "integer overflow" or getattr(error, "sqlstate", None) == _OUT_OF_RANGE


@contextmanager
def _executed(connection: Connection, sql: str, values: Any) -> Iterator[Any]:
    """A cursor that has run a statement; errors are those of SQLAlchemy."""
    driver: Any = connection.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, *(() if values is None else (values,)))
        yield cursor
    except driver.Error as error:
        if is_too_large(error):
            raise SumTooLarge() from error
        if connection.dialect.is_disconnect(error, connection.connection, cursor):
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            sql, values, error, driver.Error, dialect=connection.dialect
        ) from error
    finally:
        cursor.close()
