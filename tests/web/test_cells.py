"""Editing in the rows of a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
LIST = "http://localhost/acme/customer?columns=name,city,owner,gym.card&q=customer"


@pytest.fixture
def client(sign_in: SignIn) -> FlaskClient:
    client = sign_in("admin@acme.test")
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token_of(client.get("/acme/search").text)
    client.environ_base["HTTP_HX_CURRENT_URL"] = LIST
    return client


def test_a_cell_opens_is_saved_and_given_back(client: FlaskClient) -> None:
    opened = client.get("/acme/customer/1/row?edit=city").text
    assert opened.count('class="editing"') == 1
    assert 'value="Wien"' in opened
    saved = client.post("/acme/customer/1/row/city", data={"city": "Graz", "version": "1"})
    assert (saved.status_code, "Graz" in saved.text, "editing" in saved.text) == (200, True, False)
    assert 'data-cell="gym.card"' in saved.text  # a row has the columns of the list behind it
    assert "Graz" in client.get("/acme/customer/1/row").text


def test_an_extension_is_not_dialled_with_the_number(client: FlaskClient) -> None:
    client.environ_base["HTTP_HX_CURRENT_URL"] = LIST.replace("city", "phone")
    saved = client.post(
        "/acme/customer/1/row/phone", data={"phone": "(812) 555-66-77 доб. 12", "version": "1"}
    )
    assert 'href="tel:8125556677;ext=12"' in saved.text


def test_what_is_wrong_and_who_was_faster_is_said_in_the_cell(client: FlaskClient) -> None:
    wrong = client.post("/acme/customer/1/row/name", data={"name": " ", "version": "1"})
    assert wrong.status_code == 422
    assert "This field needs a value" in wrong.text
    client.post("/acme/customer/1/row/city", data={"city": "Graz", "version": "1"})
    for place in ("row", "field"):
        late = client.post(f"/acme/customer/1/{place}/city", data={"city": "Linz", "version": "1"})
        assert late.status_code == 422
        assert re.search(r"\S made this “Graz” meanwhile", unescape(late.text))
        assert 'value="Linz"' in late.text
        assert 'name="version" value="2"' in late.text
    again = client.post("/acme/customer/1/field/city", data={"city": "Linz", "version": "2"})
    assert again.status_code == 200 and "Linz" in again.text


def test_what_others_made_of_other_fields_is_no_obstacle(client: FlaskClient) -> None:
    client.post("/acme/customer/1/row/city", data={"city": "Graz", "version": "1"})
    for place, name in (("row", "phone"), ("field", "address")):
        saved = client.post(f"/acme/customer/1/{place}/{name}", data={name: "+43 1 234567", "version": "1"})
        assert saved.status_code == 200, saved.text
    same = client.post("/acme/customer/1/field/city", data={"city": "Wien", "version": "1"})
    assert same.status_code == 200 and "Graz" in same.text, (
        "nothing was typed: what the other one made of it stays"
    )


def test_only_what_may_be_written_opens(client: FlaskClient, sign_in: SignIn) -> None:
    for path in ("customer/1/row?edit=tier", "customer/1/row?edit=nothing", "customer/999/row"):
        assert client.get(f"/acme/{path}").status_code == 404
    reader = sign_in("reader@acme.test")
    headers = {"X-CSRF-Token": token_of(reader.get("/acme/search").text)}
    assert "data-cell" not in reader.get("/acme/customer").text
    answer = reader.post("/acme/customer/1/row/city", data={"city": "X"}, headers=headers)
    assert answer.status_code == 422
    assert "Your role does not allow this" in answer.text


def test_a_moment_is_edited_in_the_time_zone_it_is_shown_in(client: FlaskClient) -> None:
    settings = {"title": "Acme", "language": "en", "currency": "EUR", "timezone": "Europe/Riga"}
    client.post("/acme/settings/general", data=settings)
    saved = client.post("/acme/order/1/row/ordered_at", data={"ordered_at": "2026-03-01T10:00"})
    assert "10:00" in saved.text
    opened = client.get("/acme/order/1/row?edit=ordered_at", headers={"HX-Current-URL": ""})
    assert 'value="2026-03-01T10:00"' in opened.text


def test_what_is_given_to_somebody_else_is_saved_and_leaves_the_page(
    client: FlaskClient, sign_in: SignIn
) -> None:
    agent = sign_in("agent@acme.test")
    token = token_of(agent.get("/acme/search").text)
    headers = {"X-CSRF-Token": token}
    made = [
        agent.post("/api/v1/acme/activity", json={"subject": f"Call {n}"}, headers=headers).json["id"]  # type: ignore[index]
        for n in range(3)
    ]
    row, field, form = (f"/acme/activity/{number}" for number in made)
    gone = agent.post(f"{row}/row/owner", data={"owner": "1", "version": "1"}, headers=headers)
    assert (gone.status_code, gone.text) == (200, "") and "somebody else" in gone.headers["HX-Trigger"]
    left = agent.post(f"{field}/field/owner", data={"owner": "1", "version": "1"}, headers=headers)
    assert left.headers["HX-Redirect"] == "/acme/activity"
    values = {"csrf_token": token, "subject": "Call", "kind": "task", "owner": "1", "version": "1"}
    assert agent.post(f"{form}/edit", data=values).location == "/acme/activity"
    assert agent.post("/acme/activity/new", data=values).location == "/acme/activity"
    assert "you do not see it any more" in agent.get("/acme/activity").text
    assert all(client.get(page).status_code == 200 for page in (row, field, form))
