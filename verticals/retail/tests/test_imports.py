"""Files of purchases become records by the mappings that retail brings."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from trellis.records.door import Records
from trellis.records.importer import ImportResult, run_import
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

ONLINE_RETAIL = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123a,WHITE HANGING HEART ,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536365,POST,POSTAGE,1,2010-12-01 08:26:00,18,17850.0,United Kingdom
C536379,85123A,WHITE HANGING HEART,-1,12/1/2010 9:41,2.55,17850.0,France
536544,22752,SET OF 7 BOXES,2,2010-12-01 14:32:00,7.65,,United Kingdom
536545,22752,damaged,-9,2010-12-01 14:35:00,0,,United Kingdom
"""
CDNOW = """ customer_id  date number_of_cds  dollar_value
 00001 19970101  1   11.77
 00002 19970112  1   12.00
 00002 19970112  5   77.00
"""


def imported(workspace: Workspace, entity: str, path: Path, mapping: str) -> ImportResult:
    return run_import(workspace, SYSTEM, entity, path, mapping=f"retail.{mapping}")


def rows(workspace: Workspace, entity: str, *names: str) -> list[tuple[Any, ...]]:
    with workspace.read() as session:
        page = Records(session, workspace.edition(session), SYSTEM).list(entity, sort=("id",), limit=500)
        return [tuple(one.titles.get(name, one.values.get(name)) for name in names) for one in page.items]


def test_online_retail_becomes_customers_products_receipts_and_lines(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "sample.csv"
    path.write_text(ONLINE_RETAIL)
    for _again in range(2):
        for entity, name in (
            ("customer", "customers"),
            ("product", "products"),
            ("order", "receipts"),
            ("order_line", "lines"),
        ):
            assert imported(workspace, entity, path, f"online_retail_{name}").rejected == 0
    assert rows(workspace, "customer", "external_id", "name", "country") == [
        ("17850", "Customer 17850", "United Kingdom")
    ]
    assert rows(workspace, "product", "code", "name", "price") == [
        ("85123A", "WHITE HANGING HEART", Decimal("2.55")),
        ("22752", "SET OF 7 BOXES", Decimal("7.65")),
    ]
    assert rows(workspace, "order", "number", "customer", "amount", "lines_count", "retail.is_return") == [
        ("536365", "Customer 17850", Decimal("33.30"), 2, None),
        ("C536379", "Customer 17850", Decimal("-2.55"), 1, True),
        ("536544", None, Decimal("15.30"), 1, None),
    ]
    assert [one[0] for one in rows(workspace, "order_line", "product")] == [
        "WHITE HANGING HEART",
        None,
        "WHITE HANGING HEART",
        "SET OF 7 BOXES",
    ]


def test_the_months_first_dates_of_the_whole_file_are_read_too(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_text(ONLINE_RETAIL)
    imported(workspace, "customer", path, "online_retail_customers")
    imported(workspace, "order", path, "online_retail_receipts")
    moments = [moment.isoformat() for (moment,) in rows(workspace, "order", "ordered_at")]
    assert moments[:2] == ["2010-12-01T08:26:00+00:00", "2010-12-01T09:41:00+00:00"]


def test_cdnow_becomes_customers_and_receipts(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "master.txt"
    path.write_bytes(CDNOW.replace("\n", "\r\n").encode())
    assert imported(workspace, "customer", path, "cdnow_customers").created == 2
    assert imported(workspace, "order", path, "cdnow_receipts").created == 3
    assert rows(workspace, "order", "customer", "amount", "retail.units", "currency") == [
        ("Customer 00001", Decimal("11.77"), 1, "USD"),
        ("Customer 00002", Decimal("12.00"), 1, "USD"),
        ("Customer 00002", Decimal("77.00"), 5, "USD"),
    ]
    assert imported(workspace, "order", path, "cdnow_receipts").created == 0
