"""The pages of lifetime value and loyalty: reasons, assumptions, files, and whose customers are counted."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

SignIn = Callable[[str], FlaskClient]


def test_lifetime_value_and_loyalty_are_read_and_saved(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    page = client.get("/acme/analytics/clv").text
    assert "Not enough data: 30 customers have bought" in page and "Brought to date" in page
    assert "Only customers that you may see" not in page and "NaN" not in page
    wrong = client.get("/acme/analytics/clv?horizon=many&discount_rate=0.02")
    assert wrong.status_code == 200 and "“horizon” is a number from 1 to 120" in wrong.text
    assert 'value="many"' in wrong.text and 'value="0.02"' in wrong.text
    file = client.get("/acme/analytics/clv?table=cohorts&format=csv")
    assert file.text.startswith("Cohort,Customers,Brought to date,Lifetime value,Per customer")
    assert client.get("/acme/analytics/clv?table=segments&format=xlsx").data.startswith(b"PK")
    people = client.get("/acme/analytics/clv?table=customers").text.splitlines()
    assert len(people) == 31 and people[0].startswith("id,external_id,name,frequency")
    for nothing in ("table=moon", "table=cohorts&format=exe", "table=customers&format=exe"):
        assert client.get(f"/acme/analytics/clv?{nothing}").status_code == 404
    loyalty = client.get("/acme/analytics/loyalty").text
    assert "Churn, a year" in loyalty and "What if retention changes by" in loyalty
    rows = client.get("/acme/analytics/loyalty?table=cohorts&format=csv").text.splitlines()
    assert rows[0] == "Cohort,Size,Month after the first,Active" and len(rows) > 1
    record = client.get("/acme/customer?sort=-clv")
    assert record.status_code == 200
    assert "Bought on 2 days" in client.get("/acme/customer/1").text


def test_a_page_says_that_it_counts_what_its_reader_sees(sign_in: SignIn) -> None:
    client = sign_in("agent@acme.test")
    for name in ("clv", "loyalty"):
        page = client.get(f"/acme/analytics/{name}").text
        assert "Only customers that you may see are counted" in page and "No purchases yet" in page
