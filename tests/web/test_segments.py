"""Segments in the browser: making one by a rule, lists of chosen members, history, profile and overlap."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from web.conftest import token_of
from werkzeug.test import TestResponse

SignIn = Callable[[str], FlaskClient]
BRNO = {"field": "city", "op": "eq", "value": "Brno"}
TWICE = {"related": "order.customer", "measure": "count", "op": "gte", "value": 2}


class Browser:
    """Opens pages of segments, and posts their forms."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = token_of(client.get("/acme/search").text)

    def get(self, path: str, **query: Any) -> str:
        answer = self.client.get(f"/acme/{path}?{urlencode(query, doseq=True)}")
        assert answer.status_code == 200, (path, answer.status_code)
        return unescape(answer.text)

    def post(self, path: str, **data: Any) -> TestResponse:
        return self.client.post(f"/acme/{path}", data={"csrf_token": self.token, **data})


@pytest.fixture
def browser(sign_in: SignIn) -> Browser:
    return Browser(sign_in("admin@acme.test"))


def test_a_segment_is_made_looked_at_changed_copied_and_removed(browser: Browser) -> None:
    page = browser.get("customer", filter=json.dumps(BRNO))
    assert 'data-rules-segment="/acme/segments/new?entity=customer"' in page
    form = browser.get("segments/new", entity="customer", filter=json.dumps(BRNO))
    assert json.dumps(BRNO) in form
    rule = json.dumps({"all": [BRNO, TWICE]})
    found = unescape(browser.post("segments/preview", entity="customer", rule=rule).text)
    assert "<b>15</b>" in found and "50.0" in found and found.count("/acme/customer/") == 5
    wrong = browser.post("segments/new", entity="customer", title=" ", rule='{"field": "town"}', tone="loud")
    assert wrong.status_code == 422
    for text in ("Give the segment a name", "A comparison needs “op”", "Choose one of: neutral"):
        assert text in unescape(wrong.text)
    made = browser.post("segments/new", entity="customer", title="Brno regulars", rule=rule, tone="good")
    assert made.headers["Location"] == "/acme/segments/own.brno_regulars"
    page = browser.get("segments/own.brno_regulars")
    assert "City is “Brno” and Orders: number is at least 2" in page and "Customer 01" in page
    assert '{"segment": "own.brno_regulars"}' in unescape(
        page.replace("%22", '"').replace("%3A+", ": ").replace("%7B", "{").replace("%7D", "}")
    )
    assert "1–15 of 15" in browser.get("customer", filter='{"segment": "own.brno_regulars"}')
    only = json.dumps(
        {"all": [{"segment": "own.brno_regulars"}, {"field": "name", "op": "contains", "value": "01"}]}
    )
    browser.post("segments/new", entity="customer", title="One", rule=only)
    assert "Customer 01" in browser.get("segments/own.one")
    circle = browser.post("segments/own.brno_regulars/edit", title="Brno", rule='{"segment": "own.one"}')
    assert "in a circle: Brno → One → Brno" in unescape(circle.text)
    browser.post("segments/own.brno_regulars/edit", title="Brno", rule=json.dumps({"not": BRNO}))
    assert "Customer 00" in browser.get("segments/own.brno_regulars")
    assert "Nobody is in this segment now" in browser.get("segments/own.one")  # it followed
    copied = browser.post("segments/own.brno_regulars/copy")
    assert copied.headers["Location"] == "/acme/segments/own.brno_copy/edit"
    refused = browser.post("segments/own.brno_regulars/remove")
    assert refused.status_code == 409 and "Other segments ask for this one: “One”" in unescape(refused.text)
    browser.post("segments/own.one/remove")
    counting = {"title": "Buyers in Brno", "entity": "customer", "aggregate": "share", "date": "created_at"}
    place = {"unit": "percent", "direction": "customers", "level": "strategy", "name": "brno"}
    asked = browser.post(
        "settings/kpis/new", **counting, **place, rule=json.dumps({"segment": "own.brno_regulars"})
    )
    assert asked.status_code == 302, asked.text
    refused = browser.post("segments/own.brno_regulars/remove")
    assert refused.status_code == 409 and "is in this segment: “Buyers in Brno”" in unescape(refused.text)
    browser.post("settings/kpis/own.brno/remove")
    browser.post("segments/own.brno_regulars/remove")
    assert "Brno (copy)" in browser.get("segments")
    assert browser.client.get("/acme/segments/own.brno_regulars").status_code == 404


