"""Lifetime value: the fit against the package lifetimes, and a workspace of a million customers.

    uv run --with lifetimes python -m bench.clv --cdnow CDNOW_master.txt
    uv run python -m bench.clv --size 1000000 --workspace 1000000

Times are those of the processor, so that other work on the machine does not count.

`lifetimes` is used where it can be imported, and never by Trellis. Purchases of the million are made by the model's own story:
each customer buys at an own rate and leaves after a purchase with an own chance.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import sqlalchemy as sa
from trellis.crm.analytics import bgnbd, lifetime
from trellis.crm.analytics.histories import histories
from trellis.crm.analytics.lifetime import Assumptions
from trellis.crm.analytics.valuing import refresh_lifetime
from trellis.kpi import income
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

from bench.setting import fill_customers, installed

UNTIL = date(2026, 6, 30)
DAYS = 730


def main() -> None:
    """Prints a line a figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cdnow", help="CDNOW_master.txt of the publication")
    parser.add_argument("--size", type=int, default=0, help="customers of the largest fit")
    parser.add_argument("--workspace", type=int, default=0, help="customers of a whole workspace")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    if given.cdnow:
        _against_lifetimes(given.cdnow)
    if given.size:
        for number in (given.size // 100, given.size // 10, given.size):
            _fit_only(number)
    if given.workspace:
        with installed(given.database) as (_installation, workspace):
            _workspace(workspace, given.workspace)


def _against_lifetimes(path: str) -> None:
    x, tx, age = _cdnow(path)
    ours: list[float] = []
    theirs: list[float] = []
    heights = (0.0, 0.0)
    try:
        from lifetimes import BetaGeoFitter
    except ImportError:
        BetaGeoFitter = None
    bgnbd.fit(x[:500], tx[:500], age[:500])  # what is imported on the way is not counted
    for _round in range(7):
        seconds, found = _timed(lambda: bgnbd.fit(x, tx, age))
        ours.append(seconds)
        heights = (found.log_likelihood, heights[1])
        if BetaGeoFitter is not None:
            fitter = BetaGeoFitter()
            theirs.append(_timed(lambda fitter=fitter: fitter.fit(x, tx, age))[0])
            heights = (
                heights[0],
                float(-fitter._negative_log_likelihood_ * len(x) - x.sum() * np.log(age.max())),
            )
    print(
        f"CDNOW, {len(x)} customers: {statistics.median(ours) * 1000:.0f} ms, log-likelihood {heights[0]:.6f}"
    )
    if theirs:
        ratio = statistics.median([a / b for a, b in zip(ours, theirs, strict=True)])
        print(f"lifetimes: {statistics.median(theirs) * 1000:.0f} ms, {heights[1]:.6f}; ratio {ratio:.2f}")


def _cdnow(path: str) -> tuple[Any, Any, Any]:
    table = np.loadtxt(path, skiprows=1, usecols=(0, 1), dtype=np.int64)
    day = np.array(
        [f"{one // 10000}-{one // 100 % 100:02}-{one % 100:02}" for one in table[:, 1]], "datetime64[D]"
    )
    end = np.datetime64("1997-09-30")
    rows = np.unique(np.column_stack([table[:, 0], day.astype(np.int64)])[day <= end], axis=0)
    _ids, first, number = np.unique(rows[:, 0], return_index=True, return_counts=True)
    start, last = rows[first, 1], rows[first + number - 1, 1]
    return number - 1.0, (last - start) / 7, (end.astype(np.int64) - start) / 7


def _story(number: int) -> tuple[Any, Any, Any]:
    """Customers and days of purchases, the first among them; days count to the end."""
    chance = np.random.default_rng(1)
    start = chance.integers(1, DAYS, number)
    rate, leaves = chance.gamma(0.25, 1 / 31, number) + 1e-9, chance.beta(0.8, 2.5, number)
    customer, day = [np.arange(number)], [start]
    here, at = np.arange(number), start.astype(np.float64)
    for _purchase in range(60):
        stays = chance.random(len(here)) > leaves[here]
        here, at = here[stays], at[stays] - chance.exponential(1 / rate[here[stays]])
        inside = at >= 0
        here, at = here[inside], at[inside]
        customer.append(here)
        day.append(at.astype(np.int64))
    pairs = np.unique(np.column_stack([np.concatenate(customer), np.concatenate(day)]), axis=0)
    return pairs[:, 0], pairs[:, 1], start


def _fit_only(number: int) -> None:
    customer, ago, start = _story(number)
    days = np.bincount(customer, minlength=number)
    last = np.full(number, DAYS)
    np.minimum.at(last, customer, ago)
    x, tx, age = days - 1.0, (start - last) / 7, start / 7
    seconds, found = _timed(lambda: bgnbd.fit(x, tx, age))
    print(f"fit of {number} customers: {seconds:.2f} s; {found}")


def _workspace(workspace: Workspace, number: int) -> None:
    fill_customers(workspace, number)
    customer, ago, _start = _story(number)
    end = np.datetime64(UNTIL)
    with workspace.write() as session:
        edition = workspace.edition(session)
        source = income.income_sources(edition)[0]
        sqlite = workspace.namespace.dialect == "sqlite"
        unit, mark = (10_000, "?") if sqlite else (1, "%s")
        statement = (
            "INSERT INTO income_day (day, customer_id, source, currency, owner_id, unit_id, revenue, cost, occasions) "
            f"VALUES ({', '.join([mark] * 9)})"
        )
        fixed = (source, edition.settings.currency, 0, 0)
        days = [str(end - back) for back in range(DAYS + 1)]
        for begin in range(0, len(customer), 100_000):
            part = slice(begin, begin + 100_000)
            rows = [
                (days[back], one + 1, *fixed, (10 + one % 90) * unit, 5 * unit, 1)
                for one, back in zip(customer[part].tolist(), ago[part].tolist(), strict=True)
            ]
            session.connection().exec_driver_sql(statement, rows)
        bought = income.INCOME_DAY.c
        first = (
            sa.select(sa.func.min(bought.day))
            .where(bought.customer_id == sa.text("customer.id"))
            .scalar_subquery()
        )
        table = edition.entity("customer").entity.__table__
        session.execute(sa.update(table).values(first_order_at=first, orders_count=1))
    print(f"{number} customers, {len(customer)} purchase days written, peak {_peak():.0f} MB")
    with workspace.write() as session:
        edition = workspace.edition(session)
        seconds, known = _timed(lambda: histories(session, edition, SYSTEM, UNTIL))
        print(f"histories of {len(known)}: {seconds:.1f} s, peak {_peak():.0f} MB")
        seconds, model = _timed(lambda: lifetime.learn(known))
        print(f"learnt: {seconds:.1f} s, {model.purchases}, peak {_peak():.0f} MB")
        seconds, made = _timed(lambda: lifetime.value(model, known, Assumptions()))
        print(f"value of each: {seconds:.1f} s, total {made.clv.sum():.0f}, peak {_peak():.0f} MB")
        seconds, changed = _timed(lambda: refresh_lifetime(session, edition, UNTIL))
        print(f"all read, learnt and written: {seconds:.1f} s, {changed} rows, peak {_peak():.0f} MB")


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    made = act()
    return time.process_time() - began, made


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
