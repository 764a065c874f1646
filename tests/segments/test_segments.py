"""Segments: who belongs to them, who entered and left, how large they are, and for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from measured import Book
from trellis.contributions import FieldRight, Grant, Scope, Segment
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.in_segments import in_segments
from trellis.crm.sales.entities import Order
from trellis.errors import RuleInvalid
from trellis.i18n import Text
from trellis.records.entity import Field
from trellis.records.events import ENTERED
from trellis.records.types import Text as TextType
from trellis.security.actor import Actor
from trellis.security.field_rights import FieldRule
from trellis.segments import engine
from trellis.segments.checks import check_segment
from trellis.segments.engine import SegmentNotFound, SegmentWithheld
from trellis.segments.history import movements
from trellis.segments.query import SegmentQuery
from trellis.segments.tables import SEGMENT_EVENT
from trellis.system import Event

DAY = date(2026, 3, 10)


def segment(name: str, rule: Any = None, **options: Any) -> Segment:
    return Segment(name=name, title=Text(name.title()), rule=rule, **options)


def city(name: str) -> dict[str, Any]:
    return {"field": "city", "op": "eq", "value": name}


def recent(q: SegmentQuery) -> sa.Select[Any]:
    income = q.income(q.day(days=-30))
    return sa.select(income.c.customer_id).where(income.c.occasions > 0)


BRNO = segment("brno", city("Brno"))
RECENT = segment("recent", select=recent)
BIG = segment("big_orders", {"field": "amount", "op": "gte", "value": 100}, entity="order")


def refresh(book: Book, *names: str, today: date = DAY) -> dict[str, tuple[int, int]]:
    done = engine.refresh(book.session, book.edition, names or None, today=today)
    assert done.faults == []
    return done.changes


def members(book: Book, name: str) -> list[int]:
    return sorted(book.session.scalars(engine.members(book.edition, book.actor, name)))


def history(book: Book, name: str) -> list[tuple[int, int]]:
    event = SEGMENT_EVENT.c
    query = sa.select(event.record_id, event.change).where(event.segment == name).order_by(event.id)
    return [tuple(row) for row in book.session.execute(query)]


def test_a_refresh_lets_in_and_out_only_those_who_changed(book: Book) -> None:
    book = book.with_own(BRNO)
    anna, boris, vera = (book.customer(city=place) for place in ("Brno", "Brno", "Oslo"))
    assert refresh(book) == {"brno": (0, 0)}
    assert members(book, "brno") == [anna, boris]
    past = sa.update(Customer.__table__)  # past the door, so that nothing follows
    book.session.execute(past.where(Customer.id == anna).values(city="Oslo"))
    book.session.execute(past.where(Customer.id == vera).values(city="Brno"))
    assert refresh(book) == {"brno": (1, 1)}
    assert members(book, "brno") == [boris, vera]
    assert sorted(history(book, "brno")) == sorted([(anna, 1), (boris, 1), (anna, -1), (vera, 1)])


def test_who_comes_into_a_segment_that_began_empty_has_entered_it(book: Book) -> None:
    book = book.with_own(BRNO)
    anna = book.customer(city="Oslo")
    assert refresh(book) == refresh(book) == {"brno": (0, 0)}
    past = sa.update(Customer.__table__)  # as time does, nothing follows
    book.session.execute(past.values(city="Brno"))
    assert refresh(book) == {"brno": (1, 0)}
    logged = sa.select(Event.record_id, Event.action).where(Event.action.like("segment.%"))
    assert [tuple(row) for row in book.session.execute(logged)] == [(anna, ENTERED)]


def test_a_select_may_name_a_record_twice(book: Book) -> None:
    book = book.with_own(RECENT)
    anna, boris = book.customer(), book.customer()
    book.order(anna, "2026-03-01")
    book.order(anna, "2026-03-05")
    book.order(boris, "2026-01-01")
    assert refresh(book) == {"recent": (1, 0)}
    assert refresh(book, today=date(2026, 5, 1)) == {"recent": (0, 1)}
    assert refresh(book, today=date(2026, 1, 20)) == {"recent": (2, 0)}


def test_only_the_segments_named_are_refreshed(book: Book) -> None:
    book.customer(city="Brno")
    book = book.with_own(BRNO, BIG)
    assert refresh(book, "big_orders") == {"big_orders": (0, 0)}
    assert members(book, "brno") == []


def test_a_segment_of_another_entity(book: Book) -> None:
    book = book.with_own(BIG)
    anna = book.customer()
    big, _small = book.order(anna, "2026-03-01", "150"), book.order(anna, "2026-03-01", "15")
    refresh(book)
    assert members(book, "big_orders") == [big]
    (size,) = engine.sizes(book.session, book.edition, book.actor)
    assert (size.members, size.share) == (1, 0.5)


def test_who_goes_to_the_bin_leaves_at_once(book: Book) -> None:
    book = book.with_own(BRNO)
    anna = book.customer(city="Brno")
    refresh(book)
    book.records.delete("customer", anna)
    assert members(book, "brno") == []
    assert history(book, "brno") == [(anna, 1), (anna, -1)]
    book.records.restore("customer", anna)
    assert members(book, "brno") == [anna]
    assert refresh(book) == {"brno": (0, 0)}


def test_who_goes_to_the_bin_leaves_a_segment_that_follows_nothing(book: Book) -> None:
    book = book.with_own(RECENT)
    anna = book.customer()
    book.order(anna, "2026-03-01")
    refresh(book)
    book.records.delete("customer", anna)
    assert members(book, "recent") == []
    assert history(book, "recent") == [(anna, 1), (anna, -1)]


def test_sizes_say_the_share_of_all(book: Book) -> None:
    book = book.with_own(BRNO, RECENT)
    for place in ("Brno", "Brno", "Oslo"):
        book.customer(city=place)
    refresh(book)
    assert [size.to_json() for size in engine.sizes(book.session, book.edition, book.actor)] == [
        {
            "segment": "brno",
            "title": "Brno",
            "plugin": "core",
            "entity": "customer",
            "members": 2,
            "share": pytest.approx(2 / 3, abs=1e-6),
        },
        {
            "segment": "recent",
            "title": "Recent",
            "plugin": "core",
            "entity": "customer",
            "members": 0,
            "share": 0.0,
        },
    ]


def test_an_empty_workspace_has_no_shares(book: Book) -> None:
    book = book.with_own(BRNO)
    refresh(book)
    assert [(size.members, size.share) for size in engine.sizes(book.session, book.edition, book.actor)] == [
        (0, None)
    ]


def test_a_reader_knows_only_of_members_that_the_reader_may_see(book: Book) -> None:
    book = book.with_own(BRNO, BIG)
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    mine = book.customer(city="Brno", owner=boris)
    book.customer(city="Brno")
    book.customer(city="Oslo")
    refresh(book)
    agent = book.seen_by(Actor(user_id=boris, grants={"customer": Grant("customer", read=Scope.OWN)}))
    assert members(agent, "brno") == [mine]
    (size,) = engine.sizes(agent.session, agent.edition, agent.actor)  # orders may not be read at all
    assert (size.segment.name, size.members, size.share) == ("brno", 1, 1.0)
    (there,) = engine.memberships(agent.session, agent.edition, agent.actor, "customer", mine)
    assert there.segment == BRNO
    (beside,) = in_segments(agent.records, mine)["shown"]
    assert (beside["title"], beside["why"]) == ("Brno", "City is “Brno”")
    since = datetime(2020, 1, 1, tzinfo=UTC)
    assert movements(agent.session, agent.edition, agent.actor, since) == {"brno": (1, 0)}


def test_a_segment_that_asks_for_one_with_a_withheld_field_is_withheld_too(book: Book) -> None:
    asking = segment("asking", {"segment": "brno"})
    book = book.with_own(BRNO, asking, segment("everybody", {"all": []}))
    city = frozenset({FieldRule("customer", "city", FieldRight.NONE)})
    blind = Actor(user_id=1, grants={"customer": Grant("customer", read=Scope.ALL)}, fields=city)
    assert set(blind.sees(book.edition).all(Segment)) == {"everybody"}


def test_a_segment_goes_by_the_records_that_decide_it(book: Book) -> None:
    ordered = {"related": "order.customer", "op": "gte", "value": 1}
    chosen = segment("selected", select=lambda q: sa.select(Order.customer_id))
    book = book.with_own(
        BRNO, segment("ordered", ordered), segment("asking", {"segment": "ordered"}), chosen,
        segment("owned", {"field": "owner", "op": "is_not_empty"}),
        segment("of_boss", {"field": "owner.name", "op": "eq", "value": "Boss"}),
    )  # fmt: skip
    anna = book.customer(city="Brno")
    book.order(anna, "2026-03-01")
    refresh(book)
    decided = {"ordered", "asking", chosen.name}
    open_ = {"brno", "owned"}
    for customers, orders, seen in (
        (Scope.ALL, Scope.NONE, open_),
        (Scope.ALL, Scope.UNIT, open_),
        (Scope.UNIT, Scope.OWN, open_),
        (Scope.UNIT, Scope.UNIT, open_ | decided),
        (Scope.OWN, Scope.ALL, open_ | decided | {"of_boss"}),  # people know themselves
    ):
        grants = {"customer": Grant("customer", read=customers), "order": Grant("order", read=orders)}
        someone = Actor(user_id=1, units=(1,), grants=grants)
        other = replace(book, actor=someone, edition=someone.sees(book.edition))
        assert set(other.edition.all(Segment)) & {*book.edition.all(Segment)} - {"gym.members"} == seen
        if decided <= seen:
            assert engine.find(other.edition, "ordered")
            continue
        known = engine.sizes(other.session, other.edition, other.actor)
        assert not decided & {one.segment.name for one in known}
        beside = engine.memberships(other.session, other.edition, other.actor, "customer", anna)
        assert not decided & {one.segment.name for one in beside}
        with pytest.raises(SegmentWithheld, match=r"\(Orders\)"):
            engine.members(other.edition, other.actor, "ordered")
        with pytest.raises(RuleInvalid):
            other.records.list("customer", rule={"segment": "ordered"})


def test_members_are_a_filter(book: Book) -> None:
    book = book.with_own(BRNO)
    anna = book.customer(city="Brno")
    book.customer(city="Oslo")
    refresh(book)
    query = sa.select(Customer.id).where(Customer.id.in_(engine.members(book.edition, book.actor, "brno")))
    assert list(book.session.scalars(query)) == [anna]


def test_a_rule_may_look_at_extension_fields_and_figures(book: Book) -> None:
    card = Field(name="own.card", entity="customer", type=TextType(), label=Text("Card"))
    view = book.edition.entity("customer")
    entities = {**book.edition.entities, "customer": replace(view, fields={**view.fields, card.name: card})}
    book.edition = replace(book.edition, entities=entities, _cache={})
    rule = {
        "all": [
            {"field": "own.card", "op": "is_not_empty"},
            {"field": "orders_count", "op": "eq", "value": 1},
        ]
    }
    book = book.with_own(segment("carded", rule))
    anna, boris = book.customer(**{"own.card": "1"}), book.customer(**{"own.card": "2"})
    book.order(anna, "2026-03-01")
    refresh(book)
    assert members(book, "carded") == [anna] != [boris]


def test_an_unknown_segment_is_refused_with_those_that_are_known(book: Book) -> None:
    book = book.with_own(BRNO)
    with pytest.raises(SegmentNotFound, match="did you mean “brno”"):
        engine.members(book.edition, book.actor, "brnoo")


def test_a_segment_that_fails_leaves_the_others_working(book: Book) -> None:
    def broken(_q: SegmentQuery) -> sa.Select[Any]:
        return sa.select(sa.literal_column("no_such_column")).select_from(Customer.__table__)

    def raising(_q: SegmentQuery) -> sa.Select[Any]:
        raise RuntimeError("no idea")

    bad = [segment("x.broken", select=broken, owner="x"), segment("y.raising", select=raising, owner="y")]
    book.customer(city="Brno")
    book = book.with_own(*bad, BRNO)
    done = engine.refresh(book.session, book.edition, today=DAY)
    assert done.changes == {"brno": (1, 0)}
    assert [fault.plugin for fault in done.faults] == ["x", "y"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (segment("a"), "a rule or a select"),
        (segment("a", city("Brno"), select=recent), "a rule or a select"),
        (segment("a", {"field": "town", "op": "eq", "value": "Brno"}), "town"),
        (segment("a", {"field": "city", "op": "near", "value": "Brno"}), "near"),
        (segment("a", select=lambda q: sa.select(Customer.town)), "town"),
    ],
)
def test_a_segment_that_cannot_work_is_refused(book: Book, bad: Segment, why: str) -> None:
    with pytest.raises(Exception, match=why):
        check_segment(book.edition, bad)
