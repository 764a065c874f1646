"""The KPI board from snapshots against the same board measured anew, and the income of one more order, at two sizes of history.

All KPIs of the retail edition over twelve months, as the page of a manager shows them: closed months as they were reported,
the running one and its forecast counted now.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from trellis.contributions import Kpi
from trellis.kpi import engine, income, snapshots
from trellis.kpi.periods import parse
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

from bench.figures import LINES, TODAY, fill_orders
from bench.lists import report
from bench.setting import arguments, fill_customers, installed

MONTH = parse("2026-11")


def main() -> None:
    """Prints a line a figure, at a tenth of the size and at the whole."""
    given = arguments(1_000_000)
    orders = []
    for size in (given.size // 10, given.size):
        with installed(given.database) as (_installation, workspace):
            fill_customers(workspace, size // 10)
            fill_orders(workspace, size // 10, size // LINES)
            with workspace.write() as session:
                income.rebuild(session, workspace.edition(session))
            with workspace.namespace.connection() as connection:
                connection.execute(sa.text("ANALYZE"))
            print(f"{given.database}, {size} lines")
            _board(workspace, min(given.rounds, 5))
            orders.append(_one_order(workspace))
            print(f"one order with its income: {orders[-1]:.2f} ms")
    print(f"one order at ten times the history: {orders[1] / orders[0]:.2f}x")


def _board(workspace: Workspace, rounds: int) -> None:
    with workspace.write() as session:
        edition = workspace.edition(session)
        months = [MONTH.previous.until(13)]
        began = time.perf_counter()
        snapshots.take(session, edition, TODAY, periods=months)
        print(f"snapshots of 13 months taken in {time.perf_counter() - began:.1f} s")
    with workspace.read() as session:
        names = list(edition.all(Kpi))

        def board(*, reported: bool, ahead: bool = True) -> list[Any]:
            found = engine.strip(
                session, edition, SYSTEM, names, MONTH, today=TODAY, ahead=ahead, reported=reported
            )
            return [[point.value for point in one.points] for one in found]

        assert [row[:-1] for row in board(reported=True)] == [row[:-1] for row in board(reported=False)]
        statements = _statements(session, lambda: board(reported=True))
        print(f"{len(names)} KPIs by 12 months: {statements} statements")
        both = "board from snapshots, against all of it measured"
        report(both, lambda: board(reported=True), lambda: board(reported=False), rounds)
        closed = "the same without the forecast"
        report(
            closed,
            lambda: board(reported=True, ahead=False),
            lambda: board(reported=False, ahead=False),
            rounds,
        )


def _statements(session: Any, run: Any) -> int:
    """How many statements ``run`` makes."""
    found = []

    def note(*_given: Any) -> None:
        found.append(1)

    bind = session.get_bind().engine
    sa.event.listen(bind, "before_cursor_execute", note)
    try:
        run()
    finally:
        sa.event.remove(bind, "before_cursor_execute", note)
    return len(found)


def _one_order(workspace: Workspace, rounds: int = 40) -> float:
    """Median milliseconds of writing one order through the door, with the income that follows it."""
    times = []
    moment = datetime(2026, 10, 20, 12, tzinfo=UTC)
    for place in range(rounds):
        with workspace.write() as session:
            edition = workspace.edition(session)
            began = time.perf_counter()
            values = {"number": f"B-{place}", "customer": 1 + place, "ordered_at": moment, "amount": "12.50"}
            Records(session, edition, SYSTEM).create("order", values)
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[5:])


if __name__ == "__main__":
    main()
