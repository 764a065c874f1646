"""Database namespaces: one SQLite file, or one PostgreSQL schema, with separate ways in for reading and writing."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from trellis.driver import is_too_large, run
from trellis.errors import SumTooLarge
from trellis.records.sqlite import install_functions

_WRITE = "trellis_write"
_SCHEMA = "trellis_schema"
_RESTS, _FRESH = "trellis_rests", 1.0
"""Since when a connection waits in the pool; seconds after which it is asked whether it still lives."""
_AUTOCOMMIT = "AUTOCOMMIT"

SQLITE = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "foreign_keys": "on",
    "cache_size": "-16384",  # of each connection, for pages that are not in the file yet; each thread keeps one
    "temp_store": "file",  # large sorts, and what a large change may have to take back: small ones stay in memory all the same
}
"""How a SQLite file is opened: its pragmas. It is not mapped into memory (``mmap_size``): SQLite drops the mapping of a connection
whenever another has written, and each page of it would fault anew."""

WRITERS = 7_355_435
"""Class of the advisory locks that every writing transaction on PostgreSQL shares with the others of its namespace.

They are taken before a transaction gets its number, so that the change feed can tell which ones are under way.
"""


def namespace_number(schema: str) -> int:
    """The key of a namespace in advisory locks."""
    return zlib.crc32(schema.encode()) & 0x7FFF_FFFF


def json_text(value: Any) -> str:
    """How JSON columns are written: by orjson, which is quick, unless only the standard library can."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # whole numbers beyond 64 bits
        return json.dumps(value)


def sqlite_engine(path: Path) -> Engine:
    """An engine on a SQLite file in WAL mode. Transactions are begun by us, so that a failed migration leaves nothing."""
    engine = sa.create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": 30, "check_same_thread": False},
        json_serializer=json_text,
        hide_parameters=True,  # an error in the log shows the statement, not people's data
    )

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma, value in SQLITE.items():
            connection.execute(f"pragma {pragma}={value}")
        install_functions(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITE):
            run(connection, "BEGIN IMMEDIATE")
        else:  # waits for nobody, so that no error of it needs to be understood
            connection.connection.cursor().execute("BEGIN")

    event.listen(engine, "handle_error", _tell_too_large)
    return engine


def postgresql_engine(url: str) -> Engine:
    """An engine on a PostgreSQL database that enters the schema of its namespace in each transaction."""
    driver_url = url.replace("postgresql://", "postgresql+psycopg://", 1).replace(
        "postgres://", "postgresql+psycopg://", 1
    )
    engine = sa.create_engine(
        driver_url,
        pool_size=10,
        max_overflow=10,
        pool_use_lifo=True,  # those that are in use know the statements of late
        pool_recycle=1800,
        json_serializer=json_text,
        hide_parameters=True,  # an error in the log shows the statement, not people's data
    )

    @event.listens_for(engine, "checkin")
    def checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_RESTS] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def checkout(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if time.monotonic() - record.info.get(_RESTS, 0) > _FRESH and not _is_alive(engine, connection):
            raise sa.exc.DisconnectionError("the server has closed this connection")

    event.listen(engine, "begin", _enter_schema)
    event.listen(engine, "rollback", _end_reading)
    event.listen(engine, "handle_error", _tell_too_large)
    return engine


def _tell_too_large(context: ExceptionContext) -> None:
    if is_too_large(context.original_exception):
        raise SumTooLarge()


def _is_alive(engine: Engine, connection: Any) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        return False


def _enter_schema(connection: Connection) -> None:
    """Whoever begins sees the tables of their namespace, whoever used the connection before."""
    options = connection.get_execution_options()
    schema = options.get(_SCHEMA)
    if not schema:
        return
    # SET LOCAL ends with the transaction; plain SET would leak to the next user of the connection
    statement = f"SET LOCAL search_path TO {connection.dialect.identifier_preparer.quote_identifier(schema)}"
    if options.get("isolation_level") == _AUTOCOMMIT:
        statement = f"BEGIN{'' if options.get(_WRITE) else ' READ ONLY'}; {statement}"
    if options.get(_WRITE):  # in the same message to the server
        statement += f"; SELECT pg_advisory_xact_lock_shared({WRITERS}, {namespace_number(schema)})"
    run(connection, statement)


def _end_reading(connection: Connection) -> None:
    """Commits what only read: the driver would forget its prepared statements with a rollback, and plan each of them anew."""
    options = connection.get_execution_options()
    if options.get(_WRITE) or options.get("isolation_level") != _AUTOCOMMIT:
        return
    driver: Any = connection.connection.dbapi_connection
    if driver is not None and driver.info.transaction_status == TransactionStatus.INTRANS:
        driver.commit()


class OnConnection(Session):
    """A session on one connection, whose transactions are those of the connection.

    Who runs prepared statements gets the connection as it is: a transaction of the session around it would take a tenth of a
    quick request.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, autoflush=False, join_transaction_mode="rollback_only")
        self._lent = connection

    def connection(self, *given: Any, **options: Any) -> Connection:
        """The connection, in a transaction."""
        # a savepoint is made when the session itself asks for the connection
        if given or options or self.in_nested_transaction():
            return super().connection(*given, **options)
        if not self._lent.in_transaction():
            self._lent.begin()
        return self._lent

    def commit(self) -> None:
        """Keeps what was written."""
        if self.in_transaction():
            super().commit()
        self._lent.commit()

    def rollback(self) -> None:
        """Takes back what was written; what comes next is done in a new transaction."""
        super().rollback()
        self._lent.rollback()

    def invalidate(self) -> None:
        """Gives the connection up, which another thread may still be using; what comes next has a new one."""
        super().invalidate()
        self._lent.invalidate()
        self._lent.rollback()


class Namespace:
    """One SQLite file or one PostgreSQL schema."""

    def __init__(self, engine: Engine, schema: str | None = None) -> None:
        self.schema = schema
        options = {_SCHEMA: schema} if schema else {}
        # The driver would begin by a message of its own; so it is told to leave that to us.
        ours = {"isolation_level": _AUTOCOMMIT} if schema else {}
        self._write = engine.execution_options(**options, **ours, **{_WRITE: True})
        self._whole = engine.execution_options(**options)
        self._read = engine.execution_options(**options, **ours)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._read.dialect.name

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading, in one transaction, which is given up at the end: there is nothing to keep."""
        with self._read.connect() as connection, OnConnection(connection) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session for reading that sees the whole namespace as it was at one moment, however long it reads."""
        level = {} if self.dialect == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with (
            self._whole.connect().execution_options(**level) as connection,
            OnConnection(connection) as session,
        ):
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for writing: committed at the end of the block, rolled back when it raises."""
        with self._write.connect() as connection, OnConnection(connection) as session:
            yield session
            session.commit()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in a writing transaction, for migrations."""
        with self._write.begin() as connection:
            connection.dialect.default_schema_name = self.schema or connection.dialect.default_schema_name
            yield connection

    def dispose(self) -> None:
        """Closes pooled connections of a SQLite file (a PostgreSQL engine is shared)."""
        if self.schema is None:
            self._read.dispose()
