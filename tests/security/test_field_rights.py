"""Rights on single fields hold in the door, in queries, in figures and in what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
import sqlalchemy.orm
from callers import open_client
from flask import Flask
from measured import Book
from samples import gym, registry
from trellis import enabling
from trellis.contributions import FieldRight, Grant, Kpi, Role, Scope, Segment
from trellis.crm.analytics.counted import Made, told
from trellis.crm.analytics.pyramid import pyramid
from trellis.crm.analytics.refreshing import refresh
from trellis.crm.analytics.window import Window
from trellis.errors import PermissionRefused, RecordInvalid, RuleInvalid
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.kpi import engine
from trellis.kpi.income import IncomeDay, IncomeWithheld
from trellis.kpi.own import save_kpi
from trellis.kpi.periods import parse
from trellis.records.door import Records
from trellis.records.query import ListQuery
from trellis.security.actor import SYSTEM, Actor, limited, merge_grants
from trellis.security.field_rights import merge_field_rules, only_seen
from trellis.security.roles import save_role
from trellis.segments.own import Draft, create
from trellis.web.app import create_app
from trellis.workspace import Workspace

SECRET = "Zanzibar"
NONE, READ, WRITE = FieldRight.NONE, FieldRight.READ, FieldRight.WRITE


def role(name: str, **fields: FieldRight) -> Role:
    grants = [
        Grant("customer", read=Scope.ALL, create=True, update=Scope.ALL, fields=fields),
        Grant("order", read=Scope.ALL),
    ]
    return Role(name=name, title=Text(name), grants=grants)


def actor(*roles: Role) -> Actor:
    return Actor(name="Anna", grants=merge_grants(roles), fields=merge_field_rules(roles))


def test_a_field_is_withheld_where_all_roles_withhold_it() -> None:
    one, two = role("one", city=NONE, phone=NONE, email=READ), role("two", city=READ, phone=NONE)
    assert actor(one, two).fields == {("customer", "city", READ), ("customer", "phone", NONE)}
    closed = Role(name="closed", title=Text("closed"), grants=[Grant("customer", read=Scope.NONE)])
    assert actor(one, closed).fields == actor(one).fields
    assert actor(one, Role(name="all", title=Text("all"), grants=[Grant("*")])).fields == frozenset()


def test_nobody_without_rules_pays(workspace: Workspace) -> None:
    with workspace.read() as session:
        edition = workspace.edition(session)
        assert actor(role("open")).sees(edition) is edition
        limited = actor(role("limited", city=NONE))
        assert limited.sees(edition) is limited.sees(limited.sees(edition))
        assert limited.sees(edition).whole is edition


def test_what_is_withheld_does_not_exist_in_queries(workspace: Workspace) -> None:
    with workspace.write() as session:
        edition = workspace.edition(session)
        Records(session, edition, SYSTEM).create("customer", {"name": "Anna", "city": SECRET})
        records = Records(session, edition, actor(role("limited", city=NONE)))
        (found,) = records.list("customer").items
        assert "city" not in found.values
        leaks: list[dict[str, Any]] = [
            {"rule": {"field": "city", "op": "eq", "value": SECRET}},
            {"rule": {"not": {"field": "city", "op": "starts_with", "value": "Z"}}},
            {"sort": ("-city",)},
            {"fields": ["city"]},
        ]
        for options in leaks:
            with pytest.raises(RuleInvalid):
                records.list("customer", **options)
        with pytest.raises(RuleInvalid):
            ListQuery(edition.entity("order"), edition, records.actor, sort=("customer.city",))
        with pytest.raises(RuleInvalid):
            records.count("order", rule={"field": "customer.city", "op": "eq", "value": SECRET})
        assert records.count("customer", text=SECRET) == 0


def test_what_may_only_be_read_is_not_written(workspace: Workspace) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), actor(role("limited", city=READ, phone=NONE)))
        with pytest.raises(RecordInvalid) as refused:
            records.create("customer", {"name": "Anna", "city": SECRET})
        assert "may read this field" in str(refused.value)
        with pytest.raises(RecordInvalid) as refused:
            records.create("customer", {"name": "Anna", "phone": "+420123456789"})
        assert "no such field" in str(refused.value)
        created = records.create("customer", {"name": "Anna"})
        whole = Records(session, records.edition, SYSTEM)
        whole.update("customer", created.id, {"phone": "+420 123 456 789", "city": SECRET})
        records.update("customer", created.id, {"name": "Anna B."})
        kept = whole.get("customer", created.id).values
        assert (kept["name"], kept["city"]) == ("Anna B.", SECRET)
        assert kept["phone"]


def test_a_missing_value_of_a_hidden_field_is_not_named(workspace: Workspace) -> None:
    hidden = Role(
        name="r",
        title=Text("r"),
        grants=[Grant("order", create=True, fields={"number": READ, "amount": NONE})],
    )
    product = Role(
        name="p", title=Text("p"), grants=[Grant("order_line", create=True, fields={"price": NONE})]
    )
    with workspace.write() as session:
        edition = workspace.edition(session)
        order = Records(session, edition, SYSTEM).create(
            "order", {"number": "N1", "ordered_at": "2026-01-01T00:00:00Z", "amount": 5}
        )
        with pytest.raises(RecordInvalid) as refused:
            Records(session, edition, actor(hidden, product)).create("order_line", {"order": order.id})
        assert "price" not in refused.value.errors
        assert "_record" in refused.value.errors


def test_figures_that_compute_with_it_are_left_out(workspace: Workspace) -> None:
    limited = Role(
        name="r",
        title=Text("r"),
        grants=[Grant("*", read=Scope.ALL), Grant("order", read=Scope.ALL, fields={"amount": NONE})],
    )
    with workspace.read() as session:
        edition = workspace.edition(session)
        seen = actor(limited).sees(edition)
        gone = edition.all(Kpi).keys() - seen.all(Kpi).keys()
        assert "revenue" in gone
        assert "new_customers" in seen.all(Kpi)
        with pytest.raises(PermissionRefused):
            pyramid(session, edition, actor(limited), Window.of(parse("2026")))
    assert {name for name in edition.all(Segment)} == set(seen.all(Segment)) or seen.all(Segment)


def reading(units: tuple[int, ...] = (), **scopes: Scope) -> Actor:
    """Somebody of these units who reads these entities so far."""
    grants = [Grant(entity, read=scope) for entity, scope in scopes.items()]
    known = Role(name="r", title=Text("r"), grants=grants)
    return Actor(user_id=7, name="Anna", units=units, grants=merge_grants([known]))


def test_income_is_counted_from_open_sales_and_what_adds_up_all_goes_by_the_customers(
    workspace: Workspace,
) -> None:
    window = Window.of(parse("2026"))
    rich = {"field": "revenue_12m", "op": "gt", "value": 100}
    with workspace.write() as session:
        made = create(session, workspace.edition(session), SYSTEM, Draft(title="Rich", rule=rich))
    with workspace.write() as session:
        edition = workspace.edition(session)
        records = Records(session, edition, SYSTEM)
        town = records.create("unit", {"name": "Town"}).id
        customer = records.create("customer", {"name": "Anna", "unit": town}).id
        order = {"number": "N1", "customer": customer, "ordered_at": "2026-01-01T00:00:00Z", "amount": 500}
        records.create("order", order)
        refresh(session, edition)
    everything, unit, own, none = Scope.ALL, Scope.UNIT, Scope.OWN, Scope.NONE
    drawn = Segment(
        name="drawn", title=Text("Drawn"), select=lambda q: sa.select(q.income().c.customer_id).distinct()
    )
    with workspace.read() as session:
        edition = Book(session, workspace.edition(session)).with_own(drawn).edition
        for customers, orders in (
            (everything, none),
            (own, none),
            (everything, own),
            (everything, unit),
            (unit, own),
        ):
            someone = reading((town,), customer=customers, order=orders)
            seen = someone.sees(edition)
            assert seen is someone.sees(seen)
            counted = {"active_customers", "repeat_rate"} & seen.all(Kpi).keys()
            rollup = sa.select(IncomeDay.customer_id)
            with only_seen(session, seen), pytest.raises(PermissionRefused):  # a plugin's own
                session.execute(rollup)
            if orders is none:
                with pytest.raises(IncomeWithheld, match="Orders"):
                    pyramid(session, edition, someone, window)
                assert not counted
            else:
                assert sum(one.customers for one in pyramid(session, edition, someone, window).tiers) == 0
                assert counted == {"active_customers", "repeat_rate"}
                said = str(told(edition, someone, Made.SALES))
                assert "in records that you may see" in said and said.endswith("are made of all")
                assert "also in records that you may not see" in str(told(edition, someone, Made.SCORES))
            assert made.name not in seen.all(Segment) and "drawn" not in seen.all(Segment)
            assert not {"revenue_12m", "orders_count", "clv"} & seen.entity("customer").fields.keys()
            assert "tier" in seen.entity("customer").fields
            with pytest.raises(RuleInvalid):
                Records(session, edition, someone).list("customer", sort=("-revenue_12m",))
        for customers, orders, said in (
            (everything, everything, None),
            (unit, everything, "with all that they brought"),
            (unit, unit, "stand on customers are made of all"),
            (own, unit, "stand on customers are made of all"),
        ):
            someone = reading((town,), customer=customers, order=orders)
            assert someone.sees(edition) is edition and "drawn" in edition.all(Segment)
            scope = told(edition, someone, Made.SALES)
            assert scope is None if said is None else str(scope).endswith(said)
            found = pyramid(session, edition, someone, window)
            assert sum(one.customers for one in found.tiers) == (orders is everything)
        token = limited(SYSTEM, read_only=True, entities=["customer"])
        with pytest.raises(IncomeWithheld):
            pyramid(session, edition, token, window)


def test_a_kpi_of_a_segment_that_is_withheld_is_left_out_with_it(workspace: Workspace) -> None:
    counted = {"title": "New in town", "direction": "customers", "level": "tactics", "unit": "count"}
    with workspace.write() as session:
        draft = Draft(title="In town", rule={"field": "city", "op": "eq", "value": SECRET})
        town = create(session, workspace.edition(session), SYSTEM, draft)
    rule = {"segment": town.name}
    records = {**counted, "entity": "customer", "date": "created_at", "rule": rule}
    with workspace.write() as session:
        edition = workspace.edition(session)
        for kind in ("count", "share"):
            save_kpi(session, edition, SYSTEM, f"town_{kind}", {**records, "aggregate": kind}, new=True)
    names = {"own.town_count", "own.town_share"}
    with workspace.read() as session:
        edition = workspace.edition(session)
        for rights, known in ((NONE, set()), (READ, names)):
            reader = actor(role("r", city=rights))
            seen = reader.sees(edition)
            assert seen.all(Kpi).keys() & names == known
            for name in known:
                engine.value(session, seen, reader, name, parse("2026"))


def test_a_kpi_goes_with_a_segment_that_is_decided_by_records_less_open(workspace: Workspace) -> None:
    counted = {"title": "Ordered", "direction": "customers", "level": "tactics", "unit": "count"}
    with workspace.write() as session:
        rule = {"related": "order.customer", "op": "gte", "value": 1}
        made = create(session, workspace.edition(session), SYSTEM, Draft(title="Ordered", rule=rule))
    with workspace.write() as session:
        asked = {
            "entity": "customer",
            "date": "created_at",
            "aggregate": "count",
            "rule": {"segment": made.name},
        }
        save_kpi(session, workspace.edition(session), SYSTEM, "ordered", {**counted, **asked}, new=True)
    with workspace.read() as session:
        edition = workspace.edition(session)
        for orders, known in ((Scope.UNIT, False), (Scope.ALL, True)):
            reader = reading(customer=Scope.ALL, order=orders)
            assert ("own.ordered" in reader.sees(edition).all(Kpi)) is known


def test_what_a_plugin_selects_by_itself_is_refused_too(workspace: Workspace) -> None:
    from trellis.crm.customers.entities import Customer
    from trellis.crm.sales.entities import Order

    hidden = [Grant("*", read=Scope.ALL), Grant("order", read=Scope.ALL, fields={"amount": NONE})]
    who = actor(Role(name="r", title=Text("r"), grants=hidden))
    with workspace.read() as session:
        edition = who.sees(workspace.edition(session))
        refused = [
            sa.select(sa.func.sum(Order.amount)),
            sa.select(Customer.name).join(Order).where(Order.amount > 5),
            sa.select(sa.literal(1)).where(sa.exists().where(Order.amount > 5)),
            sa.select(sa.orm.aliased(Order).amount),
            sa.select(Order),
        ]
        with only_seen(session, edition):
            session.execute(sa.select(Order.number, Customer.name).join(Customer)).all()
            Records(session, edition, who).list("order")
            for statement in refused:
                with pytest.raises(PermissionRefused):
                    session.execute(statement)
        session.execute(refused[0])
        with only_seen(session, edition.whole):
            session.execute(refused[0])


@pytest.fixture
def gym_app(open_installation: Callable[..., Installation]) -> tuple[Flask, Installation, Workspace]:
    installation = open_installation(plugins=registry(gym()))
    workspace = installation.workspace("acme")
    enabling.enable(workspace, "gym")
    return create_app(installation), installation, workspace


def test_rest_tells_the_caller_nothing_of_it(gym_app: tuple[Flask, Installation, Workspace]) -> None:
    app, installation, workspace = gym_app
    rights = {
        "customer": {
            "read": "all",
            "create": True,
            "update": "all",
            "fields": {"city": "none", "gym.card": "none", "country": "read"},
        },
        "order": {"read": "all"},
    }
    with workspace.write() as session:
        save_role(session, "own.clerk", "Clerk", rights)
    admin = open_client(app, installation, workspace, "admin@acme.test", ["administrator"])
    clerk = open_client(app, installation, workspace, "clerk@acme.test", ["own.clerk"])
    made = admin.create("customer", name="Anna", city=SECRET, **{"gym.card": SECRET}, country="CZ")
    admin.patch(f"/customer/{made}", {"city": f"{SECRET} 2"})
    for path in (
        "/customer",
        f"/customer/{made}",
        "/entities",
        "/entities/customer",
        "/events",
        "/openapi.json",
        "/kpis",
        "/segments",
        "/customer?q=Anna&count=true",
    ):
        text = clerk.get(path)
        assert text.status_code == 200, text.text
        assert SECRET not in text.text, path
        assert '"city"' not in text.text or path == "/openapi.json", path
        assert "gym.card" not in text.text, path
    refused = [
        "/customer?city=Zanzibar",
        "/customer?gym.card=Zanzibar",
        "/customer?sort=city",
        "/customer?fields=gym.card",
        "/order?fields=customer.city",
        '/order?filter={"field":"customer.city","op":"eq","value":"x"}',
    ]
    for path in refused:
        unknown = clerk.get(path.replace("city", "nothing").replace("gym.card", "gym.nothing"))
        answer = clerk.get(path)
        assert (answer.status_code, answer.json["code"]) == (unknown.status_code, unknown.json["code"]), path  # type: ignore[index]
        assert answer.status_code == 400, path
    assert clerk.get("/customer?q=Zanzibar&count=true").json["total"] == 0  # type: ignore[index]
    assert clerk.patch(f"/customer/{made}", {"city": "x"}).status_code == 422
    assert clerk.patch(f"/customer/{made}", {"country": "AT"}).status_code == 422
    assert clerk.post("/customer:batch", [{"name": "B", "gym.card": "x"}]).status_code == 422
    assert clerk.patch(f"/customer/{made}", {"name": "Anna B."}).status_code == 200
    described = {one["name"]: one for one in clerk.get("/entities/customer").json["fields"]}  # type: ignore[index]
    assert described["country"]["read_only"] is True
    schemas = clerk.get("/openapi.json").json["components"]["schemas"]  # type: ignore[index]
    assert not any("gym.card" in one.get("properties", {}) for one in schemas.values())
    assert admin.get(f"/customer/{made}").json["city"] == f"{SECRET} 2"  # type: ignore[index]
