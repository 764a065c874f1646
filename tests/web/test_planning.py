"""The sales plan: its page and files, the same over REST, and whose part of it is shown."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from trellis.installation import Installation

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def client(app: Flask, installation: Installation) -> Client:
    return open_client(app, installation, installation.workspace("acme"), "p@acme.test", ["administrator"])


def test_the_plan_is_a_page_a_file_and_an_answer(sign_in: SignIn, client: Client) -> None:
    north = client.create("unit", name="North")
    deal = client.create("opportunity", name="Deal", amount=500, unit=north, begun_on="2017-01-01")
    won = {"stage": "won", "closed_at": "2017-02-03T10:00:00Z", "outcome": "won"}
    assert client.patch(f"/opportunity/{deal}", won).status_code == 200
    client.create("kpi_target", kpi="sales_won", period="2017-02", value=1000)
    client.create("kpi_target", kpi="sales_won", period="2017-02", value=800, of_unit=north)
    admin = sign_in("admin@acme.test")
    address = "/acme/opportunity/plan?period=2017-02"
    page = unescape(admin.get(address).text)
    assert (
        "North" in page and "Planned above and not below: €200" in page and "50.0" in page.replace(",", ".")
    )
    assert f"/acme/opportunity/plan?period=2017-02&whom=unit-{north}" in page
    assert "kpis/targets?kpi=sales_won&by=unit&year=2017-02" in page
    rows = admin.get(f"{address}&table=plan&format=csv").text.splitlines()
    assert rows[1].startswith("North,800.00,500.00,0.625,-300.00")
    assert rows[-1].startswith("Above: The whole organisation,1000.00,500.00,0.5")
    people = unescape(admin.get(f"{address}&by=person&whom=unit-{north}").text)
    assert "/acme/opportunity?filter=" in people
    answer = client.get("/analytics/plan?period=2017-02").json
    assert (answer["plan"], answer["difference"], answer["by"]) == ("1000.00", "200.00", "unit")
    assert client.get("/analytics/plan?kpi=orders&period=2017-02").json["unit"] == "count"
    for wrong in ("kpi=win_rate", "by=moon", "whom=moon", "kpi=orders&by=category"):
        assert client.get(f"/analytics/plan?{wrong}").status_code == 400, wrong
        assert admin.get(f"/acme/opportunity/plan?{wrong}").status_code == 400, wrong
    assert client.get("/analytics/plan?whom=unit-99").status_code == 404
    agent = sign_in("agent@acme.test").get(address)
    assert agent.status_code == 200 and "Only records that you may see are counted" in agent.text
