"""The grid of targets: cells written through the door, filled in, refused beside the cell, and taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from trellis.installation import Installation
from trellis.kpi.targets import KpiTarget
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.security.roles import save_role
from trellis.system import Event
from trellis.web import kpi_targets
from trellis.web.views import kpi_targets as view
from web.conftest import PASSWORD, token_of

SignIn = Callable[[str], FlaskClient]
GRID = "/acme/kpis/targets?year=2026"


def cells_of(page: str) -> dict[str, str]:
    """The texts of the cells by key."""
    found = re.findall(r'<input class="plan-cell"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
    return {key: unescape(text) for key, text in found}


def form_of(page: str, **changes: str) -> dict[str, str]:
    """What a browser sends from the page, with some cells changed; ``_`` and ``__`` stand for . and /."""
    shown = re.search(r'name="shown" value="([^"]*)"', page)
    assert shown is not None
    return {"csrf_token": token_of(page), "shown": unescape(shown[1]), **cells_of(page), **changes}


def planned(installation: Installation) -> dict[str, Decimal | None]:
    with installation.workspace("acme").read() as session:
        rows = session.execute(
            sa.select(KpiTarget.key, KpiTarget.value).where(KpiTarget.deleted_at.is_(None))
        )
        return {row.key: row.value for row in rows}


def test_targets_are_typed_filled_in_refused_and_taken_back(
    sign_in: SignIn, installation: Installation
) -> None:
    client = sign_in("admin@acme.test")
    page = client.get(GRID).text
    typed = {"revenue/2026-01": "1 200,5", "revenue/2026-02": "12x", "win_rate/2026-01": "12.5 %"}
    refused = client.post(GRID, data=form_of(page, **typed))
    assert refused.status_code == 422
    assert cells_of(refused.text)["revenue/2026-02"] == "12x"
    assert 'id="e-revenue-2026-02"' in refused.text
    assert planned(installation) == {}
    typed |= {"revenue/2026-01": "1 200.5", "revenue/2026-02": "", "revenue/2026": "1 000"}
    saved = client.post(GRID, data=form_of(refused.text, **typed))
    assert saved.status_code == 302
    wanted = {"revenue/2026-01": Decimal("1200.5"), "win_rate/2026-01": Decimal("0.125")}
    assert planned(installation) == {**wanted, "revenue/2026": Decimal(1000)}
    page = client.get(GRID).text
    undo = re.search(r"/acme/kpi_target/bulk/undo\?change=\d+", page)
    assert undo is not None
    listed = client.get("/acme/kpi_target").text
    assert "January 2026" in listed and ">2026-01<" not in listed
    assert ">€1\N{NO-BREAK SPACE}200.50</td>" in listed and ">12.5\N{NO-BREAK SPACE}%</td>" in listed

    fill = "/acme/kpis/targets/fill?year=2026"
    row = "revenue/2026-01"
    spread = client.post(fill, data=form_of(page, act="even", only=row, percent="")).text
    months = [cells_of(spread)[f"revenue/2026-{month:02}"] for month in range(1, 13)]
    assert sum(Decimal(text) for text in months) == 1000
    assert months[:2] == ["83.34", "83.34"]
    assert planned(installation)["revenue/2026-01"] == Decimal("1200.5")
    copied = client.post(
        "/acme/kpis/targets/fill?year=2027",
        data=form_of(client.get("/acme/kpis/targets?year=2027").text, act="copy", only="", percent="10"),
    ).text
    assert cells_of(copied)["revenue/2027-01"] == "1\N{NO-BREAK SPACE}320.55"
    assert cells_of(copied)["win_rate/2027-01"] == "13.75"
    for percent in ("much", "-101", "1e9"):
        assert client.post(fill, data=form_of(page, act="copy", percent=percent)).status_code == 422

    client.post(undo[0], data={"csrf_token": token_of(page)})
    assert set(planned(installation).values()) == {None}
    with installation.workspace("acme").read() as session:
        log = session.scalars(sa.select(Event.action).where(Event.entity == "kpi_target"))
        assert sorted(log) == ["created"] * 3 + ["updated"] * 6
        rate = session.scalar(sa.select(KpiTarget.id).where(KpiTarget.kpi == "win_rate"))
    cell, space = f"/acme/kpi_target/{rate}/row", "\N{NO-BREAK SPACE}"
    for text, shown in (("20 %", "20"), ("0.125", "12.5")):
        row = client.post(f"{cell}/value", data={"csrf_token": token_of(page), "value": text}).text
        assert f">{shown}{space}%</td>" in row
    assert f'value="12.5{space}%"' in client.get(f"{cell}?edit=value").text


def test_a_cell_that_somebody_changed_meanwhile_is_not_overwritten(
    sign_in: SignIn, installation: Installation
) -> None:
    client = sign_in("admin@acme.test")
    page = client.get(GRID).text
    client.post(GRID, data=form_of(page, **{"orders/2026-03": "7", "orders/2026-04": "8"}))
    late = client.post(GRID, data=form_of(page, **{"orders/2026-03": "9", "orders/2026-05": "1"}))
    assert (late.status_code, "it is 7 now" in late.text) == (422, True)
    assert planned(installation) == {"orders/2026-03": 7, "orders/2026-04": 8}


def test_a_cell_whose_target_is_out_of_sight_tells_that_it_is_planned(
    sign_in: SignIn, installation: Installation
) -> None:
    with installation.workspace("acme").write() as session:
        edition = installation.workspace("acme").edition(session)
        own = {"read": "own", "create": True, "update": "own"}
        save_role(session, "own.planner", "Planner", {"kpi_target": own, "order": {"read": "all"}})
        Records(session, edition, SYSTEM).create(
            "kpi_target", {"kpi": "orders", "period": "2026-03", "value": 7}
        )
    add_user(installation, installation.workspace("acme"), "eve@acme.test", "Eve", ["own.planner"], PASSWORD)
    client = sign_in("eve@acme.test")
    refused = client.post(GRID, data=form_of(client.get(GRID).text, **{"orders/2026-03": "9"}))
    assert (refused.status_code, "This is planned already<" in refused.text) == (422, True)
    assert planned(installation) == {"orders/2026-03": 7}


def test_the_grid_follows_rights(sign_in: SignIn, installation: Installation) -> None:
    reader = sign_in("reader@acme.test")
    page = reader.get(GRID)
    assert (page.status_code, "plan-cell" in page.text) == (200, False)
    form = {"csrf_token": token_of(page.text), "shown": json.dumps({}), "revenue/2026-01": "5"}
    assert reader.post(GRID, data=form).status_code == 403
    assert planned(installation) == {}


def test_more_people_than_a_page_holds_are_on_further_ones(
    sign_in: SignIn, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kpi_targets, "MOST_PEOPLE", 2)
    monkeypatch.setattr(kpi_targets, "MOST_PARTS", 2)
    monkeypatch.setattr(view, "MOST_PEOPLE", 2)
    client = sign_in("admin@acme.test")
    grid = "/acme/kpis/targets?kpi=revenue&year=2026"
    first, last = client.get(grid).text, client.get(f"{grid}&part=2").text
    people = [{key for key in cells_of(page) if "2026-01/person-" in key} for page in (first, last)]
    assert [len(one) for one in people] == [2, 1] and not people[0] & people[1]
    assert "People 1–2 of 3" in first and "part=2" in first and "People 3–3 of 3" in last
    assert "revenue/2026-01" in cells_of(first) and "revenue/2026-01" not in cells_of(last)
    (key,) = people[1]
    saved = client.post(f"{grid}&part=2", data=form_of(last, **{key: "5"}))
    assert saved.status_code == 302 and "part=2" in saved.location
    assert planned(installation) == {key: 5}
    handed = client.get(f"{grid}&by=person").text
    assert "3 people are below this plan, too many" in handed
    assert "person-" not in " ".join(cells_of(handed))


def test_a_plan_is_handed_down_and_added_up(sign_in: SignIn, installation: Installation) -> None:
    with installation.workspace("acme").write() as session:
        records = Records(session, installation.workspace("acme").edition(session), SYSTEM)
        north, south, _below = (
            records.create("unit", {"name": name, "parent": parent}).id
            for name, parent in (("North", None), ("South", None), ("Deep", 1))
        )
        for unit, amount in ((north, 300), (south, 100), (_below, 0)):
            records.create(
                "order",
                {"number": f"{unit}", "ordered_at": "2025-01-10T10:00:00Z", "amount": amount, "unit": unit},
            )
        light = records.create("category", {"name": "Light"}).id
    client = sign_in("admin@acme.test")
    address = "year=2026&kpi=revenue&by=unit"
    grid, fill = f"/acme/kpis/targets?{address}", f"/acme/kpis/targets/fill?{address}"
    page = client.get(grid).text
    assert "Hand down equally" in page and "Deep" not in re.sub(
        r"(?s)<nav.*?</nav>|<div id=.*?</div>", "", page
    )
    typed = {"revenue/2026-01": "100", "revenue/2026-02": "0.05"}

    def cells(act: str, percent: str = "", **changes: str) -> dict[str, str]:
        form = form_of(page, act=act, only="", percent=percent, **{**typed, **changes})
        return cells_of(client.post(fill, data=form).text)

    january, february = (
        [f"revenue/2026-{month}/unit-{one}" for one in (north, south)] for month in ("01", "02")
    )
    equally = cells("equally")
    assert [equally[key] for key in (*january, *february)] == ["50", "50", "0.03", "0.02"]
    as_before = cells("as_last_year", "10")
    assert [as_before[key] for key in january] == ["82.5", "27.5"]
    shares = {january[0]: "1", january[1]: "4"}
    assert [cells("as_now", **shares)[key] for key in january] == ["20", "80"]
    assert cells("add_up", **{january[0]: "70", january[1]: "75.5"})["revenue/2026-01"] == "145.5"

    form = form_of(page, **typed, **{january[0]: "60", january[1]: "30"})
    assert client.post(grid, data=form).status_code == 302
    sums = re.search(r"(?s)<tfoot>.*?</tfoot>", client.get(grid).text)
    assert sums is not None and ">90<" in sums[0] and '<td class="num warn">10<' in sums[0]
    with installation.workspace("acme").write() as session:
        records = Records(session, installation.workspace("acme").edition(session), SYSTEM)
        left = records.create("user", {"name": "Left", "email": "left@acme.test", "unit": north}).id
        records.create("kpi_target", {"kpi": "revenue", "period": "2026-03", "person": left, "value": 5})
        records.update("user", left, {"active": False})
    assert f"revenue/2026-03/person-{left}" in cells_of(
        client.get("/acme/kpis/targets?year=2026&kpi=revenue").text
    )
    for whom, year, there in ((north, 2026, True), (south, 2026, False), (north, 2027, False)):
        people = client.get(f"/acme/kpis/targets?year={year}&kpi=revenue&by=person&whom=unit-{whom}").text
        assert (f"revenue/{year}-03/person-{left}" in cells_of(people)) is there
    goods = f"/acme/kpis/targets?year=2026&kpi=product_sales&by=category&whom=unit-{north}"
    key = f"product_sales/2026-01/unit-{north}/category-{light}"
    assert client.post(goods, data=form_of(client.get(goods).text, **{key: "7"})).status_code == 302
    assert planned(installation)[key] == 7
    lines = re.findall(r'"phone-line">([^<]*)<', client.get("/acme/kpi_target").text)
    assert "January 2026 · North · Light · €7.00" in lines
    for wrong in ("&kpi=revenue&by=category", "&kpi=moon&by=unit", "&kpi=revenue&by=unit&whom=moon"):
        assert client.get(f"/acme/kpis/targets?year=2026{wrong}").status_code == 200


def test_a_year_is_spread_only_where_it_is_a_sum_and_by_the_last_whole_periods(
    sign_in: SignIn, installation: Installation
) -> None:
    year = date.today().year + 1
    with installation.workspace("acme").write() as session:
        records = Records(session, installation.workspace("acme").edition(session), SYSTEM)
        for day, amount in (("2023-01-05", 10), ("2023-01-06", 10), ("2023-02-05", 40)):
            records.create("order", {"number": day, "ordered_at": f"{day}T10:00:00Z", "amount": amount})
        records.create("order", {"number": "D", "ordered_at": f"{year - 2}-12-05T10:00:00Z", "amount": 10**6})
    client = sign_in("admin@acme.test")

    def filled(year: int, act: str, **typed: str) -> dict[str, str]:
        grid = f"/acme/kpis/targets?year={year}"
        form = form_of(client.get(grid).text, act=act, only="", percent="", **typed)
        return cells_of(client.post(grid.replace("?", "/fill?"), data=form).text)

    plans = {"average_order/2024": "60", "orders/2024": "7", "win_rate/2024": "30 %", "revenue/2024": "1.005"}
    even = filled(2024, "even", **plans)
    months = [f"2024-{month:02}" for month in range(1, 13)]
    assert {even[f"average_order/{month}"] for month in months} == {"60"}
    assert {even[f"win_rate/{month}"] for month in months} == {"30"}
    assert [even[f"orders/{month}"] for month in months] == ["1"] * 7 + ["0"] * 5
    assert sum(Decimal(even[f"revenue/{month}"]) for month in months) == Decimal("1.005")
    seasons = filled(2024, "pattern", **plans)
    assert [seasons[f"average_order/{month}"] for month in months[:3]] == ["30", "120", "60"]
    assert [seasons[f"orders/{month}"] for month in months[:3]] == ["5", "2", "0"]
    ahead = filled(year, "pattern", **{f"revenue/{year}": "100"})  # December of this year is still to come
    assert Decimal(ahead[f"revenue/{year}-12"]) > 50
