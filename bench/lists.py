"""REST lists of 50 against a hand-written Flask view with one SQL statement and a JSON dump, on the same data."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import sqlalchemy as sa
from flask import Flask, request
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.web.app import create_app
from trellis.workspace import Workspace

from bench.setting import arguments, fill_customers, installed, ratio

FIELDS = ("name", "email", "city", "country", "external_id")
CASES = {
    "filter on a column": ("city", "City 7"),
    "filter on an indexed extension field": ("retail.card_number", "70"),
}


def by_hand(workspace: Workspace) -> Flask:
    """What one would write without a framework."""
    app = Flask("by_hand")
    sqlite = workspace.namespace.dialect == "sqlite"
    card = "json_extract(extra, '$.\"retail.card_number\"')" if sqlite else "(extra ->> 'retail.card_number')"
    columns = {"city": "city", "retail.card_number": card}

    @app.get("/customers")
    def customers() -> tuple[str, dict[str, str]]:
        name, value = request.args["field"], request.args["value"]
        statement = sa.text(
            f"SELECT id, {', '.join(FIELDS)} FROM customer WHERE {columns[name]} = :value AND deleted_at IS NULL "
            "ORDER BY name, id LIMIT 51"
        )
        with workspace.read() as session:
            rows = [dict(row) for row in session.execute(statement, {"value": value}).mappings()]
        return json.dumps({"items": rows[:50]}), {"Content-Type": "application/json"}

    return app


def main() -> None:
    """Prints a line a case."""
    given = arguments(1_000_000)
    with installed(given.database) as (installation, workspace):
        add_user(installation, workspace, "bench@example.com", "Bench", ["administrator"])
        token = new_token(workspace, "bench@example.com")
        fill_customers(workspace, given.size)
        ours = create_app(installation).test_client()
        theirs = by_hand(workspace).test_client()
        headers = {"Authorization": f"Bearer {token}"}
        print(f"{given.database}, {given.size} customers, {given.rounds} rounds")
        for title, (field, value) in CASES.items():
            path = (
                f"/api/v1/bench/customer?{field}={quote(value)}&sort=name&fields={','.join(FIELDS)}&limit=50"
            )
            plain = f"/customers?field={field}&value={quote(value)}"
            report(
                title,
                lambda path=path: ours.get(path, headers=headers),
                lambda plain=plain: theirs.get(plain),
                given.rounds,
            )


def report(title: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> None:
    """One line of figures."""
    times, mine, other = ratio(ours, theirs, rounds)
    print(f"{title}: {times:.2f}x ({mine:.2f} ms against {other:.2f} ms)")


if __name__ == "__main__":
    main()
