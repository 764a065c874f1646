"""The editor of processes: its panel says what the diagram says and changes nothing else; files in and out; who may draw."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from drawn import TWO_POOLS, flows, line, message, node, process, script, timer
from flask.testing import FlaskClient
from trellis.process.comparisons import apart, together
from trellis.process.diagram import Diagram, Element, read
from trellis.process.own import Draft
from trellis.process.picture import blank
from trellis.process.pools import pools
from trellis.web.panel import answer
from trellis.web.panel.names import Names
from trellis.workspace import Workspace
from web.conftest import token_of
from werkzeug.datastructures import MultiDict

SignIn = Callable[[str], FlaskClient]
BROUGHT = sorted(Path(__file__).parents[2].glob("verticals/*/*/processes/*.bpmn"))
OF_OTHERS = sorted(Path(__file__).parents[1].glob("process/interchange/*.bpmn"))
EVERYTHING = process(
    node(
        "startEvent",
        "start",
        inside=message("made"),
        form__note="longtext Note",
        form__size="choice! Size: s=Small, xl=Extra large",
        when='record.city == "Brno"',
    ),
    node(
        "userTask",
        "ask",
        title="Ask",
        for_="role:agent, person:admin@acme.test, owner",
        not_="starter",
        due="P2D",
        help="Look twice",
        show="name, city",
        fields="city!, phone",
        form__ok="boolean Agreed",
        form__why="text Why",
        require__why="ok == false",
        strange="kept",
        late__tell="manager, role:agent",
        late__tell__after="P1D",
        each="3",
        gather__votes="ok",
        inside="<multiInstanceLoopCharacteristics/>",
    ),
    node("userTask", "told", for_="=record.owner", due="today() + days(3)"),
    node("exclusiveGateway", "way", default="way_count"),
    node("scriptTask", "count", inside=script("number = 1\nmore = number + 1")),
    node("serviceTask", "save", call="update_record", set__city="Linz", set__phone="{record.phone}"),
    node("intermediateCatchEvent", "wait", inside=timer("PT4H")),
    node("intermediateCatchEvent", "hear", inside=message("field"), match__customer="=record.id"),
    node("callActivity", "call", calledElement="own.other", in__what="=number", out="found", id="=record.id"),
    node("receiveTask", "answer", messageRef="told", match__number="=number"),
    node("intermediateCatchEvent", "signal", inside='<signalEventDefinition signalRef="s"/>'),
    node("intermediateThrowEvent", "tell", inside=message("told"), match__number="=number"),
    node("businessRuleTask", "decide", table="margin", result="margin"),
    node("boundaryEvent", "late", attachedToRef="ask", cancelActivity="false", inside=timer("P1W")),
    node("endEvent", "end"),
    node("boundaryEvent", "failed", attachedToRef="save", inside='<errorEventDefinition errorRef="e"/>'),
    node("endEvent", "reminded", inside='<errorEventDefinition errorRef="e"/>'),
    flows(
        "start ask told way count save wait hear call answer signal tell decide end",
        'way save if ok and size == "xl"',
        "late reminded",
        "failed reminded",
    ),
    messages={"made": "customer.created", "field": "order.channel=web", "told": "message.answer"},
    errors={"e": "conflict"},
)


def sent(panel: dict[str, Any]) -> MultiDict[str, str]:
    """What a browser sends of a panel that nobody has touched."""
    form: MultiDict[str, str] = MultiDict({"name": panel["title"], "given": "1"})
    for group in panel["groups"]:
        for field in [*group["fields"], *(one for row in group["rows"] or () for one in row["fields"])]:
            if field["kind"] in ("choice", "choices"):
                for option in field["options"]:
                    if option["selected"]:
                        form.add(field["name"], option["value"])
            elif field["kind"] == "boolean":
                form.add(field["name"], "true" if field["value"] else "false")
            else:
                form.add(field["name"], field["value"] or "")
    return form


def plain(properties: Mapping[str, str]) -> dict[str, str]:
    """Properties without what makes no difference: spaces behind commas, and the sign before an expression."""
    shown = {name: value.replace(", ", ",") for name, value in properties.items()}
    return {name: value.removeprefix("=") if name == "due" else value for name, value in shown.items()}


def expected(element: Element) -> Iterator[tuple[str, object]]:
    """What an untouched panel says of an element."""
    yield "properties", plain(element.properties)
    if element.kind == "scriptTask":
        yield "script", "\n".join(one.strip() for one in element.detail.splitlines())
    elif element.kind == "callActivity":
        yield "called", element.detail
    elif element.event == "timer" and element.detail:
        yield "timer", element.detail
    elif element.event in ("message", "error"):
        yield element.event, element.detail


TEXTS = [EVERYTHING, *(one.text for path in (*BROUGHT, *OF_OTHERS) for one in pools(path.read_bytes()))]


@pytest.mark.parametrize("text", TEXTS)
def test_a_panel_that_nobody_touches_says_what_the_diagram_says(workspace: Workspace, text: bytes) -> None:
    diagram: Diagram = read(text)
    with workspace.read() as session:
        for entity in ("customer", None):
            names = Names(session, workspace.edition(session), Draft(title="T", entity=entity), diagram)
            for element in diagram.elements.values():
                panel = answer(names, element.id, None).panel
                (change,) = answer(names, element.id, sent(panel)).changes
                change["properties"] = plain(change["properties"])
                if "timer" in change:
                    change["timer"] = change["timer"]["text"]
                for name, value in expected(element):
                    assert change[name] == value, element.id
                conditions = {one.id: one.condition for one in diagram.leaving(element.id)}
                assert change.get("conditions", conditions).items() <= conditions.items()
            for flow in diagram.flows.values():
                panel = answer(names, flow.id, None).panel
                for change in answer(names, flow.id, sent(panel)).changes:
                    assert change.get("conditions", {flow.id: flow.condition}) == {flow.id: flow.condition}


def test_a_condition_that_nobody_would_ask_can_be_taken_away(workspace: Workspace) -> None:
    diagram = read(process(node("startEvent", "s"), node("endEvent", "e"), flows("s e if sure(1)")))
    with workspace.read() as session:
        names = Names(session, workspace.edition(session), Draft(title="T"), diagram)
        form = sent(answer(names, "s_e", None).panel)
        assert form["condition.text"] == "sure(1)"
        form["condition.text"] = ""
        (change,) = answer(names, "s_e", form).changes
    assert change["conditions"] == {"s_e": ""}


@pytest.mark.parametrize(
    "text",
    [
        'decision == "yes"',
        'record.amount >= 20000 and decision != "no"',
        "not empty(record.city) or ok == true",
        "amount < -1.5",
    ],
)
def test_comparisons_come_back_as_they_were(text: str) -> None:
    found = apart(text)
    assert found is not None and together(*found) == text


@pytest.mark.parametrize(
    "text",
    [
        "a + 1 > 2",
        "a",
        "a == b",
        "lower(a) == 'x'",
        "1 < a < 2",
        "a == 1 and (b == 1 or c == 1)",
        "((",
        "true == 1",
    ],
)
def test_what_is_more_than_comparisons_stays_an_expression(text: str) -> None:
    assert apart(text) is None


def test_somebody_who_administers_draws_and_others_do_not(sign_in: SignIn) -> None:
    admin, agent = sign_in("admin@acme.test"), sign_in("agent@acme.test")
    assert "/acme/processes/new" in admin.get("/acme/processes").text
    assert "/acme/processes/new" not in agent.get("/acme/processes").text

    def post(browser: FlaskClient, url: str, **form: Any) -> Any:
        token = token_of(browser.get("/acme/tasks").text)
        return browser.post(url, data={"csrf_token": token, **form})

    assert agent.get("/acme/processes/new").status_code == 403
    assert post(agent, "/acme/processes/new", title="Visit").status_code == 403
    hostile = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>'
    for content, told in ((hostile, "document type"), ("x" * 2 * 1024 * 1024, "1 MB"), ("PK", "not XML")):
        refused = post(
            admin, "/acme/processes/new", title="Visit", file=(io.BytesIO(content.encode()), "v.bpmn")
        )
        assert refused.status_code == 422 and told in refused.text and "root:" not in refused.text
    assert post(admin, "/acme/processes/new", title="").status_code == 422
    made = post(admin, "/acme/processes/new", title="Visit", entity="customer")
    place = made.location
    assert place == "/acme/processes/own.visit/edit" and "Draft" in admin.get("/acme/processes").text
    assert agent.get(place).status_code == 403 and "Visit" not in agent.get("/acme/processes").text

    both = post(admin, "/acme/processes/new", title="Sale", file=(io.BytesIO(TWO_POOLS), "sale.bpmn"))
    assert "several processes" in admin.get(both.location).text
    known = admin.get("/acme/processes").text
    assert "Sale: Shop" in known and "Sale: Bank" in known

    said = json.dumps(Draft(title="Visit", entity="customer").to_json())
    loose = process(node("startEvent", "start"), node("userTask", "ask"), flows("start ask")).decode()
    checked = post(admin, f"{place}/check", diagram=loose, said=said)
    assert checked.status_code == 200 and checked.json["elements"] == ["ask"]
    assert "2 problems" in checked.json["html"] and "No arrow leads on from here" in checked.json["html"]
    saved = post(admin, place, diagram=loose, said=said, version="1")
    assert saved.json["version"] == 2
    assert post(admin, place, diagram=loose, said=said, version="1").status_code == 409
    for wrong in ("", "[]", "{", '{"title": 3}', '{"colour": "red"}'):
        assert post(admin, place, diagram=loose, said=wrong).status_code in (400, 422), wrong
    for wrong in ("", "<x/>", "\x00", loose.replace("userTask", "userTask x=")):
        assert post(admin, place, diagram=wrong, said=said).status_code == 422, wrong
        assert post(admin, f"{place}/panel", diagram=wrong, said=said, chosen="ask").status_code == 200, wrong
    publish = "/acme/processes/own.visit/publish"
    assert post(admin, publish).status_code == 422
    for act in ("add:form", "remove:form:9", "up:form:0", "add:none", "remove:form:x", ":::"):
        panel = post(admin, f"{place}/panel", diagram=loose, said=said, chosen="ask", given="1", act=act)
        assert panel.status_code == 200, act
    rows = {f"form.{number}.label": "x" for number in range(300)}
    assert (
        post(admin, f"{place}/panel", diagram=loose, said=said, chosen="ask", given="1", **rows).status_code
        == 200
    )

    ask = line(node("userTask", "ask", for_="role:administrator")).decode()
    replaced = post(admin, "/acme/processes/own.visit/replace", file=(io.BytesIO(ask.encode()), "ask.bpmn"))
    assert replaced.location == place
    assert post(admin, publish).json["url"] == "/acme/processes/own.visit"
    page = admin.get("/acme/processes/own.visit").text
    assert "Version 1" in page and "Download" in page
    assert "Download" not in sign_in("reader@acme.test").get("/acme/processes/own.visit").text
    begun = post(admin, "/acme/processes/own.visit/start", record="1").location
    post(admin, place, diagram=blank().decode(), said=said)
    assert "changed since" in admin.get("/acme/processes").text
    post(admin, publish)
    asked = admin.get("/acme/processes/own.visit/move").text
    assert "These finish on their version" in asked and "“ask”, where it stands, is not in" in asked
    assert "It finishes on its version" in admin.get(begun).text
    assert post(admin, "/acme/processes/own.visit/versions/1/draft").location == place
    post(admin, publish)
    assert "It finishes on its version" not in admin.get(begun).text
    assert "still go on" in admin.get(post(admin, "/acme/processes/own.visit/remove").location).text
    assert "Process" in admin.get("/acme/settings/audit").text
