"""Significance: weights, norms, terms that are missing, classes, and for whom it is shown."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from measured import Book
from trellis.contributions import FieldRight, Grant, Scope
from trellis.crm.analytics.figures import refresh_customer_value
from trellis.crm.analytics.significance import ASSUMPTIONS, significance, significant_customers
from trellis.crm.customers.entities import Customer
from trellis.errors import PermissionRefused, RecordInvalid
from trellis.records.door import Write
from trellis.security.actor import Actor
from trellis.security.field_rights import FieldRule

AS_OF = date(2026, 12, 31)
NOTHING = dict.fromkeys(("rfm_r", "rfm_f", "rfm_m", "revenue_12m", "margin_12m", "first_order_at"), 0)


def computed(book: Book, **weights: Any) -> dict[int, Any]:
    """Scores by customer, of an organisation that weighs nothing but these."""
    weighing = book.assuming("significance", **{**NOTHING, **weights}) if weights else book
    refresh_customer_value(weighing.session, weighing.edition, AS_OF)
    lines = significant_customers(weighing.session, weighing.edition, weighing.actor)
    return {one.id: one.to_json() for one in lines}


def test_terms_are_weighed_and_missing_ones_dropped(book: Book) -> None:
    rich, poor, unknown, prospect = book.customers(4)
    book.order(rich, "2026-01-01", "300", cost="100")
    book.order(poor, "2026-01-01", "100", cost="90")
    book.order(unknown, "2026-01-01", "200")
    found = computed(book, revenue_12m=1, margin_12m=3)
    assert found[rich] == {
        "id": rich,
        "external_id": None,
        "name": "Customer 0",
        "score": 100.0,
        "class": "key",
        "terms": {"revenue_12m": 100.0, "margin_12m": 100.0},
    }
    assert (found[poor]["score"], found[poor]["class"]) == (0.0, "minor")
    assert (found[unknown]["score"], found[unknown]["terms"]["margin_12m"]) == (50.0, None)
    assert prospect not in found
    answer = significance(book.session, book.edition, book.actor)
    assert (answer.customers, answer.without) == (3, 1)


def test_weights_are_parts_of_their_sum(book: Book) -> None:
    customers = book.customers(6)
    for place, customer in enumerate(customers):
        book.order(customer, "2026-01-01", 10 + place)
    fourth = computed(book, revenue_12m=60, rfm_m=20)[customers[3]]
    assert fourth["terms"] == {"revenue_12m": 60.0, "rfm_m": 75.0}
    assert fourth["score"] == (60 * 60 + 20 * 75) / 80


def test_norms_agree_with_pandas(book: Book) -> None:
    dice = random.Random(7)
    ids = book.customers(60)
    rows = [
        {
            "number": "R",
            "customer": one,
            "ordered_at": f"2026-0{dice.randint(1, 9)}-11",
            "amount": dice.choice((5, 9, 40, 700)),
        }
        for one in ids
        for _ in range(dice.randint(0, 4))
    ]
    book.records.save("order", [Write(values=row) for row in rows])
    by_rank = computed(book, revenue_12m=3, first_order_at=1)
    query = sa.select(Customer.id, Customer.revenue_12m, Customer.first_order_at)
    frame = pd.DataFrame(book.session.execute(query).all(), columns=["id", "revenue", "first"]).set_index(
        "id"
    )
    frame = frame.dropna()
    frame["tenure"] = [(AS_OF - one).days for one in frame["first"]]
    figures = {"revenue": frame["revenue"].astype(float), "tenure": frame["tenure"].astype(float)}
    ranks = {name: (one.rank() - 1) / (len(frame) - 1) * 100 for name, one in figures.items()}
    expected = ((3 * ranks["revenue"] + ranks["tenure"]) / 4).round(4)
    assert {one: row["score"] for one, row in by_rank.items()} == pytest.approx(expected.to_dict(), abs=2e-4)
    by_range = computed(book, revenue_12m=3, first_order_at=1, norm="range")
    ranges = {}
    for name, one in figures.items():
        ordered = sorted(one)
        low, high = ordered[-(-len(one) // 100) - 1], ordered[-(-len(one) * 99 // 100) - 1]
        ranges[name] = (one.clip(low, high) - low) / (high - low) * 100
    expected = (3 * ranges["revenue"] + ranges["tenure"]) / 4
    assert {one: row["score"] for one, row in by_range.items()} == pytest.approx(expected.to_dict(), abs=2e-4)


def test_one_customer_and_equal_ones_have_nothing_to_be_told_apart_by(book: Book) -> None:
    alone = book.customer()
    book.order(alone, "2026-01-01", "10")
    assert computed(book, revenue_12m=1) == {}
    assert computed(book, revenue_12m=1, rfm_m=1)[alone]["score"] == 100.0
    other = book.customer()
    book.order(other, "2026-01-01", "10")
    assert {row["score"] for row in computed(book, revenue_12m=1).values()} == {50.0}
    assert computed(book, revenue_12m=1, norm="range") == {}


def test_numbers_of_the_organisation_can_be_weighed(book: Book) -> None:
    fields = {one.name for one in ASSUMPTIONS.declared(book.edition)}
    assert {"rfm_r", "norm", "key"} <= fields
    for bad, field in (
        (NOTHING, "rfm_r"),
        ({"key": 20}, "key"),
        ({"rfm_f": 101}, "rfm_f"),
        ({"norm": "guess"}, "norm"),
        ({"rfm_f": None}, "rfm_f"),
    ):
        with pytest.raises(RecordInvalid) as caught:
            ASSUMPTIONS.checked(book.edition, bad)
        assert list(caught.value.errors) == [field]


def test_a_reader_sees_the_own_customers_and_no_hidden_terms(book: Book) -> None:
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    mine, other = book.customer(owner=boris), book.customer()
    for customer, amount in ((mine, "10"), (other, "20")):
        book.order(customer, "2026-03-01", amount)
    computed(book)
    grants = {"customer": Grant("customer", read=Scope.OWN)}
    hidden = frozenset({FieldRule("customer", "margin_12m", FieldRight.NONE)})
    agent = Actor(user_id=boris, grants=grants, fields=hidden)
    lines = list(significant_customers(book.session, book.edition, agent))
    assert [one.id for one in lines] == [mine]
    assert "margin_12m" not in lines[0].terms
    assert significance(book.session, book.edition, agent).customers == 1
    blind = Actor(
        user_id=boris,
        grants=grants,
        fields=frozenset({FieldRule("customer", "significance", FieldRight.NONE)}),
    )
    with pytest.raises(PermissionRefused):
        significance(book.session, book.edition, blind)
