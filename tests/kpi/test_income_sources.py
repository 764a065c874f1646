"""Sources of income that plugins bring: what they have to say, and for whom they count."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from measured import Book
from trellis.contributions import Grant, IncomeSource, Role, Scope, Watch
from trellis.crm.sales.entities import Opportunity, Order
from trellis.i18n import Text
from trellis.kpi.checks import check_income
from trellis.kpi.income import IncomeQuery
from trellis.security.actor import SYSTEM, Actor, merge_grants


def won(q: IncomeQuery) -> sa.Select[Any]:
    return sa.select(
        Opportunity.customer_id,
        q.day(Opportunity.expected_close),
        q.currency(Opportunity.currency),
        sa.func.sum(Opportunity.amount),
        sa.null(),
        sa.func.count(),
    ).where(
        Opportunity.outcome == "won",
        Opportunity.deleted_at.is_(None),
        q.touched(Opportunity.customer_id, Opportunity.expected_close),
    )


WON = IncomeSource(
    name="won",
    title=Text("Won"),
    select=won,
    watches={"opportunity": Watch(customer="customer", date="expected_close")},
)


def test_a_source_counts_on_days_as_well_as_on_moments(book: Book) -> None:
    two = book.with_own(WON)
    anna = two.customer()
    two.order(anna, "2026-03-01", "1")
    values = {
        "name": "Big",
        "customer": anna,
        "amount": "100",
        "expected_close": "2026-03-01",
        "stage": "won",
    }
    deal = two.records.create("opportunity", values).id
    assert [(row[2], row[4]) for row in two.rollup()] == [("orders", Decimal(1)), ("won", Decimal(100))]
    two.records.update("opportunity", deal, {"expected_close": "2026-03-09"})
    assert [(row[0].day, row[2]) for row in two.rollup()] == [(1, "orders"), (9, "won")]
    assert two.rollup() == two.rebuilt()


def test_a_source_that_does_not_say_whose_its_sales_are_counts_for_who_sees_all(book: Book) -> None:
    rights, petra = [Grant("*"), Grant("order", read=Scope.OWN)], book.person("Petra")
    part, whole = (
        Actor(user_id=petra, grants=merge_grants([Role(name="r", title=Text("r"), grants=[*rights, more])]))
        for more in (Grant("opportunity", read=Scope.OWN), Grant("case"))
    )
    two = book.with_own(WON)
    values = {"name": "Big", "customer": two.customer(), "amount": "100", "expected_close": "2026-03-01"}
    two.records.create("opportunity", {**values, "stage": "won", "owner": petra})
    assert [two.seen_by(one).income() for one in (part, whole, SYSTEM)] == [0, 100, 100]
    assert two.seen_by(replace(SYSTEM, within=(1,))).income() == 0
    named = book.with_own(replace(WON, entity=Opportunity))
    named.rebuilt()
    assert [named.seen_by(one).income() for one in (part, whole, SYSTEM)] == [100, 100, 100]


def test_income_of_a_source_that_is_not_in_the_edition_does_not_count(book: Book) -> None:
    two = book.with_own(WON)
    anna = two.customer()
    values = {
        "name": "Big",
        "customer": anna,
        "amount": "100",
        "expected_close": "2026-03-01",
        "stage": "won",
    }
    two.records.create("opportunity", values)
    assert two.value("active_customers", "2026-03") == 1
    assert book.value("active_customers", "2026-03") == 0


def test_a_source_that_cannot_work_is_refused(book: Book) -> None:
    def source(select: Any, **watches: Watch) -> IncomeSource:
        return IncomeSource(name="x.bad", title=Text("Bad"), select=select, watches=watches)

    good = Watch(customer="customer", date="ordered_at")
    with pytest.raises(ValueError, match="six columns"):
        check_income(book.edition, source(lambda q: sa.select(Order.customer_id), order=good))
    with pytest.raises(ValueError, match="watches"):
        check_income(book.edition, source(won))
    with pytest.raises(ValueError, match="does not read from “order”"):
        check_income(book.edition, replace(source(won, order=good), entity=Order))
    with pytest.raises(ValueError, match="name “opportunity” in watches"):
        check_income(book.edition, replace(source(won, order=good), entity=Opportunity))
    with pytest.raises(Exception, match="paid_at"):
        check_income(book.edition, source(won, order=Watch(customer="customer", date="paid_at")))
