"""Processes over REST: started, their tasks listed, taken, handed over and completed."""

from __future__ import annotations

from callers import Client, open_client
from drawn import flows, line, node, process
from flask import Flask
from samples import plugin
from trellis.contributions import Process
from trellis.enabling import enable
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.workspace import Workspace

LIMIT = process(
    node("startEvent", "start", form__amount="money! Amount"),
    node("exclusiveGateway", "size", default="size_check"),
    node(
        "userTask",
        "check",
        title="Check",
        for_="role:manager",
        fields="phone",
        form__ok="choice! OK: y=Yes, n=No",
    ),
    node("userTask", "head", for_="role:manager", not_="starter"),
    node("endEvent", "end"),
    flows("start size check end", "size head if amount > 100", "head check"),
)


def test_a_process_is_started_and_its_tasks_completed(
    app: Flask, installation: Installation, workspace: Workspace, client: Client
) -> None:
    found = [
        Process(
            name="probe.limit", title=Text("Limit"), diagram=LIMIT, entity="customer", managers=["manager"]
        ),
        Process(
            name="probe.alone",
            title=Text("Alone"),
            diagram=line(node("userTask", "ask")),
            starters=["manager"],
        ),
    ]
    installation.plugins.add(plugin("probe", trellis_processes=lambda: found))
    enable(workspace, "probe")
    one = open_client(app, installation, workspace, "one@acme.test", ["manager"])
    two = open_client(app, installation, workspace, "two@acme.test", ["manager"])
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    ann = client.create("customer", name="Ann")
    listed = [item for item in one.get("/processes").json["items"] if item["plugin"] == "probe"]  # type: ignore[index]
    assert [item["name"] for item in listed] == ["probe.limit", "probe.alone"]
    assert listed[0]["form"] == [{"name": "amount", "label": "Amount", "type": "money", "required": True}]

    path = "/processes/probe.limit:start"
    assert one.post("/processes/none:start", {}).status_code == 404
    assert one.post(path, {"record": ann}).json["errors"].keys() == {"amount"}  # type: ignore[index]
    for body in ({"record": "x"}, {"record": ann, "values": 3}, {"recrod": ann}, {}):
        assert one.post(path, body).status_code == 422, body
    assert agent.post(path, {"record": ann, "values": {"amount": "5"}}).status_code == 404
    assert agent.post("/processes/probe.alone:start", {}).status_code == 403
    begun = one.post(path, {"record": ann, "values": {"amount": "500"}}, headers={"Idempotency-Key": "a"})
    again = one.post(path, {"record": ann, "values": {"amount": "500"}}, headers={"Idempotency-Key": "a"})
    assert begun.status_code == 201 and begun.json == again.json
    assert begun.json["active"] == ["head"] and len(begun.json["tasks"]) == 1  # type: ignore[index]
    number = begun.json["id"]  # type: ignore[index]
    client.create("activity", subject="Call")
    activity = one.create("activity", subject="Call")

    assert [item["id"] for item in one.get("/tasks").json["items"]] == [activity]  # type: ignore[index]
    also = two.create("activity", subject="Call")
    pages = [two.get("/tasks?limit=1").json]
    while pages[-1]["next"]:  # type: ignore[index]
        pages.append(two.get("/tasks", query_string={"limit": 1, "cursor": pages[-1]["next"]}).json)  # type: ignore[index]
    (task, mine) = [item for page in pages for item in page["items"]]  # type: ignore[index]
    assert (task["element"], mine["id"]) == ("head", also)
    for cursor in ("p:x", "p:2026-01-01,1", "p:0001-01-01T00:00:00+10:00,1"):
        assert one.get("/tasks", query_string={"cursor": cursor}).status_code == 400, cursor

    assert one.post(f"/tasks/{task['id']}:complete").status_code == 403
    assert agent.post(f"/tasks/{task['id']}:complete").status_code == 404
    assert two.post(f"/tasks/{task['id']}:take").json["person"] == two.user_id  # type: ignore[index]
    assert two.post(f"/tasks/{task['id']}:reassign", {"person": one.user_id}).status_code == 422
    for person in ("x", 0, 2**63):
        assert two.post(f"/tasks/{task['id']}:reassign", {"person": person}).status_code == 422, person
    assert two.post(f"/tasks/{task['id']}:complete").json["done"] is True  # type: ignore[index]
    assert two.post(f"/tasks/{task['id']}:complete").status_code == 409

    task = two.get("/tasks").json["items"][0]  # type: ignore[index]
    assert [one["name"] for one in task["form"]] == ["phone", "ok"]
    assert two.post(f"/tasks/{task['id']}:complete", {"ok": "maybe"}).json["errors"].keys() == {"ok"}  # type: ignore[index]
    done = two.post(f"/tasks/{task['id']}:complete", {"ok": "y", "phone": "+420 777 123 456"})
    assert done.status_code == 200, done.text
    assert client.get(f"/customer/{ann}").json["phone"] == "+420 777 123 456"  # type: ignore[index]
    ended = one.get(f"/processes/instances/{number}").json
    assert ended is not None and (ended["state"], ended["tasks"]) == ("done", [])
    assert agent.get(f"/processes/instances/{number}").status_code == 404
