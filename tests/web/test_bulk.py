"""Acts on ticked rows and on all that a list finds, from its page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from web.conftest import token_of
from werkzeug.test import TestResponse

SignIn = Callable[[str], FlaskClient]
BRNO = '{"field":"city","op":"eq","value":"Brno"}'


class Browser:
    """Posts as htmx does from the list of customers."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text), "HX-Request": "true"}

    def post(self, path: str, **data: str) -> TestResponse:
        return self.client.post(f"/acme/customer/bulk/{path}", data=data, headers=self.headers)

    def list(self, **query: str) -> str:
        return unescape(self.client.get(f"/acme/customer?{urlencode(query)}").text)


@pytest.fixture
def browser(sign_in: SignIn) -> Browser:
    return Browser(sign_in("admin@acme.test"))


def undo_of(page: str) -> str:
    found = re.search(r"bulk/(undo\?change=\d+)", page)
    assert found is not None
    return found[1]


def test_all_that_a_list_finds_are_edited_and_given_back(browser: Browser) -> None:
    everything = {"all": "true", "query": "?" + urlencode({"filter": BRNO, "q": "customer"})}
    asked = browser.post("edit", **everything)
    assert "customers: 15" in asked.text
    assert 'name="all" value="true"' in asked.text
    done = browser.post("update", **everything, field="city", value="Ulm")
    assert (done.status_code, done.headers["HX-Redirect"]) == (204, "/acme/customer")
    page = browser.list(q="customer", filter=BRNO.replace("Brno", "Ulm"))
    assert "15 records are changed." in page
    browser.client.post("/acme/customer/2/field/city", data={"city": "Graz"}, headers=browser.headers)
    browser.post(undo_of(page))
    page = browser.list(filter=BRNO)
    assert "14 records are as they were. Left as they are: Customer 01." in page
    browser.post("undo?change=1")
    assert "nothing to undo" in browser.list()


def test_records_that_cannot_be_changed_are_named_before_anything_is(browser: Browser) -> None:
    refused = browser.post("delete", ids="1,2,999")
    assert refused.status_code == 422
    assert "#999" in refused.text
    assert 'name="leave_out" value="true"' in refused.text
    assert browser.client.get("/acme/customer/1").status_code == 200
    browser.post("delete", ids="1,2,999", leave_out="true")
    assert "2 records are in the bin. Left as they are: #999." in browser.list()
    assert browser.client.get("/acme/customer/1").status_code == 404


def test_a_wrong_value_is_said_beside_the_field(browser: Browser) -> None:
    answer = browser.post("update", ids="1,2", field="email", value="nonsense")
    assert answer.status_code == 422
    assert 'value="nonsense"' in answer.text
    assert "mail address" in answer.text
    assert browser.post("update", ids="1", field="external_id", value="X").status_code == 404


def test_a_reader_is_offered_nothing_to_change(sign_in: SignIn) -> None:
    reader = Browser(sign_in("reader@acme.test"))
    assert "data-bulk-act" not in reader.list()
    for path in ("edit", "update", "delete", "restore"):
        assert reader.post(path, ids="1", field="city", value="X").status_code == 403
