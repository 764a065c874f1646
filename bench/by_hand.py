"""What one would write without a framework: a Flask application over the same tables, a statement and a JSON dump a view.

It signs nobody in, checks no rights, keeps no history, and has an engine of its own that is as quick as SQLAlchemy lets it be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask, request
from trellis.installation import Installation
from trellis.records.sqlite import install_functions

FIELDS = ("name", "email", "city", "country", "external_id")
PAGE = 50
QUEUE_FIELDS = ("number", "subject", "state", "priority", "resolution_due")
OPEN_STAGES = ("qualify", "discover", "propose", "negotiate")
CARDS = 20
QUARTER, QUARTER_END = "2026-10-01 00:00:00.000000", "2026-12-31"
_JSON = {"Content-Type": "application/json"}


def engine_of(installation: Installation, name: str) -> sa.Engine:
    """An engine on the tables of a workspace."""
    config = installation.config
    if config.on_postgresql:
        url = config.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        return sa.create_engine(url, connect_args={"options": f"-csearch_path=ws_{name}"})
    engine = sa.create_engine(f"sqlite:///{installation.sqlite_path(name)}", connect_args={"timeout": 30})
    sa.event.listen(engine, "connect", lambda connection, _record: install_functions(connection))
    return engine


def by_hand(installation: Installation, name: str) -> Flask:
    """``/customers`` with ``field`` and ``value``, or ``q``, continued after ``name`` and ``id``; one; insert and update."""
    app = Flask("by_hand")
    engine = engine_of(installation, name)
    sqlite = engine.dialect.name == "sqlite"
    card = "json_extract(extra, '$.\"retail.card_number\"')" if sqlite else "(extra ->> 'retail.card_number')"
    filters = {
        "city": "city = :value",
        "kind": "kind = :value",
        "card": f"{card} = :value",
        "no_card": f"{card} IS NULL",
        "q": "id IN (SELECT rowid FROM by_hand WHERE by_hand MATCH :value)"
        if sqlite
        else "by_hand @@ to_tsquery('simple', :value)",
    }
    columns = ", ".join(FIELDS)

    def rows(statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(statement), values).mappings()]

    @app.get("/customers")
    def customers() -> tuple[str, dict[str, str]]:
        field, value = request.args["field"], request.args["value"]
        values = {"value": _asked(value, sqlite) if field == "q" else value}
        after = ""
        if "id" in request.args:
            after = "AND name >= :name AND (name > :name OR id > :id)"
            values |= {"name": request.args["name"], "id": request.args["id"]}
        found = rows(
            f"SELECT id, {columns} FROM customer WHERE {filters[field]} AND deleted_at IS NULL {after} "
            f"ORDER BY name, id LIMIT {PAGE + 1}",
            values,
        )
        return json.dumps({"items": found[:PAGE]}), _JSON

    _add_queues(app, rows)

    @app.get("/customers/<int:number>")
    def customer(number: int) -> tuple[str, dict[str, str]]:
        (found,) = rows("SELECT * FROM customer WHERE id = :id AND deleted_at IS NULL", {"id": number})
        return json.dumps(found, default=str), _JSON

    @app.post("/customers")
    def create() -> tuple[str, int, dict[str, str]]:
        given = request.get_json()
        values = {name: given.get(name) for name in FIELDS} | {"now": _now(sqlite)}
        with engine.begin() as connection:
            number = connection.scalar(
                sa.text(
                    f"INSERT INTO customer ({columns}, kind, created_at, updated_at, version, extra) "
                    f"VALUES ({', '.join(f':{one}' for one in FIELDS)}, 'person', :now, :now, 1, '{{}}') RETURNING id"
                ),
                values,
            )
        return json.dumps({"id": number, **given}), 201, _JSON

    @app.patch("/customers/<int:number>")
    def update(number: int) -> tuple[str, dict[str, str]]:
        given = request.get_json()
        with engine.begin() as connection:
            connection.execute(
                sa.text(
                    "UPDATE customer SET city = :city, updated_at = :now, version = version + 1 WHERE id = :id"
                ),
                {"city": given["city"], "now": _now(sqlite), "id": number},
            )
        return json.dumps({"id": number, **given}), _JSON

    return app


def _add_queues(app: Flask, rows: Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]) -> None:
    """``/board``: what a board of open deals shows; ``/cases`` by their deadline, maybe by ``state__in`` and ``owner``."""
    mine = "funnel = 'sales' AND deleted_at IS NULL"

    @app.get("/board")
    def board() -> tuple[str, dict[str, str]]:
        totals = rows(
            f"SELECT stage, count(*) AS number, sum(amount) AS amount FROM opportunity WHERE {mine} GROUP BY stage",
            {},
        )
        won = rows(
            f"SELECT sum(amount) AS amount FROM opportunity WHERE {mine} AND stage = 'won' AND closed_at >= :first",
            {"first": QUARTER},
        )
        due = rows(
            f"SELECT stage, sum(amount) AS amount FROM opportunity WHERE {mine} AND expected_close <= :last "
            "GROUP BY stage",
            {"last": QUARTER_END},
        )
        cards = {
            stage: rows(
                "SELECT o.id, o.name, o.amount, o.currency, o.stage_since, o.expected_close, o.next_step_on, "
                "c.name AS customer, u.name AS owner FROM opportunity o LEFT JOIN customer c ON c.id = o.customer_id "
                "LEFT JOIN \"user\" u ON u.id = o.owner_id WHERE o.funnel = 'sales' AND o.stage = :stage "
                f"AND o.deleted_at IS NULL ORDER BY o.amount DESC, o.id DESC LIMIT {CARDS}",
                {"stage": stage},
            )
            for stage in OPEN_STAGES
        }
        told = {"totals": totals, "won": won, "due": due, "cards": cards}
        return json.dumps(told, default=str), _JSON

    @app.get("/cases")
    def cases() -> tuple[str, dict[str, str]]:
        states = request.args.get("state__in", "").split(",")
        owner = "AND k.owner_id = :owner" if "owner" in request.args else ""
        ordered = f"ORDER BY resolution_due NULLS FIRST, id LIMIT {PAGE + 1}"
        columns = ", ".join(f"k.{one}" for one in ("id", "customer_id", *QUEUE_FIELDS))
        each = " UNION ALL ".join(
            f'SELECT * FROM (SELECT {columns} FROM "case" k WHERE k.deleted_at IS NULL '
            + (f"AND k.state = '{one}' " if one else "")
            + f"{owner} {ordered}) AS s{place}"
            for place, one in enumerate(states)
        )
        found = rows(
            f"SELECT q.*, c.name AS customer FROM ({each}) AS q LEFT JOIN customer c ON c.id = q.customer_id "
            f"ORDER BY q.resolution_due NULLS FIRST, q.id LIMIT {PAGE + 1}",
            {"owner": request.args.get("owner", type=int)},
        )
        return json.dumps({"items": found[:PAGE]}, default=str), _JSON


def index_by_hand(installation: Installation, name: str) -> None:
    """A full-text index as one would make it: a column and a GIN index, or an FTS5 table; words and beginnings."""
    engine = engine_of(installation, name)
    postgresql = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        if postgresql:
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
    # As a PostgreSQL does by itself, but not that of the tests: else whoever reads a page first writes it anew.
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE customer" if postgresql else "ANALYZE")


def _asked(text: str, sqlite: bool) -> str:
    """Words that must all be there, of which the last may go on."""
    *words, last = text.split()
    if sqlite:
        return " AND ".join([*(f'"{one}"' for one in words), f'"{last}"*'])
    return " & ".join([*words, f"{last}:*"])


def _now(sqlite: bool) -> Any:
    now = datetime.now(UTC)
    return now.strftime("%Y-%m-%d %H:%M:%S.%f") if sqlite else now
