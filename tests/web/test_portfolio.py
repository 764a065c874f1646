"""The pages of products: their lifecycle, the portfolio, and what is bought together."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from trellis.crm.analytics import product_figures
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
NOW = datetime.now(UTC)


@pytest.fixture
def goods(installation: Installation) -> dict[str, int]:
    """Tea is sold to two customers and grows, milk to the first of them alone and declines."""
    with installation.workspace("acme").write() as session:
        records = Records(session, installation.workspace("acme").edition(session), SYSTEM)
        known = {name: records.create("product", {"name": name.title()}).id for name in ("tea", "milk")}
        sales = [("tea", 1, 30, 150), ("tea", 2, 40, 50), ("tea", 1, 500, 100), ("tea", 1, 900, 1)]
        sales += [("milk", 1, 30, 40), ("milk", 1, 500, 100), ("milk", 1, 900, 1)]
        for name, customer, days, amount in sales:
            values = {"number": f"S{days}", "customer": customer, "ordered_at": NOW - timedelta(days=days)}
            order = records.create("order", {**values, "amount": amount}).id
            line = {"order": order, "product": known[name], "quantity": 1, "price": amount}
            records.create("order_line", line)
        product_figures.refresh(session, records.edition, NOW.date())
    return known


def test_proposed_stages_are_read_and_confirmed(goods: dict[str, int], sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    page = client.get("/acme/portfolio/product_lifecycle").text
    assert "+100.0" in page and "Move to the proposed stages" in page and 'aria-current="page"' in page
    file = client.get("/acme/portfolio/product_lifecycle?table=proposals&format=csv").text.splitlines()
    assert [line.split(",")[:3] for line in file[1:]] == [["Tea", "", "growth"], ["Milk", "", "decline"]]
    answer = client.get("/api/v1/acme/analytics/product_lifecycle").json
    assert answer is not None and answer["stages"][-1]["sales"] == "240.00"
    assert answer["assumptions"]["introduction_months"] == 12
    record = client.get(f"/acme/product/{goods['milk']}").text
    assert "Confirm: Decline" in record
    form = {"csrf_token": token_of(page)}
    assert client.post(f"/acme/product/{goods['milk']}/confirm-stage", data=form).status_code == 302
    chosen = {**form, "product": [goods["tea"], "x"]}
    assert client.post("/acme/portfolio/product_lifecycle/confirm", data=chosen).status_code == 302
    after = client.get("/acme/portfolio/product_lifecycle").text
    assert "1 product moved" in after and "Nothing to confirm" in after
    assert "Confirm:" not in client.get(f"/acme/product/{goods['milk']}").text
    reader = sign_in("reader@acme.test")
    assert "Move to the proposed" not in reader.get("/acme/portfolio/product_lifecycle").text
    token = token_of(reader.get("/acme/customer").text)
    refused = reader.post(f"/acme/product/{goods['milk']}/confirm-stage", data={"csrf_token": token})
    assert refused.status_code == 403


def test_the_matrix_and_what_is_bought_together_lead_to_lists(goods: dict[str, int], sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    page = client.get("/acme/portfolio/bcg?of=products").text
    assert "bubble-star" in page and f"/acme/product/{goods['tea']}" in page and "Relative share" in page
    wrong = client.get("/acme/portfolio/bcg?of=products&growth_from=much")
    assert (
        wrong.status_code == 200
        and 'value="much"' in wrong.text
        and 'name="of" value="products"' in wrong.text
    )
    assert client.get("/acme/portfolio/bcg?of=moons").status_code == 400
    lines = client.get("/acme/portfolio/bcg?of=products&table=items&format=csv").text.splitlines()
    assert lines[1].startswith("Tea,200.00,40.00,5.0") and len(lines) == 3
    answer = client.get("/api/v1/acme/analytics/bcg?of=products&growth_from=0.9").json
    assert answer is not None and [one["items"] for one in answer["quadrants"]] == [0, 0, 1, 1, 0]
    assert "Without a category" in client.get("/acme/portfolio/bcg").text

    page = client.get("/acme/portfolio/cross_sell?of=products&show=confidence").text
    assert "has ↓ also has →" in page and "50" in page
    answer = client.get("/api/v1/acme/analytics/cross_sell?of=products").json
    assert answer is not None and answer["baskets"] == 2
    told = {(one["first"], one["second"]): one["without"] for one in answer["pairs"]}
    assert told == {(goods["tea"], goods["milk"]): 1, (goods["milk"], goods["tea"]): 0}
    url = page.partition('class="heat heat-3" href="')[2].partition('"')[0].replace("&amp;", "&")
    listed = client.get(url).text
    assert "Customer 01" in listed and "Customer 00" not in listed, url
    file = client.get("/acme/portfolio/cross_sell?of=products&table=pairs&format=csv").text
    assert len(file.splitlines()) == 3
    assert "It takes two" in client.get("/acme/portfolio/cross_sell?period=2001").text

    abc = client.get("/acme/analytics/abc?of=products").text
    assert "Product portfolio" in abc and "/acme/product?filter=" in abc
    assert "Only what was sold" in sign_in("agent@acme.test").get("/acme/portfolio/cross_sell").text


def test_a_category_shows_its_tree_and_a_bundle_its_parts_from_both_ends(
    goods: dict[str, int], installation: Installation, sign_in: SignIn
) -> None:
    with installation.workspace("acme").write() as session:
        door = Records(session, installation.workspace("acme").edition(session), SYSTEM)
        food = door.create("category", {"name": "Food"}).id
        drinks = door.create("category", {"name": "Drinks", "parent": food}).id
        door.update("product", goods["tea"], {"category": drinks})
        door.create("bundle_part", {"bundle": goods["milk"], "part": goods["tea"]})
        related = {"customer": 2, "other": 1, "kind": "partner"}
        door.create("customer_relation", related)
    client = sign_in("admin@acme.test")
    tree = client.get(f"/acme/category/{food}").text
    assert 'aria-label="Products in Food: 1"' in tree and 'aria-label="Products in Drinks: 1"' in tree
    listed = re.search(r'href="(/acme/product\?filter=[^"]+)" aria-label="Products in Food', tree)
    assert listed is not None
    found = client.get(unescape(listed[1])).text
    assert "Category is Food or part of it" in found and "Tea" in found and "Milk" not in found
    assert f'href="/acme/category/{food}">Food</a> ›' in client.get(f"/acme/category/{drinks}").text
    part = client.get(f"/acme/product/{goods['tea']}?tab=bundle_part.part").text
    assert "Parts of bundles: Part" in part and '">Milk</a></th>' in part
    for customer, other in ((1, "Customer 01"), (2, "Customer 00")):
        page = client.get(f"/acme/customer/{customer}?tab=customer_relation").text
        assert page.count('tab=customer_relation"') == 1 and f'">{other}</a></th>' in page
