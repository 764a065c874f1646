"""Segments over REST: those of the organisation's own, lists, history, profile, overlap, and the events of members."""

from __future__ import annotations

from typing import Any

from callers import Client, open_client
from flask import Flask
from trellis.installation import Installation
from trellis.workspace import Workspace

BRNO = {"field": "city", "op": "eq", "value": "Brno"}
BOUGHT = {"related": "order.customer", "measure": "count", "op": "gte", "value": 1}


def test_a_segment_is_made_followed_changed_copied_and_removed(client: Client) -> None:
    anna, boris = (client.create("customer", name=name, city="Brno") for name in ("Anna", "Boris"))
    made = client.post("/segments", {"title": "Brno", "rule": BRNO})
    assert made.status_code == 201
    assert (made.json["segment"], made.json["members"], made.json["share"]) == ("own.brno", 2, 1.0)
    rule = {"all": [{"segment": "own.brno"}, BOUGHT]}
    client.post("/segments", {"title": "Buyers of Brno", "rule": rule, "tone": "good"})
    assert client.get("/segments/own.buyers_of_brno/members").json["items"] == []
    last = client.get("/events").json["next"]
    client.create("order", number="R-1", customer=anna, ordered_at="2026-05-05T10:00:00Z", amount="10")
    members = client.get("/segments/own.buyers_of_brno/members?count=true").json
    assert ([one["id"] for one in members["items"]], members["total"]) == ([anna], 1)
    items = client.get(f"/events?after={last}").json["items"]
    events = [one for one in items if one["action"].startswith("segment.")]
    assert [(one["action"], one["record_id"], one["changes"]) for one in events] == [
        ("segment.entered", anna, {"segment": [None, "own.buyers_of_brno"]})
    ]
    filtered = client.get("/customer", query_string={"filter": '{"not": {"segment": "own.buyers_of_brno"}}'})
    assert [one["id"] for one in filtered.json["items"]] == [boris]
    assert client.patch("/segments/own.brno", {"rule": {"not": BRNO}}).json["members"] == 0
    assert client.get("/segments/own.buyers_of_brno").json["members"] == 0
    (day,) = client.get("/segments/own.buyers_of_brno/history").json["days"]
    assert (day["entered"], day["left"], day["size"]) == (1, 1, 0)
    copied = client.post("/segments/own.brno:copy")
    assert (copied.status_code, copied.json["segment"]) == (201, "own.brno_copy")
    assert client.delete("/segments/own.brno").status_code == 409
    assert client.delete("/segments/own.brno_copy").status_code == 204
    assert client.get("/segments/own.brno_copy").status_code == 404


def test_a_list_is_filled_by_ids_and_keys(client: Client) -> None:
    ids = [
        client.create("customer", name=name, external_id=f"C-{name}") for name in ("Anna", "Boris", "Vera")
    ]
    made = client.post("/segments", {"title": "Гости", "listed": True}).json
    assert (made["segment"], made["listed"]) == ("own.segment", True)
    members = "/segments/own.segment/members"
    assert client.post(f"{members}:add", {"ids": ids[:1]}).json == {"added": 1, "missing": []}
    keys = {"field": "external_id", "values": ["C-Anna", "C-Vera", "C-Nobody"]}
    assert client.post(f"{members}:add", keys).json == {"added": 1, "missing": ["C-Nobody"]}
    assert [one["id"] for one in client.get(members).json["items"]] == [ids[0], ids[2]]
    (inside,) = client.get(f"/customer/{ids[2]}/segments").json
    assert (inside["segment"], inside["title"]) == ("own.segment", "Гости")
    assert client.get(f"/customer/{ids[1]}/segments").json == []
    assert client.get("/customer/999/segments").status_code == 404
    moves = client.get("/segments/own.segment/history").json["moves"]
    assert [(one["record_id"], one["entered"], one["by"]) for one in moves] == [
        (ids[2], True, "Admin"),
        (ids[0], True, "Admin"),  # also who is put in first
    ]
    assert moves[0]["at"] == inside["since"]
    assert client.post(f"{members}:remove", {"ids": ids}).json == {"removed": 2}
    client.post(f"{members}:add", {"ids": ids})
    client.delete(f"/customer/{ids[1]}")
    assert client.get("/segments/own.segment").json["members"] == 2


def test_a_profile_and_an_overlap_compare(client: Client) -> None:
    for number in range(12):
        customer = client.create(
            "customer", name=f"C{number}", city="Brno" if number < 6 else "Oslo", kind="person"
        )
        client.create(
            "order", number="R", customer=customer, ordered_at="2026-05-05T10:00:00Z", amount=number
        )
    client.post("/segments", {"title": "Brno", "rule": BRNO})
    client.post(
        "/segments",
        {
            "title": "Small",
            "rule": {**BOUGHT, "measure": "sum", "field": "amount", "op": "lt", "value": 9},
        },
    )
    profile = client.get("/segments/own.brno/profile").json
    city = next(row for row in profile["rows"] if row["value"] == "Brno")
    assert (city["share"], city["share_of_all"], city["index"]) == (1.0, 0.5, 200)
    assert profile["figures"]["segment"]["customers"] == 6 and profile["figures"]["all"]["customers"] == 12
    values = client.get("/segments/own.brno/profile?field=city").json["rows"]
    assert [(row["value"], row["customers"], row["customers_of_all"]) for row in values] == [
        ("Brno", 6, 6),
        ("Oslo", 0, 6),
    ]
    shared = client.get("/segments/own.brno/overlap?with=own.small").json
    assert shared["pairs"] == [
        {"segments": ["own.brno", "own.small"], "members": 6, "shares": [1.0, 0.666667]}
    ]
    assert client.get("/segments/own.brno/overlap").status_code == 400
    assert client.get("/segments/own.brno/profile?field=nothing").status_code == 400


def test_what_is_wrong_is_named(
    client: Client, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"title": "X"}, 422, "rule"),
        ({"title": "", "rule": BRNO}, 422, "title"),
        ({"title": "X", "rule": {"segment": "own.nothing"}}, 422, "rule"),
        ({"title": "X", "rule": {**BOUGHT, "related": "order.buyer"}}, 422, "rule"),
        ({"title": "X", "rule": BRNO, "entity": "star"}, 422, "entity"),
        ({"title": "X", "listed": True, "rule": BRNO}, 422, "rule"),
        ({"title": "X", "rule": BRNO, "tone": "loud"}, 422, "tone"),
        ({"title": "X", "rule": BRNO, "colour": "red"}, 400, "colour"),
        ({"title": 5, "rule": BRNO}, 400, "title"),
    ]
    for body, status, name in wrong:
        refused = client.post("/segments", body)
        assert (refused.status_code, list(refused.json["errors"])) == (status, [name]), body
    assert client.get("/segments").json == []
    client.post("/segments", {"title": "Brno", "rule": BRNO})
    members = "/segments/own.brno/members:add"
    assert client.post(members, {"ids": [1]}).status_code == 409
    assert client.post(members, {"ids": [1], "values": ["x"]}).status_code == 400
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    for call in (
        agent.post("/segments", {"title": "X", "rule": BRNO}),
        agent.patch("/segments/own.brno", {"title": "X"}),
        agent.delete("/segments/own.brno"),
        agent.post("/segments/own.brno:copy"),
        agent.post(members, {"ids": [1]}),
    ):
        assert call.status_code == 403
