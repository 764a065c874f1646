"""A KPI broken down over several periods, in one unit alone, and against the year before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from measured import LATER, Book
from trellis.contributions import Grant, Kpi, Scope
from trellis.kpi import engine
from trellis.kpi.checks import check_kpi
from trellis.kpi.periods import parse
from trellis.kpi.splits import split_names, split_of
from trellis.kpi.targets import set_target
from trellis.security.actor import Actor

PERIODS = [parse(f"2026-0{month}") for month in (1, 2, 3)]


def _units(book: Book) -> tuple[int, int]:
    north = book.records.create("unit", {"name": "North"}).id
    south = book.records.create("unit", {"name": "South"}).id
    anna = book.customer("Anna", unit=north)
    ben = book.customer("Ben", unit=south)
    book.order(anna, "2026-01-10", "10", unit=north)
    book.order(ben, "2026-01-11", "5", unit=south)
    book.order(ben, "2026-03-11", "40", unit=south)
    book.order(anna, "2026-03-12", "30", unit=north)
    book.order(anna, "2026-03-13", "30", unit=north)
    return north, south


def test_each_row_of_a_breakdown_has_its_series(book: Book) -> None:
    _units(book)
    found = engine.parts(book.session, book.edition, book.actor, "revenue", PERIODS, "unit", LATER)
    series = {part.title: [point.value for point in part.points] for part in found}
    assert series == {"North": [10, None, 60], "South": [5, None, 40]}
    assert [part.title for part in found] == ["North", "South"]
    # a KPI without a date of its own is asked period by period
    whole = engine.parts(book.session, book.edition, book.actor, "open_opportunities", PERIODS, "unit", LATER)
    assert whole == []


def test_figures_of_one_unit_count_its_records_alone(book: Book) -> None:
    north, south = _units(book)

    def values(name: str, *units: int) -> object:
        seen = book.seen_by(replace(book.actor, within=units))
        return seen.value(name, "2026-03")

    assert (values("revenue"), values("revenue", north), values("revenue", south)) == (100, 60, 40)
    assert values("revenue", north, south) == 100
    assert values("active_customers", north) == 1
    assert values("repeat_rate", north) == 1.0 and values("repeat_rate", south) == 0.0
    # nobody sees more by looking at a unit than without
    stranger = Actor(user_id=99, grants={"*": Grant("*", read=Scope.OWN)}, within=(north,))
    assert book.seen_by(stranger).value("revenue", "2026-03") == 0
    set_target(book.session, book.edition, "revenue", PERIODS[-1], Decimal(90))
    assert book.seen_by(stranger).kpi("revenue", "2026-03").target is None
    # the figures of a unit are held against its own plan, not against that of the organisation
    branch = book.seen_by(replace(book.actor, within=(north,)))
    assert branch.kpi("revenue", "2026-03").target is None
    set_target(book.session, book.edition, "revenue", PERIODS[-1], Decimal(50), unit=north)
    assert branch.kpi("revenue", "2026-03").target == 50
    assert book.kpi("revenue", "2026-03").target == 90


def test_the_year_before_is_compared_over_as_many_days(book: Book) -> None:
    anna = book.customer()
    for day, amount in (("2025-03-05", "7"), ("2025-03-25", "70"), ("2026-03-04", "1")):
        book.order(anna, day, amount)
    assert book.kpi("revenue", "2026-03").year_before == 77
    assert book.kpi("revenue", "2026-03", today=date(2026, 3, 10)).year_before == 7
    assert book.kpi("revenue", "2026-03").to_json()["year_before"] == "77.00"


def test_a_breakdown_by_a_field_that_is_gone_is_left_out(book: Book) -> None:
    breakdowns = {"customer": "customer", "own.gone": "own.gone"}
    kpi = replace(book.edition.all(Kpi)["orders"], breakdowns=breakdowns)
    check_kpi(book.edition, kpi)
    assert split_names(book.edition, kpi) == ["unit", "person", "channel", "segment", "customer"]
    assert split_of(book.edition, kpi, "customer").reference == "customer"
