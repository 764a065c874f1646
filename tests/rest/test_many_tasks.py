"""Acts on several tasks at once: each is done by itself, and what is left is named."""

from __future__ import annotations

from typing import Any

from callers import Client, open_client
from drawn import line, node
from flask import Flask
from samples import plugin
from trellis.contributions import Process
from trellis.enabling import enable
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.workspace import Workspace


def test_several_tasks_are_taken_handed_over_put_off_and_completed(
    app: Flask, installation: Installation, workspace: Workspace, client: Client
) -> None:
    asks = line(node("userTask", "ask", title="Ask", for_="role:manager", form__ok="boolean! OK"))
    plain = line(node("userTask", "look", title="Look", for_="role:manager", not_="starter"))
    found = [
        Process(name=f"probe.{name}", title=Text(name), diagram=one, managers=["manager"], starters=["agent"])
        for name, one in (("asks", asks), ("plain", plain))
    ]
    installation.plugins.add(plugin("probe", trellis_processes=lambda: found))
    enable(workspace, "probe")
    one, two = (
        open_client(app, installation, workspace, f"{name}@acme.test", ["manager"]) for name in ("one", "two")
    )
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    for name in ("asks", "plain", "plain"):
        assert agent.post(f"/processes/probe.{name}:start", {}).status_code == 201
    form, look, other = (item["id"] for item in one.get("/tasks").json["items"])  # type: ignore[index]
    call = one.create("activity", subject="Call", due_at="2026-12-01T10:30:00Z")
    undated = one.create("activity", subject="Think")

    def act(who: Client, act: str, *ids: Any, **more: Any) -> tuple[list[Any], dict[Any, str]]:
        answer = who.post(f"/tasks:{act}", {"tasks": ids, **more})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json  # type: ignore[assignment]
        why = {left["id"]: str(left["errors"]) for left in body["refused"]}
        return body["done"], why

    done, why = act(one, "take", form, look, call, look)
    assert done == [form, look] and why.keys() == {call} and "only tasks of processes" in why[call]
    done, why = act(two, "take", form, other)
    assert done == [other] and "for somebody else" in why[form]
    assert act(one, "put-back", look)[0] == [look]

    done, why = act(one, "postpone", call, undated, form, day="2026-12-24")
    assert done == [call, undated] and "Its process says" in why[form]
    assert one.get(f"/activity/{call}").json["due_at"].startswith("2026-12-24T10:30")  # type: ignore[index]
    assert one.get(f"/activity/{undated}").json["due_at"].startswith("2026-12-24")  # type: ignore[index]

    done, why = act(one, "reassign", call, look, person=agent.user_id)
    assert done == [call] and "four eyes" in why[look]
    assert [item["id"] for item in agent.get("/tasks").json["items"]] == [call]  # type: ignore[index]

    done, why = act(one, "complete", form, look, undated, "p999999")
    assert done == [look, undated] and "form to fill in" in why[form]
    assert why.keys() == {form, "p999999"} and "no such task" in why["p999999"].lower()
    assert [item["id"] for item in one.get("/tasks").json["items"]] == [form]  # type: ignore[index]

    for body, name in (
        ({"tasks": []}, "tasks"),
        ({"tasks": ["x1"]}, "tasks"),
        ({"tasks": 7}, "tasks"),
        ({"tasks": [form], "person": 0}, "person"),
        ({"tasks": [form], "person": 10**6}, "person"),
        ({"tasks": [form], "person": agent.user_id, "who": 1}, "who"),
    ):
        refused = one.post("/tasks:reassign", body)
        assert (refused.status_code, list(refused.json["errors"])) == (422, [name]), body  # type: ignore[index]
    assert list(one.post("/tasks:postpone", {"tasks": [call], "day": "soon"}).json["errors"]) == ["day"]  # type: ignore[index]
