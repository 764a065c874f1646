"""The pages of products: their lifecycle, the portfolio, and what is bought together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from trellis.crm.analytics import product_life
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
        product_life.refresh(session, records.edition, NOW.date())
    return known


def test_proposed_stages_are_read_and_confirmed(goods: dict[str, int], sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    page = client.get("/acme/analytics/product_lifecycle").text
    assert "+100.0" in page and "Move to the proposed stages" in page and 'aria-current="page"' in page
    file = client.get("/acme/analytics/product_lifecycle?table=proposals&format=csv").text.splitlines()
    assert [line.split(",")[:3] for line in file[1:]] == [["Tea", "", "growth"], ["Milk", "", "decline"]]
    answer = client.get("/api/v1/acme/analytics/product_lifecycle").json
    assert answer is not None and answer["stages"][-1]["sales"] == "240.00"
    assert answer["assumptions"]["introduction_months"] == 12
    record = client.get(f"/acme/product/{goods['milk']}").text
    assert "Confirm: Decline" in record
    form = {"csrf_token": token_of(page)}
    assert client.post(f"/acme/product/{goods['milk']}/confirm-stage", data=form).status_code == 302
    chosen = {**form, "product": [goods["tea"], "x"]}
    assert client.post("/acme/analytics/product_lifecycle/confirm", data=chosen).status_code == 302
    after = client.get("/acme/analytics/product_lifecycle").text
    assert "1 product moved" in after and "Nothing to confirm" in after
    assert "Confirm:" not in client.get(f"/acme/product/{goods['milk']}").text
    reader = sign_in("reader@acme.test")
    assert "Move to the proposed" not in reader.get("/acme/analytics/product_lifecycle").text
    token = token_of(reader.get("/acme/customer").text)
    refused = reader.post(f"/acme/product/{goods['milk']}/confirm-stage", data={"csrf_token": token})
    assert refused.status_code in (302, 403)
