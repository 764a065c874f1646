"""KPIs without code: made in the settings, counted like all others, refused with reasons, removed with their figures kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

from flask.testing import FlaskClient
from trellis import enabling
from trellis.contributions import Kpi
from trellis.installation import Installation
from trellis.kpi import engine, snapshots
from trellis.kpi.periods import Grain, containing, parse
from trellis.kpi.splits import split_names
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
NEW = "/acme/settings/kpis/new"
COMMON = {"direction": "sales", "level": "tactics", "higher_is_better": "true"}
LARGE = {
    **COMMON,
    "name": "large_orders",
    "title": "Large orders",
    "entity": "order",
    "aggregate": "count",
    "date": "ordered_at",
    "unit": "count",
    "rule": json.dumps({"all": [{"field": "amount", "op": "gte", "value": 50}]}),
    "breakdowns": "customer",
}
HALF = {
    **COMMON,
    "name": "large_share",
    "title": "Share of large orders",
    "aggregate": "formula",
    "expression": "own.large_orders / orders",
    "unit": "percent",
}
DAY = datetime(2024, 5, 5, tzinfo=UTC)


def orders(installation: Installation) -> None:
    with installation.workspace("acme").write() as session:
        records = Records(session, installation.workspace("acme").edition(session), SYSTEM)
        for amount in (10, 50, 60, 80):
            records.create("order", {"number": "A", "ordered_at": DAY, "amount": amount})


def values(installation: Installation, *names: str) -> list[object]:
    workspace = installation.workspace("acme")
    with workspace.read() as session:
        edition = workspace.edition(session)
        return [
            engine.value(session, edition, SYSTEM, name, parse("2024-05"), today=date(2026, 1, 1)).value
            for name in names
        ]


def test_an_administrator_makes_kpis_without_code(sign_in: SignIn, installation: Installation) -> None:
    orders(installation)
    client = sign_in("admin@acme.test")
    token = token_of(client.get(f"{NEW}?entity=order").text)

    def post(form: dict[str, str], url: str = NEW) -> tuple[int, str]:
        answer = client.post(url, data={"csrf_token": token, **form})
        return answer.status_code, answer.text

    assert post(LARGE)[0] == post(HALF)[0] == 302
    average = {
        "name": "average_large",
        "title": "Average",
        "aggregate": "average",
        "field": "amount",
        "unit": "money",
    }
    share = {"name": "part", "title": "Part", "aggregate": "share", "unit": "percent"}
    assert post(LARGE | average)[0] == post(LARGE | share)[0] == 302
    names = ("own.large_orders", "own.large_share", "own.average_large", "own.part")
    assert values(installation, *names) == [3, 0.75, Decimal("63.3333"), 0.75]
    board = client.get("/acme/kpis").text
    assert "Share of large orders" in board
    assert "Share of large orders" in client.get("/acme/").text
    assert "Large orders" in client.get("/acme/kpis/targets").text
    listed = client.get("/acme/kpis?kpi=own.large_orders&period=2024-05").text
    assert "filter=" in listed
    assert "kpi=own.large_orders" in client.get("/acme/kpis?kpi=own.large_share&period=2024-05").text

    refused = {
        "entity": (LARGE | {"name": "x", "entity": "moon"}),
        "expression": (HALF | {"name": "x", "expression": "orders / nothing"}),
        "field": (LARGE | {"name": "x", "aggregate": "sum"}),
        "rule": (LARGE | {"name": "x", "rule": json.dumps({"field": "moon", "op": "eq", "value": 1})}),
        "name": (LARGE | {"name": "Not good"}),
        "date": (LARGE | {"name": "x", "date": "amount"}),
    }
    for part, form in refused.items():
        status, page = post(form)
        assert (status, f'id="e-{part}"' in page or f"#f-{part}" in page) == (422, True), part
    assert post(LARGE)[0] == 422  # the name is taken
    circle = HALF | {"expression": "own.large_share * 2"}
    assert post(circle, "/acme/settings/kpis/own.large_share")[0] == 422
    assert client.post(
        "/acme/settings/kpis/own.large_orders/remove", data={"csrf_token": token}
    ).status_code in (302, 204)
    assert values(installation, "own.large_orders") == [3]  # a formula is over it
    client.post("/acme/settings/kpis/own.large_share/remove", data={"csrf_token": token})
    workspace = installation.workspace("acme")
    with workspace.read() as session:
        kpis = workspace.edition(session).all(Kpi)
        assert "own.large_share" not in kpis
        assert {"unit", "person", "channel", "segment", "customer"} <= set(
            split_names(workspace.edition(session), kpis["own.large_orders"])
        )
        assert '<option value="customer" selected' in client.get("/acme/settings/kpis/own.large_orders").text


def test_a_figure_that_counts_otherwise_is_shown_and_accepted(
    sign_in: SignIn, installation: Installation
) -> None:
    workspace = installation.workspace("acme")
    today = date.today()
    month = containing(today, Grain.MONTH).previous
    with workspace.write() as session:
        edition = workspace.edition(session)
        records = Records(session, edition, SYSTEM)
        unit = records.create("unit", {"name": "North"}).id
        moment = datetime(month.first.year, month.first.month, 15, tzinfo=UTC)
        order = {"number": "L", "ordered_at": moment, "amount": 100, "unit": unit}
        records.create("order", order)
        snapshots.take(session, edition, today, [edition.all(Kpi)["revenue"]], [[month]])
        records.create("order", order | {"amount": 5000})
        snapshots.take(session, edition, today, [edition.all(Kpi)["revenue"]], [[month]])
    client = sign_in("admin@acme.test")
    page = client.get(f"/acme/kpis?kpi=revenue&period={month.code}").text
    assert page.count("recounted") >= 2
    part = client.get(f"/acme/kpis?kpi=revenue&period={month.code}&by=unit&key={unit}").text
    assert "reported €100.00, recounted €5\N{NO-BREAK SPACE}100.00" in part
    url = f"/acme/kpis/accept?kpi=revenue&period={month.code}"
    assert client.post(url, data={"csrf_token": token_of(page)}).status_code == 302
    page = client.get(f"/acme/kpis?kpi=revenue&period={month.code}").text
    assert "accepted by Admin" in page
    part = client.get(f"/acme/kpis?kpi=revenue&period={month.code}&by=unit&key={unit}").text
    assert "recounted" not in part
    reader = sign_in("agent@acme.test")
    assert reader.post(url, data={"csrf_token": token_of(reader.get("/acme/kpis").text)}).status_code == 403


def test_kpis_over_what_a_disabled_plugin_brought_wait_and_are_told(
    sign_in: SignIn, installation: Installation
) -> None:
    client, workspace = sign_in("admin@acme.test"), installation.workspace("acme")
    token = token_of(client.get(f"{NEW}?entity=gym.membership").text)
    members = LARGE | {"name": "members", "title": "Members", "entity": "gym.membership"}
    members |= {"date": "created_at", "rule": "null", "breakdowns": ""}
    double = HALF | {"name": "double", "title": "Twice as many", "expression": "own.members * 2"}
    for form in (members, double):
        assert client.post(NEW, data={"csrf_token": token, **form}).status_code == 302

    def counted() -> set[str]:
        with workspace.read() as session:
            return {"own.members", "own.double"} & set(workspace.edition(session).all(Kpi))

    assert counted() == {"own.members", "own.double"}
    enabling.disable(workspace, "gym")
    assert counted() == set()
    assert client.get("/acme/kpis").status_code == 200
    listed = client.get("/acme/settings/kpis").text
    assert listed.count("Not counted now") == 2 and "Twice as many" in listed
    assert (
        "settings/kpis/own.members/remove" in listed
        and 'href="/acme/settings/kpis/own.members"' not in listed
    )
    assert client.get("/acme/settings/kpis/own.members").status_code == 404
    answer = client.post("/acme/settings/kpis/own.members", data={"csrf_token": token, **HALF})
    assert answer.status_code == 404
    enabling.enable(workspace, "gym")
    assert counted() == {"own.members", "own.double"}
