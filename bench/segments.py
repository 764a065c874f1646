"""Segments counted anew, against hand-written SQL that writes the same members into a table; and what one order costs.

Both replace all members. Trellis also keeps who entered and left; where nobody did there is nothing to write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from trellis.contributions import Rule, Segment
from trellis.edition import OWN, Edition
from trellis.i18n import Text
from trellis.records.door import Records
from trellis.records.membership import SEGMENT_MEMBER
from trellis.security.actor import SYSTEM
from trellis.segments import engine
from trellis.segments.own import with_segment

from bench.lists import report

_LATELY = {"field": "ordered_at", "op": "gte", "value": "2025-10-01"}
_ONLINE = {"field": "channel", "op": "eq", "value": "online"}
_OF_ORDERS = """SELECT o.customer_id FROM "order" o JOIN customer c ON c.id = o.customer_id AND c.deleted_at IS NULL
    WHERE o.deleted_at IS NULL {where} GROUP BY o.customer_id HAVING {having}"""


def _orders(measure: str, op: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"related": "order.customer", "measure": measure, "op": op, "value": value, **more}


_RULES: dict[str, tuple[Rule, str]] = {
    "two orders of the last quarter": (
        _orders("count", "gte", 2, where=_LATELY),
        _OF_ORDERS.format(where="AND o.ordered_at >= '2025-10-01'", having="count(*) >= 2"),
    ),
    "bought for 1000 and more": (
        _orders("sum", "gte", 1000, field="amount"),
        _OF_ORDERS.format(where="", having="sum(o.amount) >= {thousand}"),
    ),
    "more than half online": (
        _orders("share", "gt", "0.5", part=_ONLINE),
        _OF_ORDERS.format(where="", having="count(CASE WHEN o.channel = 'online' THEN 1 END) * 2 > count(*)"),
    ),
    "of one city": (
        {"field": "city", "op": "eq", "value": "City 7"},
        "SELECT id FROM customer WHERE deleted_at IS NULL AND city = 'City 7'",
    ),
}


def measure(session: Session, edition: Edition, rounds: int) -> None:
    """Prints a line a segment, and one for an order."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    everything: list[tuple[Callable[[], Any], Callable[[], Any]]] = []
    for number, (title, (rule, by_hand)) in enumerate(_RULES.items()):
        segment = Segment(name=f"own.bench_{number}", title=Text(title), rule=rule, owner=OWN)
        edition = with_segment(edition, segment)
        session.execute(sa.text(f"CREATE TABLE by_hand_{number} (record_id bigint PRIMARY KEY)"))
        select = by_hand.format(thousand=1000 * (10_000 if sqlite else 1))
        ours, theirs = _refresh(session, edition, segment.name), _by_hand(session, number, select)
        ours(), theirs()
        members = sa.select(SEGMENT_MEMBER.c.record_id).where(SEGMENT_MEMBER.c.segment == segment.name)
        known = set(session.scalars(sa.text(f"SELECT record_id FROM by_hand_{number}")))
        assert set(session.scalars(members)) == known, title
        everything.append((ours, theirs))
        report(f"segment: {title} ({len(known)})", ours, theirs, rounds)
    report(
        "all of these segments",
        lambda: [ours() for ours, _theirs in everything],
        lambda: [theirs() for _ours, theirs in everything],
        rounds,
    )
    _write_orders(session, edition)


def _refresh(session: Session, edition: Edition, name: str) -> Callable[[], Any]:
    return lambda: engine.refresh(session, edition, [name])


def _by_hand(session: Session, number: int, select: str) -> Callable[[], Any]:
    def write() -> None:
        session.execute(sa.text(f"DELETE FROM by_hand_{number}"))
        session.execute(sa.text(f"INSERT INTO by_hand_{number} {select}"))

    return write


def _write_orders(session: Session, edition: Edition) -> None:
    """One order with and without segments that follow it, by turns."""
    if session.get_bind().dialect.name == "postgresql":  # the orders were written past its sequence
        last = "SELECT setval(pg_get_serial_sequence('\"order\"', 'id'), (SELECT max(id) FROM \"order\"))"
        session.execute(sa.text(last))
    without = replace(edition, contributions={**edition.contributions, Segment: {}}, _cache={})
    values = {"customer": 7, "ordered_at": "2025-11-05T10:00:00Z", "amount": "5"}

    def writing(seen: Edition) -> Callable[[], Any]:
        records = Records(session, seen, SYSTEM)
        return lambda: records.create("order", {**values, "number": "B"})

    number = len(edition.all(Segment))
    report(f"an order with {number} segments, against none", writing(edition), writing(without), 60)
