"""KPIs, the pyramid, RFM and segments over millions of order lines, against hand-written SQL that answers the same on the same
tables.

A customer has about three orders in two years, an order three lines. The hand-written statements read orders and lines, as one
would without a rollup; the answers of both are compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from trellis.crm.analytics.pyramid import pyramid
from trellis.crm.analytics.rfm import rfm
from trellis.crm.analytics.window import Window
from trellis.edition import Edition
from trellis.kpi import engine, income
from trellis.kpi.periods import Period, parse, parse_range
from trellis.records.types import from_scaled
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

from bench import segments
from bench.lists import report
from bench.setting import arguments, fill_customers, installed, series

YEAR, MONTH = parse("2025"), parse("2025-11")
TODAY = date(2026, 11, 1)
LINES = 3


def main() -> None:
    """Prints a line a figure."""
    given = arguments(10_000_000)
    customers = given.size // 10
    with installed(given.database) as (_installation, workspace):
        fill_customers(workspace, customers)
        fill_orders(workspace, customers, given.size // LINES)
        began = time.perf_counter()
        with workspace.write() as session:
            income.rebuild(session, workspace.edition(session))
        print(f"{given.database}, {given.size} lines; income rebuilt in {time.perf_counter() - began:.0f} s")
        with workspace.namespace.connection() as connection:
            connection.execute(sa.text("ANALYZE"))
        with workspace.read() as session:
            _measure(session, workspace.edition(session), given.database == "sqlite", min(given.rounds, 5))
        with workspace.write() as session:
            segments.measure(session, workspace.edition(session), min(given.rounds, 5))


def _measure(session: Any, edition: Edition, sqlite: bool, rounds: int) -> None:
    window = Window.of(YEAR)

    def points(name: str, *periods: Period) -> list[Any]:
        return [point.value for point in engine.series(session, edition, SYSTEM, name, periods, TODAY)]

    def tiers() -> list[Any]:
        found = pyramid(session, edition, SYSTEM, window, "margin").tiers
        return [(tier.customers, tier.margin) for tier in found]

    money = from_scaled if sqlite else Decimal
    written = _by_hand(sqlite)
    cases: list[tuple[str, Callable[[], Any], Callable[[list[Any]], Any]]] = [
        ("revenue of a year", lambda: points("revenue", YEAR), lambda rows: [money(rows[0][0])]),
        (
            "revenue by month",
            lambda: points("revenue", *parse_range("2025-01", "2025-12")),
            lambda rows: [money(row[1]) for row in sorted(rows)],
        ),
        ("active customers", lambda: points("active_customers", MONTH), lambda rows: [rows[0][0]]),
        ("pyramid", tiers, lambda rows: [(row[1], money(row[2])) for row in sorted(rows)]),
        (
            "RFM",
            lambda: sum(rfm(session, edition, SYSTEM, window).cells.values()),
            lambda rows: sum(row[3] for row in rows),
        ),
    ]
    for title, ours, read in cases:
        statement = sa.text(written[title])
        assert ours() == read(session.execute(statement).all()), title
        report(title, ours, lambda statement=statement: session.execute(statement).all(), rounds)


def _by_hand(sqlite: bool) -> dict[str, str]:
    """What one would write in SQL, by figure."""
    year = "o.deleted_at IS NULL AND o.ordered_at >= '2025-01-01' AND o.ordered_at < '2026-01-01'"
    month = "o.deleted_at IS NULL AND o.ordered_at >= '2025-11-01' AND o.ordered_at < '2025-12-01'"
    by_month = "strftime('%Y-%m', o.ordered_at)" if sqlite else "date_trunc('month', o.ordered_at, 'UTC')"
    day = "date(o.ordered_at)" if sqlite else "(o.ordered_at AT TIME ZONE 'UTC')::date"
    joined = '"order" o JOIN order_line l ON l.order_id = o.id AND l.deleted_at IS NULL'
    return {
        "revenue of a year": f"SELECT sum(l.amount) FROM {joined} WHERE {year}",
        "revenue by month": f'SELECT {by_month}, sum(o.amount) FROM "order" o WHERE {year} GROUP BY 1',
        "active customers": f'SELECT count(DISTINCT o.customer_id) FROM "order" o WHERE {month}',
        "pyramid": f"""
            WITH v AS (SELECT o.customer_id, sum(l.amount - l.cost_amount) AS m FROM {joined} WHERE {year} GROUP BY 1),
            r AS (SELECT m, row_number() OVER (ORDER BY m DESC, customer_id) AS p, count(*) OVER () AS n FROM v)
            SELECT CASE WHEN p * 100 <= n + 99 THEN 1 WHEN p * 100 <= n * 5 + 99 THEN 2
                WHEN p * 100 <= n * 20 + 99 THEN 3 ELSE 4 END, count(*), sum(m), min(m), max(m) FROM r GROUP BY 1""",
        "RFM": f"""
            WITH v AS (SELECT o.customer_id, max({day}) AS l, count(DISTINCT {day}) AS f, sum(o.amount) AS m
                FROM "order" o WHERE {year} GROUP BY 1),
            r AS (SELECT ntile(5) OVER (ORDER BY l, customer_id) AS r, ntile(5) OVER (ORDER BY f, customer_id) AS f,
                ntile(5) OVER (ORDER BY m, customer_id) AS m FROM v)
            SELECT r, f, m, count(*) FROM r GROUP BY 1, 2, 3""",
    }


def fill_orders(workspace: Workspace, customers: int, orders: int, *, lines: bool = True) -> None:
    """Writes orders of two years with three lines each (or none), past the door; some customers buy much more than others."""
    sqlite = workspace.namespace.dialect == "sqlite"
    chance = "(abs(random()) / 9223372036854775807.0)" if sqlite else "random()"
    cents = "((({0}) * 7919) % 10000)"
    amount = " + ".join(
        f"{cents.format(f'{LINES} * n - {back}')} * (1 + ({LINES} * n - {back}) % 3)" for back in range(LINES)
    )
    now = "'2026-11-01 10:00:00.000000'"
    moment = (
        f"strftime('%Y-%m-%d %H:%M:%S.000000', 1704067200 + n * (730.0 * 86400 / {orders}) + {chance} * 86400, 'unixepoch')"
        if sqlite
        else f"timestamptz '2024-01-01+00' + (n::float8 / {orders}) * interval '730 days' + random() * interval '1 day'"
    )
    one, empty = ("100", "'{}'") if sqlite else ("0.01", "'{}'::jsonb")
    buyer = f"1 + CAST({chance} * {chance} * {customers - 1} AS bigint)"
    channel = "CASE n % 3 WHEN 0 THEN 'store' WHEN 1 THEN 'online' ELSE 'phone' END"
    whole = "10000" if sqlite else "1"
    with workspace.namespace.connection() as connection:
        if not sqlite:  # the references are right, and looking up ten million of them takes long
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            sa.text(f"""
            INSERT INTO "order" (id, number, customer_id, ordered_at, channel, amount, cost, lines_count,
                created_at, updated_at, version, extra)
            SELECT n, 'R-' || n, {buyer}, {moment}, {channel}, ({amount}) * {one}, ({amount}) * {one} * 0.6, {LINES},
                {now}, {now}, 1, {empty} FROM ({series(orders, sqlite)}) AS t""")
        )
        if not lines:
            return
        connection.execute(
            sa.text(f"""
            INSERT INTO order_line (id, order_id, quantity, price, cost, amount, cost_amount,
                created_at, updated_at, version, extra)
            SELECT n, 1 + (n - 1) / {LINES}, (1 + n % 3) * {whole}, c * {one}, c * {one} * 0.6, c * (1 + n % 3) * {one},
                c * (1 + n % 3) * {one} * 0.6, {now}, {now}, 1, {empty}
            FROM (SELECT n, {cents.format("n")} AS c FROM ({series(orders * LINES, sqlite)}) AS t) AS u""")
        )


if __name__ == "__main__":
    main()
