"""The lifecycle of products: the trend proposes a stage, a person confirms it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from measured import Book
from trellis.contributions import Grant, Scope
from trellis.crm.analytics.product_figures import refresh
from trellis.crm.analytics.product_life import product_life
from trellis.crm.products import life
from trellis.errors import PermissionRefused
from trellis.security.actor import SYSTEM, Actor

TODAY = date(2026, 6, 30)
LAST, BEFORE = date(2026, 3, 1), date(2025, 3, 1)
PETRA = replace(SYSTEM, name="Petra", source="web")


def sold(book: Book, product: int, day: date, amount: Any) -> None:
    order = book.order(None, day.isoformat(), amount)
    book.records.create("order_line", {"order": order, "product": product, "quantity": 1, "price": amount})


def product(book: Book, name: str, *sales: tuple[date, Any], **values: Any) -> int:
    made = book.records.create("product", {"name": name, **values}).id
    for day, amount in sales:
        sold(book, made, day, amount)
    return made


def proposed(book: Book, number: int) -> tuple[Any, Any]:
    values = book.records.get("product", number).values
    trend = values["sales_trend"]
    return values["proposed_stage"], None if trend is None else float(trend)


def test_the_trend_of_two_years_proposes_a_stage(book: Book) -> None:
    """Each threshold on its edge: 110 after 100 grows, 90 after 100 declines, in between is mature."""
    old = (date(2024, 1, 5), 50)
    cases = {
        "growth": product(book, "Tea", old, (BEFORE, 100), (LAST, 110)),
        "maturity": product(book, "Milk", old, (BEFORE, 100), (LAST, "109.99")),
        "decline": product(book, "Rye", old, (BEFORE, 100), (LAST, 90)),
        "introduction": product(book, "Oat", (TODAY - timedelta(days=300), 5), (LAST, 500)),
        "withdrawn": product(book, "Ink", (BEFORE, 100)),
    }
    gone = product(book, "Fax", (BEFORE, 100), (LAST, 100), active=False)
    back = product(book, "Wax", old, (LAST, 10))
    never = product(book, "Idea")
    refresh(book.session, book.edition, TODAY)
    found = {name: proposed(book, one) for name, one in cases.items()}
    assert found == {
        "growth": ("growth", 0.1),
        "maturity": ("maturity", 0.0999),
        "decline": ("decline", -0.1),
        "introduction": ("introduction", None),
        "withdrawn": ("withdrawn", -1.0),
    }
    others = [proposed(book, one) for one in (gone, back, never)]
    assert others == [("withdrawn", 0.0), ("growth", None), (None, None)]
    assert refresh(book.session, book.edition, TODAY) == 0
    steeper = book.assuming("product_lifecycle", growth_from="0.2", decline_from="0.3")
    refresh(steeper.session, steeper.edition, TODAY)
    assert [proposed(book, cases[name])[0] for name in ("growth", "decline")] == ["maturity", "maturity"]


def test_a_person_confirms_what_is_proposed(book: Book) -> None:
    tea = product(book, "Tea", (date(2024, 1, 5), 1), (BEFORE, 100), (LAST, 150))
    ink = product(book, "Ink", (BEFORE, 100), life_stage="withdrawn")
    refresh(book.session, book.edition, TODAY)
    found = product_life(book.session, book.edition, book.actor, TODAY)
    assert [(one.id, one.stage, one.proposed) for one in found.proposals] == [(tea, None, "growth")]
    assert (found.groups[None].sales, found.groups[None].proposed, found.products) == (150, 1, 2)
    petra = book.seen_by(PETRA)
    petra_door = petra.records
    assert life.confirm(petra_door, []) == 0
    reader = Actor(grants={"product": Grant("product", read=Scope.ALL)})
    with pytest.raises(PermissionRefused):
        life.confirm(book.seen_by(reader).records, [tea])
    assert life.confirm(petra_door, [tea, ink]) == 1
    kept = book.records.get("product", tea).values
    assert kept["life_stage"] == "growth" and kept["stage_since"] is not None
    assert product_life(book.session, book.edition, book.actor, TODAY).proposals == []
    with pytest.raises(PermissionRefused):
        product_life(book.session, book.edition, reader, TODAY)
