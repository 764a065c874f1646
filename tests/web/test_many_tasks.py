"""Ticked rows of My tasks: what is done with them in one go, and what is said of those that were left."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from drawn import line, node
from flask import Flask
from flask.testing import FlaskClient
from samples import plugin
from trellis.contributions import Process
from trellis.enabling import enable
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.process.engine import Engine
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.web.app import create_app
from trellis.workspace import Workspace
from web.conftest import token_of


@pytest.fixture
def app(installation: Installation) -> Flask:
    return create_app(installation)


def test_ticked_tasks_are_done_in_one_go_and_the_others_are_named(
    installation: Installation, workspace: Workspace, sign_in: Callable[[str], FlaskClient]
) -> None:
    asks = line(node("userTask", "ask", title="Ask them", for_="role:agent", form__ok="boolean! OK"))
    plain = line(node("userTask", "look", title="Look at it", for_="role:agent"))
    found = [Process(name=f"probe.{n}", title=Text(n), diagram=d) for n, d in (("a", asks), ("b", plain))]
    installation.plugins.add(plugin("probe", trellis_processes=lambda: found))
    enable(workspace, "probe")
    with workspace.write() as session:
        for one in found:
            Engine(Records(session, workspace.edition(session), SYSTEM)).start(one.name, None)
    agent, admin = sign_in("agent@acme.test"), sign_in("admin@acme.test")
    page = agent.get("/acme/tasks").text
    form, look = (f"p{one}" for one in sorted(set(re.findall(r'value="p(\d+)"', page)), key=int))
    assert "data-bulk" in page and "Tick Ask them" in page
    token = token_of(page)

    def act(act: str, *ids: str, status: int = 302, **more: str) -> tuple[str, str]:
        sent = {"csrf_token": token, "ids": ",".join(ids), **more}
        answer = agent.post(f"/acme/tasks/bulk/{act}", data=sent)
        assert answer.status_code == status, answer.text
        return answer.text, answer.headers.get("HX-Trigger", "")

    act("take", form, look)
    assert "2 tasks are yours" in agent.get("/acme/tasks").text
    act("put-back", look)
    text, event = act("complete", form, look, status=200)
    assert "1 task is done, 1 is left" in text and "tasks-changed" in event
    assert "Ask them" in text and "form to fill in" in text and "Look at it" not in text
    assert "Look at it" not in agent.get("/acme/tasks").text
    text, _event = act("reassign", form, status=200)  # asks to whom
    assert "Hand over to whom?" in text and f'value="{form}"' in text
    assert "Choose somebody" in act("reassign", form, status=422, person="")[0]
    act("reassign", form, person="1")
    assert "Ask them" in admin.get("/acme/tasks").text and "Ask them" not in agent.get("/acme/tasks").text
    assert "Due on which day?" in act("postpone", form, status=200)[0]
    assert "Must be a date" in act("postpone", form, status=422, day="soon")[0]
    text, _event = act("postpone", form, status=200, day="2026-12-24")
    assert "1 task is left as it is" in text and "no such task for you" in text
    act("complete", status=422)
    act("delete", form, status=404)
