"""Pages of responsibility matrices."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from drawn import line, node
from flask import Flask
from flask.testing import FlaskClient
from samples import plugin
from trellis.contributions import Process
from trellis.enabling import enable
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.records.door import Records, Write
from trellis.security.actor import SYSTEM
from trellis.web.app import create_app
from trellis.web.responsibilities import MOST_COLUMNS
from trellis.workspace import Workspace
from web.conftest import token_of

PAGE = "/acme/responsibilities/probe.duty"


@pytest.fixture
def app(installation: Installation) -> Flask:
    return create_app(installation)


def test_a_matrix_is_edited_in_place_and_shows_its_gaps(
    installation: Installation, workspace: Workspace, sign_in: Callable[[str], FlaskClient]
) -> None:
    diagram = line(
        node("userTask", "do", title="Do it", for_="raci"), node("userTask", "see", title="See it")
    )
    made = Process(name="probe.duty", title=Text("Duty"), diagram=diagram, entity="customer")
    found = [made]
    installation.plugins.add(plugin("probe", trellis_processes=lambda: found))
    enable(workspace, "probe")
    admin, reader = sign_in("admin@acme.test"), sign_in("reader@acme.test")
    token = token_of(admin.get("/acme/tasks").text)

    def positions(*names: str, holder: int | None = 1) -> list[int]:
        with workspace.write() as session:
            door = Records(session, workspace.edition(session), SYSTEM)
            return door.save("position", [Write(values={"name": name, "holder": holder}) for name in names])

    def put(*cells: str, url: str = PAGE) -> tuple[str, dict[str, Any]]:
        answer = admin.post(url, data={"csrf_token": token, "cell": list(cells)})
        assert answer.status_code == 200
        return answer.text, json.loads(answer.headers.get("HX-Trigger", "{}")).get("toast", {})

    def shown(text: str) -> dict[str, str]:
        return dict(re.findall(r'<option value="(\w+/\d+)/\w*" selected>(\w*)</option>', text))

    assert "No positions yet" in admin.get(PAGE).text
    clerk, boss = positions("Clerk", "Boss")
    assert "For nobody" in admin.get(PAGE).text and "Not begun" in admin.get("/acme/responsibilities").text
    assert "names nobody for these tasks" in admin.get("/acme/processes/probe.duty").text
    text, told = put(f"do/{clerk}/A")
    assert not told and shown(text)[f"do/{clerk}"] == "A" and "For nobody" not in text and "No A" in text
    assert "names nobody" not in admin.get("/acme/processes/probe.duty").text
    assert "Without an A: 1" in admin.get("/acme/responsibilities").text
    put(f"see/{boss}/A")
    assert "Every step has an A" in admin.get("/acme/responsibilities").text
    assert "Somebody answers for 100 % of steps" in admin.get("/acme/model").text.replace("\xa0", " ")

    text, told = put(f"do/{boss}/A")
    assert told["text"] == "“Boss” answers for “Do it” now, instead of “Clerk”"
    assert shown(text)[f"do/{boss}"] == "A" and shown(text)[f"do/{clerk}"] == ""
    text, _told = put(url=told["undo_url"])
    assert shown(text)[f"do/{clerk}"] == "A" and shown(text)[f"do/{boss}"] == ""
    _text, told = put("do/999999/R")
    assert "There is no Position with the id 999999" in told["text"]
    assert "Do it" in admin.get(f"/acme/position/{clerk}").text
    positions("Spare", holder=None)
    assert "Vacant" in admin.get(PAGE).text
    assert admin.post(PAGE, data={"csrf_token": token, "cell": "do/x/R"}).status_code == 404

    read = reader.get(PAGE).text
    assert "<select" not in read and 'class="raci-letter is-A">A' in read
    sent = {"csrf_token": token_of(reader.get("/acme/tasks").text), "cell": f"do/{boss}/R"}
    assert "toast" in reader.post(PAGE, data=sent).headers["HX-Trigger"]
    assert shown(admin.get(PAGE).text)[f"do/{boss}"] == ""
    assert reader.get("/acme/responsibilities/probe.none").status_code == 404

    many = positions(*(f"Place {number:02}" for number in range(MOST_COLUMNS)))
    assert {key for key in shown(admin.get(PAGE).text)} == {
        f"{step}/{one}" for step in ("do", "see") for one in (clerk, boss)
    }
    assert f"see/{many[3]}" in shown(admin.get(f"{PAGE}?with={many[3]}").text)
    text, _told = put(f"see/{boss}/")
    assert f"see/{boss}" in shown(text) and f"?with={boss}" in text  # the column stays while one is at it

    again = line(node("userTask", "do", title="Do it"))
    found.append(Process(name="probe.new", title=Text("New"), diagram=again, replaces="probe.duty"))
    with workspace.write() as session:
        workspace.save_settings(session, {})  # the edition is made anew
    assert reader.get(PAGE).status_code == 404  # it does not start any more
    new = "/acme/responsibilities/probe.new"
    offered = re.findall(r'type="hidden" name="cell" value="([^"]+)"', admin.get(new).text)
    assert offered == [f"do/{clerk}/A"]
    text, told = put(*offered, url=new)
    assert not told and shown(text)[f"do/{clerk}"] == "A" and "Take its letters" not in text
