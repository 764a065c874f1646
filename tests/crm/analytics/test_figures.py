"""Figures on customers: some follow each write, some are refreshed, all say the same as the records."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from measured import Book
from trellis.contributions import FieldRight, Grant, Scope
from trellis.crm.analytics.figures import refresh_customer_value
from trellis.crm.analytics.reasons import reasons
from trellis.security.actor import Actor
from trellis.security.field_rights import FieldRule

AS_OF = date(2026, 12, 31)


def figures(book: Book, customer: int, *names: str) -> list[Any]:
    values = book.records.get("customer", customer).values
    return [values[name] for name in names]


def test_a_purchase_is_on_the_customer_at_once(book: Book) -> None:
    anna = book.customer()
    names = ("orders_count", "first_order_at", "last_order_at")
    assert figures(book, anna, *names) == [None, None, None]
    first = book.order(anna, "2026-03-05", "10")
    book.order(anna, "2026-04-05", "20")
    book.order(anna, "2026-04-06", "-5")
    assert figures(book, anna, *names) == [2, date(2026, 3, 5), date(2026, 4, 5)]
    book.records.delete("order", first)
    assert figures(book, anna, *names) == [1, date(2026, 4, 5), date(2026, 4, 5)]


def test_figures_of_twelve_months_end_today(book: Book) -> None:
    anna, boris = book.customers(2)
    book.order(anna, "2025-12-31", "7", cost="1")
    book.order(anna, "2026-01-01", "10", cost="4")
    book.order(anna, "2026-06-01", "20", cost="5")
    book.order(anna, "2026-06-01", "99", currency="USD")
    book.order(boris, "2026-06-01", "20")
    refresh_customer_value(book.session, book.edition, AS_OF)
    assert figures(book, anna, "revenue_12m", "margin_12m", "orders_count") == [30, 21, 4]
    assert figures(book, boris, "revenue_12m", "margin_12m") == [20, None]
    refresh_customer_value(book.session, book.edition, date(2028, 1, 1))
    assert figures(book, anna, "revenue_12m", "margin_12m", "orders_count") == [0, 0, 4]


def test_a_refresh_gives_tier_and_scores(book: Book) -> None:
    best, inactive, prospect = book.customers(3)
    book.order(best, "2026-06-01", "20")
    book.order(inactive, "2024-06-01", "20")
    refresh_customer_value(book.session, book.edition, AS_OF)
    names = ("tier", "rfm_r", "rfm_f", "rfm_m", "rfm_code")
    assert figures(book, best, *names) == ["top", 5, 5, 5, "555"]
    assert figures(book, inactive, *names) == ["inactive", None, None, None, None]
    assert figures(book, prospect, *names) == ["prospect", None, None, None, None]


def test_tier_and_code_say_why_they_are_what_they_are(book: Book) -> None:
    best, inactive, prospect = book.customers(3)
    days = [date.today() - timedelta(days=gone) for gone in (800, 9, 4)]
    for customer, day, amount in ((inactive, days[0], "7"), (best, days[1], "20"), (best, days[2], "30")):
        book.order(customer, day.isoformat(), amount, cost="5")
    refresh_customer_value(book.session, book.edition, date.today())
    tier, code, *_classes = reasons(book.records, best)["classes"]
    assert tier.startswith("Top: revenue of 12 months €50.00, margin €40.00;")
    assert code.startswith("RFM 555: days since the last purchase: 4, days with a purchase: 2, ")
    assert reasons(book.records, inactive)["classes"] == ["Inactive: bought before, and nothing in 12 months"]
    assert reasons(book.records, prospect)["classes"] == ["Prospect: nothing was bought yet"]
    book.order(prospect, days[2].isoformat())
    assert "what was bought since is counted next time" in reasons(book.records, prospect)["classes"][0]
    hidden = FieldRule("order", "amount", FieldRight.NONE)
    grants = {"*": Grant("*", read=Scope.ALL)}
    limited = book.seen_by(Actor(user_id=1, grants=grants, fields=frozenset({hidden})))
    assert not any("RFM" in one for one in reasons(limited.records, best)["classes"])


def test_a_refresh_writes_only_what_changed(book: Book) -> None:
    anna, boris = book.customers(2)
    book.order(anna, "2026-06-01", "20")
    book.order(boris, "2026-06-02", "10")
    assert refresh_customer_value(book.session, book.edition, AS_OF) > 0
    assert refresh_customer_value(book.session, book.edition, AS_OF) == 0
    version = book.records.get("customer", anna).version
    book.order(boris, "2026-06-03", "100")
    assert (
        refresh_customer_value(book.session, book.edition, AS_OF) == 6
    )  # both stand, are classed and weigh anew
    assert figures(book, boris, "tier") == ["top"]
    assert book.records.get("customer", anna).version == version  # nobody's open form is made stale


def test_who_moves_to_another_customer_takes_figures_along(book: Book) -> None:
    anna, boris = book.customers(2)
    order = book.order(anna, "2026-06-01", "20")
    book.records.update("order", order, {"customer": boris})
    assert figures(book, anna, "orders_count", "first_order_at") == [None, None]
    assert figures(book, boris, "orders_count") == [1]


def test_a_refresh_gives_classes_with_what_decided_them(book: Book) -> None:
    best, small, inactive = book.customers(3)
    for month in range(1, 13):
        book.order(best, f"2026-{month:02}-10", "90")
    book.order(small, "2026-01-10", "120")
    book.order(inactive, "2024-06-01", "20")
    refresh_customer_value(book.session, book.edition, AS_OF)
    names = ("abc", "abc_before", "xyz", "xyz_variation")
    assert figures(book, best, *names) == ["A", 0, "X", 0]
    assert figures(book, small, *names) == ["B", Decimal("0.9"), "Z", Decimal("3.3166")]
    assert figures(book, inactive, *names) == [None, None, None, None]
    refresh_customer_value(book.session, book.edition, date(2029, 12, 31))
    assert figures(book, best, *names) == [None, None, None, None]
