"""A report of many rows as XLSX, in groups with totals and a chart, against the same rows written by hand.

By hand it is one statement and a workbook, without titles, groups, totals or rights. Memory must not grow with the rows.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from trellis.crm.sales.reports.definition import Definition
from trellis.crm.sales.reports.making import make_file
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace
from xlsxwriter import Workbook

from bench.setting import arguments, fill_customers, installed

COLUMNS = ("name", "email", "city", "country")
FEW = 5
"""The share of the rows (one of so many) after which memory is looked at first."""


def main() -> None:
    """Prints the times, their ratio and the memory."""
    given = arguments(100_000, rounds=3)
    with tempfile.TemporaryDirectory() as name, installed(given.database) as (_installation, workspace):
        folder = Path(name)
        fill_customers(workspace, given.size)
        few = _report(workspace, folder, given.size // FEW)
        memory = [_peak()]
        mine, other = [], []
        for _round in range(given.rounds):
            mine.append(_timed(lambda: _report(workspace, folder, given.size)))
            memory.append(_peak())
            other.append(_timed(lambda: _by_hand(workspace, folder)))
        assert few == given.size // FEW
    print(
        f"{given.database}, {given.size} rows: {min(mine) / min(other):.2f}x ({min(mine):.1f} s against {min(other):.1f} s); "
        f"peak {memory[0]:.0f} MB after {few} rows, {memory[1]:.0f} MB after all"
    )


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


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
