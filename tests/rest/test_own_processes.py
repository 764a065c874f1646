"""Processes that the organisation draws, over REST: drafted, checked, published, downloaded, moved to the newest version."""

from __future__ import annotations

from callers import Client, open_client
from drawn import TWO_POOLS, flows, line, node, process
from flask import Flask
from trellis.installation import Installation
from trellis.process.picture import drawn
from trellis.workspace import Workspace

ASK = line(node("userTask", "ask", for_="role:administrator"))
TWICE = line(node("userTask", "ask", for_="role:administrator"), node("userTask", "again"))
LOOSE = process(node("startEvent", "start"), node("userTask", "ask"), flows("start ask"))


def test_a_process_is_drafted_published_changed_and_its_instances_moved(
    app: Flask, installation: Installation, workspace: Workspace, client: Client
) -> None:
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    drafts, one = "/processes/drafts", "/processes/drafts/own.visit"
    for path in (drafts, one, "/processes/own.visit/versions"):
        assert agent.get(path).status_code == 403, path
    for path in (drafts, f"{one}:publish", "/processes/own.visit:copy"):
        assert agent.post(path, {"title": "Visit"}).status_code == 403, path

    for body, wrong in (
        ({}, "title"),
        ({"title": 3}, "title"),
        ({"title": "Visit", "starts": "order.created"}, "starts"),
        ({"title": "Visit", "colour": "red"}, "colour"),
        ({"title": "Visit", "entity": "dragon"}, "entity"),
        ({"title": "Visit", "diagram": 3}, "diagram"),
        ({"title": "Visit", "diagram": "<html/>"}, "diagram"),
        ({"title": "Visit", "diagram": f"<!DOCTYPE d [<!ENTITY x 'y'>]>{ASK.decode()}"}, "diagram"),
    ):
        refused = client.post(drafts, body)
        assert refused.status_code == 422 and refused.json["errors"].keys() == {wrong}, body  # type: ignore[index]
    pools = {"title": "Visit", "diagram": TWO_POOLS.decode()}
    for more, wrong in (({}, "diagram"), ({"pool": "out"}, "pool")):
        refused = client.post(drafts, pools | more)
        assert refused.status_code == 422 and refused.json["errors"].keys() == {wrong}  # type: ignore[index]
    bank = client.post(drafts, {**pools, "title": "Booking", "pool": "bank"}).json["name"]  # type: ignore[index]
    assert '"book"' in client.get(f"{drafts}/{bank}").json["diagram"]  # type: ignore[index]
    assert client.delete(f"{drafts}/{bank}").status_code == 204
    made = client.post(drafts, {"title": "Visit", "diagram": LOOSE.decode()})
    assert made.status_code == 201 and made.json["name"] == "own.visit"  # type: ignore[index]
    assert client.get(drafts).json["items"] == [made.json]  # type: ignore[index]
    checked = client.post(f"{one}:check").json
    assert checked is not None and {problem["element"] for problem in checked["problems"]} == {"p", "ask"}
    refused = client.post(f"{one}:publish")
    assert refused.status_code == 422 and refused.json["problems"] == checked["problems"]  # type: ignore[index]
    assert client.post("/processes/own.visit:start", {}).status_code == 404
    client.patch(one, {"diagram": ASK.decode(), "description": "A visit"})
    assert client.post(f"{one}:publish").json["state"] == "published"  # type: ignore[index]
    assert client.get("/processes/own.visit/diagram").data == drawn(ASK)
    assert agent.get("/processes/own.visit/diagram").status_code == 200
    begun = client.post("/processes/own.visit:start", {}).json
    assert begun is not None and begun["active"] == ["ask"]
    assert client.delete(one).status_code == 409

    client.patch(one, {"diagram": TWICE.decode()})
    assert client.get(one).json["state"] == "changed"  # type: ignore[index]
    client.post(f"{one}:publish")
    listed = client.get("/processes/own.visit/versions").json
    assert listed is not None
    told = [(version["number"], version["current"], version["running"]) for version in listed["items"]]
    assert told == [(2, True, 0), (1, False, 1)]
    assert agent.post(f"/processes/instances/{begun['id']}:move").status_code in (403, 404)
    assert client.post(f"/processes/instances/{begun['id']}:move").status_code == 200
    assert client.post(f"/processes/instances/{begun['id']}:move").status_code == 409
    assert client.post("/processes/own.visit:move").json == {"moved": 0, "left": []}
    (task,) = client.get(f"/processes/instances/{begun['id']}").json["tasks"]  # type: ignore[index]
    client.post(f"/tasks/{task['id']}:complete")
    assert client.get(f"/processes/instances/{begun['id']}").json["active"] == ["again"]  # type: ignore[index]

    copied = client.post("/processes/own.visit:copy").json
    assert copied is not None and copied["replaces"] == "own.visit"
    assert client.delete(f"/processes/drafts/{copied['name']}").status_code == 204
    assert client.get(f"/processes/drafts/{copied['name']}").status_code == 404
