"""The import of customers through the door, against the database's own way: executemany on SQLite, COPY on PostgreSQL.

Both read the same file and write the same table with its indexes, that of the search among them; the import also checks
each row, looks for its key, writes an event and learns the words. The second ratio is against a table without the search
index.
"""

from __future__ import annotations

import csv
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from trellis.records.importer import run_import
from trellis.search.matching import WORDS
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

from bench.setting import arguments, fresh_workspace, installed

COLUMNS = ("external_id", "name", "email", "city", "country")
T = TypeVar("T")
STAMP = "2026-11-01 10:00:00.000000"


def main() -> None:
    """Prints the times, their ratios and the memory."""
    given = arguments(1_000_000)
    load = _executemany if given.database == "sqlite" else _copy
    with tempfile.TemporaryDirectory() as folder, installed(given.database) as (installation, workspace):
        path = Path(folder) / "customers.csv"
        _write_file(path, given.size)
        memory: list[float] = [_now()]

        def told(done: int, total: int) -> None:
            if done * 10 // total >= len(memory):
                memory.append(_now())

        ours, result = _timed(lambda: run_import(workspace, SYSTEM, "customer", path, told=told))
        assert result.created == given.size
        peak = _peak()
        by_hand = fresh_workspace(installation, "by-hand")
        theirs, _none = _timed(lambda: load(by_hand, path))
        bare = fresh_workspace(installation, "bare")
        _drop_search(bare)
        bare_time, _none = _timed(lambda: load(bare, path))
        again, result = _timed(lambda: run_import(by_hand, SYSTEM, "customer", path))
        assert result.unchanged == given.size
    print(
        f"{given.database}, {given.size} customers: {ours[0] / theirs[0]:.1f}x ({ours[0]:.0f} s against {theirs[0]:.0f} s; "
        f"{ours[0] / bare_time[0]:.1f}x of {bare_time[0]:.0f} s into a table without its search index)\n"
        f"processor time of this process: {ours[1]:.0f} s against {theirs[1]:.0f} s, {bare_time[1]:.0f} s\n"
        f"memory at each tenth of the file: {', '.join(f'{one:.0f}' for one in memory)}; peak {peak:.0f} MB\n"
        f"the same file once more: {again[0]:.0f} s"
    )


def _timed(act: Callable[[], T]) -> tuple[tuple[float, float], T]:
    """Seconds by the clock and of this process, and what came of it."""
    began, worked = time.perf_counter(), time.process_time()
    result = act()
    return (time.perf_counter() - began, time.process_time() - worked), result


def _drop_search(workspace: Workspace) -> None:
    """Takes the search index of customers away, which a table by hand would not have."""
    with workspace.namespace.connection() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"DROP TRIGGER {WORDS} ON customer")
            connection.exec_driver_sql(f"ALTER TABLE customer DROP COLUMN {WORDS}")
            return
        found = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'core_search_customer%'"
        for one in connection.exec_driver_sql(found).scalars().all():
            connection.exec_driver_sql(f'DROP TRIGGER "{one}"')


def _write_file(path: Path, number: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(
            (f"X{n}", f"Customer {n}", f"c{n}@example.com", f"City {n % 200}", "CZ") for n in range(number)
        )


def _executemany(workspace: Workspace, path: Path) -> None:
    """One statement in one transaction."""
    statement = (
        f"INSERT INTO customer ({', '.join(COLUMNS)}, kind, created_at, updated_at, version, extra) "
        f"VALUES (?, ?, ?, ?, ?, 'person', '{STAMP}', '{STAMP}', 1, '{{}}')"
    )
    with path.open(newline="") as file, workspace.namespace.connection() as connection:
        driver: Any = connection.connection.driver_connection
        rows = csv.reader(file)
        next(rows)
        driver.executemany(statement, rows)


def _copy(workspace: Workspace, path: Path) -> None:
    """The file as it is; what does not stand in it comes from defaults of the table."""
    with workspace.namespace.connection() as connection, connection.connection.cursor() as cursor:
        for name, value in (("created_at", STAMP), ("updated_at", STAMP), ("kind", "person")):
            cursor.execute(f"ALTER TABLE customer ALTER {name} SET DEFAULT '{value}'")
        copy = f"COPY customer ({', '.join(COLUMNS)}) FROM STDIN WITH (FORMAT csv, HEADER)"
        with path.open("rb") as file, cursor.copy(copy) as target:
            while part := file.read(1 << 20):
                target.write(part)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _now() -> float:
    """Megabytes that this process holds at this moment."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2


if __name__ == "__main__":
    main()
