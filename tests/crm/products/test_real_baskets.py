"""On real invoices, pairs and the customers behind them are those that pandas finds in the same file."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from measured import Book
from trellis.crm.analytics.cross_sell import cross_sell, rule_without
from trellis.crm.analytics.window import Window
from trellis.crm.customers.entities import Customer
from trellis.crm.products.entities import Product
from trellis.crm.sales.entities import Order, OrderLine
from trellis.kpi.periods import parse
from trellis.records.bulk import insert_rows

ONLINE = (
    Path(__file__).resolve().parents[4]
    / "shared"
    / "data"
    / "online_retail_sample"
    / "OnlineRetail_sample.csv"
)
STAMP = {"created_at": datetime(2020, 1, 1, tzinfo=UTC), "updated_at": datetime(2020, 1, 1, tzinfo=UTC)}

pytestmark = pytest.mark.slow


def load(book: Book, lines: pd.DataFrame) -> dict[str, int]:
    """Writes the lines straight into the tables, as no one else should; the ids of the products by their code."""
    known = {
        name: {one: number for number, one in enumerate(sorted(set(lines[name])), 1)}
        for name in ("CustomerID", "StockCode", "InvoiceNo")
    }
    common = {**STAMP, "version": 1, "extra": {}}
    people = [{"id": n, "name": one, "kind": "person"} for one, n in known["CustomerID"].items()]
    goods = [{"id": n, "name": one, "active": True} for one, n in known["StockCode"].items()]
    invoices = lines.groupby("InvoiceNo").agg(at=("at", "min"), customer=("CustomerID", "first"))
    orders = [
        {
            "id": known["InvoiceNo"][number],
            "number": str(number),
            "customer_id": known["CustomerID"][row.customer],
            "ordered_at": row.at.replace(tzinfo=UTC),
            "amount": Decimal(1),
        }
        for number, row in zip(invoices.index, invoices.itertuples(), strict=True)
    ]
    rows = [
        {
            "order_id": known["InvoiceNo"][row.InvoiceNo],
            "product_id": known["StockCode"][row.StockCode],
            "quantity": Decimal(row.Quantity),
            "price": Decimal(row.UnitPrice),
        }
        for row in lines.itertuples()
    ]
    for entity, values in ((Customer, people), (Product, goods), (Order, orders), (OrderLine, rows)):
        for start in range(0, len(values), 10_000):
            insert_rows(book.session, entity.__table__, common, values[start : start + 10_000])
    return known["StockCode"]


def test_pairs_of_real_invoices_are_those_of_pandas(book: Book) -> None:
    if not ONLINE.is_file():
        pytest.skip(f"{ONLINE} is not there")
    lines = pd.read_csv(ONLINE, dtype=str, encoding_errors="replace").dropna(subset=["CustomerID"])
    lines["at"] = pd.to_datetime(lines["InvoiceDate"], format="mixed")
    ids = load(book, lines)
    bought = lines[(lines["at"].dt.year == 2011) & (lines["Quantity"].astype(int) > 0)]
    held = bought.drop_duplicates(["CustomerID", "StockCode"]).groupby("StockCode")["CustomerID"].agg(set)
    counts = sorted(((-len(people), ids[code], code) for code, people in held.items()))[:12]
    year = Window.of(parse("2011"))
    found = cross_sell(book.session, book.edition, book.actor, year, "products")
    whole = bought["CustomerID"].nunique()
    assert found.baskets == whole
    assert [(one.id, one.baskets) for one in found.items] == [
        (number, -count) for count, number, _c in counts
    ]
    for _count, first, one in counts:
        for _other, second, other in counts:
            if one == other:
                continue
            pair, both = found.pairs[first, second], len(held[one] & held[other])
            assert pair.both == both
            assert pair.lift == pytest.approx(both * whole / (len(held[one]) * len(held[other])))
    best = max(found.pairs.values(), key=lambda one: one.both)
    rule = rule_without(found, best.first.id, best.second.id)
    assert book.records.count("customer", rule=rule) == best.without
