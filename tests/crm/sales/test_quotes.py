"""From the products of an opportunity to a quote, its approval and its order: to the cent, on both databases."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from trellis.contributions import FieldRight, Grant, Role, Scope
from trellis.crm.products.entities import PriceList
from trellis.crm.sales import quotes
from trellis.errors import Conflict, PermissionRefused, RecordInvalid
from trellis.i18n import Text
from trellis.notifications.tables import Notification
from trellis.records.door import Records
from trellis.security.actor import SYSTEM, Actor, merge_grants
from trellis.security.field_rights import FieldRule
from trellis.security.people import User
from trellis.workspace import Workspace

TODAY = date.today()
LATER = (TODAY + timedelta(days=30)).isoformat()


class Shop:
    """Price lists, a bundle, and two people who sell."""

    def __init__(self, workspace: Workspace, session: Session) -> None:
        self.workspace, self.session = workspace, session
        self.records = self.door(SYSTEM)
        add = self.add
        self.desk, self.lamp = (
            add("product", name="Desk", price=300),
            add("product", name="Lamp", price="19.99"),
        )
        self.set = add("product", name="Desk with lamps")
        add("bundle_part", bundle=self.set, part=self.desk)
        add("bundle_part", bundle=self.set, part=self.lamp, quantity=2)
        self.usual = add("price_list", name="Usual", valid_from="2020-01-01")
        add("price_list_item", price_list=self.usual, product=self.desk, price=280)
        add("price_list_item", price_list=self.usual, product=self.desk, price=250, quantity_from=10)
        self.partners = add("price_list", name="Partners", channel="Partner")
        add("price_list_item", price_list=self.partners, product=self.desk, price=240)
        over = add("price_list", name="Over", valid_to="2021-12-31", valid_from="2021-01-01")
        add("price_list_item", price_list=over, product=self.desk, price=1)
        self.customer = add("customer", name="Nordic")

    def add(self, entity: str, **values: Any) -> int:
        return self.records.create(entity, values).id

    def door(self, actor: Actor) -> Records:
        return Records(self.session, self.workspace.edition(self.session), actor)

    def person(self, role: str, **rights: Any) -> Records:
        """The door of somebody of a role, who may do all but delete."""
        me = self.add("user", name=role, email=f"{role}@acme.test")
        grants = [Grant("*", read=Scope.ALL, create=True, update=Scope.ALL)]
        known = merge_grants([Role(name=role, title=Text(role), grants=grants)])
        return self.door(Actor(user_id=me, name=role, roles=(role,), grants=known, **rights))

    def value(self, entity: str, number: int, name: str) -> Any:
        return self.records.get(entity, number).values[name]


@pytest.fixture
def shop(workspace: Workspace) -> Iterator[Shop]:
    with workspace.write() as session:
        yield Shop(workspace, session)


def test_a_price_is_that_of_the_list_of_the_day(shop: Shop) -> None:
    deal = shop.add("opportunity", name="Desks", customer=shop.customer, amount=5)
    for quantity, price in (("1", 280), ("9.5", 280), ("10", 250)):
        line = shop.add("opportunity_line", opportunity=deal, product=shop.desk, quantity=quantity)
        assert shop.value("opportunity_line", line, "price") == price
    partner = shop.add("opportunity", name="Partner", channel="Partner")
    line = shop.add("opportunity_line", opportunity=partner, product=shop.desk, quantity=20)
    assert shop.value("opportunity_line", line, "price") == 240
    bundle = shop.add("opportunity_line", opportunity=partner, product=shop.set)
    assert shop.value("opportunity_line", bundle, "price") == Decimal(
        "279.98"
    )  # of the parts, two lamps among them
    assert shop.value("opportunity", partner, "amount") == Decimal("5079.98")
    foreign = shop.add("opportunity", name="Dollars", currency="USD")
    line = shop.add("opportunity_line", opportunity=foreign, product=shop.desk)
    assert shop.value("opportunity_line", line, "price") is None  # it has none in that currency
    shop.records.delete("opportunity_line", bundle)
    assert shop.value("opportunity", partner, "amount") == 4800
    then = shop.add("quote", customer=shop.customer, issued_on="2021-06-01")
    line = shop.add("quote_line", quote=then, product=shop.desk)
    assert shop.value("quote_line", line, "price") == 1
    for channel, price in (("Partner", 240), ("Shop", 300)):  # a list is not for those whom it does not mean
        chosen = shop.add("quote", price_list=shop.partners, channel=channel)
        line = shop.add("quote_line", quote=chosen, product=shop.desk)
        assert shop.value("quote_line", line, "price") == price
    few = shop.add("price_list", name="Few")
    shop.add("price_list_item", price_list=few, product=shop.desk, price=2)
    shop.session.execute(sa.update(PriceList).where(PriceList.id == few).values(segment="best"))
    chosen = shop.add("quote", price_list=few, customer=shop.customer)
    line = shop.add("quote_line", quote=chosen, product=shop.desk)
    assert shop.value("quote_line", line, "price") == 300
    for values, field in (
        ({"currency": "moon"}, "currency"),
        ({"segment": "moon"}, "segment"),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "valid_to"),
    ):
        with pytest.raises(RecordInvalid) as caught:
            shop.add("price_list", name="Wrong", **values)
        assert list(caught.value.errors) == [field]
    with pytest.raises(RecordInvalid, match="no part of itself"):
        shop.add("bundle_part", bundle=shop.set, part=shop.set)


def test_lines_are_rounded_by_the_currency_and_add_up(shop: Shop) -> None:
    quote = shop.add("quote", customer=shop.customer)
    exact: list[Decimal] = []
    for quantity, price, discount, tax in (
        ("3", "0.335", "0.1", "0.21"),
        ("1.5", "19.99", "0.0333", "0.21"),
        ("7", "0.01", "0.5", "0"),
    ):
        line = shop.add("quote_line", quote=quote, quantity=quantity, price=price, discount=discount, tax=tax)
        found = shop.records.get("quote_line", line).values
        net = round(Decimal(quantity) * Decimal(price) * (1 - Decimal(discount)), 4)
        assert abs(found["net"] - net) <= Decimal("0.005") and found["net"] == round(found["net"], 2)
        assert found["amount"] == found["net"] + found["tax_amount"]
        exact.append(found["amount"])
    whole = shop.records.get("quote", quote).values
    assert whole["amount"] == sum(exact) == whole["net"] + whole["tax"]
    assert (whole["lines_count"], whole["discount"]) == (3, Decimal("0.5"))
    yen = shop.add("quote", currency="JPY")
    line = shop.add("quote_line", quote=yen, quantity=3, price="100.5", tax="0.1")
    assert [shop.value("quote_line", line, one) for one in ("net", "tax_amount", "amount")] == [302, 30, 332]
    with pytest.raises(RecordInvalid, match="remove them first"):
        shop.records.update("quote", yen, {"currency": "EUR"})
    with pytest.raises(RecordInvalid) as caught:
        shop.add("quote_line", quote=quote, price=1, discount="1.2")
    assert list(caught.value.errors) == ["discount"] and str(caught.value).endswith("at most 100 %")


def test_a_quote_is_approved_sent_accepted_and_ordered_once(shop: Shop) -> None:
    shop.add("discount_limit", role="agent", limit="0.1")
    agent, manager = shop.person("agent"), shop.person("manager")
    deal = shop.add("opportunity", name="Desks", customer=shop.customer, channel="Shop")
    shop.add("opportunity_line", opportunity=deal, product=shop.desk, quantity=4, discount="0.1")
    shop.add("opportunity_line", opportunity=deal, product=shop.lamp, quantity=3)
    quote = quotes.offer(agent, deal)
    assert (quote.values["number"], quote.values["customer"], quote.values["channel"]) == (
        "Q-000001",
        shop.customer,
        "Shop",
    )
    assert quote.values["net"] == Decimal("1067.97")
    with pytest.raises(RecordInvalid) as caught:
        agent.move("quote", quote.id, "sent")
    assert list(caught.value.errors) == ["valid_until"]
    dear, cheap = (one.id for one in agent.list("quote_line", sort=("id",)).items)
    agent.update(
        "quote_line", cheap, {"price": "15"}
    )  # a quarter below the list, without calling it a discount
    with pytest.raises(RecordInvalid, match="needs approval: your limit is 10"):
        agent.move("quote", quote.id, "sent", {"valid_until": LATER})
    agent.move("quote", quote.id, "approval")
    with pytest.raises(RecordInvalid, match="needs approval"):
        agent.move("quote", quote.id, "sent", {"valid_until": LATER})
    sent = manager.move("quote", quote.id, "sent", {"valid_until": LATER})
    assert sent.values["approved_by"] == manager.actor.user_id
    for write in (
        lambda: manager.update("quote_line", dear, {"quantity": 1}),
        lambda: manager.create("quote_line", {"quote": quote.id, "price": 1}),
    ):
        with pytest.raises(RecordInvalid, match="with the customer"):
            write()
    with pytest.raises(Conflict, match="accepted"):
        quotes.order(agent, quote.id)
    agent.move("quote", quote.id, "accepted")
    shop.records.delete("product", shop.lamp)
    order = quotes.order(agent, quote.id).values
    assert (order["amount"], order["lines_count"]) == (sent.values["net"], 2)
    assert [one.values["product"] for one in agent.list("order_line", sort=("id",)).items] == [
        shop.desk,
        None,
    ]
    assert shop.value("quote", quote.id, "order") is not None
    with pytest.raises(Conflict, match="its order already"):
        quotes.order(agent, quote.id)
    with pytest.raises(PermissionRefused):
        agent.create("discount_limit", {"role": "manager", "limit": "0.9"})
    with pytest.raises(RecordInvalid, match="There is no such role"):
        shop.add("discount_limit", role="moon", limit="0.1")


def test_an_offer_that_has_ended_is_not_accepted(shop: Shop) -> None:
    quote = shop.add("quote", customer=shop.customer, valid_until="2020-01-01")
    with pytest.raises(RecordInvalid, match="needs lines"):
        shop.records.move("quote", quote, "sent")
    shop.add("quote_line", quote=quote, product=shop.lamp)
    shop.records.move("quote", quote, "sent")
    with pytest.raises(RecordInvalid, match="was valid until"):
        shop.records.move("quote", quote, "accepted")
    shop.records.move("quote", quote, "draft")
    assert shop.value("quote", quote, "approved_by") is None


def test_what_is_too_large_is_named_and_changes_nothing(shop: Shop) -> None:
    deal = shop.add("opportunity", name="Desks")
    quote = shop.add("quote", customer=shop.customer)
    order = shop.add("order", number="1", ordered_at="2026-01-01T10:00:00Z")
    dear = shop.add("product", name="Dear", price="90000000000000")
    pair = shop.add("product", name="Two of them")
    shop.add("bundle_part", bundle=pair, part=dear, quantity=2)
    for entity, values in (
        ("quote_line", {"quote": quote}),
        ("opportunity_line", {"opportunity": deal}),
        ("order_line", {"order": order}),
    ):
        for quantity, price in (("99999999999999", "99999999999999"), ("10000000", "99999999999")):
            with pytest.raises(RecordInvalid) as caught:
                shop.add(entity, **values, quantity=quantity, price=price)
            assert list(caught.value.errors) == ["quantity"]
        shop.add(entity, **values, price="90000000000000")
        with pytest.raises(RecordInvalid, match="too large an amount"), shop.records.whole():
            shop.add(entity, **values, price="90000000000000")
        assert len(shop.records.list(entity).items) == 1
    with pytest.raises(RecordInvalid, match="too large"):
        shop.add("quote_line", quote=quote, product=pair)
    with pytest.raises(RecordInvalid, match="too large"):
        shop.add("quote_line", quote=quote, product=pair, quantity="99999999999999", price=1)
    tiny = shop.add("product", name="Screw", price="0.0001")
    line = shop.add("quote_line", quote=quote, product=tiny, price="-99999999999999")
    assert shop.value("quote_line", line, "reduction") > 1


def test_prices_stay_in_their_currency(shop: Shop) -> None:
    deal = shop.add("opportunity", name="Desks", currency="USD", channel="Shop", customer=shop.customer)
    line = shop.add("opportunity_line", opportunity=deal, quantity=2, price=100)
    for entity, one in (("opportunity", deal), ("price_list", shop.usual)):
        with pytest.raises(RecordInvalid, match="remove them first") as caught:
            shop.records.update(entity, one, {"currency": "JPY"})
        assert list(caught.value.errors) == ["currency"]
        shop.records.update(entity, one, {"notes": "The same"})
    hidden = frozenset(FieldRule("quote", name, FieldRight.NONE) for name in ("currency", "number"))
    agent = shop.person("agent", fields=hidden)
    quote = shop.records.update("quote", quotes.offer(agent, deal).id, {"valid_until": LATER}).id
    shop.records.move("quote", quote, "sent")
    shop.records.move("quote", quote, "accepted")
    order = quotes.order(agent, quote).values
    found = [order[name] for name in ("currency", "channel", "customer", "number", "amount")]
    assert found == ["USD", "Shop", shop.customer, "Q-000001", 200]
    shop.records.delete("opportunity_line", line)
    assert shop.records.update("opportunity", deal, {"currency": "JPY"}).values["currency"] == "JPY"
    with pytest.raises(RecordInvalid, match="prices in USD, and its record is in JPY"):
        shop.records.restore("opportunity_line", line)
    assert shop.value("opportunity", deal, "currency") == "JPY"
    shop.records.update("opportunity", deal, {"currency": "USD"})
    shop.records.restore("opportunity_line", line)
    assert shop.value("opportunity", deal, "amount") == 200
    other = shop.add("quote", currency="USD")
    row = shop.add("quote_line", quote=other, quantity=1, price=5)
    shop.records.delete("quote_line", row)
    shop.records.update("quote", other, {"currency": "JPY"})
    with pytest.raises(RecordInvalid, match="prices in USD"):
        shop.records.restore("quote_line", row)


def test_those_who_may_approve_a_quote_are_told_and_then_its_owner(shop: Shop) -> None:
    shop.add("discount_limit", role="agent", limit="0.1")
    roles = {"chief": "administrator", "seller": "agent", "fellow": "agent", "lead": "manager"}
    people = {name: shop.add("user", name=name, email=f"{name}@acme.test") for name in roles}
    for name, role in roles.items():
        shop.session.execute(sa.update(User).where(User.id == people[name]).values(roles=[role]))
    seller, lead = (
        dataclasses.replace(shop.door(SYSTEM).actor, user_id=people[name], name=name, source="web")
        for name in ("seller", "lead")
    )
    values = {"customer": shop.customer, "valid_until": LATER, "owner": people["seller"]}
    quote = shop.add("quote", **values)
    shop.add("quote_line", quote=quote, product=shop.desk, discount="0.3")

    def told() -> list[tuple[str, str]]:
        names = {number: name for name, number in people.items()}
        rows = shop.session.execute(sa.select(Notification).order_by(Notification.id)).scalars()
        return [(names[one.user_id], one.kind) for one in rows]

    shop.door(seller).move("quote", quote, "approval")
    assert told() == [("lead", "quote_approval")]
    shop.door(lead).move("quote", quote, "draft")
    shop.door(seller).move("quote", quote, "approval")
    shop.door(lead).move("quote", quote, "sent")
    asked = ("lead", "quote_approval")
    assert told() == [asked, ("seller", "quote_returned"), asked, ("seller", "quote_approved")]
    shop.add("discount_limit", role="manager", limit="0.2")
    shop.door(seller).move("quote", quote, "draft")
    shop.door(seller).move("quote", quote, "approval")
    assert told()[4:] == [("chief", "quote_approval")]


def test_the_limit_of_discounts_is_not_passed_by(shop: Shop) -> None:
    shop.add("discount_limit", role="agent", limit="0.1")
    agent = shop.person("agent")
    quote = agent.create("quote", {"customer": shop.customer, "valid_until": LATER}).id
    line = agent.create("quote_line", {"quote": quote, "product": shop.desk, "price": 140}).id
    for values in ({"product": None}, {"description": "A desk"}):
        agent.update("quote_line", line, values)
        assert shop.value("quote_line", line, "reduction") == Decimal("0.5")
    with pytest.raises(RecordInvalid, match="needs approval"):
        agent.move("quote", quote, "sent")
    for stage in ("sent", "accepted"):
        with pytest.raises(RecordInvalid, match="is a draft") as caught:
            agent.create("quote", {"stage": stage, "valid_until": LATER})
        assert list(caught.value.errors) == ["stage"]
    importing = shop.door(dataclasses.replace(agent.actor, source="import"))
    assert (
        importing.create("quote", {"stage": "accepted", "valid_until": LATER}).values["stage"] == "accepted"
    )


def test_a_quote_tells_nobody_of_lines_that_are_withheld(shop: Shop) -> None:
    deal = shop.add("opportunity", name="Desks", customer=shop.customer)
    shop.add("opportunity_line", opportunity=deal, product=shop.desk, price=140)
    agent = shop.person("agent")
    nothing = {**agent.actor.grants, "opportunity_line": Grant("opportunity_line", read=Scope.NONE)}
    own = {**agent.actor.grants, "opportunity_line": Grant("opportunity_line", read=Scope.OWN)}
    price = frozenset({FieldRule("opportunity_line", "price", FieldRight.NONE)})
    for rights in ({"grants": nothing}, {"grants": own}, {"fields": price}):
        with pytest.raises(PermissionRefused):
            quotes.offer(shop.door(dataclasses.replace(agent.actor, **rights)), deal)
    assert agent.count("quote") == 0
    assert quotes.offer(agent, deal).values["net"] == 140
