"""Amounts in other currencies count at the rate of their day, those without one are left out and named; the rollup agrees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured import Book
from trellis.contributions import Kpi
from trellis.crm.analytics import refreshing
from trellis.errors import RecordInvalid
from trellis.kpi import engine
from trellis.kpi.periods import parse
from trellis.workspace import Workspace


def rated(book: Book, workspace: Workspace, *given_: tuple[str, str, str]) -> Book:
    """The book in the edition that knows these rates: (currency, since, rate)."""
    for currency, since, rate in given_:
        book.records.create("exchange_rate", {"currency": currency, "since": since, "rate": rate})
    return Book(book.session, workspace.edition(book.session), book.actor)


def test_amounts_count_at_the_rate_of_their_day(book: Book, workspace: Workspace) -> None:
    assert book.edition.settings.rated == ()
    book = rated(book, workspace, ("USD", "2026-02-01", "0.9"), ("USD", "2026-02-15", "0.8"))
    assert book.edition.settings.rated == ("USD",)
    anna = book.customer()
    book.order(anna, "2026-02-10", "10", currency="EUR", cost="1")
    book.order(anna, "2026-02-14T23:59", "10", currency="USD", cost="5")
    book.order(anna, "2026-02-15", "10", currency="USD")
    book.order(anna, "2026-01-31", "10", currency="USD")
    book.order(anna, "2026-02-16", "10", currency="CHF")
    result = book.kpi("revenue", "2026-02")
    assert (result.value, result.foreign) == (Decimal(27), 1)
    assert book.kpi("revenue", "2026-01").foreign == 1  # before the first rate
    assert book.value("margin", "2026-02") == Decimal("13.5")
    missing = engine.without_rate(book.session, book.edition, book.actor, "revenue", parse("2026-02"))
    assert missing == {"CHF": 1}
    assert book.kpi("revenue", "2026-02").to_json()["other_currencies"] == 1
    rollup = book.rollup()
    assert {(row[0].isoformat(), row[3]): row[4] for row in rollup} == {
        ("2026-01-31", "USD"): 10,
        ("2026-02-10", "EUR"): 10,
        ("2026-02-14", "EUR"): 9,
        ("2026-02-15", "EUR"): 8,
        ("2026-02-16", "CHF"): 10,
    }
    assert rollup == book.rebuilt()


@pytest.mark.parametrize("zone", ["Europe/Prague", "America/New_York"])
def test_the_board_converts_where_clocks_are_changed(book: Book, workspace: Workspace, zone: str) -> None:
    """SQLite writes the days out by the changes of the hour until 2100, and its parser goes a hundred deep only."""
    book = rated(book, workspace, ("USD", "2026-01-01", "0.5"))
    moved = replace(book.edition.settings, timezone=zone)
    book = replace(book, edition=replace(book.edition, settings=moved, _cache={}))
    book.order(book.customer(), "2026-02-10T12:00", "10", currency="USD")
    names = list(book.edition.all(Kpi))
    who = book.session, book.edition, book.actor
    board = engine.strip(*who, names, parse("2026-02"), points=13, today=date(2026, 2, 20), ahead=True)
    assert {one.kpi.name: one.value for one in board}["revenue"] == 5
    for by in ("unit", "person", "channel", "segment"):
        parts = engine.parts(*who, "revenue", parse("2026-02").until(13), by, date(2026, 2, 20))
        assert [one.points[-1].value for one in parts] == ([5] if by != "segment" else []), by
    assert book.rollup() == book.rebuilt() and book.rollup()[0][4] == 5


def test_a_day_with_one_unknown_cost_has_none_also_over_currencies(book: Book, workspace: Workspace) -> None:
    book = rated(book, workspace, ("USD", "2026-01-01", "0.5"))
    anna = book.customer()
    book.order(anna, "2026-02-10", "10", cost="1")
    book.order(anna, "2026-02-10", "-4", currency="USD", cost="2")
    assert [row[4:7] for row in book.rollup()] == [(8, 2, 1)]
    book.order(anna, "2026-02-10", "1", currency="USD")
    assert [row[4:7] for row in book.rollup()] == [(Decimal("8.5"), None, 2)]
    assert book.rollup() == book.rebuilt()


def test_a_rate_that_came_and_went_between_two_refreshes_leaves_nothing(
    book: Book, workspace: Workspace
) -> None:
    refreshing.refresh(book.session, book.edition)
    rate = book.records.create("exchange_rate", {"currency": "USD", "since": "2026-01-01", "rate": "0.5"}).id
    book = Book(book.session, workspace.edition(book.session))
    book.order(book.customer(), "2026-02-10", "10", currency="USD")
    assert book.rollup()[0][4] == 5
    book.records.delete("exchange_rate", rate)
    book = Book(book.session, workspace.edition(book.session))
    refreshing.refresh(book.session, book.edition)
    assert book.rollup()[0][3:5] == ("USD", 10) and book.rollup() == book.rebuilt()


def test_a_currency_has_one_rate_from_a_day_on(book: Book) -> None:
    values = {"currency": "USD", "since": "2026-01-01", "rate": "0.5"}
    rate = book.records.create("exchange_rate", values).id
    book.records.update("exchange_rate", rate, {"rate": "0.6"})
    with pytest.raises(RecordInvalid, match="change that one"):
        book.records.create("exchange_rate", values)
    book.records.delete("exchange_rate", rate)
    with pytest.raises(RecordInvalid, match="bring it back") as refused:
        book.records.create("exchange_rate", values)
    assert list(refused.value.errors) == ["since"]


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"currency": "XX1", "since": "2026-01-01", "rate": "1"}, "currency"),
        ({"currency": "EUR", "since": "2026-01-01", "rate": "1"}, "currency"),
        ({"currency": "USD", "since": "2026-01-01", "rate": "0"}, "rate"),
        ({"currency": "USD", "since": "2026-01-01", "rate": "-1"}, "rate"),
        ({"currency": "USD", "since": "2026-01-01", "rate": "1", "units": 0}, "units"),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused(book: Book, values: dict[str, Any], part: str) -> None:
    with pytest.raises(RecordInvalid) as refused:
        book.records.create("exchange_rate", values)
    assert part in refused.value.errors


_acts = st.lists(
    st.tuples(
        st.sampled_from(["order", "correct", "move", "bin", "back"]),
        st.integers(0, 3),
        st.sampled_from(["EUR", "USD", "JPY", "CHF", None]),
        st.integers(-50, 200),
        st.integers(1, 4),
        st.booleans(),
    ),
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(_acts)
def test_whatever_is_sold_corrected_and_refunded_the_rollup_is_what_a_rebuild_makes(
    workspace: Workspace, acts: list[Any]
) -> None:
    with workspace.write() as session, session.begin_nested() as inner:
        book = Book(session, workspace.edition(session))
        for currency, since, rate, units in (
            ("USD", "2026-01-02", "0.9", 1),
            ("JPY", "2026-01-01", "0.61", 100),
        ):
            values = {"currency": currency, "since": since, "rate": rate, "units": units}
            book.records.create("exchange_rate", values)
        book = Book(session, workspace.edition(session))
        _sell(book, acts)
        assert book.rollup() == book.rebuilt()
        inner.rollback()


def _sell(book: Book, acts: list[Any]) -> None:
    """Orders, corrections, moves to another customer and day, the bin and back."""
    buyers, known, binned = book.customers(2), list[int](), list[int]()
    for act, which, currency, amount, day, with_cost in acts:
        values = {"amount": amount, "currency": currency, "cost": amount / 2 if with_cost else None}
        if act == "order" or not known:
            known.append(book.order(buyers[which % 2], f"2026-01-0{day}", **values))
            continue
        one = known[which % len(known)]
        if act == "back" and binned:
            book.records.restore("order", binned.pop())
        elif one in binned:
            continue
        elif act == "correct":
            book.records.update("order", one, values)
        elif act == "move":
            moved = {"customer": buyers[which % 2], "ordered_at": f"2026-01-0{day}T05:00:00Z"}
            book.records.update("order", one, moved)
        elif act == "bin":
            book.records.delete("order", one)
            binned.append(one)
