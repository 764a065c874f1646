"""Effectiveness of a loyalty programme: uplift against those who bought alike, costs, horizon, scenarios, rights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from measured import Book
from trellis.contributions import FieldRight, Grant, Scope
from trellis.contributions import Segment as SegmentContribution
from trellis.crm.analytics.cash_flow import worth
from trellis.crm.analytics.programme import Effectiveness, effectiveness
from trellis.errors import PermissionRefused, RecordInvalid, RecordNotFound
from trellis.records.door import Write
from trellis.records.entity import Field
from trellis.records.types import Date
from trellis.security.actor import Actor
from trellis.security.field_rights import FieldRule

TODAY = date(2026, 7, 10)
JOINED = "birthday"
"""A field of the core that is a day serves as the day of joining."""


def found(book: Book, programme: int | None = None, today: date = TODAY) -> Effectiveness:
    return effectiveness(book.session, book.edition, book.actor, today, programme)


def programme(book: Book, **values: Any) -> int:
    usual = {"name": "Club", "started_on": "2026-01-01", "member_field": JOINED, "horizon": 6}
    return book.records.create("programme", usual | values).id


def months(book: Book, customer: int, before: Any, since: Sequence[Any], cost: Any = 0) -> None:
    """A year of purchases of one amount, then the months of 2026."""
    amounts = {f"2025-{month:02}-10": before for month in range(1, 13)}
    amounts |= {f"2026-{month:02}-10": amount for month, amount in enumerate(since, 1)}
    rows = [
        {"number": "R", "customer": customer, "ordered_at": day, "amount": str(amount), "cost": cost}
        for day, amount in amounts.items()
    ]
    book.records.save("order", [Write(values=row) for row in rows])


def pairs(
    book: Book, members: Sequence[Sequence[int]], others: Sequence[int], cost: Any = 0
) -> list[tuple[int, int]]:
    """Five pairs that bought alike, each in a cell of its own: 100 a month, 110, ... 140; then what is given more."""
    found = []
    for place, more in enumerate(members):
        member, other = book.customers(2)
        usual = 100 + place * 10
        months(book, member, usual, [usual + one for one in more], cost)
        months(book, other, usual, [usual + one for one in others], cost)
        found.append((member, other))
    return found


def club(book: Book) -> list[int]:
    """Members went from 100 to 130, others that bought alike to 112."""
    members = [member for member, _other in pairs(book, [[30] * 6] * 5, [12] * 6)]
    for member in members:
        book.records.update("customer", member, {JOINED: "2026-01-01"})
    return members


def test_members_are_compared_with_those_who_bought_alike(book: Book) -> None:
    """The example of metrics.md 15: members 100 to 130, others 100 to 112, so 18 each."""
    club(book)
    one = found(book, programme(book, setup_cost=100, platform_cost=20, rewards_cost=10))
    answer = one.to_json()
    assert (answer["measure"], answer["measured_months"]) == ("margin", 6)
    assert (answer["members"], answer["members_left_out"]) == (5, 0)
    assert Decimal(answer["uplift_per_member_month"]) == 18
    income = 18 * 6 * 5
    assert (answer["income"], answer["costs"]) == (f"{income}.00", "280.00")
    assert answer["net"] == f"{income - 280}.00"
    assert answer["roi"] == pytest.approx((income - 280) / 280, abs=1e-6)
    nets = [Decimal(-100), *[Decimal(18 * 5 - 30)] * 6]
    by_hand = worth(nets, Decimal("1.12") ** (Decimal(1) / 12) - 1)
    assert Decimal(answer["npv"]) == round(by_hand.npv, 2)
    assert answer["payback_months"] == by_hand.payback
    assert [row["scenario"] for row in answer["scenarios"]] == ["pessimistic", "base", "optimistic"]
    assert Decimal(answer["scenarios"][0]["income"]) == Decimal(answer["income"]) * Decimal("0.7")
    assert answer["assumptions"]["discount_rate"] == "0.12"


def test_months_to_come_are_expected_like_those_that_were(book: Book) -> None:
    club(book)
    number = programme(book, horizon=12, unredeemed=100, expected_redemption="0.6", compare_by="area")
    one = found(book, number, date(2026, 4, 15))
    ahead = [flow for flow in one.flows if flow.ahead]
    assert (len(one.flows), len(ahead), ahead[0].period) == (13, 9, one.flows[4].period)
    assert {flow.income for flow in one.flows[1:]} == {18 * one.uplift.matched}
    assert [flow.costs for flow in one.flows[-2:]] == [0, 60]


def test_who_has_nobody_to_compare_with_is_left_out_and_counted(book: Book) -> None:
    member, late, new = book.customers(3)
    months(book, member, 100, [130] * 6)
    book.records.update("customer", member, {JOINED: "2026-02-10"})
    book.records.update("customer", new, {JOINED: "2026-02-10"})
    book.records.update("customer", late, {JOINED: "2026-07-02"})
    one = found(book, programme(book))
    assert (one.uplift.matched, one.uplift.unmatched) == (0, 3)
    assert (one.base, one.flows) == (None, ())
    assert "compared" in str(one.reason)
    assert one.to_json()["npv"] is None


def test_members_join_in_different_months(book: Book) -> None:
    march, may = [0, 0, 50, 50, 50, 50], [0, 0, 0, 0, 20, 20]
    made = pairs(book, [march, may, [0] * 6, [0] * 6, [0] * 6], [0] * 6)
    book.records.update("customer", made[0][0], {JOINED: "2026-03-01"})
    book.records.update("customer", made[1][0], {JOINED: "2026-05-20"})
    one = found(book, programme(book))
    assert list(one.uplift.months.values()) == [0, 0, 50, 50, 70, 70]
    assert list(one.uplift.active.values()) == [0, 0, 1, 1, 2, 2]
    assert (one.uplift.matched, one.uplift.compared) == (2, 2)


def test_members_may_come_from_a_segment_and_join_with_the_start(book: Book) -> None:
    members = club(book)
    book.records.update("customer", members[0], {JOINED: None})
    title = Field(name="x", type=Date(), label=book.edition.entity("customer").info.title).label
    rule = {"field": JOINED, "op": "is_not_empty"}
    club_segment = SegmentContribution(name="club", title=title, entity="customer", rule=rule)
    mine = book.with_own(club_segment)
    from trellis.segments.engine import refresh

    refresh(mine.session, mine.edition)
    one = found(mine, programme(mine, member_field=None, segment="club"))
    assert (one.uplift.matched, one.uplift.unmatched) == (4, 0)
    assert one.uplift.per_member == 18


def test_without_known_costs_a_margin_is_assumed(book: Book) -> None:
    made = pairs(book, [[40] * 6, *[[0] * 6] * 4], [0] * 6, cost=None)
    book.records.update("customer", made[0][0], {JOINED: "2025-06-01"})  # long before: with the start
    one = found(book, programme(book, margin_share="0.25"))
    assert one.base is not None
    assert (one.measure, one.base.income) == ("revenue", 60)


def test_what_is_missing_is_said(book: Book) -> None:
    assert "no loyalty programme" in str(found(book).reason)
    assert found(book).to_json()["irr"] is None
    no_members = programme(book, member_field=None)
    assert "who is a member" in str(found(book, no_members).reason)
    assert "nobody" in str(found(book, programme(book)).reason)
    book.records.create("customer", {"name": "Anna", JOINED: "2026-01-01"})
    assert "no month" in str(found(book, programme(book, started_on="2026-07-01")).reason)
    assert "no month" in str(found(book, programme(book, started_on="2027-07-01")).reason)
    with pytest.raises(RecordNotFound):
        found(book, 999_999)


def test_a_programme_names_what_there_is(book: Book) -> None:
    for values, field in (
        ({"member_field": "name"}, "member_field"),
        ({"segment": "nothing", "member_field": None}, "segment"),
        ({"horizon": 0}, "horizon"),
        ({"expected_redemption": "1.2"}, "expected_redemption"),
        ({"setup_cost": -1}, "setup_cost"),
    ):
        with pytest.raises(RecordInvalid) as caught:
            programme(book, **values)
        assert list(caught.value.errors) == [field]


def test_a_reader_needs_the_whole_programme_and_counts_the_own_customers(book: Book) -> None:
    boris = book.records.create("user", {"name": "Boris", "email": "b@acme.test"}).id
    members = club(book)
    book.records.update("customer", members[0], {"owner": boris})
    programme(book, compare_by="area")
    sales = {name: Grant(name, read=Scope.OWN) for name in ("customer", "order")}
    grants = sales | {"programme": Grant("programme", read=Scope.ALL)}
    own = found(book.seen_by(Actor(user_id=boris, grants=grants)))
    assert (own.uplift.matched, own.uplift.unmatched) == (0, 1)
    hidden = frozenset({FieldRule("programme", "setup_cost", FieldRight.NONE)})
    for actor in (
        Actor(user_id=boris, grants=sales),
        Actor(user_id=boris, grants=grants, fields=hidden),
    ):
        with pytest.raises(PermissionRefused):
            found(book.seen_by(actor))
