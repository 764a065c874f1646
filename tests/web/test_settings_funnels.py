"""Stages in the settings: an administrator says what they ask, and makes funnels of the organisation's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
PAGE = "/acme/settings/funnels"


def seen(client: FlaskClient, funnel: str) -> dict[str, str]:
    """Of which settings the form of a funnel is made."""
    found = re.search(r'name="seen" value="(\w+)"', client.get(f"{PAGE}/{funnel}").text)
    assert found is not None
    return {"seen": found[1]}


STEP = {"field": "next_step", "op": "is_not_empty"}


def test_an_administrator_says_when_a_stage_may_be_left(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    page = unescape(admin.get(f"{PAGE}/sales").text)
    token = token_of(page)
    assert "May go on from “Qualify”" in page and "Qualify → Discover" in unescape(admin.get(PAGE).text)
    form = {
        "csrf_token": token,
        **seen(admin, "sales"),
        "qualify.choice": "rule",
        "qualify.exit": "null",
        "discover.probability": "x",
    }
    refused = admin.post(f"{PAGE}/sales", data=form)
    assert (
        refused.status_code == 422
        and "Add a comparison" in refused.text
        and "Must be a number" in refused.text
    )
    form |= {"qualify.exit": json.dumps(STEP), "qualify.exit_text": "Say what is next", "qualify.days": "3"}
    form |= {"discover.probability": "32,5", "lost.requires": "lost_reason", "discover.requires": "next_step"}
    assert admin.post(f"{PAGE}/sales", data=form).status_code == 302
    assert "Qualify: Say what is next" in unescape(admin.get(PAGE).text)
    told = admin.get("/api/v1/acme/entities/opportunity").json["lifecycles"][0]["stages"]  # type: ignore[index]
    assert (told[0]["exit"], told[0]["exit_text"]) == (STEP, "Say what is next")
    assert (told[1]["probability"], told[1]["requires"]) == (0.325, ["next_step"])
    headers = {"X-CSRF-Token": token, "HX-Request": "true"}
    asked = admin.post("/acme/opportunity/1/move", data={"stage": "negotiate"}, headers=headers).text
    assert "Say what is next" in asked and 'name="next_step"' in asked and 'name="amount"' not in asked
    moved = admin.post(
        "/acme/opportunity/1/move", data={"stage": "negotiate", "next_step": "Call"}, headers=headers
    )
    assert "dialog" not in moved.text
    deal = admin.get("/api/v1/acme/opportunity/1").json
    assert (deal["stage"], deal["next_step"]) == ("negotiate", "Call")  # type: ignore[index]
    assert (
        admin.post(f"{PAGE}/sales/forget", data={"csrf_token": token, **seen(admin, "sales")}).status_code
        == 302
    )
    assert "Say what is next" not in unescape(admin.get(PAGE).text)
    assert sign_in("agent@acme.test").get(PAGE).status_code == 403


def test_a_channel_gets_a_funnel_of_its_own(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    token = token_of(admin.get(f"{PAGE}/new").text)
    form = {
        "csrf_token": token,
        "title": "Partners",
        "stage-value": ["", ""],
        "stage-title": ["Проверка", "проверка"],
    }
    assert admin.post(f"{PAGE}/new", data=form).status_code == 422
    form["stage-title"] = ["Registered", "Проверка"]
    assert admin.post(f"{PAGE}/new", data=form).headers["Location"] == f"{PAGE}/own.partners"
    headers = {"X-CSRF-Token": token}
    new = {"name": "Deal", "funnel": "own.partners"}
    made = admin.post("/api/v1/acme/opportunity", json=new, headers=headers)
    assert made.status_code == 201 and made.json["stage"] == "registered"  # type: ignore[index]
    found = admin.get("/api/v1/acme/kpis/open_opportunities?by=funnel").json["breakdown"]  # type: ignore[index]
    assert ("Partners", 1) in [(one["title"], int(one["value"])) for one in found]
    channel = {"name": "Resellers", "funnel": "own.partners"}
    assert admin.post("/api/v1/acme/sales_channel", json=channel, headers=headers).status_code == 201
    assert ">Resellers</option>" in admin.get("/acme/opportunity/new").text
    assert ">Partners</option>" in admin.get("/acme/sales_channel/new").text
    board = unescape(admin.get("/acme/opportunity/board?board=own.partners").text)
    assert "Partners" in board and "Проверка" in board
    edit = unescape(admin.get(f"/acme/opportunity/{made.json['id']}/edit").text)  # type: ignore[index]
    assert ">Проверка</option>" in edit and ">Negotiate</option>" not in edit
    gone = {**form, "stage-value": ["registered", "stage"], "stage-title": ["", "Check"]}
    gone |= seen(admin, "own.partners")
    refused = admin.post(f"{PAGE}/own.partners", data=gone)
    assert refused.status_code == 422 and "move them first" in refused.text
    forget = {"csrf_token": token, **seen(admin, "own.partners")}
    assert admin.post(f"{PAGE}/own.partners/forget", data=forget).status_code == 422
    moved = admin.patch(
        f"/api/v1/acme/opportunity/{made.json['id']}", json={"stage": "stage"}, headers=headers
    )  # type: ignore[index]
    assert moved.json["probability"] is None  # type: ignore[index]
    renamed = {**gone, "registered.probability": "10", "stage.probability": "40", "title": "Resellers"}
    assert admin.post(f"{PAGE}/own.partners", data=renamed).status_code == 302
    late = admin.post(
        f"{PAGE}/own.partners", data={**renamed, "title": "Mine"}
    )  # the form is of what was before
    assert late.status_code == 409 and "somebody else has changed this" in late.text
    assert 'name="title" value="Mine"' in late.text and "Check → Won → Lost" in unescape(late.text)
    binned = []
    for stage in ("stage", "won"):
        deal = {"name": "Binned", "funnel": "own.partners", "stage": stage}
        binned.append(admin.post("/api/v1/acme/opportunity", json=deal, headers=headers).json["id"])  # type: ignore[index]
        assert admin.delete(f"/api/v1/acme/opportunity/{binned[-1]}", headers=headers).status_code == 204
    told = {one["name"]: one for one in admin.get("/api/v1/acme/entities/opportunity").json["lifecycles"]}  # type: ignore[index]
    stages = [(one["title"], one["probability"]) for one in told["own.partners"]["stages"]]
    assert stages == [("Check", 0.4), ("Won", 1), ("Lost", 0)]
    back = admin.patch(
        f"/api/v1/acme/opportunity/{made.json['id']}", json={"funnel": "sales"}, headers=headers
    )  # type: ignore[index]
    assert back.json["stage"] == "qualify"  # type: ignore[index]
    forget |= seen(admin, "own.partners")
    assert admin.post(f"{PAGE}/own.partners/forget", data=forget).status_code == 302
    assert "Resellers" not in admin.get(PAGE).text
    for one in binned:
        assert admin.post(f"/api/v1/acme/opportunity/{one}:restore", headers=headers).status_code == 200
    found = [admin.get(f"/api/v1/acme/opportunity/{one}").json for one in binned]
    assert [(one["funnel"], one["stage"]) for one in found] == [("sales", "qualify"), ("sales", "won")]  # type: ignore[index]


def test_what_a_form_cannot_know_is_refused_or_left_out(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    token = token_of(admin.get(f"{PAGE}/new").text)
    form = {"csrf_token": token, "title": "Deals " * 10, "stage-value": ["won", "won"]}
    for wrong in ({"title": "a\0b"}, {"stage-title": ["a\0b", ""]}):
        assert admin.post(f"{PAGE}/new", data={**form, "stage-title": ["A", "B"], **wrong}).status_code == 422
    made = admin.post(f"{PAGE}/new", data={**form, "stage-title": ["First", "Second"]})
    page = made.headers["Location"]
    values = ["first", "second"]
    assert all(f'name="stage-value" value="{one}"' in admin.get(page).text for one in values)
    deal = {"name": "Deal", "funnel": page.rpartition("/")[2]}
    headers = {"X-CSRF-Token": token}
    assert admin.post("/api/v1/acme/opportunity", json=deal, headers=headers).json["stage"] == "first"  # type: ignore[index]

    def save(data: dict[str, Any]) -> int:
        return admin.post(page, data={**data, **seen(admin, deal["funnel"])}).status_code

    kept = {**form, "stage-value": values, "stage-title": ["First", "Second"], "second.probability": "0"}
    for wrong in ({"first.days": "9" * 30}, {"first.exit_text": "a\0b"}, {"first.exit_text": "x" * 201}):
        assert save({**kept, **wrong}) == 422
    assert save({**kept, "first.requires": ["id", "next_step"]}) == 302
    assert 'name="second.probability" value="0"' in admin.get(page).text

    def second() -> tuple[list[str], float | None]:
        told = admin.get("/api/v1/acme/entities/opportunity").json["lifecycles"]  # type: ignore[index]
        (stages,) = (one["stages"] for one in told if one["name"] == deal["funnel"])
        assert stages[0]["requires"] == ["next_step"]
        return [one["value"] for one in stages], stages[1]["probability"]

    assert second() == (["first", "second", "won", "lost"], 0)
    without = {**kept, "stage-title": ["First", ""], "first.requires": "next_step"}
    assert save(without) == 302
    again = {**without, "stage-value": ["first", ""], "stage-title": ["First", "Second"]}
    assert save(again) == 302
    assert second() == (["first", "second", "won", "lost"], None)  # nothing was decided for the new one
