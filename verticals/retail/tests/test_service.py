"""What roles, the card beside a customer and the till see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from shop import TODAY, Shop
from trellis import RecordInvalid, Role
from trellis.errors import PermissionRefused
from trellis.security.actor import Actor, merge_grants
from trellis_retail.habits import habits
from trellis_retail.till import card


def acting(shop: Shop, role: str, unit: int) -> Shop:
    """The shop in the eyes of somebody with this role in this unit."""
    found = shop.edition.all(Role)[f"retail.{role}"]
    user = shop.records.create("user", {"name": role, "email": f"{role}@example.com", "unit": unit}).id
    grants = merge_grants([found])
    return replace(
        shop, actor=Actor(user_id=user, name=role, roles=(found.name,), units=(unit,), grants=grants)
    )


@pytest.fixture
def units(shop: Shop) -> list[int]:
    return [shop.records.create("unit", {"name": name}).id for name in ("Prague", "Riga")]


def test_a_store_manager_sees_receipts_of_the_own_store_and_all_customers(
    shop: Shop, units: list[int]
) -> None:
    customer = shop.customer(unit=units[1])
    ours = shop.receipt(customer, TODAY, unit=units[0])
    shop.receipt(customer, TODAY, unit=units[1])
    manager = acting(shop, "store_manager", units[0])
    assert [one.id for one in manager.records.list("order").items] == [ours]
    assert manager.records.count("customer") == 1
    for entity, values in (
        ("exchange_rate", {"currency": "USD", "since": TODAY, "rate": 1000}),
        ("sla_policy", {"name": "Never late", "resolution_minutes": 600_000}),
    ):
        with pytest.raises(PermissionRefused):
            manager.records.create(entity, values)
    with pytest.raises(PermissionRefused):
        manager.records.update("customer", customer, {"city": "Riga"})


def test_a_service_agent_takes_returns_and_changes_no_receipt(shop: Shop, units: list[int]) -> None:
    sold = shop.receipt(shop.customer(), TODAY, unit=units[1])
    agent = acting(shop, "service_agent", units[0])
    assert agent.records.create(
        "retail.return", {"number": "B", "reason": "size", "amount": 5, "receipt": sold}
    ).id
    case = agent.records.create("case", {"subject": "Torn", "priority": "high", "order": sold})
    assert agent.records.move("case", case.id, "resolved").values["resolved_at"] is not None
    with pytest.raises(PermissionRefused):
        agent.records.update("order", sold, {"amount": 0})
    with pytest.raises(PermissionRefused):
        agent.records.list("opportunity")


def test_a_marketer_plans_promotions_and_reads_sales(shop: Shop, units: list[int]) -> None:
    shop.receipt(None, TODAY, unit=units[1])
    marketer = acting(shop, "crm_marketer", units[0])
    assert marketer.records.create("retail.promotion", {"name": "Sale", "mechanic": "gift"}).id
    assert marketer.records.count("order") == 1
    with pytest.raises(PermissionRefused):
        marketer.records.create("retail.store", {"name": "S", "code": "S"})


def test_habits_say_how_where_and_what_a_customer_buys(shop: Shop) -> None:
    customer, store = shop.customer(), shop.store()
    category = shop.records.create("category", {"name": "Lamps"}).id
    lamp = shop.records.create("product", {"name": "Lamp", "category": category}).id
    other = shop.records.create("product", {"name": "Bag"}).id
    for days, channel, products in ((0, "store", (lamp,)), (10, "online", (lamp, other))):
        values = {"channel": channel, "retail_store": store, "retail_discount": 1 if days else None}
        sold = shop.receipt(customer, _today(days), None, **values)
        for product in products:
            shop.records.create("order_line", {"order": sold, "product": product, "quantity": 1, "price": 30})
    shown = habits(shop.records, customer)
    assert shown["check"] == "€45.00"
    assert str(shown["receipts"]) == "2 receipts in 12 months"
    assert [(str(label), share) for label, share in shown["measures"]] == [
        ("Online", 0.5),
        ("With discount", 0.5),
        ("Lamps", 1.0),
    ]
    assert str(shown["rhythm"]) == "Comes every 10 days on average"
    assert str(shown["place"]) == "Mostly at Store S01"


def _today(days: int) -> object:
    """A day before the real today: the card looks back from now."""
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC).date() - timedelta(days=days + 1)


def test_habits_of_a_customer_without_receipts_say_so(shop: Shop) -> None:
    assert "nothing" in habits(shop.records, shop.customer())


def test_the_till_learns_who_holds_a_card(shop: Shop) -> None:
    store = shop.store()
    holder = shop.customer(
        "Marta", retail_card_number="2041 8830", retail_card_level="gold", retail_home_store=store
    )
    shop.receipt(holder, TODAY)
    shop.measured()
    found = card(shop.records, {"number": " 2041 8830 "})
    assert (found["customer"], found["name"], found["level"]) == (holder, "Marta", "gold")
    assert (found["home_store"], found["last_purchase"]) == ("Store S01", TODAY.isoformat())
    assert card(shop.records, {"number": "0"}) == {"number": "0", "customer": None}
    with pytest.raises(RecordInvalid):
        card(shop.records, {})
