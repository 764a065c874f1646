"""Each figure leads to a list of exactly its records, also by row of a breakdown; order lines know category and channel."""

from __future__ import annotations

from typing import Any

import pytest
from measured import Book
from trellis.contributions import Kpi
from trellis.errors import RuleInvalid
from trellis.kpi.behind import drill_rule, records
from trellis.kpi.periods import parse
from trellis.kpi.splits import split_names, split_of
from trellis.records.query import ListQuery
from trellis.records.rules import describe
from trellis.records.rules import parse as parse_rule

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
        book.records.create("opportunity", values | {"outcome": outcome, "lost_reason": "Price"})
    for state in ("new", "cancelled"):
        case = {"subject": state, "state": state, "opened_at": "2026-01-12T10:00:00Z"}
        book.records.create("case", case | {"resolved_at": "2026-01-13T10:00:00Z"})
    return book


def listed(book: Book, entity: str, rule: Any) -> set[int]:
    query = ListQuery(book.edition.entity(entity), book.edition, book.actor, rule=rule, limit=500)
    return {record.id for record in query.page(book.session).items}


def test_a_list_has_exactly_the_records_of_its_figure(sold: Book) -> None:
    seen, named = 0, set()
    for name, kpi in sold.edition.all(Kpi).items():
        rule = drill_rule(sold.edition, kpi, MONTH)
        behind = records(sold.edition, sold.actor, name, MONTH)
        assert rule is not None and behind is not None, name
        named |= {name} if "kpi" in rule else set()
        entity, ids = behind
        assert set(sold.session.scalars(ids)) == listed(sold, entity, rule), name
        for by in split_names(sold.edition, kpi):
            for share in sold.kpi(name, "2026-01", by).breakdown:
                rule = drill_rule(sold.edition, kpi, MONTH, split_of(sold.edition, kpi, by), share.key)
                behind = records(sold.edition, sold.actor, name, MONTH, by, share.key)
                assert rule is not None and behind is not None
                found = set(sold.session.scalars(behind[1]))
                assert found == listed(sold, entity, rule), (name, by, share.key)
                seen += 1
    assert seen > 20
    assert named > {"active_customers", "repeat_rate", "retention", "open_opportunities"}


def test_a_list_of_a_figure_of_income_is_what_the_figure_counts(sold: Book) -> None:
    rule = {"kpi": "active_customers", "period": "2026-01"}
    assert len(listed(sold, "customer", rule)) == sold.value("active_customers", "2026-01") == 1
    assert not listed(sold, "customer", {"not": rule})
    assert len(listed(sold, "customer", {**rule, "by": "unit", "key": None})) == 1
    assert not listed(sold, "customer", {**rule, "period": "2025-12"})
    view = sold.edition.entity("customer")
    said = describe(parse_rule(rule, view, sold.edition, listed=True), sold.edition)
    assert said == "counted in “Active customers, January 2026”"
    for wrong in (
        {**rule, "kpi": "nothing"},
        {**rule, "kpi": "revenue"},
        {**rule, "period": "soon"},
        {**rule, "by": "unit"},
        {**rule, "by": "unit", "key": "north"},
        {**rule, "by": "unit", "key": 2**70},
        {**rule, "by": "colour", "key": None},
        {**rule, "value": 1},
        {"kpi": 5, "period": "2026-01"},
    ):
        with pytest.raises(RuleInvalid):
            listed(sold, "customer", wrong)
    with pytest.raises(RuleInvalid, match="no other rule"):
        parse_rule(rule, view, sold.edition)  # a segment, a condition of a field ...


def test_sales_of_products_are_split_by_category_channel_and_unit(sold: Book) -> None:
    assert sold.value("product_sales", "2026-01") == 80
    assert sold.value("products_sold", "2026-01") == 8
    assert sold.breakdown("product_sales", "2026-01", "category") == {"Linen": 20, "Oak": 20, "Not set": 40}
    assert sold.breakdown("product_sales", "2026-01", "channel") == {"Website": 40, "shop": 40}
    assert sold.breakdown("product_sales", "2026-01", "unit") == {"North": 40, "Not set": 40}
    assert sold.value("orders", "2026-01") == 3
