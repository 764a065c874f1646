"""Memory of counting all customers anew: each step with a tenth of the customers, and with all.

    uv run python -m bench.memory --size 1000000

What is measured is the program's own memory, without files that are mapped into it, sampled while the step runs. Customers
have two orders in two years; both sizes are measured in a program of their own.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from trellis.crm.analytics.abc import abc
from trellis.crm.analytics.answers import Question, analytics_named
from trellis.crm.analytics.figures import refresh_customer_value
from trellis.crm.analytics.pyramid import pyramid
from trellis.crm.analytics.rfm import rfm
from trellis.crm.analytics.valuing import refresh_lifetime
from trellis.crm.analytics.window import Window
from trellis.crm.customers import standing
from trellis.kpi import income
from trellis.kpi.periods import parse
from trellis.security.actor import SYSTEM
from trellis.segments import engine as segments
from trellis.workspace import Workspace

from bench.figures import fill_orders
from bench.reports import memory
from bench.setting import arguments, fill_customers, installed

_GIVEN_BACK = ctypes.CDLL(None).malloc_trim
"""What the step before has freed goes back to the system, so that it does not hide what this one takes."""

UNTIL = date(2025, 12, 31)
NOW = datetime(2025, 12, 31, 12, tzinfo=UTC)


def main() -> None:
    """Prints a line a step, for a tenth of the size and for the size."""
    given = arguments(1_000_000, rounds=2)
    if given.rounds > 1:
        for size in (given.size // 10, given.size):
            asked = ["--size", str(size), "--database", given.database, "--rounds", "1"]
            subprocess.run([sys.executable, "-m", "bench.memory", *asked], check=True)
        return
    with installed(given.database) as (_installation, workspace):
        fill_customers(workspace, given.size)
        fill_orders(workspace, given.size, given.size * 2, lines=False)
        print(f"{given.database}, {given.size} customers", flush=True)
        with workspace.write() as session:
            edition = workspace.edition(session)
            _told("income rollup made anew", lambda: income.rebuild(session, edition))
        with workspace.namespace.connection() as connection:
            connection.execute(sa.text("ANALYZE"))
        _steps(workspace)


def _steps(workspace: Workspace) -> None:
    window = Window.of(parse("2025"))
    with workspace.write() as session:
        edition = workspace.edition(session)
        who = session, edition, SYSTEM

        def clv() -> Any:
            page = analytics_named("clv")
            return page.answer(
                Question(session=session, edition=edition, actor=SYSTEM, options=page.read({}))
            )

        steps: dict[str, Callable[[], Any]] = {
            "pyramid": lambda: pyramid(*who, window),
            "RFM": lambda: rfm(*who, window),
            "ABC and XYZ": lambda: abc(*who, window, UNTIL, None),
            "lifetime value of all written": lambda: refresh_lifetime(session, edition, UNTIL),
            "all figures of all customers written": lambda: refresh_customer_value(session, edition, UNTIL),
            "stages": lambda: standing.refresh(session, edition, UNTIL, NOW),
            "segments": lambda: segments.refresh(session, edition, today=UNTIL, now=NOW),
            "lifetime value, the answer": clv,
        }
        for title, act in steps.items():
            _told(title, act)


def _told(title: str, act: Callable[[], Any]) -> None:
    _GIVEN_BACK(0)
    before, peak, ended = memory(), [memory()], threading.Event()

    def sample() -> None:
        while not ended.wait(0.01):
            peak[0] = max(peak[0], memory())

    watch = threading.Thread(target=sample)
    watch.start()
    began = time.process_time()
    try:
        act()
    finally:
        ended.set()
        watch.join()
    spent = time.process_time() - began
    print(
        f"{title}: {peak[0] - before:+.0f} MB, peak {peak[0]:.0f} MB, {spent:.0f} s of processor", flush=True
    )


if __name__ == "__main__":
    main()
