"""A bonus run over many people and orders, against the same statements and lines made by hand in SQL.

The scheme has tiers of plan attainment and a percentage. By hand it is one statement for the sums and one for each table, into the
same tables with an entry of the log for each row, without rights, checks or plugins. Told beside it: reckoning again when nothing differs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from trellis.crm.sales.bonuses import running
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

from bench.setting import arguments, installed, series

PEOPLE = 1_000
PERIOD = "2026-10"
START, END = "2026-10-01 00:00:00.000000", "2026-11-01 00:00:00.000000"


def main() -> None:
    """Prints the times and their ratio."""
    given = arguments(1_000_000, rounds=3)
    with installed(given.database) as (_installation, workspace):
        _fill(workspace, given.size)
        mine, again, other = [], [], []
        for number in range(given.rounds):
            run, seconds = _timed(partial(_reckon, workspace, number))
            mine.append(seconds)
            again.append(_timed(partial(_recalculate, workspace, run))[1])
            hand, seconds = _timed(partial(_by_hand, workspace, run, number))
            other.append(seconds)
        _compare(workspace, run, hand)
    print(
        f"{given.database}, {PEOPLE} people, {given.size} orders: {min(mine) / min(other):.2f}x "
        f"({min(mine):.2f} s against {min(other):.2f} s); again with nothing to change {min(again):.2f} s"
    )


def _reckon(workspace: Workspace, number: int) -> int:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        scheme = records.create("bonus_scheme", {"name": f"Scheme {number}"}).id
        part = {"scheme": scheme, "kpi": "revenue"}
        records.create(
            "bonus_part", {**part, "name": "Plan", "place": 1, "kind": "tiers", "tiers": "0: 3; 100: 5"}
        )
        records.create("bonus_part", {**part, "name": "All", "place": 2, "kind": "percent", "rate": "0.01"})
        return running.calculate(records, scheme, PERIOD).id


def _recalculate(workspace: Workspace, run: int) -> int:
    with workspace.write() as session:
        return running.recalculate(Records(session, workspace.edition(session), SYSTEM), run)


def _by_hand(workspace: Workspace, like: int, number: int) -> int:
    """The statements and lines of one more run, in the tables of ours, with an entry of the log for each; returns the run.

    Money is in ten-thousandths on SQLite, as in the tables.
    """
    sqlite = workspace.namespace.dialect == "sqlite"
    low, high = ("MIN", "MAX") if sqlite else ("LEAST", "GREATEST")
    whole, empty = ("CAST(ROUND({}) AS INTEGER)", "'{}'") if sqlite else ("ROUND({}, 2)", "'{}'::jsonb")
    pair, made = ("json_array", "json_object") if sqlite else ("jsonb_build_array", "jsonb_build_object")
    stamp = f"'{START}', '{START}', 1, {empty}"
    stamped = "created_at, updated_at, version, extra"

    def log(entity: str, table: str, columns: str, only: str) -> str:
        changes = ", ".join(f"'{one}', {pair}(NULL, {one})" for one in columns.split(", "))
        return (
            "INSERT INTO event (at, actor_name, source, entity, record_id, action, changes) "
            f"SELECT '{START}', '', 'system', '{entity}', id, 'created', {made}({changes}) FROM {table} WHERE {only}"
        )

    with workspace.namespace.connection() as connection:
        run: int = connection.exec_driver_sql(
            f"INSERT INTO bonus_run (title, scheme_id, period, begins_on, state, statements, total, {stamped}) "
            f"SELECT 'By hand', scheme_id, 'h{number}', begins_on, state, 0, 0, {stamp} FROM bonus_run "
            f"WHERE id = {like} RETURNING id"
        ).scalar_one()
        statement = "title, person_id, run_id, scheme_id, period, begins_on, state, total, currency, owner_id"
        line = "place, name, kind, amount, basis, statement_id, period, currency, owner_id"
        mine = f"statement_id IN (SELECT id FROM bonus_statement WHERE run_id = {run})"
        for text in (
            *(f"DROP TABLE IF EXISTS hand_{name}" for name in ("sum", "line")),
            f"""CREATE TEMPORARY TABLE hand_sum AS SELECT owner_id AS person, SUM(amount) AS fact FROM "order"
                WHERE ordered_at >= '{START}' AND ordered_at < '{END}' AND deleted_at IS NULL
                  AND (currency IS NULL OR currency = 'EUR') GROUP BY owner_id""",
            f"""CREATE TEMPORARY TABLE hand_line AS
                SELECT o.person, 1 AS place, 'Plan' AS name, 'tiers' AS kind,
                       {whole.format(f"0.03 * {low}(o.fact, t.value) + 0.05 * {high}(o.fact - t.value, 0)")} AS amount,
                       {made}('kpi', 'revenue', 'figure', o.fact, 'plan', t.value, 'threshold', 0) AS basis
                FROM hand_sum AS o JOIN kpi_target AS t
                  ON t.person_id = o.person AND t.kpi = 'revenue' AND t.period = '{PERIOD}'
                UNION ALL SELECT person, 2, 'All', 'percent', {whole.format("0.01 * fact")},
                       {made}('kpi', 'revenue', 'figure', fact, 'rate', 0.01) FROM hand_sum""",
            f"""INSERT INTO bonus_statement ({statement}, {stamped})
                SELECT u.name || ', {PERIOD}', s.person, r.id, r.scheme_id, r.period, r.begins_on, r.state, s.total, 'EUR',
                       s.person, {stamp}
                FROM (SELECT person, SUM(amount) AS total FROM hand_line GROUP BY person) AS s
                JOIN "user" AS u ON u.id = s.person JOIN bonus_run AS r ON r.id = {run}""",
            f"""INSERT INTO bonus_line ({line}, {stamped})
                SELECT l.place, l.name, l.kind, l.amount, l.basis, s.id, s.period, 'EUR', l.person, {stamp}
                FROM hand_line AS l JOIN bonus_statement AS s ON s.person_id = l.person AND s.run_id = {run}""",
            log("bonus_statement", "bonus_statement", statement, f"run_id = {run}"),
            log("bonus_line", "bonus_line", line, mine),
        ):
            connection.exec_driver_sql(text)
    return run


def _compare(workspace: Workspace, run: int, other: int) -> None:
    """Both come to the same, in as many rows."""
    scale = 10_000 if workspace.namespace.dialect == "sqlite" else 1
    totals = sa.text("SELECT SUM(total), COUNT(*) FROM bonus_statement WHERE run_id = :run")
    lines = sa.text(
        "SELECT COUNT(*) FROM bonus_line WHERE statement_id IN (SELECT id FROM bonus_statement WHERE run_id = :run)"
    )
    with workspace.namespace.connection() as connection:
        found = [
            (*connection.execute(totals, {"run": one}).one(), connection.scalar(lines, {"run": one}))
            for one in (run, other)
        ]
    (mine, *ours), (total, *theirs) = found
    assert ours == theirs, found
    assert abs(float(mine) - float(total)) / scale < PEOPLE / 100, found


def _fill(workspace: Workspace, orders: int) -> None:
    """People with plans and orders, written past the door."""
    sqlite = workspace.namespace.dialect == "sqlite"
    unit = 10_000 if sqlite else 1
    now = "'2026-10-01 10:00:00.000000'"
    day = (
        "'2026-10-' || substr('0' || (1 + n % 31), -2) || ' 12:00:00.000000'"
        if sqlite
        else "TIMESTAMPTZ '2026-10-01 12:00:00+00' + (n % 31) * INTERVAL '1 day'"
    )
    empty, none = ("'{}'", "'[]'") if sqlite else ("'{}'::jsonb", "'[]'::jsonb")

    def rows(table: str, columns: str, values: str, number: int) -> str:
        return (
            f"INSERT INTO {table} (id, created_at, updated_at, version, extra, {columns}) "
            f"SELECT n, {now}, {now}, 1, {empty}, {values} FROM ({series(number, sqlite)}) AS t"
        )

    plan = f"'revenue', '{PERIOD}', n, {orders // PEOPLE * 40 * unit}, 'revenue/{PERIOD}/person-' || n"
    person = f"'P' || n, 'p' || n || '@x.test', {'1' if sqlite else 'true'}, {none}"
    sold = f"'N' || n, 1 + n % {PEOPLE}, {day}, ((n * 7919) % 10000) * {unit} / 100"
    statements = (
        rows('"user"', "name, email, active, roles", person, PEOPLE),
        rows("kpi_target", "kpi, period, person_id, value, key", plan, PEOPLE),
        rows('"order"', "number, owner_id, ordered_at, amount", sold, orders),
    )
    with workspace.namespace.connection() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement if sqlite else statement.replace("%", "%%"))
        for table in () if sqlite else ('"user"', "kpi_target", '"order"'):
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
            )
    with workspace.namespace.connection() as connection:
        connection.execute(sa.text("ANALYZE"))


Result = TypeVar("Result")


def _timed(act: Callable[[], Result]) -> tuple[Result, float]:
    began = time.perf_counter()
    found = act()
    return found, time.perf_counter() - began


if __name__ == "__main__":
    main()
