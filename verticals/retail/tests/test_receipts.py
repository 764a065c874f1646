"""What follows from receipts and returns when they are written."""

from __future__ import annotations

from typing import Any

import pytest
from shop import Shop
from trellis import RecordInvalid
from trellis.process.engine import Engine
from trellis.process.tables import ProcessInstance
from trellis.process.tasks import Tasks


def order(shop: Shop, record_id: int) -> dict[str, Any]:
    return shop.records.get("order", record_id).values


def give_back(shop: Shop, **values: Any) -> dict[str, Any]:
    given = {"number": "B1", "reason": "damaged", "amount": "10", **values}
    return shop.records.create("retail.return", given).values


def test_the_card_says_whose_receipt_it_is(shop: Shop) -> None:
    holder = shop.customer(retail_card_number="2041 8830")
    found = shop.receipt(None, "2026-10-05", retail_card_number="2041 8830")
    assert order(shop, found)["customer"] == holder


def test_a_customer_who_is_given_wins_over_the_card(shop: Shop) -> None:
    shop.customer("holder", retail_card_number="1")
    buyer = shop.customer("buyer")
    found = shop.receipt(buyer, "2026-10-05", retail_card_number="1")
    assert order(shop, found)["customer"] == buyer


def test_a_card_that_nobody_or_two_people_hold_says_nothing(shop: Shop) -> None:
    for name in ("one", "two"):
        shop.customer(name, retail_card_number="7")
    for card in ("7", "8"):
        assert order(shop, shop.receipt(None, "2026-10-05", retail_card_number=card))["customer"] is None


def test_a_negative_receipt_is_a_return_receipt(shop: Shop) -> None:
    assert order(shop, shop.receipt(None, "2026-10-05", "-5"))["retail.is_return"] is True
    assert order(shop, shop.receipt(None, "2026-10-05", "5"))["retail.is_return"] is None


def test_a_return_takes_customer_and_store_from_its_receipt(shop: Shop) -> None:
    customer, store = shop.customer(), shop.store()
    sold = shop.receipt(customer, "2026-10-05", "40", retail_store=store, currency="EUR")
    found = give_back(shop, receipt=sold)
    assert (found["customer"], found["store"], found["currency"]) == (customer, store, "EUR")


def test_no_more_comes_back_than_was_paid(shop: Shop) -> None:
    sold = shop.receipt(shop.customer(), "2026-10-05", "40")
    give_back(shop, receipt=sold, amount="15")
    with pytest.raises(RecordInvalid) as refused:
        give_back(shop, receipt=sold, amount="25.01")
    assert [str(message) for message in refused.value.errors["amount"]] == [
        "Of this receipt €25.00 can still be returned"
    ]
    assert give_back(shop, receipt=sold, amount="25")["amount"] == 25


def test_a_refused_return_leaves_the_receipt_as_it_was(shop: Shop) -> None:
    sold = shop.receipt(shop.customer(), "2026-10-05", "40")
    give_back(shop, receipt=sold, amount="40", resolution="refused")
    assert give_back(shop, receipt=sold, amount="40")["amount"] == 40


def test_a_return_may_be_changed_within_its_own_amount(shop: Shop) -> None:
    sold = shop.receipt(shop.customer(), "2026-10-05", "40")
    made = shop.records.create(
        "retail.return", {"number": "B", "reason": "size", "amount": "40", "receipt": sold}
    )
    assert shop.records.update("retail.return", made.id, {"amount": "39"}).values["amount"] == 39


def test_a_missing_receipt_is_an_error_of_the_field(shop: Shop) -> None:
    with pytest.raises(RecordInvalid) as refused:
        give_back(shop, receipt=4711)
    assert "receipt" in refused.value.errors


def test_a_return_is_settled_only_with_a_resolution(shop: Shop) -> None:
    made = shop.records.create("retail.return", {"number": "B", "reason": "size", "amount": 5})
    checked = shop.records.move("retail.return", made.id, "checked")
    with pytest.raises(RecordInvalid) as refused:
        shop.records.move("retail.return", checked.id, "settled")
    assert set(refused.value.errors) == {"resolution", "settled_at"}
    done = {"resolution": "refund", "settled_at": "2026-10-09T10:00:00Z"}
    assert shop.records.move("retail.return", made.id, "settled", done).values["stage"] == "settled"


def test_a_promotion_passes_the_margin_check_before_it_runs(shop: Shop) -> None:
    values = {
        "name": "Sale",
        "mechanic": "percent_off",
        "starts": "2026-12-01",
        "ends": "2026-12-24",
        "budget": 1,
    }
    made = shop.records.create("retail.promotion", values)
    with pytest.raises(RecordInvalid):
        shop.records.move("retail.promotion", made.id, "running")
    for stage in ("margin_check", "approved", "running"):
        assert shop.records.move("retail.promotion", made.id, stage).values["stage"] == stage


@pytest.mark.parametrize(
    ("margin", "discount", "budget", "verdict", "stage"),
    [
        ("30", "0.10", 4000, "approve", "approved"),
        ("30", None, 6000, "ask", "margin_check"),
        ("20", "0.10", 1, "ask", "margin_check"),
        ("14", "0.10", 1, "refuse", "draft"),
    ],
)
def test_the_margin_that_an_offer_leaves_decides_who_approves_it(
    shop: Shop, margin: str, discount: str | None, budget: int, verdict: str, stage: str
) -> None:
    values = {"name": "Sale", "mechanic": "percent_off", "starts": "2026-12-01", "ends": "2026-12-24"}
    made = shop.records.create("retail.promotion", {**values, "discount": discount, "budget": budget})
    engine = Engine(shop.records)
    number = engine.start("retail.promotion_approval", made.id)
    (task,) = Tasks(shop.records).of_instance(number or 0)
    engine.complete(task, {"margin": margin})
    found = shop.session.get_one(ProcessInstance, number)
    assert (found.variables["verdict"], found.problem) == (verdict, "")
    assert shop.records.get("retail.promotion", made.id).values["stage"] == stage
