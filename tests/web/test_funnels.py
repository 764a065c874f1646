"""The analysis of sales: its pages and files, the same over REST and the command line, and whose opportunities are counted."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from trellis.installation import Installation

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def client(app: Flask, installation: Installation) -> Client:
    return open_client(app, installation, installation.workspace("acme"), "p@acme.test", ["administrator"])


def test_a_funnel_is_analysed_on_a_page_in_files_and_over_rest(sign_in: SignIn, client: Client) -> None:
    client.create("lost_reason", name="Too dear")
    client.create("lost_reason", name="Hidden", active=False)
    for number, (stage, more) in enumerate(
        {"won": {}, "lost": {"lost_reason": "too DEAR"}, "propose": {}}.items(), 1
    ):
        moved = client.post(f"/opportunity/{number}:move", {"stage": stage, **more})
        assert moved.status_code == 200, moved.text
    admin = sign_in("admin@acme.test")
    assert "/acme/opportunity/analysis?funnel=sales" in admin.get("/acme/opportunity/board").text
    page = unescape(admin.get("/acme/opportunity/analysis").text)
    assert "Conversion from stage to stage" in page and "1 won, 1 lost" in page and "Too dear" in page
    assert "How it is counted." in page and "Only opportunities that you may see" not in page
    rows = admin.get("/acme/opportunity/analysis?table=passages&format=csv").text.splitlines()
    assert rows[0] == "Stage,Entered,Went on,Conversion,Days in the stage,Usual"
    assert rows[1].startswith("Qualify,8,2,0.25,")  # lost without a step further is not gone on
    for name in ("ageing", "reasons", "oldest"):
        assert admin.get(f"/acme/opportunity/analysis?table={name}&format=xlsx").data.startswith(b"PK")
    assert admin.get("/acme/opportunity/analysis?table=moon").status_code == 404
    assert admin.get("/acme/opportunity/analysis?funnel=moon").status_code == 400
    assert "No opportunities yet" in admin.get("/acme/opportunity/analysis?period=1999").text
    answer = client.get("/analytics/funnel").json
    assert (answer["won"], answer["lost"], answer["win_rate"], answer["visible_only"]) == (1, 1, 0.5, False)
    assert [one["reason"] for one in answer["lost_reasons"]] == ["Too dear"]
    assert client.get("/analytics/funnel?funnel=moon").status_code == 400
    dialog = admin.get("/acme/opportunity/4/field/lost_reason").text
    assert '<option value="Too dear">' in dialog and "Hidden" not in dialog


def test_people_are_compared_and_readers_told_what_they_see(sign_in: SignIn, client: Client) -> None:
    client.post("/opportunity/8:move", {"stage": "won"})
    admin = sign_in("admin@acme.test")
    for by, title in (("person", "Admin"), ("unit", "Not set"), ("channel", "Not set")):
        page = admin.get(f"/acme/opportunity/effectiveness?by={by}").text
        assert "Won sales" in page and title in page
    rows = admin.get("/acme/opportunity/effectiveness?table=comparison&format=csv").text.splitlines()
    assert rows[0].startswith("Employee,Won deals,Lost deals,Win rate") and rows[1].startswith("Admin,1,0,1")
    (row,) = client.get("/analytics/effectiveness?by=person").json["rows"]
    assert (row["title"], row["won_amount"], row["open"]) == ("Admin", "8000.00", 7)
    assert client.get("/analytics/effectiveness?by=moon").status_code == 400
    agent = sign_in("agent@acme.test").get("/acme/opportunity/effectiveness").text
    assert "Only opportunities that you may see are counted" in agent and "No opportunities yet" in agent
