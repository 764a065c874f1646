"""Home as people arrange it: cards hidden and moved, for themselves only, and the edition's order back."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask.testing import FlaskClient
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]


def cards(client: FlaskClient) -> list[str]:
    return re.findall(r'<h2 id="widget-title-\d+">([^<]+)</h2>', client.get("/acme/").text)


def post(client: FlaskClient, **data: str) -> int:
    data["csrf_token"] = token_of(client.get("/acme/search").text)
    return client.post("/acme/dashboards/home/arrange", data=data).status_code


def test_cards_are_hidden_and_moved_by_each_for_themselves(sign_in: SignIn) -> None:
    admin, agent = sign_in("admin@acme.test"), sign_in("agent@acme.test")
    usual = cards(admin)
    assert len(usual) > 3
    assert post(admin, widgets="tasks,changes") == 302
    assert cards(admin) == ["My tasks", "What changed this week"]
    drawer = admin.get("/acme/dashboards/home/arrange").text
    names = re.findall(r'data-column="([^"]+)"', drawer)
    assert names == ["tasks", "changes", "kpi_strip", "pyramid", "rfm", "kpi_trend"]
    assert drawer.count(" checked>") == 2
    assert cards(agent) == usual
    assert post(admin, widgets="tasks,nothing") == 422
    assert post(admin, widgets="") == 302
    assert "All cards are hidden" in admin.get("/acme/").text
    assert post(admin, reset="1") == 302
    assert cards(admin) == usual
    assert admin.get("/acme/dashboards/nothing/arrange").status_code == 404
