"""The caller's tasks over REST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callers import Client, open_client
from flask import Flask
from trellis.installation import Installation
from trellis.workspace import Workspace


def test_a_task_is_listed_for_its_owner_until_it_is_done(
    client: Client, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    later = client.create("activity", subject="Offer", due_at="2026-12-02T10:00:00Z")
    sooner = client.create("activity", subject="Call", kind="call", due_at="2026-12-01T10:00:00Z")
    client.create("activity", subject="Heard", kind="note")
    other = open_client(app, installation, workspace, "other@acme.test", ["administrator"])
    assert [one["id"] for one in client.get("/tasks").json["items"]] == [sooner, later]  # type: ignore[index]
    assert other.get("/tasks").json["items"] == []  # type: ignore[index]

    first = client.get("/tasks?limit=1").json
    assert first is not None and first["items"][0]["id"] == sooner
    assert client.get(f"/tasks?limit=1&cursor={first['next']}").json["items"][0]["id"] == later  # type: ignore[index]

    done = client.post(f"/tasks/{sooner}:complete", {"body": "Will call back"})
    assert (done.status_code, done.json["body"]) == (200, "Will call back"), done.text  # type: ignore[index]
    assert done.json["done_at"]  # type: ignore[index]
    assert client(method="POST", path=f"/tasks/{later}:complete").status_code == 200
    assert client.get("/tasks").json == {"items": [], "next": None}


def test_what_cannot_be_ticked_off_is_refused(client: Client) -> None:
    task = client.create("activity", subject="Call")
    assert client.post("/tasks/999999:complete", {}).status_code == 404
    assert client.post(f"/tasks/{task}:complete", [1]).status_code == 400
    wrong = client.post(f"/tasks/{task}:complete", {"mood": "good"})
    assert (wrong.status_code, list(wrong.json["errors"])) == (422, ["mood"])  # type: ignore[index]
    assert client.post(f"/tasks/{task}:complete", {}).status_code == 200
    assert client.post(f"/tasks/{task}:complete", {}).status_code == 409


def test_somebody_plans_an_absence_and_comes_back(
    app: Flask, installation: Installation, workspace: Workspace, client: Client
) -> None:
    other = open_client(app, installation, workspace, "other@acme.test", ["agent"])
    path, today = "/absence", datetime.now(UTC).date()
    nobody = {"starts": None, "ends": None, "substitute": None, "stands_in_for": []}
    assert client.get(path).json == nobody
    plan = {"starts": f"{today}", "ends": f"{today + timedelta(days=3)}", "substitute": other.user_id}
    for wrong, named in (
        ({"ends": None}, "ends"),
        ({"ends": f"{today - timedelta(days=1)}"}, "ends"),
        ({"substitute": client.user_id}, "substitute"),
        ({"substitute": 10**30}, "substitute"),
        ({"starts": "soon"}, "starts"),
    ):
        refused = client("PUT", path, json={**plan, **wrong})
        assert refused.status_code == 422 and refused.json["errors"].keys() == {named}, wrong  # type: ignore[index]
    assert client("PUT", path, json={**plan, "who": 1}).status_code == 400
    assert client("PUT", path, json=plan).json == {**plan, "stands_in_for": []}
    assert other.get(path).json == {**nobody, "stands_in_for": [client.user_id]}
    assert client.delete(path).status_code == 204
    assert client.get(path).json == nobody and other.get(path).json == nobody
