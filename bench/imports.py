"""The import of customers through the door, against one executemany (SQLite) of the same file; and its peak memory."""

from __future__ import annotations

import csv
import resource
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from trellis.crm.customers.entities import Customer
from trellis.records.importer import run_import
from trellis.security.actor import SYSTEM

from bench.setting import arguments, installed


def main() -> None:
    """Prints the times, their ratio and the peak memory."""
    given = arguments(100_000)
    with tempfile.TemporaryDirectory() as folder, installed(given.database) as (_installation, workspace):
        path = Path(folder) / "customers.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("external_id", "name", "email", "city", "country"))
            writer.writerows(
                (f"X{n}", f"Customer {n}", f"c{n}@example.com", f"City {n % 200}", "CZ")
                for n in range(given.size)
            )
        began = time.perf_counter()
        run_import(workspace, SYSTEM, "customer", path)
        ours = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        with workspace.write() as session:
            session.execute(sa.delete(Customer))
        began = time.perf_counter()
        with path.open() as file, workspace.namespace.connection() as connection:
            stamp = "'2026-11-01 10:00:00.000000'"
            marks = ", ".join(["?" if given.database == "sqlite" else "%s"] * 5)
            statement = (
                "INSERT INTO customer (external_id, name, email, city, country, kind, created_at, updated_at, version, extra) "
                f"VALUES ({marks}, 'person', {stamp}, {stamp}, 1, '{{}}')"
            )
            connection.exec_driver_sql(statement, [tuple(row) for row in list(csv.reader(file))[1:]])
        theirs = time.perf_counter() - began
    print(
        f"{given.database}, {given.size} customers: {ours / theirs:.1f}x ({ours:.1f} s against {theirs:.1f} s), peak {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()
