"""The board of a funnel and the queue of cases by their deadline, against a hand-written view with the statements for what is shown.

Both stand behind the same server, with a worker each, on the same data; what they show is compared before it is timed. The board
is compared as its page (HTML), the queue as its list over REST and as its page; by hand both are the rows as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from trellis.workspace import Workspace

from bench.by_hand import OPEN_STAGES, QUEUE_FIELDS
from bench.lists import cookie_of, report, token_of
from bench.serving import Client, served
from bench.setting import arguments, fill_customers, installed, series

CUSTOMERS = 20_000
PEOPLE = 50
OPEN_DEALS = 100_000
"""A quarter more are closed."""
NOW = "'2026-11-01 10:00:00.000000'"

QUEUES: dict[str, dict[str, str]] = {
    "all cases": {},
    "cases that are not done": {"state__in": "new,open,waiting"},
    "those of one person": {"state__in": "new,open,waiting", "owner": "{n}"},
}
"""What lists of cases are limited to, each by its deadline."""


def main() -> None:
    """Prints a line a case."""
    given = arguments(1_000_000, rounds=60)
    with installed(given.database) as (installation, workspace):
        token, cookie = token_of(installation, workspace), cookie_of(installation)
        fill_customers(workspace, CUSTOMERS)
        _fill(workspace, given.size)
        with served(installation, "bench", 1) as (our_port, their_port):
            rest = Client(our_port, {"Authorization": f"Bearer {token}"})
            page, theirs = Client(our_port, {"Cookie": cookie}), Client(their_port)
            print(
                f"{given.database}, {OPEN_DEALS} open opportunities, {given.size} cases, {given.rounds} rounds"
            )
            _board(page, theirs, given.rounds)
            for title, limits in QUEUES.items():
                _queue(title, limits, rest, page, theirs, given.rounds)


def _board(page: Client, theirs: Client, rounds: int) -> None:
    shown = page.get("/bench/opportunity/board").decode()
    other = json.loads(theirs.get("/board"))
    cards = [f'data-card="{one["id"]}"' for column in other["cards"].values() for one in column]
    assert len(cards) == shown.count("data-card=") and all(one in shown for one in cards)
    report("board", lambda: page.get("/bench/opportunity/board"), lambda: theirs.get("/board"), rounds)


def _queue(
    title: str, limits: dict[str, str], rest: Client, page: Client, theirs: Client, rounds: int
) -> None:
    """The list over REST and its page, each person in their turn."""
    numbers, at = iter(range(10_000_000)), [1]

    def asked(names: dict[str, str]) -> str:
        return urlencode({name: value.format(n=at[0]) for name, value in names.items()})

    def next_one(ask: Callable[[], bytes]) -> Callable[[], bytes]:
        def turn() -> bytes:
            at[0] = next(numbers) % PEOPLE + 1
            return ask()

        return turn

    def listed() -> bytes:
        return rest.get(f"/api/v1/bench/case?{asked(limits | {'sort': 'resolution_due', 'fields': FIELDS})}")

    def by_hand() -> bytes:
        return theirs.get(f"/cases?{asked(limits)}")

    def shown() -> bytes:
        parts = [
            {"field": name.removesuffix("__in"), "op": "in", "value": value.format(n=at[0]).split(",")}
            for name, value in limits.items()
        ]
        rule = quote(json.dumps({"all": parts})) if parts else ""
        return page.get(f"/bench/case?view=all&filter={rule}&sort=resolution_due")

    mine, other = json.loads(listed())["items"], json.loads(by_hand())["items"]
    assert [one["id"] for one in mine] == [one["id"] for one in other] and len(mine) == 50, title
    assert all(f"/case/{one['id']}".encode() in shown() for one in other), title
    report(f"{title}, REST", next_one(listed), by_hand, rounds)
    report(f"{title}, page", next_one(shown), by_hand, rounds)


FIELDS = ",".join((*QUEUE_FIELDS, "customer"))


def _fill(workspace: Workspace, cases: int) -> None:
    """People, opportunities and cases, written past the door; a case of five is not done."""
    sqlite = workspace.namespace.dialect == "sqlite"
    unit = 10_000 if sqlite else 1
    empty, none = ("'{}'", "'[]'") if sqlite else ("'{}'::jsonb", "'[]'::jsonb")

    def moment(days: str) -> str:
        if sqlite:
            return (
                f"strftime('%Y-%m-%d %H:%M:%f000', '2026-11-01', {days} || ' days', (n % 1440) || ' minutes')"
            )
        return f"TIMESTAMPTZ '2026-11-01 00:00:00+00' + ({days}) * INTERVAL '1 day' + (n % 1440) * INTERVAL '1 minute'"

    def day(days: str) -> str:
        return f"date('2026-11-01', ({days}) || ' days')" if sqlite else f"DATE '2026-11-01' + ({days})::int"

    def rows(table: str, columns: str, values: str, number: int) -> str:
        return (
            f"INSERT INTO {table} (id, created_at, updated_at, version, extra, {columns}) "
            f"SELECT n, {NOW}, {NOW}, 1, {empty}, {values} FROM ({series(number, sqlite)}) AS t"
        )

    closed_stage = f"CASE WHEN n > {OPEN_DEALS} THEN CASE n % 2 WHEN 0 THEN 'won' ELSE 'lost' END"
    stages = " ".join(f"WHEN {place} THEN '{one}'" for place, one in enumerate(OPEN_STAGES))
    stage = f"{closed_stage} ELSE CASE n % {len(OPEN_STAGES)} {stages} END END"
    outcome = f"{closed_stage} ELSE 'open' END"
    closed = f"CASE WHEN n > {OPEN_DEALS} THEN {moment('-(n % 300)')} END"
    owner = f"1 + n % {PEOPLE}"
    customer = f"1 + (n * 31) % {CUSTOMERS}"
    deals = (
        f"'Deal ' || n, {customer}, {owner}, 'sales', {stage}, {NOW}, "
        f"((n * 7919) % 100000) * {unit}, {day('n % 180 - 30')}, {outcome}, {closed}"
    )
    state = (
        "CASE n % 10 WHEN 0 THEN CASE n % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'open' ELSE 'waiting' END "
        "WHEN 1 THEN 'open' WHEN 2 THEN 'cancelled' WHEN 3 THEN 'resolved' ELSE 'closed' END"
    )
    due = f"CASE WHEN n % 10 < 2 THEN {moment('(n * 7) % 20 - 5')} ELSE {moment('-((n * 7) % 700)')} END"
    case_ = (
        f"'C-' || n, 'Case ' || n, {state}, 'request', CASE n % 4 WHEN 0 THEN 'high' ELSE 'low' END, "
        f"{customer}, {owner}, {moment('-((n * 7) % 700) - 3')}, {due}, 0, 0"
    )
    person = f"'P' || n, 'p' || n || '@x.test', {'1' if sqlite else 'true'}, {none}"
    statements = (
        # the first person is who looks at it
        rows('"user"', "name, email, active, roles", person, PEOPLE) + " WHERE n > 1",
        rows(
            "opportunity",
            "name, customer_id, owner_id, funnel, stage, stage_since, amount, expected_close, outcome, closed_at",
            deals,
            OPEN_DEALS * 5 // 4,
        ),
        rows(
            '"case"',
            "number, subject, state, kind, priority, customer_id, owner_id, opened_at, resolution_due, "
            "paused_seconds, reopened",
            case_,
            cases,
        ),
    )
    with workspace.namespace.connection() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement if sqlite else statement.replace("%", "%%"))
    with workspace.namespace.connection() as connection:
        connection.execute(sa.text("ANALYZE"))


if __name__ == "__main__":
    main()
