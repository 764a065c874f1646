"""Pages of processes: started beside a record, tasks taken and completed, an instance on its diagram."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from callers import open_client
from drawn import dmn, flows, line, node, process, script, timer
from flask import Flask
from flask.testing import FlaskClient
from samples import plugin
from trellis.contributions import Process
from trellis.enabling import enable
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.security.identities import add_user
from trellis.web.app import create_app
from trellis.workspace import Workspace
from web.conftest import PASSWORD, token_of

SignIn = Callable[[str], FlaskClient]

CHECK = process(
    node("startEvent", "start", form__note="text! Note"),
    node(
        "userTask",
        "check",
        title="Check the customer",
        for_="role:agent, role:administrator",
        show="name",
        fields="city!",
        form__decision="choice! Decision: good=Good, bad=Bad",
        due="P1D",
        help="Look twice",
    ),
    node("boundaryEvent", "late", attachedToRef="check", cancelActivity="false", inside=timer("P2D")),
    node("userTask", "again", title="Check again", not_="performer:check", for_="role:administrator"),
    node("scriptTask", "count", inside=script("number = note + 1")),
    node("endEvent", "end"),
    node("endEvent", "told"),
    flows("start check again count end", "late told"),
)


@pytest.fixture
def app(installation: Installation) -> Flask:
    return create_app(installation)


@pytest.fixture
def checks(installation: Installation, workspace: Workspace) -> Process:
    """A process that ends in a step that cannot be done."""
    made = Process(name="probe.check", title=Text("Check-up"), diagram=CHECK, entity="customer")
    installation.plugins.add(plugin("probe", trellis_processes=lambda: [made]))
    enable(workspace, "probe")
    return made


def post(browser: FlaskClient, url: str, status: int = 302, **form: str) -> str:
    """Sends a form; where it leads, or what it shows."""
    token = token_of(browser.get("/acme/tasks").text)
    answer = browser.post(url, data={"csrf_token": token, **form})
    assert answer.status_code == status, answer.text
    return answer.location if status == 302 else answer.text


def test_a_process_goes_its_way_through_the_pages(checks: Process, sign_in: SignIn) -> None:
    admin, agent, reader = (sign_in(f"{name}@acme.test") for name in ("admin", "agent", "reader"))
    assert "Check-up" in admin.get("/acme/processes").text
    record = "/acme/customer/1"
    assert f"{checks.name}/start?record=1" in admin.get(record).text
    assert f"{checks.name}/start" not in reader.get(record).text
    begin = f"/acme/processes/{checks.name}/start"
    assert "Note" in admin.get(f"{begin}?record=1").text
    assert "This field needs a value" in post(admin, begin, 422, record="1", note="")
    place = post(admin, begin, record="1", note="x")
    shown = admin.get(place).text
    assert "Check the customer" in shown and "Look twice" in shown and "Customer 00" in shown
    assert re.search(r'class="process-node is-active">\s*<title>Check the customer: Here now', shown)
    assert "/take" in admin.get(record).text and "/take" not in reader.get(record).text
    for page in ("/acme/tasks", record, "/acme/tasks?show=queue", f"/acme/processes/{checks.name}"):
        assert "Check the customer" in admin.get(page).text, page
    assert "Check the customer" not in admin.get("/acme/tasks?show=late").text
    assert reader.get(place).status_code == 200  # who sees the customer sees what goes on about it
    assert agent.get(place).status_code == 404

    (step,) = set(re.findall(r"/acme/processes/tasks/(\d+)/complete", shown))
    task = f"/acme/processes/tasks/{step}"
    assert reader.get(task).status_code == 404 and reader.get(f"{task}/form").status_code == 404
    post(admin, f"{task}/take")
    assert "Put back" in admin.get(task).text
    post(admin, f"{task}/put-back")
    post(admin, f"{task}/take")
    assert "Complete" in admin.get(f"{task}/form").text
    wrong = post(admin, f"{task}/complete", 422, city="", decision="")
    assert wrong.count("This field needs a value") >= 1 and "Check the customer" in wrong
    assert "To whom" in admin.get(f"{task}/reassign").text
    assert "Choose somebody" in post(admin, f"{task}/reassign", 422, person="99999")
    post(admin, f"{task}/complete", city="Praha", decision="good")
    assert "Praha" in admin.get(record).text
    following = admin.get(place).text
    assert "four eyes keeps you" in following
    (second,) = set(re.findall(r"/acme/processes/tasks/(\d+)", following)) - {step}
    assert admin.get(task).status_code == 409
    beside = admin.get(record).text
    assert "Check again" in beside and f"{second}/take" not in beside  # seen, and not theirs to take
    token = token_of(following)
    refused = admin.post(f"/acme/processes/tasks/{second}/complete", data={"csrf_token": token})
    assert refused.status_code == 403

    assert "Cancel run" in admin.get(f"{place}/cancel").text
    assert reader.get(f"{place}/cancel").status_code == 403
    post(admin, f"{place}/cancel")
    assert "Cancelled" in admin.get(place).text and "Check again" not in admin.get("/acme/tasks").text
    assert "Cancelled" in admin.get(f"/acme/processes/{checks.name}?state=all").text
    assert reader.get("/acme/processes/none").status_code == 404


def test_an_instance_that_cannot_go_on_says_where_and_is_tried_again(
    checks: Process, installation: Installation, workspace: Workspace, sign_in: SignIn
) -> None:
    add_user(installation, workspace, "boss@acme.test", "Boss", ["administrator"], PASSWORD)
    admin, boss = sign_in("admin@acme.test"), sign_in("boss@acme.test")
    place = post(admin, f"/acme/processes/{checks.name}/start", record="1", note="x")
    for browser, form in ((admin, {"city": "Praha", "decision": "bad"}), (boss, {})):
        found = re.search(r"/acme/processes/tasks/(\d+)/complete", browser.get(place).text)
        assert found is not None
        post(browser, found.group(), **form)
    shown = admin.get(place).text
    assert "It cannot go on at “count”" in shown and "Try again" in shown and "is-stuck" in shown
    post(admin, f"{place}/retry")
    assert "It cannot go on" in admin.get(place).text
    assert "1 cannot go on" in admin.get("/acme/processes").text


def test_a_decision_table_is_shown_and_so_is_what_it_decided(
    app: Flask, installation: Installation, workspace: Workspace, sign_in: SignIn
) -> None:
    table = dmn('< 10 | "small"\n>= 10 | concat("large ", record.name)', outputs='verdict::"none"')
    diagram = line(
        node("scriptTask", "count", inside=script("amount = 12")),
        node("businessRuleTask", "decide", title="Decide", table="size"),
        node("userTask", "ask", for_="role:agent"),
    )
    made = Process(
        name="probe.size",
        title=Text("Size"),
        diagram=diagram,
        tables=[table],
        entity="customer",
        managers=("administrator",),
    )
    installation.plugins.add(plugin("probe", trellis_processes=lambda: [made]))
    enable(workspace, "probe")
    admin, reader = sign_in("admin@acme.test"), sign_in("reader@acme.test")
    page = admin.get("/acme/processes/probe.size").text
    assert "One rule at most holds" in page and "&lt; 10" in page and "No rule holds" in page
    place = post(admin, "/acme/processes/probe.size/start", record="1")
    name = re.search(r"size, rule 2: verdict = large ([^<]+)", admin.get(place).text)
    assert name is not None
    told = reader.get(place).text  # what was computed from a record is for those who manage the process
    assert "size, rule 2" in told and "verdict = large" not in told
    key = open_client(app, installation, workspace, "boss@acme.test", ["administrator"])
    (found,) = key.get(f"/processes/instances/{place.rpartition('/')[2]}").json["decisions"]  # type: ignore[index]
    assert (found["element"], found["table"], found["rules"]) == ("decide", "size", [2])
    assert found["outputs"] == {"verdict": f"large {name[1]}"}
