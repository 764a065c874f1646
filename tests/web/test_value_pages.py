"""The pages of lifetime value and loyalty: reasons, assumptions, files, and whose customers are counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape

import sqlalchemy as sa
from flask.testing import FlaskClient
from trellis.i18n import format_money
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.people import User
from trellis.security.roles import save_role
from trellis.workspace import Workspace
from web.conftest import token_of

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


def test_pages_say_what_is_left_out_for_want_of_an_exchange_rate(
    sign_in: SignIn, workspace: Workspace
) -> None:
    names = ("pyramid", "rfm", "abc", "abc?of=products", "clv", "loyalty")
    client = sign_in("admin@acme.test")
    assert not [name for name in names if "Left out, as" in client.get(f"/acme/analytics/{name}").text]
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        chair = records.create("product", {"name": "Chair"}).id
        for customer, price in ((1, 700), (2, 500)):
            values = {"number": "F", "customer": customer, "ordered_at": datetime.now(UTC), "currency": "CHF"}
            order = records.create("order", values).id
            records.create("order_line", {"order": order, "product": chair, "quantity": 1, "price": price})
    for name in names:
        page = unescape(client.get(f"/acme/analytics/{name}").text)
        of = "1 product" if "product" in name else "2 customers"
        assert f"no exchange rate of their day: {format_money(1200, 'CHF')} of {of}" in page, name
        assert "/acme/exchange_rate" in page


def test_a_page_says_that_it_counts_what_its_reader_sees(sign_in: SignIn) -> None:
    client = sign_in("agent@acme.test")
    for name in ("clv", "loyalty", "pyramid"):
        page = client.get(f"/acme/analytics/{name}").text
        assert "Only customers that you may see are counted" in page and "No purchases yet" in page
        assert "Import orders" in page  # what fills the page, for those who may
    for name in ("abc", "significance"):
        assert "Not enough data" in client.get(f"/acme/analytics/{name}").text


def test_a_page_says_that_income_is_not_open_to_its_reader(sign_in: SignIn, workspace: Workspace) -> None:
    withheld = "your role does not open each"
    assert withheld not in sign_in("admin@acme.test").get("/acme/analytics/pyramid").text
    segments = sign_in("reader@acme.test").get("/acme/segments").text
    segment = re.findall(r'href="/acme/segments/([^/"?]+)"', segments)[0]
    with workspace.write() as session:
        rights = {"customer": {"read": "all"}, "order": {"read": "none"}}
        save_role(session, "own.seller", "Seller", rights)
        agents = sa.update(User).where(User.email == "agent@acme.test")
        session.execute(agents.values(roles=["own.seller"]))
    agent = sign_in("agent@acme.test")
    for name in ("pyramid", "rfm", "abc", "loyalty", "clv"):
        refused = agent.get(f"/acme/analytics/{name}")
        assert refused.status_code == 403 and withheld in refused.text
        assert "(Orders)" in refused.text and "/acme/analytics/lifecycle" in refused.text
    assert "in records that you may not see" in agent.get("/acme/analytics/significance").text
    for path in ("analytics/satisfaction", "analytics/lifecycle"):
        assert withheld not in agent.get(f"/acme/{path}").text
    assert withheld in agent.get("/acme/kpis").text
    assert withheld in agent.get(f"/acme/segments/{segment}/profile").text
    assert "Revenue, 12 months" not in agent.get("/acme/customer").text
    assert agent.get("/acme/customer/1").status_code == 200
    answer = agent.get("/api/v1/acme/analytics/rfm")
    assert answer.status_code == 403 and withheld in answer.json["detail"]
    answer = agent.get("/api/v1/acme/analytics/lifecycle")
    assert answer.status_code == 200 and "scope" not in answer.json


def test_a_page_counts_the_sales_of_its_reader_and_says_so(sign_in: SignIn, workspace: Workspace) -> None:
    with workspace.write() as session:
        rights = {"customer": {"read": "all"}, "order": {"read": "own"}}
        save_role(session, "own.seller", "Seller", rights)
        agents = sa.update(User).where(User.email == "agent@acme.test")
        session.execute(agents.values(roles=["own.seller"]))
        agent_id = session.scalar(sa.select(User.id).where(User.email == "agent@acme.test"))
        records = Records(session, workspace.edition(session), SYSTEM)
        (bought,) = records.list("order", sort=("-ordered_at",), limit=1).items
        records.update("order", bought.id, {"owner": agent_id})
    agent, amount = sign_in("agent@acme.test"), bought.values["amount"]
    (listed,) = agent.get("/api/v1/acme/order").json["items"]  # type: ignore[index]
    assert Decimal(listed["amount"]) == amount
    pyramid = agent.get("/api/v1/acme/analytics/pyramid?measure=revenue").json
    assert pyramid is not None and sum(Decimal(one["revenue"]) for one in pyramid["tiers"]) == amount
    assert (pyramid["customers"], pyramid["inactive"], pyramid["prospects"]) == (1, 0, 29)
    said = "Only what customers brought in records that you may see is counted"
    assert pyramid["scope"].startswith(said)
    for name in ("pyramid", "rfm", "abc", "loyalty", "clv"):
        page = agent.get(f"/acme/analytics/{name}")
        assert page.status_code == 200 and said in page.text, name
        assert "first_order_at" not in page.text  # the list by it would be another
    assert "also in records that you may not see" in agent.get("/acme/analytics/significance").text
    assert "Revenue, 12 months" not in agent.get("/acme/customer").text
    assert said not in sign_in("admin@acme.test").get("/acme/analytics/pyramid").text


def test_classes_and_significance_are_read_saved_and_decided(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    pyramid = client.get("/acme/analytics/pyramid?measure=revenue").text
    assert "Moves between tiers" in pyramid and "ranked by revenue" in pyramid
    assert (
        "Revenue,\N{NO-BREAK SPACE}€</th>" in pyramid
    )  # the head names the currency, the figures stand alone
    rows = client.get("/acme/analytics/pyramid?table=tiers&format=csv").text.splitlines()
    assert rows[0].startswith("Tier,Customers,Revenue,Cost") and len(rows) == 5
    assert "A while better ones bring less than" in client.get("/acme/analytics/abc").text
    lines = client.get("/acme/analytics/abc?table=items").text.splitlines()
    assert len(lines) == 31 and lines[0].startswith("Name,Amount,Better ones bring,ABC")
    assert client.get("/acme/analytics/abc?table=moon").status_code == 404
    best = client.get("/acme/analytics/rfm?table=customers").text.splitlines()
    assert len(best) == 31 and best[1].startswith("Customer 29,155,87,2,108.00")
    assert client.get("/acme/analytics/abc?measure=joy").status_code == 400
    page = client.get("/acme/analytics/significance").text
    assert "Change the weights" in page and "NaN" not in page
    for name in ("rfm", "abc", "significance", "loyalty", "clv"):  # who it is is a click away
        lists = re.findall(
            r'class="link" href="(/acme/customer[^"]+)"', client.get(f"/acme/analytics/{name}").text
        )
        assert lists and all(
            client.get(unescape(url)).status_code == 200 for url in lists[:2] + lists[-1:]
        ), name
    assert client.get("/acme/analytics/significance?table=terms&format=xlsx").data.startswith(b"PK")
    record = client.get("/acme/customer/1").text
    assert "What the score is made of" in record and "customers above bring" in record
    form = {"csrf_token": token_of(client.get("/acme/settings/value").text)}
    wrong = client.post("/acme/settings/value", data={**form, "pyramid/top": "9", "abc/a_below": "x"})
    assert wrong.status_code == 422 and 'value="9"' in wrong.text and "2 fields need a change" in wrong.text
    decided = {"pyramid/top": "10", "pyramid/large": "30", "pyramid/medium": "50", "significance/key": "90"}
    assert client.post("/acme/settings/value", data={**form, **decided}).status_code == 302
    assert "cut after the first 10\xa0%" in client.get("/acme/analytics/pyramid").text
    assert "key from 90" in client.get("/acme/analytics/significance").text
    assert sign_in("reader@acme.test").get("/acme/settings/value").status_code == 403


def test_satisfaction_and_programme_say_what_is_missing_and_show_what_is_there(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    assert "No answers in this period" in client.get("/acme/analytics/satisfaction").text
    assert "There is no loyalty programme yet" in client.get("/acme/analytics/programme").text
    token = token_of(client.get("/acme/survey_answer/new").text)
    answer = {"csrf_token": token, "survey": "acsi", "q1": "8", "q2": "7", "q3": "6", "customer": "1"}
    answer["answered_at"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M")
    assert client.post("/acme/survey_answer/new", data=answer | {"q1": "11"}).status_code == 422
    assert client.post("/acme/survey_answer/new", data=answer).status_code in (302, 303)
    page = client.get("/acme/analytics/satisfaction").text
    assert "1 of 10 answers" in page and "Enter a benchmark" in page
    months = client.get("/acme/analytics/satisfaction?table=months&format=csv").text.splitlines()
    assert months[-1].startswith(f"{answer['answered_at'][:7]},"), "a month of a file has its year"
    programme = {"csrf_token": token, "name": "Club", "started_on": "2026-01-01", "compare_by": "cell"}
    programme |= {
        "expected_redemption": "70",
        "discount_rate": "12",
        "horizon": "24",
        "member_field": "nothing",
    }
    programme |= {"low_income": "70", "high_income": "130"}
    refused = client.post("/acme/programme/new", data=programme)
    assert refused.status_code == 422 and "birthday" in refused.text
    assert client.post("/acme/programme/new", data={**programme, "member_field": ""}).status_code in (
        302,
        303,
    )
    assert "does not say who is a member" in client.get("/acme/analytics/programme").text


def test_the_lifecycle_is_read_and_its_rules_are_decided(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.test")
    assert "Where customers stand" in client.get("/acme/analytics/lifecycle").text
    answer = client.get("/api/v1/acme/analytics/lifecycle?customers=true").json
    assert answer is not None and sum(one["customers"] for one in answer["stages"]) == answer["customers"]
    rows = client.get("/acme/analytics/lifecycle?table=stages&format=csv").text.splitlines()
    assert rows[0].startswith("Stage,Customers now,Held by hand,Entered") and len(rows) == 7
    assert client.get("/acme/analytics/lifecycle?stage=friend").status_code == 400
    token = token_of(client.get("/acme/settings/stages").text)
    form = {"csrf_token": token, **{f"{one['stage']}.choice": "usual" for one in answer["stages"]}}
    wrong = client.post(
        "/acme/settings/stages", data={**form, "lost.choice": "rule", "lost": '{"field": "colour"}'}
    )
    assert wrong.status_code == 422 and "colour" in wrong.text and 'href="#f-lost-rule"' in wrong.text
    missing = client.post("/acme/settings/stages", data={**form, "new.choice": "rule", "new": "null"})
    assert missing.status_code == 422 and "Add a comparison" in missing.text
    buyers = '{"all": [{"field": "orders_count", "op": "gte", "value": 1}]}'
    kept = {**form, "lost.choice": "rule", "lost": buyers, "at_risk.choice": "never"}
    assert client.post("/acme/settings/stages", data=kept).status_code == 302
    page = client.get("/acme/analytics/lifecycle").text
    found = client.get("/api/v1/acme/analytics/lifecycle").json
    assert found is not None
    numbers = {one["stage"]: (one["customers"], one["rule_of"]) for one in found["stages"]}
    assert numbers["lost"] == (30, "own") and numbers["at_risk"] == (0, "own"), page
    moved = client.get("/acme/analytics/lifecycle?stage=lost").text
    assert "Entered “Lost customer”" in moved and "/acme/customer/1" in moved
    assert sign_in("reader@acme.test").get("/acme/settings/stages").status_code == 403
