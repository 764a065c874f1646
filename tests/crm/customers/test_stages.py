"""The lifecycle of customers: rules move them, people hold them, and each move is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from measured import Book, counted
from trellis.contributions import StageRule
from trellis.crm.analytics import refreshing
from trellis.crm.analytics.figures import refresh_customer_value
from trellis.crm.customers import standing
from trellis.crm.customers.stages import FIELD
from trellis.crm.customers.stays import STAY
from trellis.errors import RecordInvalid
from trellis.i18n import Text
from trellis.security.actor import SYSTEM
from trellis.settings.stages import NEVER, check_stage_rule, checked, rules_of, usual_rule
from trellis.system import Event

TODAY = datetime.now(UTC).date()
PETRA = replace(SYSTEM, name="Petra", administrator=True, source="web")


def stages(book: Book, *customers: int) -> list[Any]:
    return [book.records.get("customer", one).values[FIELD] for one in customers]


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


def night(book: Book, days: int = 0) -> Mapping[tuple[str, str], int]:
    """Lets a night pass, so many days from now."""
    day = TODAY + timedelta(days=days)
    refresh_customer_value(book.session, book.edition, day)
    now = datetime.combine(day, time(), UTC) if days else None
    return standing.refresh(book.session, book.edition, day, now)


def stays(book: Book, customer: int) -> list[tuple[Any, ...]]:
    """The stages of a customer, each with the next, and whether it is known when it came and went."""
    query = sa.select(STAY.c.stage, STAY.c.went_to, STAY.c.entered_at, STAY.c.left_at)
    rows = book.session.execute(query.where(STAY.c.customer_id == customer).order_by(STAY.c.id))
    return [(row[0], row[1], row[2] is not None, row[3] is not None) for row in rows]


def told(book: Book, customer: int) -> list[Any]:
    query = sa.select(Event.changes).where(Event.entity == "customer", Event.record_id == customer)
    rows = book.session.scalars(query.where(Event.action == "updated").order_by(Event.id))
    return [changes[FIELD] for changes in rows if FIELD in changes]


def rule(stage: str, rule: Any, owner: str = "gym") -> StageRule:
    return StageRule(name=f"{owner}.{stage}", title=Text(stage), owner=owner, stage=stage, rule=rule)


def test_what_was_loaded_finds_its_stage_without_having_moved(book: Book) -> None:
    """The six stages by the rules of the core, each on its edge."""
    prospect, new, second, known, loyal, risk, lost = book.customers(7)
    book.order(new, ago(89))
    for day in (60, 50):
        book.order(second, ago(day))
    book.order(known, ago(90))
    for day in (365, 300, 200, 100, 10):
        book.order(loyal, ago(day))
    book.order(risk, ago(180))
    book.order(lost, ago(365))
    assert stages(book, prospect, lost) == [None, None], "records come in pieces when they are loaded"
    assert night(book) == {}
    found = stages(book, prospect, new, second, known, loyal, risk, lost)
    assert found == ["prospect", "new", "active", "active", "loyal", "at_risk", "lost"]
    assert stays(book, lost) == [("lost", None, False, False)], "nobody knows since when"
    assert told(book, lost) == []


def test_nights_move_customers_and_tell_of_it(book: Book) -> None:
    anna, boris = book.customers(2)
    book.order(anna, ago(10))
    night(book)
    assert stages(book, anna, boris) == ["new", "prospect"]
    with counted(book) as few:
        assert standing.refresh(book.session, book.edition) == {}
    assert len(few) <= 3, few
    later = night(book, 180)
    assert (later, night(book, 181)) == ({("new", "at_risk"): 1}, {})
    assert night(book, 400) == {("at_risk", "lost"): 1}
    assert stages(book, anna, boris) == ["lost", "prospect"]
    assert told(book, anna) == [["new", "at_risk"], ["at_risk", "lost"]]
    assert stays(book, anna) == [
        ("new", "at_risk", False, True),
        ("at_risk", "lost", True, True),
        ("lost", None, True, False),
    ]
    since = book.records.get("customer", anna).values["stage_since"]
    assert since == datetime.combine(TODAY + timedelta(days=400), time(), UTC)


def test_figures_that_moved_customers_are_fresh_afterwards(book: Book) -> None:
    anna = book.customer()
    refreshing.refresh(book.session, book.edition)
    book.order(anna, ago(400))
    refreshing.refresh(book.session, book.edition)
    assert told(book, anna) == [["prospect", "lost"]]
    assert not refreshing.freshness(book.session, book.edition).stale


def test_purchases_move_their_customer_at_once(book: Book) -> None:
    book = book.seen_by(PETRA)
    anna = book.customer()
    assert stages(book, anna) == ["prospect"]
    first = book.order(anna, ago(5))
    assert stages(book, anna) == ["new"]
    book.order(anna, ago(1))
    assert stages(book, anna) == ["active"]
    book.records.delete("order", first)
    assert stages(book, anna) == ["new"]
    assert told(book, anna) == [
        ["prospect", "new"],
        ["new", "active"],
        ["active", "new"],
    ]
    assert [(one[0], one[1]) for one in stays(book, anna)] == [
        ("prospect", "new"),
        ("new", "active"),
        ("active", "new"),
        ("new", None),
    ]
    with counted(book) as statements:
        book.records.update("customer", anna, {"city": "Brno"})
    assert not any("customer_stay" in one or "CASE" in one for one in statements), "a city moves nobody"


def test_a_stage_that_somebody_chose_is_held_until_it_is_let_go(book: Book) -> None:
    book = book.seen_by(PETRA)
    anna = book.customer()
    book.order(anna, ago(5))
    moved = book.records.move("customer", anna, "loyal").values
    assert (moved[FIELD], moved["stage_held"]) == ("loyal", True)
    book.order(anna, ago(1))
    night(book)
    assert stages(book, anna) == ["loyal"]
    book.records.update("customer", anna, {"name": "Anna B.", FIELD: "loyal", "stage_held": True})
    assert stages(book, anna) == ["loyal"]
    book.records.update("customer", anna, {"stage_held": False})
    assert stages(book, anna) == ["active"]
    with pytest.raises(RecordInvalid) as refused:
        book.records.move("customer", anna, "friend")
    assert refused.value.errors.keys() == {FIELD}
    held = book.customer("Boris", **{FIELD: "lost"})
    assert book.records.get("customer", held).values["stage_held"] is True
    assert stays(book, held) == [("lost", None, True, False)]


def test_rules_come_from_the_core_a_plugin_or_the_organisation(book: Book) -> None:
    quick = {"field": "last_order_at", "op": "lte", "value": {"days": -30}}
    by_plugin = book.with_own(rule("lost", quick))
    assert rules_of(by_plugin.edition)["lost"].rule == quick
    assert list(rules_of(by_plugin.edition)) == ["prospect", "new", "active", "loyal", "at_risk", "lost"]
    by_both = by_plugin.with_own(rule("lost", NEVER, "own"))
    assert rules_of(by_both.edition)["lost"].rule == NEVER
    assert usual_rule(by_both.edition, "lost").owner == "gym"
    with pytest.raises(ValueError, match="“gym” has a rule for the stage “lost” already"):
        check_stage_rule(by_plugin.with_own(rule("lost", quick, "spa")).edition, rule("lost", quick, "spa"))
    with pytest.raises(ValueError, match="no stage “friend”"):
        check_stage_rule(book.edition, rule("friend", quick))
    with pytest.raises(RecordInvalid) as refused:
        checked(book.edition, {"lost": quick, "new": {"field": "colour", "op": "eq", "value": 1}})
    assert refused.value.errors.keys() == {"new"}
    anna = book.customer()
    book.order(anna, ago(31))
    night(by_plugin)
    assert stages(book, anna) == ["lost"]
    assert night(by_both) == {("lost", "new"): 1}
