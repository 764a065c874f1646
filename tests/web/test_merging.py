"""Merging over REST and in the browser: chosen side by side, found under the old address, taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from trellis.installation import Installation
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def client(app: Flask, installation: Installation) -> Client:
    return open_client(app, installation, installation.workspace("acme"), "p@acme.test", ["administrator"])


def test_over_rest_the_old_address_leads_to_the_survivor(client: Client) -> None:
    kept = client.post("/customer/1:merge", {"from": 2, "fields": ["city"]})
    assert (kept.status_code, kept.json["city"]) == (200, "Brno")
    moved = client.get("/customer/2")
    assert (moved.status_code, moved.headers["Location"]) == (307, f"{client.base}/customer/1")
    assert client.get("/order?customer=1&count=true").json["total"] == 4
    assert client.post("/customer/2:unmerge").json["name"] == "Customer 01"
    assert client.get("/customer/1").json["city"] == "Wien"
    for body, field in (
        ({}, "from"),
        ({"from": "2"}, "from"),
        ({"from": 2, "fields": "city"}, "fields"),
        ({"from": 2, "fields": ["height"]}, "height"),
        ({"from": 2, "take": []}, "take"),
    ):
        answer = client.post("/customer/1:merge", body)
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field]), body
    assert client.post("/customer/1:merge", {"from": 1}).status_code == 409
    assert client.post("/customer/1:merge", {"from": 999}).status_code == 404
    assert client.post("/customer/2:unmerge").status_code == 404


def test_in_the_browser_fields_are_chosen_and_a_merge_is_taken_back(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    token = token_of(admin.get("/acme/customer/new").text)
    for ids, place in (("1,2", "/acme/customer/merge?ids=1,2"), ("1", "/acme/customer")):
        ticked = admin.post("/acme/customer/bulk/merge", data={"csrf_token": token, "ids": ids})
        assert ticked.location == place
    page = admin.get("/acme/customer/merge?ids=1,2").text
    assert "Customer 00" in page and "Customer 01" in page and 'name="field:city"' in page
    assert "mailto:" not in page
    form = {"csrf_token": token_of(page), "id": ["1", "2"], "keep": "2", "field:name": "1", "field:city": "2"}
    done = admin.post("/acme/customer/merge?ids=1,2", data=form)
    assert done.location == "/acme/customer/2"
    shown = admin.get("/acme/customer/1", follow_redirects=True).text
    assert "Customer 00" in shown and "merged #1 into this record" in shown
    undone = admin.post("/acme/customer/2/unmerge/1", data={"csrf_token": form["csrf_token"]})
    assert undone.location == "/acme/customer/1"
    assert "Customer 01" in admin.get("/acme/customer/2").text
    for ids in ("1", "1,1", "x"):
        assert "Choose two different records" in admin.get(f"/acme/customer/merge?ids={ids}").text
    assert admin.post("/acme/customer/merge?ids=1,2", data={**form, "keep": "7"}).status_code == 422
    reader = sign_in("reader@acme.test")
    token = token_of(reader.get("/acme/search").text)
    assert reader.post("/acme/customer/merge?ids=1,2", data={**form, "csrf_token": token}).status_code in (
        403,
        422,
    )
    assert "Customer 00" in admin.get("/acme/customer/1").text


def test_of_a_group_one_chooses_which_are_merged_and_takes_it_back_as_a_whole(
    sign_in: SignIn, client: Client
) -> None:
    for number in (5, 6, 7, 8):
        client.patch(f"/customer/{number}", {"phone": "+420 777 123 456", "email": f"c{number}@acme.test"})
    admin = sign_in("admin@acme.test")
    assert "/acme/customer/merge?ids=5,6,7,8" in admin.get("/acme/customer/duplicates").text
    address = "/acme/customer/merge?ids=5,6,7,8"
    page = admin.get(address).text
    ticks = r'type="checkbox" name="id" value="[5-8]"[^>]*><span class="merge-one"[^>]*>Customer'
    assert len(re.findall(ticks, page)) == 4
    chosen = re.search(r"(?s)<tbody>.*</tbody>", page)
    assert chosen is not None and "c8@" in chosen[0] and "<a " not in chosen[0]
    form = {
        "csrf_token": token_of(page),
        "id": ["5", "6", "8"],
        "keep": "6",
        "field:email": "8",
        "field:name": "5",
    }
    assert admin.post(address, data={**form, "id": ["6"]}).status_code == 422
    assert admin.post(address, data=form).location == "/acme/customer/6"
    kept = client.get("/customer/6").json
    assert (kept["email"], kept["name"]) == ("c8@acme.test", "Customer 04")
    assert [client.get(f"/customer/{number}").status_code for number in (5, 7, 8)] == [307, 200, 307]
    undo = re.search(r"/acme/customer/6/unmerge/8\?also=5", unescape(admin.get("/acme/customer/6").text))
    assert undo is not None
    admin.post(undo[0], data={"csrf_token": form["csrf_token"]})
    assert client.get("/customer/6").json["email"] == "c6@acme.test"
    assert [client.get(f"/customer/{number}").status_code for number in (5, 7, 8)] == [200] * 3


def test_duplicates_are_told_while_typing_and_listed(sign_in: SignIn, client: Client) -> None:
    client.patch("/customer/5", {"phone": "+420 777 123 456"})
    client.patch("/customer/6", {"phone": "00420777123456"})
    admin = sign_in("admin@acme.test")
    form = admin.get("/acme/customer/new").text
    assert 'hx-post="/acme/customer/alike"' in form and "alike" not in admin.get("/acme/order/new").text
    typed = {"csrf_token": token_of(form), "name": "X", "phone": "777 123 456"}
    told = admin.post("/acme/customer/alike", data=typed).text
    assert "Customer 04" in told and "Customer 05" in told and "same telephone number" in told
    assert admin.post("/acme/customer/alike", data={**typed, "phone": "1"}).text.strip() == ""
    page = admin.get("/acme/customer/duplicates").text
    assert "/acme/customer/merge?ids=5,6" in page
    assert admin.get("/acme/order/duplicates").status_code == 404
    assert "No duplicates found" in admin.get("/acme/contact/duplicates").text
    found = client.get("/customer/5/duplicates").json["items"]
    assert (found[0]["id"], found[0]["reasons"]) == (6, ["same telephone number", "similar name"])
    assert 0.85 < found[0]["score"] < 0.95
    given = client.post("/customer:duplicates", {"phone": "777123456"}).json["items"]
    assert [one["id"] for one in given] == [5, 6]
    assert client.post("/customer:duplicates", {"height": 1}).status_code == 422
    assert client.get("/customer/999/duplicates").status_code == 404
