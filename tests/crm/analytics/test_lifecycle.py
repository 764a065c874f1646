"""The customer lifecycle in figures: conversion by cohorts, the median time in a stage, and the customers behind them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from measured import Book
from trellis.contributions import Grant, Scope
from trellis.crm.analytics.lifecycle import lifecycle, moved
from trellis.crm.analytics.window import Window
from trellis.crm.customers.stays import STAY
from trellis.errors import PermissionRefused
from trellis.kpi.periods import parse
from trellis.security.actor import Actor

BEGUN = date(2026, 1, 1)
JANUARY = Window.of(parse("2026-01"))


def stay(
    book: Book, customer: int, stage: str, begins: int | None, ends: int | None, next_: str = ""
) -> None:
    """Writes a stay; its days are counted from the first of January."""

    def moment(days: int | None) -> datetime | None:
        day = None if days is None else BEGUN + timedelta(days=days)
        return day and datetime(day.year, day.month, day.day, 12, tzinfo=UTC)

    row = {"customer_id": customer, "stage": stage, "entered_at": moment(begins), "left_at": moment(ends)}
    book.session.execute(sa.insert(STAY).values(**row, went_to=next_ or None))


def test_conversion_and_the_median_follow_those_who_entered_in_the_period(book: Book) -> None:
    """Of four new customers two became active, after 10 and 20 days, and one at risk after 40: half have left after 20."""
    quick, slow, cold, still, old = book.customers(5)
    stay(book, quick, "new", 0, 10, "active")
    stay(book, slow, "new", 0, 20, "active")
    stay(book, cold, "new", 5, 45, "at_risk")
    stay(book, still, "new", 30, None)
    stay(book, old, "new", None, 3, "active")
    stay(book, quick, "active", 10, 50, "lost")
    stay(book, slow, "active", 60, 65, "loyal")
    found = lifecycle(book.session, book.edition, book.actor, JANUARY)
    new, active = found.stages["new"], found.stages["active"]
    assert (new.entered, new.gone, new.days) == (4, 3, 20)
    assert (new.went, new.share("active"), new.share("at_risk")) == ({"active": 2, "at_risk": 1}, 0.5, 0.25)
    assert (active.entered, active.days, active.went) == (1, 40, {"lost": 1})
    assert found.stages["loyal"].share("lost") is None and found.without == 5
    named = {
        one.id: (one.entered_on, one.left_on, one.went_to)
        for one in moved(book.session, book.edition, book.actor, JANUARY, "new")
    }
    assert named == {
        quick: (BEGUN, date(2026, 1, 11), "active"),
        slow: (BEGUN, date(2026, 1, 21), "active"),
        cold: (date(2026, 1, 6), date(2026, 2, 15), "at_risk"),
        still: (date(2026, 1, 31), None, None),
    }
    gone = moved(book.session, book.edition, book.actor, JANUARY, "new", "active")
    assert [one.id for one in gone] == [slow, quick]


def test_kpis_count_who_is_at_risk_lost_and_won_back(book: Book) -> None:
    anna, boris = book.customers(2)
    stay(book, anna, "at_risk", 0, 10, "lost")
    stay(book, anna, "lost", 10, 40, "active")
    stay(book, boris, "at_risk", 20, 40, "active")
    stay(book, boris, "at_risk", 35, 38, "lost")
    names = ("customers_at_risk", "customers_lost", "customers_won_back")
    assert [book.value(name, "2026-01") for name in names] == [2, 1, 0]
    assert [book.value(name, "2026-02") for name in names] == [1, 0, 2]


def test_readers_count_their_own_customers_and_need_the_stage(book: Book) -> None:
    mine = book.records.create("user", {"name": "Ina", "email": "ina@acme.test"}).id
    one, other = book.customer(owner=mine), book.customer()
    for customer in (one, other):
        stay(book, customer, "new", 0, None)
    own = {"customer": Grant("customer", read=Scope.OWN)}
    ina = Actor(user_id=mine, grants=own)
    found = lifecycle(book.session, book.edition, ina, JANUARY)
    assert (found.stages["new"].entered, found.without) == (1, 1)
    with pytest.raises(PermissionRefused):
        lifecycle(book.session, book.edition, Actor(user_id=mine), JANUARY)
