"""What every benchmark needs: an installation with many customers, and medians of ratios."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from trellis import enabling
from trellis.config import Config
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.testing.postgresql import postgresql
from trellis.workspace import Workspace

CITIES = 200


def arguments(size: int, rounds: int = 300) -> argparse.Namespace:
    """``--size`` and ``--database`` and ``--rounds``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=size)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=rounds)
    return parser.parse_args()


@contextmanager
def installed(database: str) -> Iterator[tuple[Installation, Workspace]]:
    """A fresh installation with one workspace and retail enabled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trellis-bench-")))
        url = stack.enter_context(_postgresql(folder)) if database == "postgresql" else ""
        installation = Installation(Config(home=folder / "home", database_url=url))
        try:
            yield installation, fresh_workspace(installation, "bench")
        finally:
            if url:
                for entry in installation.workspaces():
                    installation.delete_workspace(entry.name)
            installation.close()


def fresh_workspace(installation: Installation, name: str) -> Workspace:
    """One more empty workspace with retail enabled."""
    workspace = installation.create_workspace(name, Settings(title=name))
    enabling.enable(workspace, "retail")
    return workspace


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    """The PostgreSQL of the test suite."""
    with postgresql(folder) as server:
        yield server.set(drivername="postgresql").render_as_string(hide_password=False)


def series(number: int, sqlite: bool) -> str:
    """A select of the whole numbers ``n`` from 1 to ``number``."""
    if sqlite:
        return f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {number}) SELECT n FROM s"
    return f"SELECT n FROM generate_series(1::bigint, {number}) AS s(n)"


def fill_customers(workspace: Workspace, number: int, cards: int = 5000) -> None:
    """Writes customers past the door, as fast as the database takes them; every tenth has a loyalty card.

    Their numbers are the multiples of ten below ``cards``.
    """
    sqlite = workspace.namespace.dialect == "sqlite"
    card = (
        f"CASE WHEN n % 10 = 0 THEN '{{\"retail.card_number\": \"' || (n % {cards}) || '\"}}' ELSE '{{}}' END"
    )
    extra = card if sqlite else f"({card})::jsonb"
    now = "'2026-11-01 10:00:00.000000'"
    statement = f"""
        INSERT INTO customer (id, name, kind, email, city, country, external_id, created_at, updated_at, version, extra)
        SELECT n, 'Customer ' || ((n * 7919) % {number}), 'person', 'c' || n || '@example.com',
               'City ' || (n % {CITIES}), 'Country ' || (n % 30), 'X' || n, {now}, {now}, 1, {extra} FROM ({series(number, sqlite)}) AS t
    """
    with workspace.namespace.connection() as connection:
        connection.exec_driver_sql(statement.replace("%", "%%") if not sqlite else statement)
        if not sqlite:
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('customer', 'id'), {number})")
    with workspace.namespace.connection() as connection:
        connection.execute(sa.text("ANALYZE"))
    if sqlite:  # else whoever writes first would bring all of it from the log into the file
        with workspace.read() as session, closing(session.get_bind().engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def ratio(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> tuple[float, float, float]:
    """Median of ours through theirs, taken in turns; and both medians in milliseconds."""
    mine, other = [], []
    for _round in range(3):
        ours(), theirs()
    for _round in range(rounds):
        mine.append(_timed(ours))
        other.append(_timed(theirs))
    pairs = [a / b for a, b in zip(mine, other, strict=True)]
    return statistics.median(pairs), statistics.median(mine) * 1000, statistics.median(other) * 1000


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
