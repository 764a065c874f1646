"""Conversation scripts over REST: led step by step, counted, and made one's own."""

from __future__ import annotations

import pytest
from callers import Client, open_client
from flask import Flask
from talking import OFFER, probe
from trellis.enabling import enable
from trellis.installation import Installation
from trellis.web.app import create_app
from trellis.workspace import Workspace


@pytest.fixture
def app(installation: Installation, workspace: Workspace) -> Flask:
    installation.plugins.add(probe(OFFER))
    enable(workspace, "probe")
    return create_app(installation)


def test_a_conversation_is_led_and_counted(
    client: Client, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    assert [one["name"] for one in client.get("/scripts").json["items"]] == ["probe.offer"]
    shown = client.get("/scripts/probe.offer").json
    assert [one["key"] for one in shown["steps"]] == ["greet", "mail", "town"]
    vera = client.create("customer", name="Vera")
    begun = client.post("/scripts/probe.offer:start", {"entity": "customer", "record": vera})
    assert (begun.status_code, begun.json["step"]["say"]) == (201, "Good day, Vera. A minute?")
    run = f"/scripts/runs/{begun.json['id']}"
    told = client.post(f"{run}:object", {"step": "greet", "objection": "who"}).json
    assert [one["reply"] for one in told["step"]["objections"]] == ["I am Admin."]
    assert client.post(f"{run}:answer", {"step": "greet", "answer": "yes"}).json["step"]["key"] == "mail"
    assert client.post(f"{run}:back").json["step"]["key"] == "greet"
    assert client.post(f"{run}:back").status_code == 409
    assert [client.post(f"{run}:{act}").json["state"] for act in ("stop", "resume")] == ["stopped", "running"]
    for step, answer, value in (("greet", "yes", None), ("mail", "may", None), ("town", "town", "Brno")):
        done = client.post(f"{run}:answer", {"step": step, "answer": answer, "value": value}).json
    assert (done["state"], done["step"], done["outcome"]["result"]) == ("done", None, "good")
    late = client.post(f"{run}:answer", {"step": "town", "answer": "town", "value": "Wien"})
    assert (late.status_code, client.get(f"/customer/{vera}").json["city"]) == (409, "Brno")
    counted = client.get("/scripts/probe.offer/figures").json
    assert (counted["runs"], counted["good"], counted["version"]) == (1, 1.0, 1)
    assert {one["key"]: one["runs"] for one in counted["steps"][0]["answers"]} == {"yes": 1, "no": 0}
    assert client.get("/scripts/probe.offer/figures?period=2020").json["runs"] == 0
    (kept,) = client.get(f"/script_run?customer={vera}").json["items"]
    assert (kept["outcome"], kept["path"]) == ("Takes it", "A minute → You may → Tells it")
    for refused, body in (
        (422, {"entity": "customer"}),
        (404, {"entity": "customer", "record": 10**17}),
        (422, {"entity": "user", "record": 1}),
    ):
        assert client.post("/scripts/probe.offer:start", body).status_code == refused
    assert client.post("/script_run", {}).status_code == 403
    assert client.get("/scripts/probe.offer/figures?version=9").status_code == 404
    assert client.get("/scripts/nothing").status_code == 404
    reader = open_client(app, installation, workspace, "reader@acme.test", ["reader"])
    assert reader.get(run).status_code == 200
    assert reader.post(f"{run}:back").status_code == 403
    assert reader.post("/scripts/probe.offer:copy").status_code == 403


def test_a_script_is_made_ones_own_and_published(client: Client) -> None:
    copied = client.post("/scripts/probe.offer:copy")
    assert (copied.status_code, copied.json["replaces"], copied.json["state"]) == (
        201,
        "probe.offer",
        "draft",
    )
    number, draft = copied.json["id"], copied.json["draft"]
    assert client.get(f"/script/{number}/faults").json == {"items": []}
    steps = [*draft["steps"], {"key": "lost", "say": "Lost"}]
    assert client.patch(f"/script/{number}", {"draft": {**draft, "steps": steps}}).status_code == 200
    faults = client.get(f"/script/{number}/faults").json["items"]
    assert {one["step"] for one in faults} == {"lost"}
    assert client.post(f"/script/{number}:publish").status_code == 422
    for wrong in (
        {"steps": 5},
        {"steps": [{"key": "A b"}]},
        {"nonsense": 1},
        [],
        {"steps": [{"key": "a", "say": 7}]},
    ):
        refused = client.patch(f"/script/{number}", {"draft": wrong})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["draft"]), wrong
    assert client.patch(f"/script/{number}", {"draft": draft}).status_code == 200
    assert client.post(f"/script/{number}:publish").json["published"] == 1
    mine = client.get("/scripts").json["items"][-1]
    assert (mine["plugin"], mine["replaces"]) == ("own", "probe.offer")
    assert client.post(f"/script/{number}:withdraw").json["state"] == "withdrawn"
    assert len(client.get("/scripts").json["items"]) == 1
    assert client.post("/script", {"name": "A", "replaces": "nothing"}).status_code == 422
    fresh = client.create("script", name="New one")
    assert client.post(f"/script/{fresh}:publish").status_code == 200
    assert client.delete(f"/script/{fresh}").status_code == 204
    assert len(client.get("/scripts").json["items"]) == 1
