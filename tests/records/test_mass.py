"""Acts on many records: all or none, within rights, undone as far as nobody has changed them since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from trellis.contributions import FieldRight, Grant, Scope
from trellis.errors import PermissionRefused, RecordInvalid, RecordNotFound
from trellis.records import mass
from trellis.records.door import Records, Write
from trellis.records.mass import MassRefused, Selection, TooManyRecords
from trellis.records.undoing import undo
from trellis.security.actor import SYSTEM, Actor
from trellis.security.field_rights import FieldRule
from trellis.system import Event
from trellis.workspace import Workspace

ANNA, BORIS = 1, 2
BRNO = {"field": "city", "op": "eq", "value": "Brno"}


@pytest.fixture
def session(workspace: Workspace) -> Iterator[Session]:
    with workspace.write() as session:
        yield session


@pytest.fixture
def records(workspace: Workspace, session: Session) -> Records:
    """The door for Anna, who administers and is the first user; Boris is the second."""
    edition = workspace.edition(session)
    people = [{"name": "Anna", "email": "anna@acme.test"}, {"name": "Boris", "email": "boris@acme.test"}]
    ids = Records(session, edition, SYSTEM).save("user", [Write(values=one) for one in people])
    assert ids == [ANNA, BORIS]
    return Records(session, edition, Actor(user_id=ANNA, name="Anna", administrator=True, source="web"))


@pytest.fixture
def ids(records: Records) -> list[int]:
    """Ten customers, every other in Brno."""
    towns = ["Brno", "Wien"] * 5
    return records.save(
        "customer",
        [Write(values={"name": f"Customer {n}", "city": town}) for n, town in enumerate(towns)],
    )


def somebody(records: Records, **options: Any) -> Records:
    return Records(records.session, records.edition, Actor(user_id=BORIS, source="web", **options))


def cities(records: Records) -> list[str | None]:
    found = records.list("customer", fields=["city"], sort=["id"], limit=50)
    return [record.values["city"] for record in found.items]


def writes(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Event.action).order_by(Event.id)))


def test_all_that_a_list_finds_are_changed_and_audited(records: Records, ids: list[int]) -> None:
    done = mass.update(records, "customer", Selection(rule=BRNO), {"city": "Praha"})
    assert (done.changed, done.refused) == (5, [])
    assert cities(records) == ["Praha", "Wien"] * 5
    last = records.session.scalars(sa.select(Event).order_by(Event.id.desc()).limit(5)).all()
    assert {(one.action, one.actor_id, one.source) for one in last} == {("updated", ANNA, "web")}
    assert {one.record_id for one in last} == set(ids[::2])
    assert last[0].changes == {"city": ["Brno", "Praha"]}


def test_a_refused_record_is_named_and_nothing_is_written(records: Records, ids: list[int]) -> None:
    before = writes(records.session)
    with pytest.raises(MassRefused) as refused:
        mass.update(records, "customer", Selection(ids=[*ids[:2], 999_999]), {"external_id": "X"})
    told = {one.title: set(one.errors) for one in refused.value.refused}
    assert told == {"Customer 1": {"external_id"}, "#999999": {"_record"}}
    assert refused.value.asked == 3
    assert writes(records.session) == before
    left_out = mass.update(records, "customer", Selection(ids=ids[:2]), {"external_id": "X"}, leave_out=True)
    assert (left_out.changed, [one.id for one in left_out.refused]) == (1, [ids[1]])


def test_a_refusal_takes_back_the_parts_that_were_written(
    records: Records, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mass, "AT_ONCE", 3)
    records.update("customer", ids[9], {"external_id": "X"})
    records.committed()
    with pytest.raises(MassRefused):
        mass.update(
            records, "customer", Selection(ids=[ids[0], *ids[2:]]), {"city": "Ulm", "external_id": "X"}
        )
    assert "Ulm" not in cities(records)
    assert records._committed == []  # plugins are told of nothing that did not stay


def test_values_that_are_wrong_in_any_record_are_an_error_of_the_field(records: Records) -> None:
    with pytest.raises(RecordInvalid) as refused:
        mass.update(records, "customer", Selection(), {"kind": "alien"})
    assert set(refused.value.errors) == {"kind"}


def test_more_than_one_act_may_hold_is_refused(
    records: Records, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mass, "MOST", 9)
    for selection in (Selection(), Selection(ids=ids)):
        with pytest.raises(TooManyRecords):
            mass.delete(records, "customer", selection)
    assert len(cities(records)) == 10


def test_rights_hold_for_each_record(records: Records, ids: list[int]) -> None:
    records.update("customer", ids[0], {"owner": BORIS})
    grants = {"customer": Grant("customer", read=Scope.ALL, update=Scope.OWN)}
    boris = somebody(records, grants=grants)
    with pytest.raises(MassRefused) as refused:
        mass.update(boris, "customer", Selection(rule=BRNO), {"city": "Ulm"})
    assert {one.id for one in refused.value.refused} == set(ids[2::2])
    assert mass.update(boris, "customer", Selection(rule=BRNO), {"city": "Ulm"}, leave_out=True).changed == 1
    with pytest.raises(PermissionRefused):
        mass.delete(boris, "customer", Selection(rule=BRNO))
    hidden = somebody(records, grants={"customer": Grant("customer", read=Scope.OWN, update=Scope.ALL)})
    with pytest.raises(MassRefused) as refused:
        mass.update(hidden, "customer", Selection(ids=ids[1:2]), {"city": "Ulm"})
    assert refused.value.refused[0].title == f"#{ids[1]}"


def test_a_field_that_may_not_be_read_neither_selects_nor_is_given_back(
    records: Records, ids: list[int]
) -> None:
    grants = {"customer": Grant("customer", read=Scope.ALL, update=Scope.ALL)}
    blind = somebody(
        records, grants=grants, fields=frozenset({FieldRule("customer", "city", FieldRight.NONE)})
    )
    with pytest.raises(Exception, match="city"):
        mass.update(blind, "customer", Selection(rule=BRNO), {"name": "X"})
    with pytest.raises(RecordInvalid):
        mass.update(blind, "customer", Selection(ids=ids), {"city": "Ulm"})


def test_an_update_is_undone_but_for_what_was_changed_since(records: Records, ids: list[int]) -> None:
    values = {"city": "Praha", "phone": "+420 1"}
    done = mass.update(records, "customer", Selection(ids=ids), values)
    records.update("customer", ids[0], {"city": "Ulm"})
    records.delete("customer", ids[1])
    assert done.id is not None
    undone = undo(records, "customer", done.id)
    assert undone.changed == 8
    assert {one.id: set(one.errors) for one in undone.refused} == {ids[0]: {"city"}, ids[1]: {"_record"}}
    assert cities(records) == ["Ulm", *["Brno", "Wien"] * 4]
    assert records.get("customer", ids[0]).values["phone"] is None
    with pytest.raises(RecordNotFound):
        undo(records, "customer", done.id)


def test_delete_and_restore_are_undone(records: Records, ids: list[int]) -> None:
    done = mass.delete(records, "customer", Selection(rule=BRNO))
    assert cities(records) == ["Wien"] * 5
    records.restore("customer", ids[0])
    assert done.id is not None
    undone = undo(records, "customer", done.id)
    assert (undone.changed, [one.id for one in undone.refused]) == (4, [ids[0]])
    mass.delete(records, "customer", Selection(rule=BRNO))
    back = mass.restore(records, "customer", Selection(rule=BRNO))
    assert (back.changed, len(cities(records))) == (5, 10)
    assert back.id is not None
    undo(records, "customer", back.id)
    assert len(cities(records)) == 5


def test_only_who_did_it_undoes_it(records: Records, ids: list[int]) -> None:
    done = mass.update(records, "customer", Selection(ids=ids), {"city": "Ulm"})
    assert done.id is not None
    with pytest.raises(RecordNotFound):
        undo(somebody(records, administrator=True), "customer", done.id)
    with pytest.raises(RecordNotFound):
        undo(records, "order", done.id)


def test_an_act_that_changes_nothing_leaves_nothing_to_undo(records: Records, ids: list[int]) -> None:
    assert mass.update(records, "customer", Selection(ids=ids[:1]), {"city": "Brno"}).id is None
    assert mass.update(records, "customer", Selection(ids=[]), {"city": "Ulm"}).changed == 0


@pytest.mark.parametrize("act", ["update", "delete", "undo"])
def test_the_number_of_statements_does_not_grow_with_the_records(
    records: Records, session: Session, act: str
) -> None:
    def statements(rows: int) -> int:
        seen: list[str] = []

        def count(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        ids = records.save("customer", [Write(values={"name": "C"})] * rows)
        done = mass.update(records, "customer", Selection(ids=ids), {"city": "A"})
        connection = session.connection()
        sa.event.listen(connection, "before_cursor_execute", count)
        if act == "update":
            mass.update(records, "customer", Selection(ids=ids), {"city": "Ulm"})
        elif act == "delete":
            mass.delete(records, "customer", Selection(ids=ids))
        else:
            undo(records, "customer", done.id or 0)
        sa.event.remove(connection, "before_cursor_execute", count)
        return len(seen)

    statements(2)
    assert statements(40) == statements(3)
