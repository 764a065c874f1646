"""Plugins over REST: enabled and disabled, their fields and calls, and their faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
import trellis
from callers import Client, open_client
from samples import gym, plugin, registry
from trellis.crm.customers.entities import Customer
from trellis.enabling import enable
from trellis.errors import RecordInvalid
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.web.app import create_app

Open = Callable[..., Client]


@pytest.fixture
def open_with(open_installation: Callable[..., Installation]) -> Open:
    """An administrator's client on an installation that has these plugins, enabled or not."""

    def open_(*modules: Any, enabled: bool = True) -> Client:
        installation = open_installation(plugins=registry(*modules))
        workspace = installation.workspace("acme")
        for module in modules if enabled else ():
            enable(workspace, module.manifest.name)
        return open_client(
            create_app(installation), installation, workspace, "admin@acme.test", ["administrator"]
        )

    return open_


def test_a_plugin_is_enabled_and_its_fields_are_there_at_once(open_with: Open) -> None:
    client = open_with(gym(), enabled=False)
    assert client.get("/plugins").json["items"][0]["state"] == "available"
    assert client.post("/customer", {"name": "Anna", "gym.card": "7"}).status_code == 422
    unknown = client.post("/plugins/gim:enable")
    assert (unknown.status_code, unknown.json["detail"]) == (404, "There is no plugin “gim”; there are: gym")
    done = client.post("/plugins/gym:enable")
    assert (done.status_code, done.json["state"]) == (200, "enabled"), done.text
    made = client.post("/customer", {"name": "Anna", "gym.card": "7"})
    assert (made.status_code, made.json["gym.card"]) == (201, "7")
    assert [one["name"] for one in client.get("/customer?gym.card=7").json["items"]] == ["Anna"]
    membership = client.post("/gym.membership", {"name": "Gold", "customer": made.json["id"]})
    assert client.get(f"/gym.membership/{membership.json['id']}").status_code == 200
    assert client.get("/segments/gym.members/members?count=true").json["total"] == 1
    assert client.get("/segments").json[0]["segment"] == "gym.members"
    assert "gym.card" in client.get("/openapi.json").text


def test_a_disabled_plugin_hides_what_it_brought_also_from_the_feed(open_with: Open) -> None:
    client = open_with(gym())
    client.create("customer", name="Anna", **{"gym.card": "7"})
    client.create("gym.membership", name="Gold")
    assert client.post("/plugins/gym:disable").json["state"] == "disabled"
    assert client.get("/gym.membership").status_code == 404
    assert "gym.card" not in client.get("/customer/1").json
    events = client.get("/events").json["items"]
    assert {event["entity"] for event in events} == {"user", "customer"}
    assert "gym.card" not in events[-1]["changes"]
    assert client.post("/plugins/gym:disable").status_code == 409
    client.post("/plugins/gym:enable")
    assert client.get("/customer/1").json["gym.card"] == "7"


def test_a_plugin_that_does_not_fit_is_refused_with_its_problems(open_with: Open) -> None:
    def trellis_fields() -> list[Any]:
        return [trellis.Field(name="odd.x", entity="nothing", type=trellis.types.Text(), label=Text("X"))]

    client = open_with(plugin("odd", trellis_fields=trellis_fields), enabled=False)
    refused = client.post("/plugins/odd:enable")
    assert (refused.status_code, refused.json["problems"][0]["plugin"]) == (409, "odd")
    assert "nothing" in refused.json["problems"][0]["detail"]


def add(records: trellis.Records, arguments: Mapping[str, Any]) -> Any:
    return {"customers": records.count("customer"), "given": arguments.get("x")}


def refuse(records: trellis.Records, arguments: Mapping[str, Any]) -> Any:
    raise RecordInvalid({"x": ["no"]})


def break_(records: trellis.Records, arguments: Mapping[str, Any]) -> Any:
    records.create("customer", {"name": "Half"})
    raise KeyError("secret")


def calls() -> Any:
    def trellis_rest() -> list[trellis.RestEndpoint]:
        made = (
            ("sum", "GET", add),
            ("sum", "POST", refuse),
            ("broken", "POST", break_),
            ("deep/odd", "GET", lambda *_: object()),
        )
        return [
            trellis.RestEndpoint(
                name=f"calls.{slug}.{method}", title=Text(slug), slug=slug, call=call, method=method
            )
            for slug, method, call in made
        ]

    return plugin("calls", trellis_rest=trellis_rest)


def test_a_plugins_own_calls_answer(open_with: Open) -> None:
    client = open_with(calls())
    assert client.get("/x/calls/sum?x=5").json == {"customers": 0, "given": "5"}
    assert client.post("/x/calls/sum", {"x": 1}).status_code == 422
    wrong = client.patch("/x/calls/sum", {})
    assert (wrong.status_code, set(wrong.headers["Allow"].split(", "))) == (405, {"GET", "POST"})
    assert client.get("/x/other/sum").status_code == 404
    assert "/x/calls/sum" in client.get("/openapi.json").json["paths"]


def test_a_call_that_breaks_is_blamed_on_its_plugin_and_writes_nothing(open_with: Open) -> None:
    client = open_with(calls())
    broken = client.post("/x/calls/broken", {})
    assert (broken.status_code, broken.json["code"]) == (500, "plugin_failed")
    assert "secret" not in broken.text
    assert client.get("/x/calls/deep/odd").status_code == 500
    assert client.get("/customer").json["items"] == []
    (known,) = client.get("/plugins").json["items"]
    assert [(fault["hook"], fault["count"]) for fault in known["faults"]] == [("trellis_rest", 2)]


def test_a_hook_that_breaks_refuses_the_write_and_is_kept(open_with: Open) -> None:
    def trellis_before_save(event: trellis.BeforeSave) -> None:
        if event.entity == "customer":
            raise ZeroDivisionError("boom")

    client = open_with(plugin("bad", trellis_before_save=trellis_before_save))
    refused = client.post("/customer", {"name": "Anna"})
    assert (refused.status_code, refused.json["plugin"], refused.json["hook"]) == (
        409,
        "bad",
        "trellis_before_save",
    )
    assert client.get("/plugins").json["items"][0]["faults"][0]["hook"] == "trellis_before_save"


def test_a_kpi_that_breaks_leaves_the_others(open_with: Open) -> None:
    def measure(q: trellis.KpiQuery) -> sa.Select[Any]:
        if q.actor.name == "Admin":
            raise ZeroDivisionError("boom")
        return sa.select(sa.func.count(Customer.id)).where(q.visible(Customer))

    def trellis_kpis() -> list[trellis.Kpi]:
        return [trellis.Kpi(name="bad.kpi", title=Text("Bad"), select=measure)]

    client = open_with(plugin("bad", trellis_kpis=trellis_kpis))
    rows = {row["kpi"]: row for row in client.get("/kpis").json}
    assert (rows["bad.kpi"]["value"], "error" in rows["bad.kpi"], "error" in rows["revenue"]) == (
        None,
        True,
        False,
    )
    assert client.get("/kpis/bad.kpi").status_code == 500
    assert client.get("/plugins").json["items"][0]["faults"][0]["count"] == 2
