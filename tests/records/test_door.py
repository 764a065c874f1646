"""The door: what it refuses, what it writes together with a record, and who may pass."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from trellis.contributions import FieldRight, Grant, Scope
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound, StaleVersion
from trellis.records.door import BatchInvalid, Records, Write
from trellis.security.actor import SYSTEM, Actor
from trellis.security.field_rights import FieldRule
from trellis.system import Event
from trellis.workspace import Workspace


@pytest.fixture
def session(workspace: Workspace) -> Iterator[Session]:
    with workspace.write() as session:
        yield session


@pytest.fixture
def records(workspace: Workspace, session: Session) -> Records:
    return Records(session, workspace.edition(session), SYSTEM)


def as_actor(records: Records, **options: Any) -> Records:
    return Records(records.session, records.edition, Actor(source="rest", **options))


def events(session: Session) -> list[tuple[str, str]]:
    return [(row.entity, row.action) for row in session.scalars(sa.select(Event).order_by(Event.id))]


def errors_of(records: Records, entity: str, values: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(RecordInvalid) as refused:
        records.create(entity, values)
    return {field: " ".join(map(str, messages)) for field, messages in refused.value.errors.items()}


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"name": "A", "nmae": "B"}, "nmae", "did you mean “name”"),
        ({"name": "A", "shoe": 1}, "shoe", "no such field"),
        ({"name": "A", "version": 2}, "version", "kept by Trellis"),
        ({}, "name", "needs a value"),
        ({"name": "  "}, "name", "needs a value"),
        ({"name": "A", "kind": "alien"}, "kind", "person, company"),
        ({"name": "A", "email": "anna"}, "email", "mail address"),
        ({"name": "A", "birthday": "31.02.2020"}, "birthday", "date such as"),
        ({"name": "A", "tier": "top"}, "tier", "kept by Trellis"),
        ({"name": "A", "owner": 77}, "owner", "no User with the id 77"),
        ({"name": "A" * 201}, "name", "At most 200"),
        ({"name": "A\x00"}, "name", "cannot be stored"),
        ({"name": 5}, "name", "Must be text"),
        ({"name": "A", "owner": {"external_id": "nobody"}}, "owner", "external id “nobody”"),
        ({"name": "A", "owner": {"id": 1}}, "owner", "external_id"),
    ],
)
def test_bad_values_are_refused_by_field(
    records: Records, session: Session, values: dict[str, Any], field: str, message: str
) -> None:
    found = errors_of(records, "customer", values)
    assert set(found) == {field}
    assert message in found[field]
    assert events(session) == []


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e30", "-5", "ten", True, [1]])
def test_impossible_amounts_are_refused(records: Records, amount: Any) -> None:
    assert set(errors_of(records, "product", {"name": "Lamp", "price": amount})) == {"price"}


@pytest.mark.parametrize(
    ("given", "kept"), [("1 234,50", "1234.50"), ("1,234.5", "1234.5"), (0.1, "0.1"), ("12.00005", "12.0001")]
)
def test_amounts_are_exact_decimals(records: Records, given: Any, kept: str) -> None:
    product = records.create("product", {"name": "Lamp", "price": given})
    assert product.values["price"] == Decimal(kept)


@pytest.mark.parametrize("code", ["ZZZ", "E", "EURO", "€", 978])
def test_a_currency_that_there_is_not_is_refused(records: Records, code: Any) -> None:
    assert set(errors_of(records, "product", {"name": "Lamp", "currency": code})) == {"currency"}


def test_a_currency_is_kept_in_capitals_as_sums_go_by_it(records: Records) -> None:
    assert records.create("product", {"name": "Lamp", "currency": " eur "}).values["currency"] == "EUR"


def test_a_write_leaves_an_event_with_old_and_new(records: Records, session: Session) -> None:
    anna = records.create("customer", {"name": "Anna"})
    records.update("customer", anna.id, {"city": "Brno", "name": "Anna"})
    last = session.scalars(sa.select(Event).order_by(Event.id.desc())).first()
    assert last is not None
    assert (last.action, last.record_id, last.changes) == ("updated", anna.id, {"city": [None, "Brno"]})


def test_a_change_of_nothing_is_no_change(records: Records, session: Session) -> None:
    anna = records.create("customer", {"name": "Anna"})
    assert records.update("customer", anna.id, {"name": "Anna"}).version == anna.version
    assert events(session) == [("customer", "created")]


def test_a_lost_update_is_refused(records: Records) -> None:
    anna = records.create("customer", {"name": "Anna"})
    records.update("customer", anna.id, {"city": "Brno"}, version=anna.version)
    with pytest.raises(StaleVersion):
        records.update("customer", anna.id, {"city": "Praha"}, version=anna.version)
    assert records.get("customer", anna.id).values["city"] == "Brno"


def test_an_external_id_is_used_once(records: Records) -> None:
    records.create("customer", {"name": "Anna", "external_id": "A"})
    found = errors_of(records, "customer", {"name": "Boris", "external_id": "A"})
    assert set(found) == {"external_id"}


def test_a_batch_is_all_or_nothing_and_names_each_failure(records: Records, session: Session) -> None:
    writes = [Write(values={"name": "Anna"}), Write(values={}), Write(values={"name": "B", "kind": "x"})]
    with pytest.raises(BatchInvalid) as refused:
        records.save("customer", writes)
    assert {index: set(error.errors) for index, error in refused.value.failures.items()} == {
        1: {"name"},
        2: {"kind"},
    }
    assert records.count("customer") == 0


def test_a_batch_resolves_references_by_external_id(records: Records) -> None:
    anna = records.create("customer", {"name": "Anna", "external_id": "A"})
    order = {"number": "1", "ordered_at": "2026-01-01", "customer": {"external_id": "A"}}
    (order_id,) = records.save("order", [Write(values=order)])
    assert records.get("order", order_id).values["customer"] == anna.id


def test_the_number_of_statements_does_not_grow_with_the_batch(records: Records, session: Session) -> None:
    def statements(entity: str, field: str, rows: int) -> int:
        seen: list[str] = []

        def count(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        connection = session.connection()
        sa.event.listen(connection, "before_cursor_execute", count)
        records.save(entity, [Write(values={field: f"N{row}"}) for row in range(rows)])
        sa.event.remove(connection, "before_cursor_execute", count)
        return len(seen)

    for entity, field in (("contact", "name"), ("case", "subject")):
        statements(entity, field, 1)  # what an edition finds out at its first write
        assert statements(entity, field, 32) == statements(entity, field, 2)
    assert numbers(records) == [f"C-{number:06}" for number in range(1, 36)]


def test_records_of_a_batch_get_the_next_numbers_that_nobody_has(records: Records) -> None:
    own = ({}, {"number": "C-000002"}, {}, {"number": "C-000003"})
    records.save("case", [Write(values={"subject": "Lost card", **given}) for given in own])
    records.create("case", {"subject": "Lost card"})
    assert numbers(records) == [f"C-00000{number}" for number in (1, 2, 4, 3, 5)]


def numbers(records: Records) -> list[str]:
    return [case.values["number"] for case in records.list("case", sort=["id"]).items]


def test_the_bin_hides_and_gives_back(records: Records, session: Session) -> None:
    anna = records.create("customer", {"name": "Anna"})
    records.delete("customer", anna.id)
    with pytest.raises(RecordNotFound):
        records.get("customer", anna.id)
    assert [record.id for record in records.list("customer", deleted=True).items] == [anna.id]
    with pytest.raises(RecordNotFound):
        records.delete("customer", anna.id)
    records.restore("customer", anna.id)
    assert records.get("customer", anna.id).values["name"] == "Anna"
    assert [action for _entity, action in events(session)] == ["created", "deleted", "restored"]


def test_a_record_in_the_bin_cannot_be_referred_to(records: Records) -> None:
    anna = records.create("customer", {"name": "Anna"})
    records.delete("customer", anna.id)
    order = {"number": "1", "ordered_at": "2026-01-01", "customer": anna.id}
    assert set(errors_of(records, "order", order)) == {"customer"}


def test_an_order_follows_its_lines(records: Records) -> None:
    order = records.create("order", {"number": "1", "ordered_at": "2026-01-01"})
    lamp = records.create("order_line", {"order": order.id, "quantity": 3, "price": "0.10", "cost": "0.05"})
    records.create("order_line", {"order": order.id, "quantity": 1, "price": "9.99"})
    first = records.get("order", order.id).values
    assert (first["amount"], first["cost"], first["lines_count"]) == (Decimal("10.29"), Decimal("0.15"), 2)
    other = records.create("order", {"number": "2", "ordered_at": "2026-01-01"})
    records.update("order_line", lamp.id, {"order": other.id})
    records.update("order_line", lamp.id, {"quantity": -1})
    assert records.get("order", order.id).values["amount"] == Decimal("9.99")
    assert records.get("order", other.id).values["amount"] == Decimal("-0.10")


def test_a_stage_sets_what_follows_from_it(records: Records) -> None:
    deal = records.create("opportunity", {"name": "Big", "amount": 100})
    assert (deal.values["stage"], deal.values["probability"]) == ("qualify", Decimal("0.1"))
    won = records.move("opportunity", deal.id, "won")
    assert won.values["outcome"] == "won"
    assert won.values["closed_at"] is not None


@pytest.mark.parametrize(
    ("stage", "field"), [("nowhere", "stage"), ("lost", "lost_reason"), ("propose", "amount")]
)
def test_a_move_that_lacks_something_says_what(records: Records, stage: str, field: str) -> None:
    deal = records.create("opportunity", {"name": "Small"})
    with pytest.raises(RecordInvalid) as refused:
        records.move("opportunity", deal.id, stage)
    assert set(refused.value.errors) == {field}
    assert records.get("opportunity", deal.id).values["stage"] == "qualify"


def test_an_unknown_funnel_is_refused(records: Records) -> None:
    assert set(errors_of(records, "opportunity", {"name": "Big", "funnel": "none"})) == {"funnel"}


def test_a_record_without_stages_cannot_be_moved(records: Records) -> None:
    lamps = records.create("category", {"name": "Lamps"})
    with pytest.raises(Conflict):
        records.move("category", lamps.id, "won")


# --- Who may ---

OWN = {"*": Grant("*", read=Scope.OWN, create=True, update=Scope.OWN, delete=Scope.NONE)}
READS_ALL = {"*": Grant("*", read=Scope.ALL, update=Scope.OWN)}


def test_what_one_may_not_see_does_not_exist(records: Records) -> None:
    user = records.create("user", {"name": "Eva", "email": "eva@acme.test"}).id
    theirs = records.create("customer", {"name": "Theirs"}).id
    eva = as_actor(records, user_id=user, grants=OWN)
    mine = eva.create("customer", {"name": "Mine"})
    assert mine.values["owner"] == user
    assert [record.id for record in eva.list("customer").items] == [mine.id]
    assert eva.count("customer") == 1
    for act in (
        lambda: eva.get("customer", theirs),
        lambda: eva.update("customer", theirs, {"city": "x"}),
        lambda: eva.delete("customer", theirs),
    ):
        with pytest.raises(RecordNotFound):
            act()


def test_a_record_may_be_made_for_and_given_to_somebody_whose_records_one_does_not_see(
    records: Records,
) -> None:
    eva, boss = (
        records.create("user", {"name": name, "email": f"{name}@acme.test"}).id for name in ("eva", "boss")
    )
    hidden = frozenset([FieldRule("customer", "phone", FieldRight.NONE)])
    knows = {**OWN, "user": Grant("user", read=Scope.ALL)}
    acting = as_actor(records, user_id=eva, grants=knows, fields=hidden)
    made = acting.create("customer", {"name": "For the boss", "owner": boss})
    assert (made.values["owner"], "phone" in made.values) == (boss, False)
    mine = acting.create("customer", {"name": "Mine"}).id
    given = acting.update("customer", mine, {"owner": boss})
    assert given.values["owner"] == boss
    for number in (made.id, mine):
        with pytest.raises(RecordNotFound):
            acting.get("customer", number)
        assert records.get("customer", number).values["owner"] == boss


def test_what_one_may_see_but_not_change_is_refused(records: Records) -> None:
    theirs = records.create("customer", {"name": "Theirs"}).id
    reader = as_actor(records, user_id=1, grants=READS_ALL)
    assert reader.get("customer", theirs).values["name"] == "Theirs"
    with pytest.raises(PermissionRefused):
        reader.update("customer", theirs, {"city": "x"})
    with pytest.raises(PermissionRefused):
        reader.create("customer", {"name": "New"})


def test_a_reference_to_what_one_may_not_see_is_refused_like_one_to_nothing(records: Records) -> None:
    user = records.create("user", {"name": "Eva", "email": "eva@acme.test"}).id
    theirs = records.create("customer", {"name": "Theirs", "external_id": "T"}).id
    eva = as_actor(records, user_id=user, grants=OWN)
    order = {"number": "1", "ordered_at": "2026-01-01"}
    for reference in (theirs, theirs + 1000, {"external_id": "T"}):
        assert set(errors_of(eva, "order", {**order, "customer": reference})) == {"customer"}


def test_unit_scope_covers_the_unit_and_those_below(workspace: Workspace, records: Records) -> None:
    north = records.create("unit", {"name": "North"}).id
    shop = records.create("unit", {"name": "Shop", "parent": north}).id
    south = records.create("unit", {"name": "South"}).id
    for unit in (north, shop, south):
        records.create("customer", {"name": f"At {unit}", "unit": unit})
    grants = {"*": Grant("*", read=Scope.UNIT)}
    head = as_actor(records, user_id=9, units=(north, shop), grants=grants)
    assert {record.values["unit"] for record in head.list("customer").items} == {north, shop}


def test_without_a_grant_there_is_nothing(records: Records) -> None:
    nobody = as_actor(records, user_id=1)
    with pytest.raises(PermissionRefused):
        nobody.list("customer")
    with pytest.raises(RecordNotFound):
        nobody.get("customer", 1)