def test_a_segment_of_a_plugin_is_copied_and_not_changed(browser: Browser) -> None:
    page = browser.get("segments/gym.members")
    assert "segments/gym.members/copy" in page and "segments/gym.members/edit" not in page
    refused = browser.client.get("/acme/segments/gym.members/edit")
    assert refused.status_code == 409 and "copy it, and change the copy" in unescape(refused.text)
    assert browser.post("segments/gym.members/copy").status_code == 302


def test_a_list_is_filled_from_ticked_rows_and_by_keys(browser: Browser) -> None:
    asked = unescape(browser.post("customer/bulk/segment", ids="1,2").text)
    assert "A new list" in asked and 'name="ids" value="1,2"' in asked
    refused = browser.post("customer/bulk/segment/add", ids="1,2", segment="+", title="")
    assert refused.status_code == 422 and "Give the segment a name" in refused.text
    made = browser.post("customer/bulk/segment/add", ids="1,2", segment="+", title="Guests")
    assert made.headers["Location"] == "/acme/segments/own.guests"
    everything = {"all": "true", "query": "?" + urlencode({"filter": json.dumps(BRNO)})}
    browser.post("customer/bulk/segment/add", **everything, segment="own.guests")
    assert 'class="total">16<' in browser.get("segments/own.guests")  # one of the two was in Brno
    added = browser.post("segments/own.guests/add", field="name", values="Customer 04\nCustomer 06\nNobody")
    page = browser.get("segments/own.guests")
    assert added.status_code == 302 and "2 records are added to the list. Not found: Nobody" in page
    assert 'class="total">18<' in page
    browser.post("segments/own.guests/take-out", ids="1,99")
    page = browser.get("segments/own.guests/history")
    assert 'class="total">17<' in page and "Left" in page and '<td class="text">Admin</td>' in page
    timeline = browser.get("customer/1", tab="timeline")
    for said in ("put this record into the list", "took this record out of the list"):
        assert f'<a href="/acme/segments/own.guests"><b>Admin {said} “Guests”</b></a>' in timeline
    beside = browser.get("customer/2")
    assert 'href="/acme/segments/own.guests">Guests</a>' in beside and "Chosen by hand" in beside
    wrong = browser.post("segments/own.guests/add", field="city_name", values="")
    assert wrong.status_code == 422 and "Choose one of" in wrong.text
    assert browser.post("segments/gym.members/add", field="name", values="x").status_code == 404


def test_the_profile_says_in_what_a_segment_differs(browser: Browser) -> None:
    browser.post("segments/new", entity="customer", title="Brno", rule=json.dumps(BRNO))
    page = browser.get("segments/own.brno/profile")
    assert "+50.0 pp" in page and "200" in page and "Revenue of 12 months" in page
    assert "Wien" in browser.get("segments/own.brno/profile", field="city")
    file = browser.client.get("/acme/segments/own.brno/profile?table=profile&format=csv")
    rows = list(csv.DictReader(io.StringIO(file.text.lstrip("\ufeff"))))
    city = next(row for row in rows if row["Value of the field"] == "Brno")
    assert (city["Field"], city["Customers"], city["Share"], city["Index"]) == ("City", "15", "1.0", "200")


def test_the_overlap_of_segments_opens_the_list_of_those_in_both(browser: Browser) -> None:
    browser.post("segments/new", entity="customer", title="Brno", rule=json.dumps(BRNO))
    names = {"name": "name", "op": "in", "value": ["Customer 00", "Customer 01", "Customer 03"]}
    rule = {"field": "name", "op": names["op"], "value": names["value"]}
    browser.post("segments/new", entity="customer", title="Three", rule=json.dumps(rule))
    page = browser.get("segments/overlap", segment=["own.brno", "own.three"])
    assert "2 · 13" in page and "2 · 67" in page
    both = {"all": [{"segment": "own.brno"}, {"segment": "own.three"}]}
    assert "1–2 of 2" in browser.get("customer", filter=json.dumps(both))
    file = browser.client.get(
        "/acme/segments/overlap?segment=own.brno&segment=own.three&table=overlap&format=csv"
    )
    assert "Brno,Three,2,0.133333,0.666667" in file.text


def test_only_administrators_make_segments(sign_in: SignIn) -> None:
    agent = Browser(sign_in("agent@acme.test"))
    page = agent.get("segments")
    assert "segments/new" not in page and "gym.members" in page
    assert agent.client.get("/acme/segments/new").status_code == 403
    assert agent.post("segments/new", entity="customer", title="X", rule="").status_code == 403
    assert agent.post("customer/bulk/segment", ids="1").status_code == 403
    assert "segments/new" not in agent.get("customer")
