"""Each figure leads to a list of exactly its records, also by row of a breakdown; order lines know category and channel."""

from __future__ import annotations

from typing import Any

import pytest
from measured import Book
from trellis.contributions import Kpi
from trellis.kpi import engine
from trellis.kpi.periods import parse
from trellis.kpi.splits import split_names, split_of
from trellis.records.query import ListQuery

MONTH = parse("2026-01")


@pytest.fixture
def sold(book: Book) -> Book:
    """Orders with lines and returns, deals and leads of January, and some that lie elsewhere."""
    north = book.records.create("unit", {"name": "North"}).id
    linen, oak = (book.records.create("category", {"name": name}).id for name in ("Linen", "Oak"))
    products = [
        book.records.create("product", {"name": name, "category": category}).id
        for name, category in (("Sheet", linen), ("Table", oak), ("Gift", None))
    ]
    anna = book.customer()
    for day, channel, unit in (
        ("2026-01-05", "web", north),
        ("2026-01-31T23:59:59", "shop", None),
        ("2026-02-01", "web", north),
    ):
        order = book.order(anna, day, None, channel=channel, unit=unit)
        for product, quantity in (
            (products[0], 2),
            (products[1], 1),
            (products[2], 1),
            (None, 1),
            (products[0], -1),
        ):
            line = {"order": order, "product": product, "quantity": quantity, "price": "10"}
            book.records.create("order_line", line)
    book.order(anna, "2026-01-07", "-5")
    book.order(anna, "2026-01-08", None)
    for outcome in ("won", "lost", "open"):
        values = {
            "name": outcome,
            "amount": 5,
            "expected_close": "2026-01-09",
            "closed_at": "2026-01-10T00:00:00Z",
        }
        book.records.create("opportunity", values | {"outcome": outcome})
    return book


def listed(book: Book, entity: str, rule: Any) -> set[int]:
    query = ListQuery(book.edition.entity(entity), book.edition, book.actor, rule=rule, limit=500)
    return {record.id for record in query.page(book.session).items}


def test_a_list_has_exactly_the_records_of_its_figure(sold: Book) -> None:
    seen = 0
    for name, kpi in sold.edition.all(Kpi).items():
        rule = engine.drill_rule(sold.edition, kpi, MONTH)
        behind = engine.records(sold.edition, sold.actor, name, MONTH)
        if rule is None or behind is None:
            continue
        entity, ids = behind
        assert set(sold.session.scalars(ids)) == listed(sold, entity, rule), name
        for by in split_names(sold.edition, kpi):
            for share in sold.kpi(name, "2026-01", by).breakdown:
                rule = engine.drill_rule(sold.edition, kpi, MONTH, split_of(sold.edition, kpi, by), share.key)
                if rule is not None:
                    behind = engine.records(sold.edition, sold.actor, name, MONTH, by, share.key)
                    assert behind is not None
                    assert set(sold.session.scalars(behind[1])) == listed(sold, entity, rule), (
                        name,
                        by,
                        share.key,
                    )
                    seen += 1
    assert seen > 20


def test_sales_of_products_are_split_by_category_channel_and_unit(sold: Book) -> None:
    assert sold.value("product_sales", "2026-01") == 80
    assert sold.value("products_sold", "2026-01") == 8
    assert sold.breakdown("product_sales", "2026-01", "category") == {"Linen": 20, "Oak": 20, "Not set": 40}
    assert sold.breakdown("product_sales", "2026-01", "channel") == {"web": 40, "shop": 40}
    assert sold.breakdown("product_sales", "2026-01", "unit") == {"North": 40, "Not set": 40}
    assert sold.value("orders", "2026-01") == 3
