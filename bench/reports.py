"""A report of many rows as XLSX, in groups with totals and a chart, against the same rows written by hand.

By hand it is one statement and a workbook, without titles, groups, totals or rights. Memory must not grow with the rows: it is
looked at in programs of their own, and without the pages of the database file, which SQLite maps and the system takes back.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread

import sqlalchemy as sa
from trellis.config import Config
from trellis.crm.sales.reports.definition import Definition
from trellis.crm.sales.reports.making import make_file
from trellis.installation import Installation
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace
from xlsxwriter import Workbook

from bench.setting import arguments, fill_customers, installed

COLUMNS = ("name", "email", "city", "country")
SHARES = (20, 2, 1)
"""The shares of the rows (one of so many) for which memory is looked at."""
WARM = 1_000
"""Rows of the report before: what a program needs once is not counted."""


def main() -> None:
    """Prints the times, their ratio and the memory."""
    given = arguments(100_000, rounds=3)
    with tempfile.TemporaryDirectory() as name, installed(given.database) as (installation, workspace):
        folder = Path(name)
        fill_customers(workspace, given.size)
        with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as programs:
            grown = [
                (
                    given.size // share,
                    programs.submit(_grown, installation.config, given.size // share).result(),
                )
                for share in SHARES
            ]
        mine, other = [], []
        for _round in range(given.rounds):
            mine.append(_timed(lambda: _report(workspace, folder, given.size)))
            other.append(_timed(lambda: _by_hand(workspace, folder)))
    told = ", ".join(f"{size:.0f} MB for {rows}" for rows, size in grown)
    print(
        f"{given.database}, {given.size} rows: {min(mine) / min(other):.2f}x ({min(mine):.1f} s against {min(other):.1f} s); "
        f"memory at most {told}"
    )


def _grown(config: Config, rows: int) -> float:
    """By how many MB a report of so many rows makes the memory of its program grow, at its highest."""
    workspace, peak, done = Installation(config).workspace("bench"), [0.0], Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], memory())

    with tempfile.TemporaryDirectory() as folder:
        _report(workspace, Path(folder), WARM)
        start = memory()
        watching = Thread(target=watch)
        watching.start()
        _report(workspace, Path(folder), rows)
        done.set()
        watching.join()
    return peak[0] - start


def _report(workspace: Workspace, folder: Path, rows: int) -> int:
    definition = Definition(
        entity="customer",
        rule={"field": "id", "op": "lte", "value": rows},
        columns=COLUMNS,
        sort=("name",),
        group="country",
        totals=("revenue_12m",),
    )
    with workspace.read() as session:
        edition = workspace.edition(session)
        return make_file(folder, session, edition, SYSTEM, "Customers", definition, "xlsx")[1]


def _by_hand(workspace: Workspace, folder: Path) -> None:
    statement = sa.text(f"SELECT {', '.join(COLUMNS)} FROM customer ORDER BY country, name")
    with workspace.read() as session, Workbook(folder / "by hand.xlsx", {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate(session.execute(statement)):
            sheet.write_row(place, 0, row)


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def memory() -> float:
    """The program's own memory in MB, without files that are mapped into it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
