"""The KPI board as a spreadsheet: the figures of the page and of REST, in the formats of their units."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

from flask.testing import FlaskClient
from python_calamine import load_workbook
from trellis.contributions import Kpi
from trellis.installation import Installation
from trellis.kpi import engine
from trellis.kpi.periods import Grain, containing
from trellis.kpi.targets import set_target
from trellis.records.door import Records
from trellis.security.actor import SYSTEM

SignIn = Callable[[str], FlaskClient]


def sheet(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    """The rows of the export by the heads of its columns, empty cells left out."""
    answer = client.get(f"/acme/kpis.xlsx{query}")
    assert answer.status_code == 200
    heads, *rows = load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    return [{head: cell for head, cell in zip(heads, row, strict=True) if cell != ""} for row in rows]


def test_the_export_holds_what_the_board_shows(sign_in: SignIn, installation: Installation) -> None:
    workspace, today = installation.workspace("acme"), datetime.now(UTC).date()
    month = containing(today, Grain.MONTH).previous
    with workspace.write() as session:
        edition = workspace.edition(session)
        records = Records(session, edition, SYSTEM)
        north = records.create("unit", {"name": "North"}).id
        for period in (month, month.year_before):
            for unit, amount in ((north, "100.25"), (None, "50")):
                moment = datetime.combine(period.first, datetime.min.time(), UTC).replace(hour=12)
                order = {"number": "X", "ordered_at": moment, "amount": amount, "unit": unit}
                records.create("order", order)
        set_target(session, edition, "revenue", month, Decimal(200))
        set_target(session, edition, "win_rate", month, Decimal("0.25"))
        facts = {
            name: engine.value(session, edition, SYSTEM, name, month, today=today).to_json()
            for name in edition.all(Kpi)
        }
    client = sign_in("admin@acme.test")
    rows = sheet(client)
    found = {row["KPI"]: row for row in rows if row["Period"] == month.code}
    for fact in facts.values():
        number, row = fact["value"], found[fact["title"]]
        assert row.get("Fact") == (None if number is None else float(number))
    revenue = found["Revenue"]
    gap = float(facts["revenue"]["deviation"])
    assert (revenue["Plan"], revenue["Deviation"], revenue["What that is"]) == (200, gap, "against plan")
    assert revenue["Status"] == ("over 3 % better" if gap > 6 else "over 3 % worse")
    assert revenue["Unit of measure"] == "€"
    styles = ZipFile(io.BytesIO(client.get("/acme/kpis.xlsx").data)).read("xl/styles.xml").decode()
    assert "0.0%" in styles and ("#,##0.00" in styles or 'numFmtId="4"' in styles)

    parts = [row for row in sheet(client, "?by=unit") if row.get("Row") and row["Period"] == month.code]
    by_unit = {row["Row"]: row for row in parts if row["KPI"] == "Revenue"}
    assert by_unit["North"]["Fact"] == 100.25 and by_unit["North"]["Broken down by"] == "Unit"
    assert sum(row["Fact"] for row in by_unit.values()) == float(facts["revenue"]["value"])
    opened = sheet(client, "?open=revenue")
    assert {row["KPI"] for row in opened if row.get("Row")} == {"Revenue"}
    last_year = {row["KPI"]: row for row in sheet(client, "?against=year") if row["Period"] == month.code}
    assert (last_year["Revenue"]["Held against"], last_year["Revenue"]["What that is"]) == (
        150.25,
        "against the year before",
    )
    russian = {row["KPI"]: row for row in sheet(client, "?language=ru") if row["Период"] == month.code}
    assert (russian["Выручка"]["Факт"], russian["Выручка"]["К чему сравнение"]) == (
        revenue["Fact"],
        "к плану",
    )


def test_the_board_names_what_is_off_plan_and_stays_at_its_row(
    sign_in: SignIn, installation: Installation
) -> None:
    workspace, month = installation.workspace("acme"), containing(datetime.now(UTC).date(), Grain.MONTH)
    client = sign_in("admin@acme.test")
    long_ago = client.get("/acme/kpis?from=2001-01-01&to=2001-01-31").text
    assert "There is nothing to count in these periods" in long_ago and "Off plan" not in long_ago
    with workspace.write() as session:
        set_target(session, workspace.edition(session), "revenue", month, Decimal(9_000_000))
    board = client.get("/acme/kpis").text
    off_plan = board.split("Off plan: ")[1].split("</p>")[0]
    assert f'/acme/kpis?kpi=revenue&amp;period={month.code}#kpi-revenue">Revenue</a>' in off_plan
    assert 'id="kpi-revenue"' in board and "There is nothing to count" not in board
    assert "Plan: €9\xa0000\xa0000.00" in client.get(f"/acme/kpis?kpi=revenue&period={month.code}").text
