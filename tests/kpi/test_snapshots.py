"""What was reported of closed periods stays, differences are told and accepted by name, and a board reads few statements."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa
from measured import Book, counted
from trellis.contributions import Grant, Kpi, Scope
from trellis.crm.sales.entities import Order
from trellis.errors import Conflict, PermissionRefused, PluginError
from trellis.i18n import Text
from trellis.kpi import engine, snapshots
from trellis.kpi.periods import parse
from trellis.kpi.results import KpiResult, Point
from trellis.kpi.snapshots import KpiSnapshot
from trellis.security.actor import Actor

TODAY = date(2026, 3, 10)


def revenue(book: Book) -> KpiResult:
    (found,) = engine.strip(
        book.session,
        book.edition,
        book.actor,
        ["revenue"],
        parse("2026-03"),
        today=TODAY,
        ahead=True,
        reported=True,
    )
    return found


def take(book: Book) -> snapshots.Taken:
    return snapshots.take(book.session, book.edition, TODAY, [book.edition.all(Kpi)["revenue"]])


def test_a_closed_period_changes_only_when_somebody_accepts_it(book: Book) -> None:
    north = book.records.create("unit", {"name": "North"}).id
    anna = book.customer()
    book.order(anna, "2026-02-10", "100", unit=north)
    book.order(anna, "2026-03-02", "7")
    first = take(book)
    assert (first.reported > 0, first.recounted) == (True, 0)
    assert take(book) == snapshots.Taken(reported=0, recounted=0)

    book.order(anna, "2026-02-11", "-2", unit=north)
    book.order(anna, "2026-03-03", "3")
    point = revenue(book).points[-2]
    assert (point.value, point.recounted) == (100, None)
    assert revenue(book).value == 10  # what still runs is counted now
    assert take(book).recounted == 5  # week and month of the whole and of the unit; the week of March
    point = revenue(book).points[-2]
    assert point.recounted is not None
    assert (point.value, point.recounted.reported, point.recounted.value) == (100, 100, 98)
    assert take(book).recounted == 0

    kpi, month = book.edition.all(Kpi)["revenue"], parse("2026-02")

    def unit_point(actor: Actor = book.actor) -> Point:
        asked = book.session, book.edition, actor, "revenue", [month], "unit", TODAY
        (found,) = (one for one in engine.parts(*asked, reported=True) if one.key == north)
        return found.points[0]

    told = unit_point().recounted
    assert (unit_point().value, told and told.value) == (100, 98)
    part = replace(book.actor, within=(north,))
    assert (unit_point(part).value, unit_point(part).recounted) == (
        98,
        None,
    )  # what one sees of it, counted now
    agent = Actor(user_id=1, grants={"*": Grant("*", read=Scope.ALL)})
    with pytest.raises(PermissionRefused):
        snapshots.accept(book.session, agent, kpi, month)
    boss = replace(book.actor, name="Boss")
    assert snapshots.accept(book.session, boss, kpi, month) == 2
    point = revenue(book).points[-2]
    assert (point.value, point.recounted) == (98, None)
    reported = book.kpi("revenue", "2026-02", today=TODAY).reported
    assert reported is not None
    assert (reported.value, reported.by) == (98, "Boss")
    assert (unit_point().value, unit_point().recounted) == (98, None)
    with pytest.raises(Conflict):
        snapshots.accept(book.session, boss, kpi, month)
    rows = book.session.scalars(
        sa.select(KpiSnapshot.kind)
        .where(KpiSnapshot.period == "2026-02", KpiSnapshot.unit_id.is_(None))
        .order_by(KpiSnapshot.id)
    ).all()
    assert list(rows) == ["reported", "recounted", "accepted"]


def test_first_figures_of_a_unit_in_a_closed_period_are_told_as_recounted(book: Book) -> None:
    south = book.records.create("unit", {"name": "South"}).id
    anna = book.customer()
    book.order(anna, "2026-02-10", "100")
    take(book)
    book.order(anna, "2026-02-11", "5", unit=south)
    asked = book.session, book.edition, book.actor, "revenue", [parse("2026-01"), parse("2026-02")], "unit"

    def points() -> list[tuple[object, object]]:
        (found,) = (one for one in engine.parts(*asked, TODAY, reported=True) if one.key == south)
        return [(one.value, one.recounted and one.recounted.value) for one in found.points]

    assert take(book).recounted == 4  # week and month of the whole and of the unit
    assert points() == [(None, None), (None, 5)]
    assert take(book) == snapshots.Taken(reported=0, recounted=0)
    boss = replace(book.actor, name="Boss")
    assert snapshots.accept(book.session, boss, book.edition.all(Kpi)["revenue"], parse("2026-02")) == 2
    assert points() == [(None, None), (5, None)]
    assert take(book) == snapshots.Taken(reported=0, recounted=0)


def test_whoever_sees_a_part_gets_figures_of_that_part(book: Book) -> None:
    book.order(book.customer(), "2026-02-10", "100")
    take(book)
    reader = book.seen_by(Actor(user_id=1, grants={"*": Grant("*", read=Scope.OWN)}))
    assert revenue(reader).points[-2].value == 0
    assert reader.kpi("revenue", "2026-02", today=TODAY).reported is None


def test_a_board_of_thirty_kpis_and_twelve_months_reads_fewer_than_ten_statements(book: Book) -> None:
    def select(q: object) -> sa.Select[tuple[int]]:
        return sa.select(sa.func.count()).where(q.during(Order.ordered_at), q.visible(Order))  # type: ignore[attr-defined]

    many = [
        Kpi(name=f"own.k{place}", title=Text(f"K{place}"), select=select, entity=Order, date=Order.ordered_at)
        for place in range(28)
    ]
    book = book.with_own(*many)
    anna = book.customer()
    for month in range(1, 13):
        book.order(anna, f"2025-{month:02}-03", month)
    names = [*(one.name for one in many), "revenue", "retention"]
    month = parse("2026-03")
    measured = engine.strip(book.session, book.edition, book.actor, names, month, today=TODAY, ahead=True)
    kpis = [book.edition.all(Kpi)[name] for name in names]
    snapshots.take(book.session, book.edition, TODAY, kpis, [month.previous.until(13)])
    with counted(book) as statements:
        found = engine.strip(
            book.session, book.edition, book.actor, names, month, today=TODAY, ahead=True, reported=True
        )
    assert len(statements) < 10
    assert [[point.value for point in one.points] for one in found] == [
        [point.value for point in one.points] for one in measured
    ]
    assert [one.year_before for one in found] == [one.year_before for one in measured]
    assert found[-2].points[-3].value == Decimal(0)


def test_what_a_formula_comes_to_without_a_part_that_fails_is_not_reported(book: Book) -> None:
    failing = Kpi(
        name="gym.failing",
        title=Text("Failing"),
        owner="gym",
        entity=Order,
        select=lambda q: sa.select(sa.func.no_such_function()).where(q.visible(Order)),
    )
    formula = Kpi(name="own.half", title=Text("Half"), owner="own", expression="gym.failing / orders")
    book = book.with_own(failing, formula)
    with pytest.raises(PluginError, match="gym"):
        snapshots.take(book.session, book.edition, TODAY, [formula])
    assert book.session.scalar(sa.select(sa.func.count()).select_from(KpiSnapshot)) == 0
