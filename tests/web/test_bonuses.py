"""Bonuses in the browser and over REST: a scheme is made one's own, reckoned, looked at, closed and read by its people."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from trellis.installation import Installation
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
START = "/acme/bonuses"


@pytest.fixture
def client(app: Flask, installation: Installation) -> Client:
    return open_client(app, installation, installation.workspace("acme"), "p@acme.test", ["administrator"])


def test_a_scheme_of_the_edition_is_used_closed_and_corrected(sign_in: SignIn, client: Client) -> None:
    people = {one["name"]: one["id"] for one in client.get("/user").json["items"]}
    agent = people["Agent"]
    deal = client.create("opportunity", name="Deal", amount=1200, owner=agent, begun_on="2017-01-01")
    won = {"stage": "won", "closed_at": "2017-02-03T10:00:00Z"}
    assert client.patch(f"/opportunity/{deal}", won).status_code == 200
    client.create("kpi_target", kpi="sales_won", period="2017-02", value=1000, person=agent)
    admin = sign_in("admin@acme.test")
    page = admin.get(START).text
    assert "No statements yet" in page and "Commission by plan attainment" in page
    form = {"csrf_token": token_of(page)}
    made = admin.post(f"{START}/plan_attainment", data=form)
    scheme = made.location
    assert "Won sales against the plan" in admin.get(f"{scheme}?tab=bonus_part").text
    assert 'action="1/reckon"' in admin.get(scheme).text
    assert f'href="{START}"' in re.sub(r"<nav.*?</nav>", "", admin.get("/acme/bonus_run").text, flags=re.S)
    assert f'action="{scheme}/reckon"' in admin.get(START).text
    assert admin.post(f"{scheme}/reckon", data={**form, "period": "moon"}).status_code == 422
    run = admin.post(f"{scheme}/reckon", data={**form, "period": "2017-02"}).location
    page = unescape(admin.get(run).text)
    assert run == "/acme/bonus_run/1/statements" and "Agent" in page and "Close the period" in page
    for place in ("bonus_run/1", "bonus_run"):  # what was reckoned is not offered to be changed
        kept = admin.get(f"/acme/{place}").text
        assert (
            "/field/" not in kept
            and "data-cell" not in kept
            and "/delete" not in kept
            and "bulk/" not in kept
        )

    statement = re.search(r"/acme/bonus_statement/\d+/lines", page)
    assert statement is not None
    rows = admin.get(f"{run}?table=statements&format=csv").text.splitlines()
    assert rows[1] == "Agent,3,40.00"
    mine = sign_in("agent@acme.test")
    told = unescape(mine.get(statement[0]).text)
    assert "3 % of €1 000.00 + 5 % of €200.00".replace(" ", "\N{NO-BREAK SPACE}") in told.replace(
        " ", "\N{NO-BREAK SPACE}"
    )
    link = next(
        one for one in re.findall(r'href="(/acme/opportunity\?filter=[^"]+)"', mine.get(statement[0]).text)
    )
    rule = json.loads(parse_qs(urlsplit(unescape(link)).query)["filter"][0])
    found = client.get(f"/opportunity?{urlencode({'filter': json.dumps(rule)})}").json["items"]
    assert [one["id"] for one in found] == [deal]
    assert "Agent" in mine.get(START).text and mine.get(run).status_code == 404
    for other in set(re.findall(r"/acme/bonus_statement/\d+/lines", page)) - {statement[0]}:
        assert mine.get(other).status_code == 404
    for table in ("statements", "lines"):
        assert admin.get(f"{run}?table={table}&format=xlsx").data.startswith(b"PK")
    assert admin.get(f"{run}?table=moon").status_code == 404
    exported = admin.get(f"{statement[0]}?table=lines&format=csv").text.splitlines()
    assert sum(float(line.rsplit(",", 1)[1]) for line in exported[1:]) == 40

    assert client.patch(f"/opportunity/{deal}", {"amount": 900}).status_code == 200
    differ = f"{run.removesuffix('statements')}differences"
    page = unescape(admin.get(differ).text)
    assert "−13.00" in page and "Won sales against the plan" in page
    close = f"{run.removesuffix('statements')}close"
    assert "Close “Commission by plan attainment, 2017-02”?" in unescape(admin.get(close).text)
    refused = admin.post(close, data=form)
    assert refused.status_code == 409 and "look at what differs first" in refused.text
    assert client.get("/bonus_run/1/differences").json["items"][0]["difference"] == "-13.00"
    admin.post(f"{run.removesuffix('statements')}recalculate", data=form)
    assert "Nothing differs" in admin.get(differ).text
    assert admin.post(close, data=form).location == run
    assert "Close the period" not in admin.get(run).text
    assert admin.get(differ).status_code == 409

    assert client.patch(f"/opportunity/{deal}", {"amount": 1000}).status_code == 200
    assert client.post("/bonus_scheme/1:reckon", {"period": "2017-02"}).status_code == 409
    march = client.post("/bonus_scheme/1:reckon", {"period": "2017-03"}).json
    (line,) = client.get("/bonus_line?kind=correction").json["items"]
    assert (march["total"], line["amount"], line["period"]) == ("3.00", "3.00", "2017-02")
    later = admin.get(f"/acme/bonus_statement/{line['statement']}/lines").text
    assert "Correction of February 2017" in later
    assert client.post(f"/bonus_run/{march['id']}:reckon").json == {"changed": 0}
    for wrong in ({}, {"period": 3}, {"period": "2017-03", "moon": 1}):
        assert client.post("/bonus_scheme/1:reckon", wrong).status_code == 422
    assert client.post(f"/bonus_run/{march['id']}:close").json["state"] == "closed"
    assert client.patch(f"/bonus_statement/{line['statement']}", {"total": 9}).status_code == 403


def test_which_people_and_records_a_scheme_is_about_are_rules_of_its_forms(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    page = admin.get("/acme/bonus_scheme/new").text
    assert 'data-fields-url="/acme/user/rule-fields"' in page
    form = {"csrf_token": token_of(page)}
    agents = json.dumps({"field": "email", "op": "starts_with", "value": "agent"})
    scheme = admin.post("/acme/bonus_scheme/new", data={**form, "name": "Ours", "people": agents}).location
    assert "starts with “agent”" in unescape(admin.get(scheme).text)
    part = {**form, "scheme": scheme.rpartition("/")[2], "place": "1", "name": "A", "rate": "3"}
    assert "Choose above what it is about" in admin.get("/acme/bonus_part/new").text
    part |= {
        "kind": "percent",
        "kpi": "sales_won",
        "rule": json.dumps({"field": "amount", "op": "gt", "value": 9}),
    }
    told = admin.post("/acme/bonus_part/conditions", data=part).json["rule"]  # type: ignore[index]
    assert told["over"]["count_url"] == "/acme/opportunity/count"
    admin.post("/acme/bonus_part/new", data=part)
    assert "Amount is more than 9" in unescape(admin.get("/acme/bonus_part/1").text)
