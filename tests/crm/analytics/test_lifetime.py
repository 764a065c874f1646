"""Lifetime value of a workspace: histories, groups, and answers where there is little or odd data."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from measured import Book
from trellis.crm.analytics.answers import ANALYTICS, Question
from trellis.crm.analytics.clv import Asked, Lifetime, clv
from trellis.crm.analytics.figures import refresh_customer_value
from trellis.crm.analytics.histories import MOST_LEARNT, Histories, histories, learnt_from
from trellis.crm.analytics.panels import worth
from trellis.crm.customers.entities import Customer
from trellis.crm.sales.entities import Order
from trellis.kpi.income import rebuild
from trellis.kpi.periods import parse
from trellis.records.bulk import insert_rows
from trellis.security.actor import Actor

UNTIL = date(2026, 6, 30)


def found(book: Book, **asked: Any) -> Lifetime:
    given = {"until": UNTIL, "today": UNTIL, **asked}
    return clv(book.session, book.edition, book.actor, Asked(**given))


def answer(book: Book, name: str = "clv", **texts: str) -> dict[str, Any]:
    """The answer as a program gets it: JSON, in which neither NaN nor infinity exists."""
    analytics = ANALYTICS[name]
    options = analytics.read({"as_of": UNTIL.isoformat(), **texts})
    made = analytics.answer(
        Question(session=book.session, edition=book.edition, actor=book.actor, options=options)
    )
    return json.loads(json.dumps(made, allow_nan=False))  # type: ignore[no-any-return]


def fill(book: Book, days: list[list[int]], amounts: list[float], cost: float | None = None) -> None:
    """Customers with purchases so many days before the end, past the door."""
    now = datetime(2026, 7, 1, tzinfo=UTC)
    stamp = {"created_at": now, "updated_at": now, "version": 1, "extra": {}}
    start = (book.session.scalar(sa.select(sa.func.max(Customer.id))) or 0) + 1
    people = [
        {"id": start + n, "name": f"C{n}", "external_id": f"C{n}", "kind": "person"} for n in range(len(days))
    ]
    end = datetime(UNTIL.year, UNTIL.month, UNTIL.day, 12, tzinfo=UTC)
    orders = [
        {
            "number": f"{n}-{ago}",
            "customer_id": start + n,
            "ordered_at": end - timedelta(days=ago),
            "amount": Decimal(str(amounts[(n + place) % len(amounts)])),
            "cost": None if cost is None else Decimal(str(cost)),
        }
        for n, own in enumerate(days)
        for place, ago in enumerate(own)
    ]
    insert_rows(book.session, Customer.__table__, stamp, people)
    insert_rows(book.session, Order.__table__, stamp, orders)
    rebuild(book.session, book.edition)
    refresh_customer_value(book.session, book.edition, UNTIL)


def varied(number: int) -> list[list[int]]:
    """Histories as they are found: many buy once, some often, some long ago."""
    chance = np.random.default_rng(7)
    made = []
    for _one in range(number):
        age = int(chance.integers(60, 540))
        rate, leaves = chance.gamma(0.6, 0.02), chance.beta(1, 4)
        ago = age
        own = [ago]
        while chance.random() > leaves:
            ago -= int(chance.exponential(1 / max(rate, 1e-4))) + 1
            if ago < 0:
                break
            own.append(ago)
        made.append(own)
    return made


def test_a_history_is_of_purchase_days_in_the_own_currency(book: Book) -> None:
    anna, boris, vera = book.customers(3)
    book.order(anna, "2026-01-01", "10")
    book.order(anna, "2026-01-11T08:00", "20")
    book.order(anna, "2026-01-11T18:00", "30")
    book.order(anna, "2026-01-21", "-5")
    book.order(anna, "2026-01-31", "99", currency="USD")
    book.order(anna, "2026-07-01", "99")
    book.order(boris, "2026-06-30", "7", cost="9")
    book.order(vera, "2026-06-30", "-7")
    known = histories(book.session, book.edition, book.actor, UNTIL)
    rows = zip(
        *(getattr(known, name).tolist() for name in ("id", "x", "recency", "age", "valued")), strict=True
    )
    assert list(rows) == [(anna, 2, 30, 180, 1), (boris, 0, 0, 0, 0)]
    assert known.mean.tolist() == [50, 0] and known.revenue.tolist() == [55, 7]
    assert known.margin.tolist() == [0, -2]
    only = histories(book.session, book.edition, book.actor, UNTIL, acquired=parse("2026-06"))
    assert only.id.tolist() == [boris]
    nobody = Actor(user_id=None, name="nobody", grants={})
    assert len(histories(book.session, book.edition, nobody, UNTIL)) == 0


def test_what_another_person_took_back_on_the_day_of_a_purchase_lessens_its_worth(book: Book) -> None:
    anna, seller, desk = book.customer(), book.person("Seller"), book.person("Desk")
    book.order(anna, "2026-01-01", "10", owner=seller)
    book.order(anna, "2026-01-11", "70", owner=seller)
    book.order(anna, "2026-01-11", "-20", owner=desk)
    book.order(anna, "2026-01-21", "-5", owner=desk)
    known = histories(book.session, book.edition, book.actor, UNTIL)
    assert (known.x.tolist(), known.valued.tolist(), known.mean.tolist()) == ([1], [1], [50])


def test_the_share_of_margin_is_of_the_revenue_whose_cost_is_known(book: Book) -> None:
    anna = book.customer()
    book.order(anna, "2026-01-01", "100", cost="60")
    book.order(anna, "2026-01-11", "-50")
    assert answer(book)["margin"] == 0.4


def test_little_data_gives_reasons_instead_of_figures(book: Book) -> None:
    nothing = answer(book)
    assert (nothing["customers"], nothing["total"], nothing["bgnbd"], nothing["formula"]) == (
        0,
        None,
        None,
        None,
    )
    assert nothing["not_enough_data"] and nothing["historic"]["mean"] is None
    book.order(book.customer(), "2026-05-01", "10")
    assert answer(book, customers="true")["lines"][0]["clv"] is None
    fill(book, [[100]] * 120, [10])
    once = answer(book)
    assert "second day" in once["not_enough_data"] and once["historic"]["total"] == "1210.00"
    loyal = answer(book, "loyalty")
    assert (loyal["year"]["retention"], loyal["what_if"], loyal["projection"]) == (None, None, None)
    assert loyal["survival"]["customers"] == 121


def test_customers_who_are_all_alike_get_a_finite_value(book: Book) -> None:
    fill(book, [[90, 60, 30, 0]] * 150, [10])
    made = answer(book)
    assert made["not_enough_data"] is None and len(made["warnings"]) >= 1
    assert float(made["mean"]) == pytest.approx(10 * 12, rel=0.1)


def test_refunds_above_sales_and_losses_are_told_as_they_are(book: Book) -> None:
    fill(book, varied(150), [-50, 5], cost=8)
    made = answer(book)
    assert float(made["historic"]["total"]) < 0 and made["historic"]["negative"] > 0
    assert made["bgnbd"] is None or float(made["total"]) == float(made["total"])
    worse = answer(book, margin="-0.5")
    assert worse["margin"] == -0.5 and float(worse["total"] or 0) <= 0


def test_groups_add_up_and_customers_carry_their_value(book: Book) -> None:
    fill(book, varied(400), [10, 25, 40, 80], cost=6)
    made = found(book)
    assert made.values is not None
    total = made.values.clv.sum()
    for groups in (made.tenths, made.cohorts):
        assert sum(one.customers for one in groups) == 400
        assert sum(one.value or 0 for one in groups) == pytest.approx(total)
    assert [one.value for one in made.tenths] == sorted((one.value for one in made.tenths), reverse=True)
    whole = book.session.execute(sa.select(sa.func.sum(Customer.clv), sa.func.count(Customer.alive))).one()
    assert float(whole[0]) == pytest.approx(total, abs=4) and whole[1] == 400
    best = book.session.scalars(sa.select(Customer.id).order_by(Customer.clv.desc())).first()
    assert best == made.known.id[made.values.clv.argmax()]
    assert refresh_customer_value(book.session, book.edition, UNTIL) == 0
    panel = worth(book.records, int(best or 0))
    assert len(panel["figures"]) == 3 and "Bought on" in str(panel["why"][0])


def test_answers_take_their_options(book: Book) -> None:
    fill(book, varied(300), [10, 25, 40])
    usual = answer(book)
    assert (usual["unit"], usual["horizon"], usual["discount_rate"], usual["margin"]) == (
        "week",
        12,
        0.01,
        1.0,
    )
    by_day = answer(book, unit="day")
    assert by_day["bgnbd"]["alpha"] == pytest.approx(usual["bgnbd"]["alpha"] * 7, rel=0.01)
    assert float(by_day["total"]) == pytest.approx(float(usual["total"]), rel=0.001)
    assert float(answer(book, horizon="24")["total"]) > float(usual["total"])
    past = answer(book, calibrate_to="2026-01-31")
    assert past["customers"] < 300 and past["tracking"][-1]["calibration"] is False
    endless = answer(book, retention="1", discount_rate="0")["formula"]
    assert endless["following"] is None and endless["refused"]
    assert answer(book, retention="1", discount_rate="0", years="3")["formula"]["following"] is not None


def test_staying_is_of_customers_and_of_their_revenue(book: Book) -> None:
    """B = 100, expansion 15, contraction 5, churned 8: GRR 87 %, NRR 102 %."""
    grows, shrinks, leaves, comes = book.customers(4)
    for customer, before, now in ((grows, "50", "65"), (shrinks, "42", "37"), (leaves, "8", None)):
        book.order(customer, "2025-03-01", before)
        if now:
            book.order(customer, "2026-03-01", now)
    book.order(comes, "2026-03-01", "500")
    year = answer(book, "loyalty")["year"]
    assert (year["before"], year["retained"], year["grr"], year["nrr"]) == (3, 2, 0.87, 1.02)
    assert year["retention"] == pytest.approx(2 / 3, abs=1e-6) and year["mean_lifetime"] == pytest.approx(3)
    made = answer(book, "loyalty", change="0.1", years="3")["what_if"]
    value, kept = 602 / 3, (2 / 3, 2 / 3 + 0.1)
    expected = [3 * value * (1 + rate + rate**2) for rate in kept]
    assert [float(made["revenue"]), float(made["revenue_changed"])] == pytest.approx(expected, abs=0.02)


def test_share_of_wallet_is_of_those_who_said_what_they_spend(book: Book) -> None:
    anna, boris, _vera = (
        book.customer(name, category_spending=said)
        for name, said in (("Anna", "100"), ("Boris", "10"), ("Vera", None))
    )
    book.order(anna, "2026-06-01", "40")
    book.order(boris, "2026-06-01", "40")
    refresh_customer_value(book.session, book.edition, UNTIL)
    assert answer(book, "loyalty")["share_of_wallet"] == {"customers": 2, "over": 1, "share": 0.4}


def test_of_many_customers_every_second_or_fourth_is_learnt_from() -> None:
    number = 2 * MOST_LEARNT + 50_001
    numbers = np.arange(number, dtype=np.float64)
    names = ("x", "recency", "age", "valued", "mean", "revenue", "costed", "margin")
    whole = Histories(until=UNTIL, id=numbers.astype(np.int64), **dict.fromkeys(names, numbers))
    parts = [whole.part(np.arange(start, min(start + 19_999, number))) for start in range(0, number, 19_999)]
    for learnt in (learnt_from(UNTIL, [whole]), learnt_from(UNTIL, parts)):
        assert learnt.id.tolist() == list(range(0, number, 4))
    assert len(learnt_from(UNTIL, parts[:10])) == 199_990
    assert len(learnt_from(UNTIL, [])) == 0
