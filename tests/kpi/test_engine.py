"""Values, comparisons, series, breakdowns, the records behind a figure, and rights."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from measured import LATER, Book, counted
from trellis.contributions import Grant, Kpi, Scope, Segment, Unit
from trellis.crm.sales.entities import Order
from trellis.i18n import Text
from trellis.kpi import engine
from trellis.kpi.arithmetic import average, ratio
from trellis.kpi.behind import drill_rule, records
from trellis.kpi.catalogue import KpiNotFound
from trellis.kpi.periods import parse
from trellis.kpi.splits import SplitUnknown
from trellis.kpi.targets import set_target
from trellis.security.actor import Actor
from trellis.segments.engine import refresh


def kpi(name: str, select: Any, **options: Any) -> Kpi:
    return Kpi(name=name, title=Text(name.title()), select=select, **options)


def test_a_value_has_the_one_before_and_the_target_beside_it(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-01-31T23:59:59", "1.10")
    book.order(anna, "2026-02-01", "20.20")
    book.order(anna, "2026-02-28T23:59", "5.05")
    book.order(anna, "2026-03-01", "100")
    set_target(book.session, book.edition, "revenue", parse("2026-02"), Decimal(30))
    result = book.kpi("revenue", "2026-02")
    assert (result.value, result.previous) == (Decimal("25.25"), Decimal("1.10"))
    assert result.to_json() | {"formula": ""} == {
        "kpi": "revenue",
        "title": "Revenue",
        "plugin": "core",
        "unit": "money",
        "currency": "EUR",
        "period": "2026-02",
        "partial": False,
        "value": "25.25",
        "target": "30.00",
        "deviation": "-4.75",
        "attainment": pytest.approx(25.25 / 30),
        "on_plan": False,
        "growth": pytest.approx(25.25 / 1.1 - 1),
        "previous": "1.10",
        "year_before": "0.00",
        "forecast": None,
        "breakdown": [],
        "formula": "",
        "other_currencies": 0,
        "reported": None,
        "entity": "order",
        "rule": {
            "all": [
                {"field": "ordered_at", "op": "gte", "value": "2026-02-01T00:00:00Z"},
                {"field": "ordered_at", "op": "lt", "value": "2026-03-01T00:00:00Z"},
            ]
        },
    }


def test_nothing_to_count_is_zero_and_nothing_to_divide_is_no_value(book: Book) -> None:
    empty = {"revenue": 0, "orders": 0, "active_customers": 0, "average_order": None, "win_rate": None}
    for name, value in empty.items():
        result = book.kpi(name, "2026-02")
        assert result.value == value, name
        assert result.to_json()["value"] in (None, 0, "0.00")


def test_a_sum_of_money_is_exact(book: Book) -> None:
    anna = book.customer()
    for _number in range(30):
        book.order(anna, "2026-02-10", "0.1")
    book.order(anna, "2026-02-10", "90071992547.4093")
    assert book.value("revenue", "2026-02") == Decimal("90071992550.4093")


def test_a_month_that_runs_is_compared_with_as_many_days_of_the_one_before(book: Book) -> None:
    anna = book.customer()
    for day, amount in (("2026-01-05", "10"), ("2026-01-20", "100"), ("2026-02-04", "7")):
        book.order(anna, day, amount)
    result = book.kpi("revenue", "2026-02", today=date(2026, 2, 10))
    assert (result.partial, result.value, result.previous) == (True, 7, 10)
    # a KPI that is asked period by period is compared in the same way
    result = book.kpi("repeat_rate", "2026-02", today=date(2026, 2, 10))
    assert (result.partial, result.previous) == (True, 0.0)


def test_amounts_in_other_currencies_are_left_out_and_counted(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-02-10", "10", currency="EUR")
    book.order(anna, "2026-02-10", "10")
    book.order(anna, "2026-02-10", "10", currency="USD")
    result = book.kpi("revenue", "2026-02")
    assert (result.value, result.foreign) == (20, 1)
    assert book.kpi("orders", "2026-02").value == 3


def test_a_series_fills_empty_periods_with_what_nothing_comes_to(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-01-05", "10")
    book.order(anna, "2026-03-05", "30")
    book.order(anna, "2026-03-06", "10")
    periods = [parse(f"2026-0{month}") for month in (1, 2, 3)]

    def values(name: str) -> list[Any]:
        return [
            one.value for one in engine.series(book.session, book.edition, book.actor, name, periods, LATER)
        ]

    assert values("revenue") == [10, 0, 40]
    assert values("average_order") == [10, None, 20]
    assert values("active_customers") == [1, 0, 1]
    assert values("repeat_rate") == [0.0, None, 1.0]


def test_a_series_by_day_follows_the_clocks_of_the_workspace(book: Book) -> None:
    book = Book(book.session, _in_zone(book, "America/New_York"))
    anna = book.customer()
    book.order(anna, "2026-03-08T04:59", "1")  # 23:59 on the 7th
    book.order(anna, "2026-03-08T05:00", "2")
    book.order(anna, "2026-03-09T03:59", "4")  # 23:59 of the day with 23 hours
    book.order(anna, "2026-03-09T04:00", "8")
    periods = [parse(f"2026-03-0{day}") for day in (7, 8, 9)]
    points = engine.series(book.session, book.edition, book.actor, "revenue", periods, LATER)
    assert [one.value for one in points] == [1, 6, 8]


def _in_zone(book: Book, zone: str) -> Any:
    from dataclasses import replace

    return replace(book.edition, settings=replace(book.edition.settings, timezone=zone), _cache={})


def test_a_strip_asks_for_all_kpis_together_and_once_for_targets(book: Book) -> None:
    anna = book.customer()
    for month in range(1, 13):
        book.order(anna, f"2025-{month:02}-03", month)
    names = ["revenue", "average_order", "retention", "active_customers"]
    with counted(book) as statements:
        strip = engine.strip(book.session, book.edition, book.actor, names, parse("2025-12"), today=LATER)
    assert len(statements) <= 3  # targets; all KPIs together
    assert [one.value for one in strip] == [12, 12, 1.0, 1]
    assert [one.value for one in strip[0].points] == list(range(1, 13))
    assert strip[0].previous == 11
    assert strip[0].growth == pytest.approx(1 / 11)
    with counted(book) as statements:
        engine.strip(book.session, book.edition, book.actor, names, parse("2025-12"), today=date(2025, 12, 5))
    assert len(statements) <= 3  # targets; all KPIs together


def test_targets_stand_in_series_and_breakdowns(book: Book) -> None:
    north = book.records.create("unit", {"name": "North"}).id
    book.order(book.customer(), "2026-01-05", "10", unit=north)
    set_target(book.session, book.edition, "revenue", parse("2026-01"), Decimal("12.5"))
    set_target(book.session, book.edition, "revenue", parse("2026-01"), Decimal(7), unit=north)
    result = book.kpi("revenue", "2026-01", "unit")
    assert (result.target, result.deviation, result.on_plan) == (Decimal("12.5"), Decimal("-2.5"), False)
    assert [(one.title, one.value, one.target) for one in result.breakdown] == [("North", 10, 7)]
    set_target(book.session, book.edition, "revenue", parse("2026-01"), None)
    assert book.kpi("revenue", "2026-01").target is None
    with pytest.raises(KpiNotFound):
        set_target(book.session, book.edition, "revenu", parse("2026-01"), Decimal(1))


def test_a_kpi_is_broken_down_by_what_its_records_carry(book: Book) -> None:
    north, south = (book.records.create("unit", {"name": name}).id for name in ("North", "South"))
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    anna = book.customer()
    book.order(anna, "2026-01-05", "10", unit=north, channel="web")
    book.order(anna, "2026-01-06", "30", unit=south, channel="shop", owner=boris)
    book.order(anna, "2026-01-07", "5", unit=south)
    assert book.breakdown("revenue", "2026-01", "unit") == {"South": 35, "North": 10}
    assert book.breakdown("revenue", "2026-01", "person") == {"Boris": 30, "Not set": 15}
    assert book.breakdown("average_order", "2026-01", "channel") == {"shop": 30, "Website": 10, "Not set": 5}
    assert list(book.breakdown("revenue", "2026-01", "unit")) == ["South", "North"]


def test_titles_of_a_breakdown_cost_no_more_queries_for_more_rows(book: Book) -> None:
    anna = book.customer()
    numbers = []
    for size in (1, 12):
        for index in range(size):
            unit = book.records.create("unit", {"name": f"Unit {size} {index}"}).id
            book.order(anna, "2026-01-05", "10", unit=unit)
        with counted(book) as statements:
            book.kpi("revenue", "2026-01", "unit")
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] == 4  # targets, what was reported, the value, the breakdown


def test_income_is_broken_down_by_what_its_customers_carry(book: Book) -> None:
    north = book.records.create("unit", {"name": "North"}).id
    book.order(book.customer("Anna", unit=north), "2026-01-05")
    book.order(book.customer("Boris"), "2026-01-05")
    assert book.breakdown("active_customers", "2026-01", "unit") == {"North": 1, "Not set": 1}


def test_a_kpi_is_broken_down_by_segment(book: Book) -> None:
    segments = [
        Segment(
            name=f"in_{city}", title=Text(f"In {city}"), rule={"field": "city", "op": "eq", "value": city}
        )
        for city in ("Brno", "Prague")
    ]
    both = Segment(name="named", title=Text("Named"), rule={"field": "city", "op": "is_not_empty"})
    book = book.with_own(*segments, both)
    book.order(book.customer(city="Brno"), "2026-01-05", "10")
    book.order(book.customer(city="Prague"), "2026-01-05", "20")
    book.order(book.customer(), "2026-01-05", "40")
    refresh(book.session, book.edition)
    assert book.breakdown("revenue", "2026-01", "segment") == {"Named": 30, "In Prague": 20, "In Brno": 10}
    assert book.breakdown("new_customers", "2026-01", "segment") == {"Named": 2, "In Brno": 1, "In Prague": 1}
    assert book.breakdown("active_customers", "2026-01", "segment") == {
        "Named": 2,
        "In Brno": 1,
        "In Prague": 1,
    }


def test_a_year_or_quarter_of_a_sum_is_planned_by_its_months(book: Book) -> None:
    book.order(book.customer(), "2026-05-05", "10")

    def plan(name: str, period: str) -> Any:
        return book.kpi(name, period).target

    for month in (4, 5, 6):
        assert plan("revenue", "2026-Q2") is None
        for name, value in (("revenue", Decimal(10 * month)), ("average_order", Decimal(7))):
            set_target(book.session, book.edition, name, parse(f"2026-{month:02}"), value)
    assert (plan("revenue", "2026-Q2"), plan("revenue", "2026")) == (150, None)
    assert plan("average_order", "2026-Q2") is None, "averages do not add up"
    for quarter in (1, 3, 4):
        set_target(book.session, book.edition, "revenue", parse(f"2026-Q{quarter}"), Decimal(100))
    assert plan("revenue", "2026") == 450
    set_target(book.session, book.edition, "revenue", parse("2026-Q2"), Decimal(1))
    assert (plan("revenue", "2026-Q2"), plan("revenue", "2026")) == (1, 301), "its own target goes first"


def test_the_part_that_a_reader_sees_is_held_against_the_plan_of_that_part(book: Book) -> None:
    north = book.records.create("unit", {"name": "North"}).id
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    grants = {"*": Grant("*", read=Scope.UNIT), "kpi_target": Grant("kpi_target", read=Scope.ALL)}
    of_unit = book.seen_by(Actor(user_id=boris, units=(north,), grants=grants))
    of_own = book.seen_by(
        Actor(user_id=boris, units=(north,), grants={**grants, "*": Grant("*", read=Scope.OWN)})
    )
    january = parse("2026-01")
    set_target(book.session, book.edition, "revenue", january, Decimal(900))
    assert [one.kpi("revenue", "2026-01").target for one in (book, of_unit, of_own)] == [900, None, None]
    set_target(book.session, book.edition, "revenue", january, Decimal(90), unit=north)
    set_target(book.session, book.edition, "revenue", january, Decimal(9), person=boris)
    assert [one.kpi("revenue", "2026-01").target for one in (book, of_unit, of_own)] == [900, 90, 9]


def test_unknown_names_are_refused_with_those_that_are_known(book: Book) -> None:
    with pytest.raises(KpiNotFound, match="did you mean “revenue”"):
        book.kpi("revenues", "2026-01")
    with pytest.raises(KpiNotFound, match="average_order"):
        book.kpi("zzz", "2026-01")
    with pytest.raises(SplitUnknown, match="unit, person, channel, segment"):
        book.kpi("revenue", "2026-01", "colour")
    with pytest.raises(SplitUnknown, match="as a whole"):
        book.kpi("retention", "2026-01", "unit")


def test_a_reader_counts_only_what_the_reader_may_see(book: Book) -> None:
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    mine, other = book.customer("Anna", owner=boris), book.customer("Boris")
    book.order(mine, "2026-01-05", "10", owner=boris)
    book.order(other, "2026-01-05", "90")
    grants = {"*": Grant("*", read=Scope.OWN)}
    agent = book.seen_by(Actor(user_id=boris, grants=grants))
    for name, whole, own in (("revenue", 100, 10), ("active_customers", 2, 1), ("new_customers", 2, 1)):
        assert book.value(name, "2026-01") == whole, name
        assert agent.value(name, "2026-01") == own, name
    stranger = book.seen_by(Actor(user_id=boris, grants={}))
    assert stranger.value("revenue", "2026-01") == 0
    assert stranger.value("active_customers", "2026-01") == 0


def test_records_in_the_bin_do_not_count(book: Book) -> None:
    order = book.order(book.customer(), "2026-01-05", "10")
    book.records.delete("order", order)
    assert book.value("revenue", "2026-01") == 0
    assert book.value("active_customers", "2026-01") == 0


def test_the_records_behind_a_figure(book: Book) -> None:
    anna, boris = book.customer("Anna"), book.customer("Boris")
    web = book.order(anna, "2026-01-05", "10", channel="web")
    none = book.order(boris, "2026-01-06", "10")
    book.order(boris, "2026-02-06", "10", channel="web")

    def behind(name: str, **options: Any) -> Any:
        entity, ids = records(book.edition, book.actor, name, parse("2026-01"), **options) or (
            "",
            None,
        )
        return entity, sorted(book.session.scalars(ids)) if ids is not None else None

    assert behind("average_order") == ("order", [web, none])
    assert behind("revenue", by="channel", key="web") == ("order", [web])
    assert behind("revenue", by="channel", key=None) == ("order", [none])
    assert behind("active_customers") == ("customer", [anna, boris])
    assert behind("retention") == ("customer", [])
    assert behind("repeat_rate") == ("customer", [anna, boris])


def test_the_rule_of_a_figure_lists_its_records(book: Book) -> None:
    from trellis.kpi.splits import split_of

    anna = book.customer()
    web = book.order(anna, "2026-01-05", "10", channel="web")
    none = book.order(anna, "2026-01-31T23:59:59.999999", "10")
    book.order(anna, "2026-02-01", "10", channel="web")
    revenue = book.edition.all(Kpi)["revenue"]

    def listed(**options: Any) -> list[int]:
        rule = drill_rule(book.edition, revenue, parse("2026-01"), **options)
        return [one.id for one in book.records.list("order", rule=rule, sort=["id"]).items]

    by_channel = split_of(book.edition, revenue, "channel")
    assert listed() == [web, none]
    assert listed(split=by_channel, key="web") == [web]
    assert listed(split=by_channel, key=None) == [none]


def test_a_kpi_of_a_plugin_with_its_own_breakdowns(book: Book) -> None:
    from trellis.crm.customers.entities import Customer

    spent = kpi(
        "spent",
        lambda q: (
            sa.select(average(sa.func.sum(Order.amount), sa.func.count(Order.customer_id.distinct())))
            .join(Customer, Customer.id == Order.customer_id)
            .where(q.during(Order.ordered_at), q.visible(Order))
        ),
        unit=Unit.MONEY,
        entity=Order,
        date=Order.ordered_at,
        breakdowns={"customer": Order.customer_id, "kind": Customer.kind, "city": Customer.city},
    )
    book = book.with_own(spent)
    anna, acme = book.customer("Anna", city="Brno"), book.customer("Acme", kind="company")
    book.order(anna, "2026-01-05", "10")
    book.order(anna, "2026-01-06", "20")
    book.order(acme, "2026-01-06", "60")
    assert book.value("spent", "2026-01") == 45
    assert book.breakdown("spent", "2026-01", "customer") == {"Acme": 60, "Anna": 30}
    assert book.breakdown("spent", "2026-01", "kind") == {"Company": 60, "Person": 30}
    assert book.breakdown("spent", "2026-01", "city") == {"Brno": 30, "Not set": 60}


def test_values_have_the_form_of_their_unit(book: Book) -> None:
    def constant(value: Any) -> Any:
        return lambda q: sa.select(value).where(q.visible(Order) | sa.true())

    units = [
        kpi("a", constant(sa.literal(3)), unit=Unit.MONEY),
        kpi("b", constant(sa.literal(3)), unit=Unit.COUNT),
        kpi("c", constant(ratio(sa.literal(1), sa.literal(8))), unit=Unit.PERCENT),
        kpi("d", constant(sa.null()), unit=Unit.DAYS),
    ]
    book.order(book.customer(), "2026-01-05")
    book = book.with_own(*units)
    shown = [book.kpi(one.name, "2026-01").to_json()["value"] for one in units]
    assert shown == ["3.00", 3, 0.125, None]
