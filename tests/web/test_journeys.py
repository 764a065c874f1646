"""Journeys in the browser and over REST: made without code, checked, started, looked at, paused and stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from callers import open_client
from flask import Flask
from flask.testing import FlaskClient
from samples import plugin
from trellis.contributions import Branch, Journey, JourneyStep
from trellis.enabling import enable
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.roles import save_role
from trellis.web.app import create_app
from trellis.workspace import Workspace
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
BRNO = '{"field": "city", "op": "eq", "value": "Brno"}'

BROUGHT = Journey(
    name="probe.welcome",
    title=Text("Welcome"),
    description=Text("Says hello"),
    entry="segment.gym.members",
    goal="order.created",
    control=10,
    steps=(
        JourneyStep(kind="wait", days=2, at="10:00"),
        JourneyStep(
            kind="split",
            branches=[
                Branch(
                    title=Text("From Brno"),
                    rule={"field": "city", "op": "eq", "value": "Brno"},
                    steps=[JourneyStep(kind="task", subject=Text("Visit"), to="role:agent")],
                )
            ],
        ),
    ),
)


@pytest.fixture
def app(installation: Installation, workspace: Workspace) -> Flask:
    installation.plugins.add(plugin("probe", trellis_journeys=lambda: [BROUGHT]))
    enable(workspace, "probe")
    return create_app(installation)


def post(browser: FlaskClient, url: str, status: int = 302, **form: Any) -> str:
    """Sends a form; where it leads, or what it shows."""
    token = token_of(browser.get("/acme/tasks").text)
    answer = browser.post(url, data={"csrf_token": token, **form})
    assert answer.status_code == status, answer.text
    return answer.location if status == 302 else answer.text


def given(page: str) -> dict[str, str]:
    """What the form of the editor holds, as a browser would send it."""
    form = page[page.index('id="journey-form"') :]
    found = dict(re.findall(r'<input[^>]* name="([^"]+)" value="([^"]*)"', form))
    found |= {
        name: value for value, name in re.findall(r'<input[^>]* value="([^"]*)"[^>]* name="([^"]+)"', form)
    }
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.findall(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[0] if chosen else ""
    checked = re.compile(r'<input type="checkbox" name="([^"]+)" value="([^"]*)"( checked)?')
    for name, _value, _checked in checked.findall(form):
        found.pop(name, None)
    found.pop("act", None)
    return {name: value.replace("&#34;", '"').replace("&quot;", '"') for name, value in found.items()}


def test_a_journey_is_made_checked_started_and_stopped_without_code(
    app: Flask, sign_in: SignIn, workspace: Workspace, drain: Callable[[], int]
) -> None:
    admin, reader = sign_in("admin@acme.test"), sign_in("reader@acme.test")
    assert "Welcome" in admin.get("/acme/journey/new").text
    assert reader.get("/acme/journey/new").status_code == 403
    assert "This field needs a value" in post(admin, "/acme/journey/new", 422, name=" ")
    edit = post(admin, "/acme/journey/new", name="Winter")
    page = f"{edit.removesuffix('/edit')}"
    shown = post(admin, edit, 422, **given(admin.get(edit).text), act="publish")
    assert "Give the journey at least one step" in shown
    shown = post(admin, edit, 200, **given(shown) | {"new:": "random"}, act="add:")
    shown = post(admin, edit, 200, **given(shown) | {"new:0.0.": "task"}, act="add:0.0.")
    shown = post(admin, edit, 200, **given(shown) | {"new:": "split"}, act="add:")
    shown = post(admin, edit, 200, **given(shown) | {"new:": "wait"}, act="add:")
    shown = post(admin, edit, 200, **given(shown), act="up:2")
    assert given(shown)["1:kind"] == "wait" and given(shown)["2:kind"] == "split"
    shown = post(admin, edit, 200, **given(shown), act="branch:0")
    shown = post(admin, edit, 200, **given(shown), act="unbranch:0:2")
    form = given(shown) | {"0.0.0:subject": "Ring up", "0:0.share": "200", "goal": "rule", "goal_rule": BRNO}
    assert "from 0 to 100" in post(admin, edit, 422, **form, act="save")
    form |= {"0:0.share": "100", "0:1.share": "0"}
    shown = post(admin, edit, 422, **form, act="publish")
    assert "Step 3, Rule" in shown and "Give at least one condition" in shown
    form = given(shown) | {"2:0.rule": BRNO, "goal_rule": BRNO}
    assert post(admin, edit, **form, act="publish") == page
    shown = admin.get(page).text
    assert "Running" in shown and "Ring up" in shown and "3 days" in shown
    assert "city" in shown.lower() and "Brno" in shown
    assert 'name="segment"' in admin.get(f"{page}/bring-in").text
    assert "Choose a segment of customers" in post(admin, f"{page}/bring-in", 422, segment="")
    assert post(admin, f"{page}/bring-in", segment="gym.members") == page
    drain()
    assert "Nobody is in the control group" in admin.get(page).text
    listed = admin.get(f"{page}/members").text
    assert "Customer 00" in listed and "3 days" in listed and f"{page}/take-out" in listed
    assert f"{page}/take-out" not in reader.get(f"{page}/members").text
    file = admin.get(f"{page}/members?table=customers&format=csv").text
    assert "Customer 00" in file
    there = admin.get(f"{page}/members?step=1&version=1").text
    assert "Customer 00" in there and "Nobody here" in admin.get(f"{page}/members?state=reached").text
    assert "Winter" in admin.get("/acme/customer/1").text
    assert post(admin, f"{page}/pause") == page and "Paused" in admin.get(page).text
    assert post(admin, f"{page}/resume") == page
    assert "Stop" in admin.get(f"{page}/stop").text and post(admin, f"{page}/stop") == page
    assert "Taken out" in admin.get(f"{page}/members").text
    stale = given(admin.get(edit).text) | {"version": "1"}
    assert "changed" in post(admin, edit, 412, **stale, act="save")


def test_over_rest_journeys_are_records_with_acts(
    app: Flask, installation: Installation, workspace: Workspace, drain: Callable[[], int]
) -> None:
    with workspace.write() as session:
        own = {"read": "own", "create": False, "update": "none", "delete": "none"}
        rights = {
            "journey": {"read": "all", "create": False, "update": "none", "delete": "none"},
            "customer": own,
        }
        save_role(session, "own.narrow", "Narrow", rights)
    boss = open_client(app, installation, workspace, "boss@acme.test", ["administrator"])
    narrow = open_client(app, installation, workspace, "narrow@acme.test", ["own.narrow"])
    (brought,) = boss.get("/journeys").json["items"]  # type: ignore[index]
    assert brought["name"] == "probe.welcome" and brought["plan"]["steps"][1]["branches"][0]["steps"]
    plan = {**brought["plan"], "goal": "", "control": 0}
    number = boss.create("journey", name="Mine", plan=plan)
    for wrong, told in (
        ({"steps": [{"kind": "dance"}]}, "The kind of a step"),
        ({"steps": [], "colour": 1}, "colour"),
        ({"control": "10"}, "control"),
        ([], "object"),
    ):
        refused = boss.patch(f"/journey/{number}", {"plan": wrong})
        assert refused.status_code == 422 and told in refused.text, refused.text
    empty = boss.create("journey", name="Empty")
    assert boss.post(f"/journey/{empty}:publish").json["errors"] == {  # type: ignore[index]
        "steps": ["Give the journey at least one step"]
    }
    assert boss.post(f"/journey/{number}:pause").status_code == 409
    assert boss.post(f"/journey/{number}:publish").json["state"] == "running"  # type: ignore[index]
    assert narrow.post(f"/journey/{number}:stop").status_code == 403
    assert boss.post(f"/journey/{number}:enter", {}).status_code == 400
    assert boss.post(f"/journey/{number}:enter", {"customers": [1, 2]}).status_code == 202
    drain()
    members = boss.get(f"/journey/{number}/members?limit=1").json
    assert members is not None and [one["customer"] for one in members["items"]] == [2] and members["next"]
    rest = boss.get(f"/journey/{number}/members?before={members['next']}&state=active").json
    assert [one["customer"] for one in rest["items"]] == [1]  # type: ignore[index]
    figures = boss.get(f"/journey/{number}/figures").json
    assert figures is not None and figures["members"] == {"active": 2} and figures["steps"][0]["waiting"] == 2
    unseen = narrow.get(f"/journey/{number}/figures").json
    assert unseen is not None and unseen["members"] == {} and unseen["steps"][0]["waiting"] == 0
    assert narrow.get(f"/journey/{number}/members").json == {"items": [], "next": None}
    assert boss.post(f"/journey/{number}:take-out", {"customer": 1}).status_code == 200
    assert boss.post(f"/journey/{number}:take-out", {"customer": 1}).status_code == 404
    with workspace.write() as session:
        Records(session, workspace.edition(session), SYSTEM).delete("journey", number)
    assert boss.get(f"/journey/{number}/figures").status_code == 404
