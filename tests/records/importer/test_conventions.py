"""Numbers and days of a file are read as its columns write them."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from importing import file, imported, records
from trellis.records.door import Records
from trellis.records.importer import MappingInvalid
from trellis.records.importer.amounts import Numbers
from trellis.records.importer.conventions import Days
from trellis.records.types import ValueInvalid
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


def written(number: Decimal, mark: str, between: str) -> str:
    return f"{number:,f}".replace(",", "\0").replace(".", mark).replace("\0", between)


CUSTOMER = "external_id,name\nA,Anna\n"


def orders(workspace: Workspace, folder: Path, *rows: tuple[str, str]) -> list[str]:
    """Imports orders with these amounts and days; the reasons of refused rows."""
    imported(workspace, "customer", file(folder, "c.csv", CUSTOMER))
    lines = [f"{number};N{number};A;{day};{amount}" for number, (amount, day) in enumerate(rows)]
    path = file(folder, "o.csv", "\n".join(["external_id;number;customer;ordered_at;amount", *lines]))
    result = imported(workspace, "order", path)
    return [text for one in result.rejections for texts in one.errors.values() for text in texts]


@pytest.mark.parametrize(
    ("amounts", "meant"),
    [
        (("1.234", "12,50", "1.234,5"), ("1234", "12.50", "1234.5")),
        (("1,234", "12.50", "1,234.5"), ("1234", "12.50", "1234.5")),
        (("1.234", "12.5", "7"), ("1.234", "12.5", "7")),
    ],
)
def test_the_decimal_mark_is_that_of_the_column(
    workspace: Workspace, tmp_path: Path, amounts: tuple[str, ...], meant: tuple[str, ...]
) -> None:
    assert orders(workspace, tmp_path, *((amount, "2026-01-02") for amount in amounts)) == []
    assert records(workspace, "order", "amount") == [(Decimal(amount),) for amount in meant]


def test_a_revised_plan_is_imported_by_its_key_with_shares_in_percent(
    workspace: Workspace, tmp_path: Path
) -> None:
    columns = {"kpi": "KPI", "period": "Month", "value": "Plan", "key": '=concat(KPI, "/", Month)'}
    mapping = file(tmp_path, "map.json", json.dumps({"columns": columns, "key": "key"}))
    for share, meant, counts in (("52,5 %", "0.525", (2, 0)), ("55%", "0.55", (0, 1))):
        plan = f"KPI;Month;Plan\nretention;2026-12;{share}\nrevenue;2026-12;15 000,50\n"
        done = imported(workspace, "kpi_target", file(tmp_path, "plan.csv", plan), mapping=mapping)
        assert (done.created, done.updated, done.rejected) == (*counts, 0), done.rejections
        assert records(workspace, "kpi_target", "value") == [(Decimal(meant),), (Decimal("15000.5"),)]


def test_a_plan_without_a_key_replaces_what_is_planned_for_the_same(
    workspace: Workspace, tmp_path: Path
) -> None:
    imported(workspace, "unit", file(tmp_path, "units.csv", "name\nNorth\nSouth\n"))

    def plan(*rows: str) -> tuple[int, int, dict[int, list[str]]]:
        text = "kpi;period;of_unit.name;value\n" + "\n".join(rows)
        done = imported(workspace, "kpi_target", file(tmp_path, "plan.csv", text))
        told = {one.row: [text for found in one.errors.values() for text in found] for one in done.rejections}
        return done.created, done.updated, told

    assert plan("orders;2026-12;;10", "orders;2026-12;North;4", "win_rate;2026-12;North;55 %") == (3, 0, {})
    created, updated, told = plan(
        "orders;2026-12;;12",
        "orders;2026-12;North;5",
        "orders;2026-12;South;7",
        "orders;2026-12;North;6",
        "moon;2026-12;;1",
        "orders;2026-Q9;;1",
        "orders;2026-11;West;1",
    )
    assert (created, updated, sorted(told)) == (1, 2, [4, 5, 6, 7])
    assert "2" in told[4][0] and "moon" in told[5][0] and "2026-Q9" in told[6][0] and "West" in told[7][0]
    values = records(workspace, "kpi_target", "key", "value")
    assert values == [
        ("orders/2026-12", 12),
        ("orders/2026-12/unit-1", 5),
        ("win_rate/2026-12/unit-1", Decimal("0.55")),
        ("orders/2026-12/unit-2", 7),
    ]
    with workspace.write() as session:
        Records(session, workspace.edition(session), SYSTEM).delete("kpi_target", 1)
    created, updated, told = plan("orders;2026-12;;13")
    assert (created, updated) == (0, 0) and "restore it" in told[1][0]


def test_rates_without_a_key_replace_those_of_the_day(workspace: Workspace, tmp_path: Path) -> None:
    for rate, counts in (("0,9", (2, 0)), ("0,8", (0, 1))):
        text = f"currency;since;rate\nUSD;2026-01-02;{rate}\nUSD;2026-01-03;0,7\n"
        done = imported(workspace, "exchange_rate", file(tmp_path, "rates.csv", text))
        assert (done.created, done.updated, done.rejected) == (*counts, 0), done.rejections
    assert records(workspace, "exchange_rate", "rate") == [(Decimal("0.8"),), (Decimal("0.7"),)]


def test_a_number_that_may_be_two_is_refused_with_both(workspace: Workspace, tmp_path: Path) -> None:
    reasons = orders(workspace, tmp_path, ("1,234", "2026-01-02"), ("5", "2026-01-02"))
    assert len(reasons) == 1 and "1234" in reasons[0] and "1.2340" in reasons[0]
    assert len(orders(workspace, tmp_path, ("1.234", "2026-01-02"), ("5", "2026-01-02"))) == 1


@pytest.mark.parametrize(("decimal", "amount"), [(",", Decimal(1234)), (".", Decimal("1.234"))])
def test_a_mapping_may_declare_what_the_cells_do_not_show(
    workspace: Workspace, tmp_path: Path, decimal: str, amount: Decimal
) -> None:
    imported(workspace, "customer", file(tmp_path, "c.csv", CUSTOMER))
    names = ("number", "customer", "ordered_at", "amount")
    declared = {"columns": {name: name for name in names}, "decimal": decimal, "dates": "month_first"}
    mapping = file(tmp_path, "m.json", json.dumps(declared))
    path = file(tmp_path, "o.csv", ";".join(names) + "\nN1;A;03/02/2026;1.234\n")
    assert imported(workspace, "order", path, mapping=mapping).rejections == []
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    assert records(workspace, "order", "ordered_at", "amount") == [(moment, amount)]
    with pytest.raises(MappingInvalid, match="dates"):
        imported(
            workspace, "order", path, mapping=file(tmp_path, "w.json", json.dumps({**declared, "dates": "y"}))
        )


def test_a_column_that_shows_nothing_follows_the_others(workspace: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "p.csv", "external_id;name;price;cost\n1;Chair;1.234;0,50\n")
    assert imported(workspace, "product", path).rejections == []
    assert records(workspace, "product", "price", "cost") == [(Decimal(1234), Decimal("0.5"))]


MARKS = [(".", ","), (",", "."), (",", " "), (".", "'"), (",", "")]


@given(
    st.lists(st.decimals(min_value=-(10**9), max_value=10**9, places=3), min_size=1, max_size=8),
    st.sampled_from(MARKS),
)
def test_a_column_in_one_form_is_read_right_or_refused(
    numbers: list[Decimal], marks: tuple[str, str]
) -> None:
    cells = [written(number, *marks) for number in numbers]
    column = Numbers(None, set())
    for cell in cells:
        column.see(cell)
    for number, cell in zip(numbers, cells, strict=True):
        with suppress(ValueInvalid):
            assert column.read(cell) == number
    declared = Numbers(marks[0], set())
    assert [declared.read(cell) for cell in cells] == numbers


@given(
    st.lists(st.dates(min_value=date(1000, 1, 1)), min_size=1, max_size=6),
    st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y"]),
)
def test_days_in_one_form_are_read_right_or_refused(days: list[date], form: str) -> None:
    cells = [day.strftime(form) for day in days]
    column = Days(None)
    for cell in cells:
        column.see(cell)
    for day, cell in zip(days, cells, strict=True):
        try:
            assert column.read(cell) == day
        except ValueInvalid:
            assert "/" in form


@pytest.mark.parametrize(
    ("days", "meant"),
    [
        (("03.02.2026", "3.2.2026 14:05"), (datetime(2026, 2, 3), datetime(2026, 2, 3, 14, 5))),
        (("03/02/2026", "25/02/2026 9:05:07"), (datetime(2026, 2, 3), datetime(2026, 2, 25, 9, 5, 7))),
        (("03/02/2026", "02/25/2026"), (datetime(2026, 3, 2), datetime(2026, 2, 25))),
        (("02/02/2026", "2026-02-25"), (datetime(2026, 2, 2), datetime(2026, 2, 25))),
    ],
)
def test_the_order_of_day_and_month_is_that_of_the_column(
    workspace: Workspace, tmp_path: Path, days: tuple[str, ...], meant: tuple[datetime, ...]
) -> None:
    assert orders(workspace, tmp_path, *(("1", day) for day in days)) == []
    assert records(workspace, "order", "ordered_at") == [(moment.replace(tzinfo=UTC),) for moment in meant]


def test_a_day_that_may_be_two_or_none_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    reasons = orders(workspace, tmp_path, ("1", "03/02/2026"), ("1", "31.02.2026"))
    assert "two days" in reasons[0] and "date" in reasons[1]
    assert records(workspace, "order", "amount") == []


def test_a_code_stays_as_it_is_where_its_column_fills_a_number_too(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = file(tmp_path, "p.csv", "Code;No\n1.234;1\n12,5;2\n")
    mapping = file(
        tmp_path, "m.json", '{"columns": {"external_id": "Code", "name": "Code", "price": "Code"}}'
    )
    assert imported(workspace, "product", path, mapping=mapping).rejected == 0
    assert records(workspace, "product", "name", "price") == [
        ("1.234", Decimal(1234)),
        ("12,5", Decimal("12.5")),
    ]
