"""A lead is converted in the browser and over REST: what it may be already stands beside what it would become."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from trellis.installation import Installation
from trellis.records import related
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def client(app: Flask, installation: Installation) -> Client:
    return open_client(app, installation, installation.workspace("acme"), "p@acme.test", ["administrator"])


def test_in_the_browser_a_lead_is_looked_at_and_converted(sign_in: SignIn, client: Client) -> None:
    admin = sign_in("admin@acme.test")
    lead = client.create("lead", name="Olga Novak", company="Customer 07", email="olga@nordic.test")
    assert f'href="/acme/lead/{lead}/convert"' in admin.get(f"/acme/lead/{lead}").text
    page = unescape(admin.get(f"/acme/lead/{lead}/convert").text)
    assert "The same as Customer 07" in page and "A new customer" in page and "No opportunity" in page
    assert 'name="contact.email"' in page and 'value="olga@nordic.test"' in page
    form = {"csrf_token": token_of(page), "customer": "new", "customer.name": "", "customer.kind": "company"}
    form |= {"contact": "new", "contact.name": "Olga", "contact.email": "olga@nordic.test"}
    refused = admin.post(f"/acme/lead/{lead}/convert", data=form)
    assert refused.status_code == 422 and 'href="#f-customer-name"' in refused.text
    for product in ("12345", "9" * 25):  # there is none, and what was typed beside it is not lost
        typed = {"opportunity": "new", "opportunity.product": product, "opportunity.name": "Rooms"}
        refused = admin.post(f"/acme/lead/{lead}/convert", data=form | typed)
        assert refused.status_code == 422 and 'value="Rooms"' in refused.text
    found = client.get("/customer?q=Customer 07").json["items"][0]["id"]
    form |= {
        "customer": str(found),
        "opportunity": "new",
        "opportunity.name": "Rooms",
        "opportunity.amount": "900,50",
    }
    done = admin.post(f"/acme/lead/{lead}/convert", data=form)
    assert done.status_code in (302, 303), done.text
    record = client.get(f"/lead/{lead}").json
    assert record["converted_customer"] == found and record["stage"] == "qualified"
    assert client.get(f"/opportunity/{record['converted_opportunity']}").json["amount"] == "900.50"
    assert client.get(f"/contact/{record['converted_contact']}").json["name"] == "Olga"
    page = admin.get(f"/acme/lead/{lead}").text
    assert "/convert" not in page and f'href="/acme/customer/{found}"' in page
    assert admin.get(f"/acme/lead/{lead}/convert").status_code == 409
    other = client.create("lead", name="Nobody")
    reader = sign_in("reader@acme.test")
    assert "/convert" not in reader.get(f"/acme/lead/{other}").text
    assert reader.get(f"/acme/lead/{other}/convert").status_code == 403


def test_over_rest_a_lead_is_converted_once(client: Client) -> None:
    lead = client.create("lead", name="Olga Novak", company="Nordic")
    for body, field in (
        ({"customer": True}, "customer"),
        ({"customer": -1}, "customer"),
        ({"contact": "yes"}, "contact"),
        ({"opportunity": 3}, "opportunity"),
        ({"order": {}}, "order"),
        ({"customer": {"height": 3}}, "customer.height"),
        ({"customer": 987654}, "customer"),
    ):
        answer = client.post(f"/lead/{lead}:convert", body)
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field]), body
    stale = client.post(f"/lead/{lead}:convert", {}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    done = client.post(f"/lead/{lead}:convert", {"contact": False, "opportunity": True})
    assert done.status_code == 200 and done.headers["ETag"] == f'"{done.json["version"]}"'
    assert client.get(f"/customer/{done.json['converted_customer']}").json["name"] == "Nordic"
    assert done.json["converted_contact"] is None and done.json["converted_opportunity"]
    again = client.post(f"/lead/{lead}:convert", {})
    assert again.status_code == 409 and again.json["code"] == "conflict"
    assert client.post("/lead/987654:convert", {}).status_code == 404


def test_an_opportunity_becomes_a_quote_and_an_order(sign_in: SignIn, client: Client) -> None:
    admin = sign_in("admin@acme.test")
    product = client.create("product", name="Desk", price="99.90")
    form = {
        "csrf_token": token_of(admin.get("/acme/opportunity/1").text),
        "opportunity": "1",
        "product": str(product),
    }
    for _ in range(related.SHORT):
        admin.post("/acme/opportunity_line/new", data={**form, "quantity": "0"})
    line = admin.post("/acme/opportunity_line/new", data={**form, "quantity": "3"})
    assert line.headers["Location"].endswith("/acme/opportunity/1?tab=opportunity_line")
    assert client.get("/opportunity/1").json["amount"] == "299.70"
    assert "/acme/opportunity/1/quote" in admin.get("/acme/opportunity/1").text
    made = admin.post("/acme/opportunity/1/quote", data=form)
    assert made.headers["Location"].endswith("/acme/quote/1?tab=quote_line")
    page = admin.get("/acme/quote/1?tab=quote_line").text
    assert "Q-000001" in page and "299.70" in page and "/acme/quote/1/order" not in page
    assert (
        "New quote line" in page
        and page.count('<th scope="row"><a href="/acme/quote_line/') == related.SHORT + 1
    )
    assert '<th scope="col" class="">Product</th>' in page
    assert ">Desk<" in admin.get("/acme/quote/1").text  # a line is called by its product, there by its quote
    assert ">Q-000001<" in admin.get(f"/acme/product/{product}").text
    assert client.post("/quote/1:order").status_code == 409
    sent = client.post("/quote/1:move", {"stage": "sent", "valid_until": "2999-01-01"})
    assert sent.status_code == 200, sent.text
    assert client.post("/quote/1:move", {"stage": "accepted"}).json["stage"] == "accepted"
    assert "/acme/quote/1/order" in admin.get("/acme/quote/1").text
    order = client.post("/quote/1:order")
    assert (order.status_code, order.json["amount"]) == (201, "299.70")
    assert order.headers["Location"] == f"{client.base}/order/{order.json['id']}"
    assert client.post("/quote/1:order").status_code == 409
    again = client.post("/opportunity/1:quote")
    assert (again.status_code, again.json["number"], again.json["net"]) == (201, "Q-000002", "299.70")
    reader = sign_in("reader@acme.test")
    assert "/acme/opportunity/1/quote" not in reader.get("/acme/opportunity/1").text
    assert (
        reader.post(
            "/acme/opportunity/1/quote", data=form | {"csrf_token": token_of(reader.get("/acme/search").text)}
        ).status_code
        == 403
    )
