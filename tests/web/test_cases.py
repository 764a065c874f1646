"""Cases in the browser: until when, and the known solutions that come of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from callers import open_client
from flask import Flask
from flask.testing import FlaskClient
from trellis.installation import Installation
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]


def test_a_case_tells_until_when_and_its_answer_solves_the_next_one(
    app: Flask, installation: Installation, sign_in: SignIn
) -> None:
    boss = open_client(app, installation, installation.workspace("acme"), "boss@acme.test", ["administrator"])
    calendar = boss.create("business_calendar", name="Office", timezone="UTC")
    boss.create(
        "sla_policy", name="All", calendar=calendar, first_response_minutes=60, resolution_minutes=300
    )
    opened = "2026-03-02T09:00:00Z"
    late, waiting, solved = (
        boss.create("case", subject=state, state=state, opened_at=opened)
        for state in ("open", "waiting", "resolved")
    )
    admin = sign_in("admin@acme.test")
    rows = re.findall(r'data-row="(\d+)".*?class="phone-side">(.*?)</td>', admin.get("/acme/case").text, re.S)
    told = {int(number): unescape(side) for number, side in rows}
    assert "danger" in told[late] and "due 2 Mar" in told[late]
    assert "danger" not in told[waiting] and "due 2 Mar" in told[waiting]
    assert "due" not in told[solved] and "2 Mar" in told[solved]
    page = admin.get(f"/acme/case/{late}").text
    assert "Overdue" in page and "due 2 Mar" in page
    assert "Overdue" not in admin.get(f"/acme/case/{waiting}").text
    token, act = token_of(page), f"/acme/case/{late}/solution"
    assert act not in page and admin.post(act, data={"csrf_token": token}).status_code == 422
    boss.patch(f"/case/{late}", {"answer": "Plug it in"})
    assert act in admin.get(f"/acme/case/{late}").text
    assert admin.post(act, data={"csrf_token": token}).status_code == 302
    (solution,) = boss.get("/solution").json["items"]
    assert (solution["name"], solution["body"]) == ("open", "Plug it in")
    assert boss.get(f"/case/{late}").json["solution"] == solution["id"]
    taken = boss.patch(f"/case/{waiting}", {"solution": solution["id"]}).json
    assert taken["answer"] == "Plug it in"
