"""Creating and changing one record over REST, against hand-written Flask views: no sign-in, one statement, commit, JSON.

Ours is checked, audited, found by the search at once and owned by whoever asked. The hand-written views use a pool of
their own on the same table, with all of its indexes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

import sqlalchemy as sa
from flask import Flask, request
from trellis.installation import Installation
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.web.app import create_app
from trellis.workspace import Workspace
from werkzeug.test import TestResponse

from bench.lists import FIELDS, report
from bench.setting import arguments, fill_customers, installed


def by_hand(begin: Any, table: str) -> Flask:
    """What one would write without a framework."""
    app = Flask("by_hand")
    now = "2026-11-01 10:00:00.000000"
    insert = sa.text(
        f"INSERT INTO {table} ({', '.join(FIELDS)}, kind, created_at, updated_at, version, extra) "
        f"VALUES ({', '.join(f':{name}' for name in FIELDS)}, 'person', '{now}', '{now}', 1, '{{}}') RETURNING id"
    )
    update = sa.text(f"UPDATE {table} SET city = :city, updated_at = '{now}' WHERE id = :id")

    def answer(data: dict[str, Any], status: int) -> tuple[str, int, dict[str, str]]:
        return json.dumps(data), status, {"Content-Type": "application/json"}

    @app.post("/customers")
    def create() -> tuple[str, int, dict[str, str]]:
        values = request.get_json()
        with begin() as connection:
            record_id = connection.execute(insert, values).scalar()
        return answer({"id": record_id, **values}, 201)

    @app.patch("/customers/<int:record_id>")
    def change(record_id: int) -> tuple[str, int, dict[str, str]]:
        values = request.get_json()
        with begin() as connection:
            connection.execute(update, {"id": record_id, **values})
        return answer({"id": record_id, **values}, 200)

    return app


def application_by_hand(installation: Installation, workspace: Workspace) -> Flask:
    """The hand-written views: on PostgreSQL with connections of their own, on SQLite with those of the workspace, which
    know the functions of its triggers."""
    if workspace.namespace.dialect == "sqlite":

        def begin() -> AbstractContextManager[Any]:
            return workspace.write()

        return by_hand(begin, "customer")
    url = sa.make_url(installation.config.database_url).set(drivername="postgresql+psycopg")
    return by_hand(sa.create_engine(url).begin, f'"{workspace.namespace.schema}".customer')


def customers(start: str) -> Iterator[dict[str, str]]:
    """Customers without end, each with its own key."""
    for number in count():
        yield {
            "name": f"{start} {number}",
            "email": f"{start}{number}@example.com",
            "city": f"City {number % 200}",
            "country": "CZ",
            "external_id": f"{start}{number}",
        }


def main() -> None:
    """Prints a line a case."""
    given = arguments(1_000_000)
    with installed(given.database) as (installation, workspace):
        add_user(installation, workspace, "bench@example.com", "Bench", ["administrator"])
        token = new_token(workspace, "bench@example.com")
        fill_customers(workspace, given.size)
        ours = create_app(installation).test_client()
        theirs = application_by_hand(installation, workspace).test_client()
        headers = {"Authorization": f"Bearer {token}"}
        print(f"{given.database}, {given.size} customers, {given.rounds} rounds")
        mine, other, numbers = customers("Ours"), customers("Theirs"), count(1)
        path = "/api/v1/bench/customer"
        report(
            "create",
            lambda: done(ours.post(path, json=next(mine), headers=headers), 201),
            lambda: done(theirs.post("/customers", json=next(other)), 201),
            given.rounds,
        )
        report(
            "update",
            lambda: done(ours.patch(f"{path}/{next(numbers)}", json=town(numbers), headers=headers), 200),
            lambda: done(theirs.patch(f"/customers/{next(numbers)}", json=town(numbers)), 200),
            given.rounds,
        )


def town(numbers: Iterator[int]) -> dict[str, str]:
    """A change that no record has yet."""
    return {"city": f"Town {next(numbers)}"}


def done(response: TestResponse, status: int) -> None:
    """Makes sure of the answer."""
    assert response.status_code == status, response.get_data(as_text=True)


if __name__ == "__main__":
    main()
