"""KPIs of the organisation's own over REST: made, counted, changed and removed by administrators alone."""

from __future__ import annotations

from callers import Client, open_client
from flask import Flask
from trellis.contributions import Kpi
from trellis.installation import Installation
from trellis.kpi.own import OwnKpi
from trellis.kpi.sums import is_sum
from trellis.workspace import Workspace
from trellis.workspace_state import raise_revision

LARGE = {"field": "amount", "op": "gte", "value": "100"}
KPI = {
    "name": "large_orders",
    "title": "Large orders",
    "aggregate": "count",
    "entity": "order",
    "date": "ordered_at",
    "rule": LARGE,
    "unit": "count",
    "direction": "sales",
    "level": "operations",
}


def test_a_kpi_is_defined_counted_changed_and_removed(client: Client) -> None:
    for number, amount in enumerate(("50", "100", "300")):
        client.create("order", number=f"R-{number}", ordered_at="2026-05-05T10:00:00Z", amount=amount)
    made = client.post("/kpis", KPI)
    assert made.status_code == 201, made.json
    assert (made.json["name"], made.json["version"], made.json["rule"]) == ("own.large_orders", 1, LARGE)
    assert client.get("/kpis/own.large_orders?period=2026-05").json["value"] == 2
    again = client.post("/kpis", KPI)
    assert again.status_code == 409 and "exists already" in again.json["detail"]
    changed = client.patch("/kpis/own.large_orders", {"rule": {**LARGE, "value": "200"}})
    assert (changed.json["version"], changed.json["title"]) == (2, "Large orders")
    assert client.get("/kpis/own.large_orders?period=2026-05").json["value"] == 1
    split = client.patch("/kpis/own.large_orders", {"breakdowns": ["customer", "own.size"]})
    assert split.status_code == 422 and "“own.size”" in split.json["errors"]["breakdowns"][0]
    changed = client.patch("/kpis/own.large_orders", {"breakdowns": ["customer"]})
    assert (changed.status_code, changed.json["version"]) == (200, 2)  # it counts as it did
    (row,) = client.get("/kpis/own.large_orders?period=2026-05&by=customer").json["breakdown"]
    assert (row["key"], row["value"]) == (None, 1)
    assert client.get("/kpis/own.large_orders?period=2026-05&by=number").status_code == 400
    share = {
        **KPI,
        "name": "large_share",
        "aggregate": "formula",
        "expression": "own.large_orders / orders",
        "unit": "percent",
    }
    assert client.post("/kpis", share).status_code == 201
    assert client.get("/kpis/own.large_orders/declaration").json == changed.json
    assert client.delete("/kpis/own.large_orders").status_code == 409  # a formula is over it
    assert client.delete("/kpis/own.large_share").status_code == 204
    assert client.delete("/kpis/own.large_orders").status_code == 204
    assert client.get("/kpis/own.large_orders").status_code == 404


def test_different_values_are_counted_anew_in_each_period_and_row(
    client: Client, workspace: Workspace
) -> None:
    anna, boris = (client.create("customer", name=name) for name in ("Anna", "Boris"))
    north, south = (client.create("unit", name=name) for name in ("North", "South"))
    for day, customer, unit in (
        ("04-05", anna, north), ("04-06", anna, south), ("05-05", anna, north), ("05-06", boris, north),
    ):  # fmt: skip
        given = {"number": day, "amount": "1", "customer": customer, "unit": unit}
        client.create("order", ordered_at=f"2026-{day}T10:00:00Z", **given)
    client.create("order", number="nobody", ordered_at="2026-05-07T10:00:00Z", amount="1")
    buyers = {**KPI, "name": "buyers", "aggregate": "distinct", "field": "customer"}
    del buyers["rule"]
    assert client.post("/kpis", {**buyers, "field": "amount"}).json["errors"].keys() == {"field"}
    assert client.post("/kpis", buyers).status_code == 201
    quarter = client.get("/kpis/own.buyers?period=2026-Q2&by=unit").json
    assert (quarter["value"], {row["key"]: row["value"] for row in quarter["breakdown"]}) == (
        2, {north: 2, south: 1, None: 0},
    )  # fmt: skip
    months = client.get("/kpis/own.buyers?period=2026-05&points=2").json["series"]
    assert [point["value"] for point in months] == [1, 2]
    with workspace.read() as session:
        edition = workspace.edition(session)
        assert not is_sum(edition, edition.all(Kpi)["own.buyers"])


def test_what_is_wrong_is_named_and_nothing_is_kept(client: Client) -> None:
    def fields(**changes: object) -> set[str]:
        refused = client.post("/kpis", {**KPI, **changes})
        assert refused.status_code == 422, refused.json
        return set(refused.json["errors"])

    assert fields(name="Große", title=" ", unit="miles") == {"name", "title", "unit"}
    assert fields(entity="planet") == {"entity"}
    assert fields(rule={"field": "colour", "op": "eq", "value": 1}) == {"rule"}
    assert fields(aggregate="formula", expression="1 +") == {"expression"}
    assert fields(aggregate="formula", expression="orders", breakdowns=["channel"]) == {"breakdowns"}
    assert fields(breakdowns=[["customer"], 7]) == {"breakdowns"}
    assert fields(title="a\0b", about="x" * 3000) == {"title", "about"}
    assert client.post("/kpis", {**KPI, "rule": "all"}).status_code == 400
    assert client.patch("/kpis/orders", {"title": "Mine"}).status_code == 409  # the core's
    assert client.patch("/kpis/own.nothing", {"title": "Mine"}).status_code == 404
    assert client.get("/kpis/own.large_orders").status_code == 404


def test_only_administrators_define_kpis(
    app: Flask, installation: Installation, workspace: Workspace
) -> None:
    manager = open_client(app, installation, workspace, "boss@acme.test", ["manager"])
    assert manager.post("/kpis", KPI).status_code == 403
    assert manager.delete("/kpis/orders").status_code == 403


def test_a_kpi_that_waits_for_a_plugin_is_read_and_removed(client: Client, workspace: Workspace) -> None:
    assert client.post("/kpis", KPI).status_code == 201
    with workspace.write() as session:
        row = session.get(OwnKpi, "own.large_orders")
        assert row is not None
        row.declaration = {**row.declaration, "entity": "moon.crater"}
        raise_revision(session.connection())
    assert client.get("/kpis/own.large_orders").status_code == 404
    kept = client.get("/kpis/own.large_orders/declaration")
    assert (kept.status_code, kept.json["entity"], kept.json["version"]) == (200, "moon.crater", 1)
    assert set(client.patch("/kpis/own.large_orders", {"title": "Large"}).json["errors"]) == {"entity"}
    assert client.delete("/kpis/own.large_orders").status_code == 204
    assert client.get("/kpis/own.large_orders/declaration").status_code == 404
