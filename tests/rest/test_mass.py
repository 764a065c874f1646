"""Acts on many records over REST."""

from __future__ import annotations

from typing import Any

import pytest
from callers import Client

BRNO = {"field": "city", "op": "eq", "value": "Brno"}


@pytest.fixture
def ids(client: Client) -> list[int]:
    return [client.create("customer", name=f"C{n}", city=("Brno", "Wien")[n % 2]) for n in range(4)]


def test_all_that_a_filter_finds_are_changed_and_given_back(client: Client, ids: list[int]) -> None:
    body = {"act": "update", "filter": BRNO, "values": {"city": "Ulm"}}
    done = client.post("/customer:mass", body)
    assert (done.status_code, done.json["changed"], done.json["refused"]) == (200, 2, [])  # type: ignore[index]
    assert client.get("/customer?city=Ulm&count=true").json["total"] == 2  # type: ignore[index]
    client.patch(f"/customer/{ids[0]}", {"city": "Kyiv"})
    undone = client.post("/customer:undo", {"change": done.json["undo"]})  # type: ignore[index]
    assert undone.json == {
        "act": "update",
        "changed": 1,
        "refused": [{"id": ids[0], "title": "C0", "errors": {"city": ["Somebody has changed this since"]}}],
        "undo": None,
    }
    assert client.post("/customer:undo", {"change": done.json["undo"]}).status_code == 404  # type: ignore[index]


def test_a_refused_record_stops_all_unless_it_is_left_out(client: Client, ids: list[int]) -> None:
    body: dict[str, Any] = {"act": "delete", "ids": [ids[0], 999_999]}
    refused = client.post("/customer:mass", body)
    assert (refused.status_code, refused.json["code"]) == (422, "mass_refused")  # type: ignore[index]
    assert refused.json["errors"] == {"999999._record": ["There is no such record"]}  # type: ignore[index]
    assert client.get(f"/customer/{ids[0]}").status_code == 200
    assert client.post("/customer:mass", {**body, "leave_out": True}).json["changed"] == 1  # type: ignore[index]
    assert client.get(f"/customer/{ids[0]}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"act": "update", "values": {"city": "Ulm"}},
        {"act": "update", "filter": {}},
        {"act": "delete", "filter": {}, "values": {"city": "Ulm"}},
        {"act": "delete", "ids": [1], "filter": {}},
        {"act": "delete", "ids": ["1"]},
        {"act": "purge", "filter": {}},
        {"act": "delete", "filter": {}, "sure": True},
        {"act": "delete", "filter": [1]},
    ],
)
def test_what_is_not_said_clearly_is_refused(client: Client, ids: list[int], body: dict[str, Any]) -> None:
    assert client.post("/customer:mass", body).status_code == 400
    assert client.get("/customer?count=true").json["total"] == 4  # type: ignore[index]
