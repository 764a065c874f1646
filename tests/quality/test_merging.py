"""Merging: nothing is lost, whatever referred to the other record; and it can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from samples import gym, registry
from trellis import enabling
from trellis.contributions import Grant, Scope
from trellis.crm.sales.entities import Order
from trellis.edition import Edition
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.installation import Installation
from trellis.quality.merged import known_as, survivor_of
from trellis.quality.merging import merge, unmerge
from trellis.records.door import Records
from trellis.records.importer import run_import
from trellis.security.actor import SYSTEM, Actor
from trellis.system import Event
from trellis.workspace import Workspace


@pytest.fixture
def house(open_installation: Callable[..., Installation]) -> Workspace:
    """Two customers that are one, with orders, a membership, a contact in the bin, and others' records."""
    installation = open_installation(plugins=registry(gym()))
    workspace = installation.workspace("acme")
    enabling.enable(workspace, "gym")
    with workspace.write() as session:
        records = door(workspace, session)
        records.create("customer", {"name": "Anna", "external_id": "A", "city": "Brno"})
        records.create("customer", {"name": "Anna K.", "external_id": "B", "phone": "+420 777 123 456"})
        for number in range(4):
            order = {"number": f"N{number}", "customer": 1 + number % 2, "ordered_at": "2026-01-02T10:00:00Z"}
            records.create("order", {**order, "amount": 10})
        records.create("gym.membership", {"name": "Gold", "customer": 2})
        binned = records.create("contact", {"name": "Old", "customer": 2}).id
        records.delete("contact", binned)
    return workspace


def door(workspace: Workspace, session: Any, actor: Actor = SYSTEM) -> Records:
    edition: Edition = workspace.edition(session)
    return Records(session, edition, actor)


def rows(workspace: Workspace, table: str, *columns: str) -> list[tuple[Any, ...]]:
    with workspace.read() as session:
        names = ", ".join(columns)
        return [tuple(row) for row in session.execute(sa.text(f'SELECT {names} FROM "{table}" ORDER BY id'))]


def test_everything_that_referred_to_the_other_refers_to_the_survivor(house: Workspace) -> None:
    with house.write() as session:
        merge(door(house, session), "customer", 1, 2, ["phone", "name"])
    with house.read() as session:
        records = door(house, session)
        kept = records.get("customer", 1).values
        assert (kept["name"], kept["city"], kept["phone"]) == ("Anna K.", "Brno", "+420 777 123 456")
        with pytest.raises(RecordNotFound):
            records.get("customer", 2)
        assert survivor_of(session, "customer", 2) == 1
        changed = sa.select(Event.record_id, Event.changes).where(
            Event.entity == "order", Event.action == "updated"
        )
        assert session.execute(changed.order_by(Event.record_id)).all() == [
            (2, {"customer": [2, 1]}),
            (4, {"customer": [2, 1]}),
        ]
    for table in ("order", "gym_membership", "contact"):
        assert {one for (one,) in rows(house, table, "customer_id")} == {1}, table
    with house.read() as session:
        income = sa.text("SELECT customer_id, sum(occasions) FROM income_day GROUP BY customer_id")
        assert [tuple(map(int, row)) for row in session.execute(income)] in ([], [(1, 4)])


def test_a_merge_is_taken_back_and_what_changed_since_stays(house: Workspace) -> None:
    before = {
        table: rows(house, table, "id", "customer_id") for table in ("order", "gym_membership", "contact")
    }
    with house.write() as session:
        merge(door(house, session), "customer", 1, 2, ["phone", "city", "external_id"])
    with house.write() as session:
        door(house, session).update("customer", 1, {"phone": "+420 777 999 999"})
        door(house, session).create(
            "order", {"number": "New", "customer": 1, "ordered_at": "2026-02-02T10:00:00Z", "amount": 1}
        )
    with house.write() as session:
        unmerge(door(house, session), "customer", 2)
    for table, former in before.items():
        assert rows(house, table, "id", "customer_id")[: len(former)] == former, table
    with house.read() as session:
        records = door(house, session)
        first, second = records.get("customer", 1).values, records.get("customer", 2).values
        assert (first["external_id"], second["external_id"]) == ("A", "B")
        assert (first["city"], first["phone"]) == ("Brno", "+420 777 999 999")
        assert records.count("order", rule={"field": "customer", "op": "eq", "value": 1}) == 3
    with house.write() as session, pytest.raises(RecordNotFound):
        unmerge(door(house, session), "customer", 2)


def test_an_external_id_of_a_merged_record_leads_to_the_survivor(house: Workspace, tmp_path: Path) -> None:
    with house.write() as session:
        third = door(house, session).create("customer", {"name": "A.", "external_id": "C"}).id
        merge(door(house, session), "customer", 1, 2)
        merge(door(house, session), "customer", third, 1)
        assert known_as(session, "customer", ["A", "B", "C", "D"]) == {"A": third, "B": third}
    (tmp_path / "c.csv").write_text("external_id,name,city\nA,Anna A,Linz\nB,Anna B,Wien\nC,Anna C,Graz\n")
    result = run_import(house, SYSTEM, "customer", tmp_path / "c.csv")
    assert (result.created, result.updated, result.rejected) == (0, 3, 0), result.rejections
    (tmp_path / "o.csv").write_text(
        "external_id,number,customer,ordered_at,amount\nX,X,B,2026-01-02T10:00:00Z,5\n"
    )
    assert run_import(house, SYSTEM, "order", tmp_path / "o.csv").created == 1
    with house.read() as session:
        assert session.scalar(sa.select(Order.customer_id).where(Order.number == "X")) == third


def test_both_external_ids_lead_to_the_survivor_whichever_it_keeps(house: Workspace) -> None:
    with house.write() as session:
        merge(door(house, session), "customer", 1, 2, ["external_id"])
        assert door(house, session).get("customer", 1).values["external_id"] == "B"
        assert known_as(session, "customer", ["A", "B"]) == {"A": 1}


def test_records_of_a_disabled_plugin_move_too(house: Workspace) -> None:
    enabling.disable(house, "gym")
    with house.write() as session:
        merge(door(house, session), "customer", 1, 2)
    enabling.enable(house, "gym")
    assert rows(house, "gym_membership", "customer_id") == [(1,)]


def test_one_must_be_allowed_to_change_the_one_and_delete_the_other(house: Workspace) -> None:
    def person(update: Scope, delete: Scope) -> Actor:
        grant = Grant("customer", read=Scope.ALL, update=update, delete=delete)
        return Actor(user_id=9, name="Agent", grants={"customer": grant})

    for update, delete in ((Scope.OWN, Scope.ALL), (Scope.ALL, Scope.OWN)):
        with house.write() as session, pytest.raises(PermissionRefused):
            merge(door(house, session, person(update, delete)), "customer", 1, 2)
    with house.write() as session:
        merge(door(house, session, person(Scope.ALL, Scope.ALL)), "customer", 1, 2)
        actors = set(session.scalars(sa.select(Event.actor_name).where(Event.action == "updated")))
    assert actors == {"Agent"}  # of the orders too, which this person may not even see


def test_what_cannot_be_merged_is_refused_and_changes_nothing(house: Workspace) -> None:
    before = rows(house, "customer", "id", "version")
    for other, take, error in (
        (1, [], Conflict),
        (99, [], RecordNotFound),
        (2, ["height"], RecordInvalid),
        (2, ["created_at"], RecordInvalid),
    ):
        with pytest.raises(error), house.write() as session:
            merge(door(house, session), "customer", 1, other, take)
    assert rows(house, "customer", "id", "version") == before
