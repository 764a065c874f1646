"""REST lists of 50 found by text and sorted by name, against a hand-written Flask view over a full-text index of its own.

The words are rare (a few hits), middling (one in 200) and common (all); of the common one also page 10,000. Answers of both
sides are compared first.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import sqlalchemy as sa
from flask import Flask, request
from trellis.records import cursor as cursors
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.web.app import create_app
from trellis.workspace import Workspace

from bench.lists import FIELDS, report
from bench.setting import arguments, fill_customers, installed

PAGE = 50
CASES = {"rare word": "c70707", "one in 200": "city 77", "common word": "customer"}
DEEP = 10_000


def index_by_hand(workspace: Workspace) -> None:
    """What one would make without a framework: a column and a GIN index, or an FTS5 table; words and beginnings."""
    with workspace.namespace.connection() as connection:
        if connection.dialect.name == "postgresql":
            text = (
                "coalesce(name, '') || ' ' || coalesce(city, '') || ' ' || translate(coalesce(email, ''), '@.', '  ')"
                " || ' ' || coalesce(extra ->> 'retail.card_number', '')"
            )
            connection.exec_driver_sql(
                f"ALTER TABLE customer ADD COLUMN by_hand tsvector GENERATED ALWAYS AS (to_tsvector('simple', {text})) STORED"
            )
            connection.exec_driver_sql("CREATE INDEX by_hand ON customer USING gin (by_hand)")
        else:
            connection.exec_driver_sql("CREATE VIRTUAL TABLE by_hand USING fts5(name, city, email, card)")
            connection.exec_driver_sql(
                "INSERT INTO by_hand (rowid, name, city, email, card) "
                "SELECT id, name, city, email, json_extract(extra, '$.\"retail.card_number\"') FROM customer"
            )
    with workspace.namespace.connection() as connection:
        connection.execute(sa.text("ANALYZE"))


def by_hand(workspace: Workspace) -> Flask:
    """A view with one SQL statement and a JSON dump."""
    app = Flask("by_hand")
    sqlite = workspace.namespace.dialect == "sqlite"
    match = (
        "id IN (SELECT rowid FROM by_hand WHERE by_hand MATCH :asked)"
        if sqlite
        else "by_hand @@ to_tsquery('simple', :asked)"
    )
    columns = ", ".join(FIELDS)

    @app.get("/customers")
    def customers() -> tuple[str, dict[str, str]]:
        *words, last = request.args["q"].split()
        if sqlite:
            asked = " AND ".join([*(f'"{one}"' for one in words), f'"{last}"*'])
        else:
            asked = " & ".join([*words, f"{last}:*"])
        after = "AND name >= :name AND (name > :name OR id > :id)" if "name" in request.args else ""
        statement = sa.text(
            f"SELECT id, {columns} FROM customer WHERE {match} AND deleted_at IS NULL {after} ORDER BY name, id LIMIT {PAGE + 1}"
        )
        values = {"asked": asked, "name": request.args.get("name"), "id": request.args.get("id")}
        with workspace.read() as session:
            rows = [dict(row) for row in session.execute(statement, values).mappings()]
        return json.dumps({"items": rows[:PAGE]}), {"Content-Type": "application/json"}

    return app


def main() -> None:
    """Prints a line a case."""
    given = arguments(1_000_000)
    with installed(given.database) as (installation, workspace):
        add_user(installation, workspace, "bench@example.com", "Bench", ["administrator"])
        token = new_token(workspace, "bench@example.com")
        fill_customers(workspace, given.size)
        index_by_hand(workspace)
        ours, theirs = create_app(installation).test_client(), by_hand(workspace).test_client()
        headers = {"Authorization": f"Bearer {token}"}
        print(f"{given.database}, {given.size} customers, {given.rounds} rounds")

        def case(title: str, ours_path: str, their_path: str) -> None:
            mine, other = ours.get(ours_path, headers=headers).json, theirs.get(their_path).json
            assert mine is not None and other is not None
            assert [one["id"] for one in mine["items"]] == [one["id"] for one in other["items"]], title
            report(
                f"{title} ({len(mine['items'])} rows)",
                lambda: ours.get(ours_path, headers=headers),
                lambda: theirs.get(their_path),
                given.rounds,
            )

        for title, text in CASES.items():
            path = f"/api/v1/bench/customer?q={quote(text)}&sort=name&fields={','.join(FIELDS)}&limit={PAGE}"
            case(title, path, f"/customers?q={quote(text)}")
        text = quote(CASES["common word"])
        path = f"/api/v1/bench/customer?q={text}&sort=name&fields={','.join(FIELDS)}&limit={PAGE}"
        first = ours.get(path, headers=headers).json
        assert first is not None
        name, record_id = _last_before(workspace, min(DEEP, given.size // PAGE // 2))
        list_of = json.loads(base64.urlsafe_b64decode(first["next"] + "=="))[0]
        after = cursors.encode(list_of, [name, record_id])
        plain = f"/customers?q={text}&name={quote(name)}&id={record_id}"
        case("common word, page 10,000", f"{path}&cursor={after}", plain)


def _last_before(workspace: Workspace, page: int) -> tuple[str, int]:
    """Name and id of the record before this page of all customers by name."""
    statement = sa.text("SELECT name, id FROM customer ORDER BY name, id LIMIT 1 OFFSET :before")
    with workspace.read() as session:
        name, record_id = session.execute(statement, {"before": (page - 1) * PAGE - 1}).one()
    return name, record_id


if __name__ == "__main__":
    main()
