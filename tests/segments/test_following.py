"""Membership follows each write, for the records concerned and no others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from measured import Book
from trellis.contributions import Segment
from trellis.crm.sales.entities import Order
from trellis.errors import RuleInvalid
from trellis.i18n import Text
from trellis.segments import engine
from trellis.segments.checks import check_segment
from trellis.segments.following import recount
from trellis.segments.history import history, latest
from trellis.segments.query import SegmentQuery
from trellis.segments.sources import in_order, sources_of
from trellis.system import Event

TODAY = datetime.now(UTC).date()


def segment(name: str, rule: Any = None, **options: Any) -> Segment:
    return Segment(name=name, title=Text(name.title()), rule=rule, **options)


def orders(op: str, value: Any, where: Any = None, **how: Any) -> dict[str, Any]:
    rule = {"related": "order.customer", "op": op, "value": value, **how}
    return rule if where is None else {**rule, "where": where}


RECENT = {"field": "ordered_at", "op": "gte", "value": {"days": -90}}
REGULAR = segment("regular", orders("gte", 2, RECENT))
PHONED = segment(
    "phoned", orders("gt", "0.5", measure="share", part={"field": "channel", "op": "eq", "value": "phone"})
)
MINE = segment("of_boris", {"field": "owner.name", "op": "eq", "value": "Boris"})
BOTH = segment("both", {"all": [{"segment": "regular"}, {"segment": "of_boris"}]})
LINED = segment(
    "lined",
    orders(
        "gte",
        1,
        {"related": "order_line.order", "measure": "sum", "field": "quantity", "op": "gte", "value": 5},
    ),
)
BUYERS = segment("buyers", {"field": "orders_count", "op": "gte", "value": 1})


def big(q: SegmentQuery) -> sa.Select[Any]:
    found = sa.select(Order.customer_id).where(q.alive(Order), q.among(Order.customer_id))
    return found.group_by(Order.customer_id).having(sa.func.sum(Order.amount) >= 100)


WATCHING = segment("big", select=big, watches={"order": "customer"})


def members(book: Book, name: str) -> list[int]:
    return sorted(book.session.scalars(engine.members(book.edition, book.actor, name)))


def day(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


def test_an_order_lets_its_customer_in_and_another_customer_out(book: Book) -> None:
    """The whole story of one order: made, moved to somebody else, put into the bin and brought back."""
    book = book.with_own(REGULAR, PHONED, BUYERS, WATCHING)
    anna, boris = book.customers(2)
    book.order(anna, day(-3), "60")
    order = book.order(anna, day(-2), "60", channel="phone")
    assert [members(book, name) for name in ("regular", "phoned", "buyers", "big")] == [
        [anna],
        [],
        [anna],
        [anna],
    ]
    book.records.update("order", order, {"customer": boris})
    assert [members(book, name) for name in ("regular", "phoned", "buyers")] == [[], [boris], [anna, boris]]
    book.records.delete("order", order)
    assert [members(book, name) for name in ("phoned", "buyers", "big")] == [[], [anna], []]
    book.records.restore("order", order)
    assert members(book, "phoned") == [boris]
    log = sa.select(Event.action, Event.record_id, Event.changes).where(Event.action.like("segment.%"))
    told = [
        (row[0], row[1])
        for row in book.session.execute(log.order_by(Event.id))
        if "phoned" in row[2]["segment"]
    ]
    assert told == [("segment.entered", boris), ("segment.left", boris), ("segment.entered", boris)]
    before = {name: members(book, name) for name in ("regular", "phoned", "buyers", "big")}
    assert set(engine.refresh(book.session, book.edition).changes.values()) == {(0, 0)}
    assert {name: members(book, name) for name in before} == before


def test_records_referred_to_and_related_to_related_ones_decide_too(book: Book) -> None:
    book = book.with_own(MINE, REGULAR, BOTH, LINED)
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    anna = book.customer(owner=boris)
    order = book.order(anna, day(-3))
    book.order(anna, day(-400))
    assert (members(book, "of_boris"), members(book, "both")) == ([anna], [])
    book.order(anna, day(-1))
    assert members(book, "both") == [anna]  # by way of the segment “regular”
    book.records.update("user", boris, {"name": "Bob"})
    assert (members(book, "of_boris"), members(book, "both")) == ([], [])
    product = book.records.create("product", {"name": "Tea", "code": "T", "price": "1"}).id
    line = {"order": order, "product": product, "quantity": 5, "price": "1"}
    written = book.records.create("order_line", line).id
    assert members(book, "lined") == [anna]
    book.records.update("order_line", written, {"quantity": 4})
    assert members(book, "lined") == []


def test_who_moved_when_and_how_large_the_segment_was(book: Book) -> None:
    book = book.with_own(BUYERS)
    anna, boris = book.customers(2)
    book.order(anna, day(-3))
    order = book.order(boris, day(-3))
    book.records.delete("order", order)
    (only,) = history(book.session, book.edition, book.actor, "buyers", TODAY - timedelta(days=7))
    assert (only.entered, only.left, only.size) == (2, 1, 1)
    moved = latest(book.session, book.edition, book.actor, "buyers")
    assert [(one.record_id, one.entered) for one in moved] == [(boris, False), (boris, True), (anna, True)]


def test_the_first_filling_of_a_segment_is_no_entry_in_the_event_log(book: Book) -> None:
    book.customers(3)
    book = book.with_own(segment("everybody", {"all": []}))
    assert engine.refresh(book.session, book.edition).changes == {"everybody": (3, 0)}
    entries = sa.select(sa.func.count()).select_from(Event).where(Event.action.like("segment.%"))
    assert book.session.scalar(entries) == 0


def test_a_relative_day_moves_on_by_itself(book: Book) -> None:
    book = book.with_own(REGULAR)
    anna = book.customer()
    book.order(anna, day(-1))
    book.order(anna, day(-2))
    assert members(book, "regular") == [anna]
    engine.refresh(book.session, book.edition, today=TODAY + timedelta(days=89))
    assert members(book, "regular") == []
    recount(book.session, book.edition, {"regular": {anna}}, today=TODAY)
    assert members(book, "regular") == [anna]


@contextmanager
def statements(book: Book) -> Iterator[list[tuple[str, Any]]]:
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        found.append((statement, parameters))

    connection = book.session.connection()
    sa.event.listen(connection, "before_cursor_execute", note)
    yield found
    sa.event.remove(connection, "before_cursor_execute", note)


def test_what_one_order_costs_does_not_depend_on_history(book: Book) -> None:
    """As many statements with one customer as with a thousand orders, and none that reads a whole table."""
    book = book.with_own(REGULAR, PHONED, BOTH, MINE, LINED, WATCHING)
    anna = book.customer()
    book.order(anna, day(-1))
    with statements(book) as few:
        book.order(anna, day(-1))
    for other in book.customers(50):
        for _each in range(4):
            book.order(other, day(-1))
    book.session.execute(sa.text("ANALYZE"))
    with statements(book) as many:
        book.order(anna, day(-1))
    assert len(many) <= len(few)
    asked = [(text, given) for text, given in many if "segment_0" in text]
    assert len(asked) == 1
    sqlite = book.session.get_bind().dialect.name == "sqlite"
    if not sqlite:  # the tables are small: whether there is a way by the indexes
        book.session.execute(sa.text("SET LOCAL enable_seqscan = off"))
    text, given = asked[0]
    explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
    plan = "\n".join(str(row) for row in book.session.connection().exec_driver_sql(explain + text, given))
    assert ("SCAN" if sqlite else "Seq Scan") not in plan, plan


def test_segments_that_ask_for_each_other_are_refused(book: Book) -> None:
    one, other = segment("one", {"segment": "other"}), segment("other", {"not": {"segment": "one"}})
    book = book.with_own(one, other)
    with pytest.raises(RuleInvalid, match="in a circle: One → Other → One"):
        check_segment(book.edition, one)


def test_a_segment_is_counted_behind_those_that_it_asks_for(book: Book) -> None:
    book.customer(owner=book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id)
    book = book.with_own(BOTH, segment("all_of", {"segment": "of_boris"}), MINE, REGULAR)
    names = [one.name for one in in_order(book.edition, [BOTH, MINE])]
    assert names == ["of_boris", "both"]
    assert engine.refresh(book.session, book.edition, today=date(2026, 3, 1)).changes["all_of"] == (1, 0)


def test_what_decides_is_read_off_the_rule(book: Book) -> None:
    book = book.with_own(LINED)
    found = {one.entity: sorted(one.fields) for one in sources_of(book.edition, LINED)}
    assert found == {"order": ["customer"], "order_line": ["order", "quantity"]}
