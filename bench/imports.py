"""The import of customers through the door, against the database's own way: executemany on SQLite, COPY on PostgreSQL.

Both read the same file and write the same table with its indexes; the import also checks each row, looks for its key, and
writes an event. Peak memory is that of the process after the import.
"""

from __future__ import annotations

import csv
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from trellis.records.importer import run_import
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

from bench.setting import arguments, fresh_workspace, installed

COLUMNS = ("external_id", "name", "email", "city", "country")
STAMP = "2026-11-01 10:00:00.000000"


def main() -> None:
    """Prints the times, their ratio and the peak memory."""
    given = arguments(100_000)
    with tempfile.TemporaryDirectory() as folder, installed(given.database) as (installation, workspace):
        path = Path(folder) / "customers.csv"
        _write_file(path, given.size)
        before = _peak()
        began = time.perf_counter()
        result = run_import(workspace, SYSTEM, "customer", path)
        ours = time.perf_counter() - began
        assert result.created == given.size
        peak = _peak()
        by_hand = fresh_workspace(installation, "by-hand")
        load = _executemany if given.database == "sqlite" else _copy
        began = time.perf_counter()
        load(by_hand, path)
        theirs = time.perf_counter() - began
        again = fresh_workspace(installation, "again")
        began = time.perf_counter()
        load(again, path)
        theirs = min(theirs, time.perf_counter() - began)
        began = time.perf_counter()
        result = run_import(workspace, SYSTEM, "customer", path)
        unchanged = time.perf_counter() - began
        assert result.unchanged == given.size
    print(
        f"{given.database}, {given.size} customers: {ours / theirs:.1f}x ({ours:.1f} s against {theirs:.1f} s), "
        f"peak {peak:.0f} MB ({before:.0f} MB before); the same file once more {unchanged:.1f} s"
    )


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


if __name__ == "__main__":
    main()
