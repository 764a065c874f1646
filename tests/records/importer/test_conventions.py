"""Numbers and days of a file are read as its columns write them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from importing import file, imported, records
from trellis.workspace import Workspace

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


def test_a_number_that_may_be_two_is_refused_with_both(workspace: Workspace, tmp_path: Path) -> None:
    reasons = orders(workspace, tmp_path, ("1,234", "2026-01-02"), ("5", "2026-01-02"))
    assert len(reasons) == 1 and "1234" in reasons[0] and "1.234" in reasons[0]


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
