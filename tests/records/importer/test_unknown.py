"""Records that rows name and that there are none of yet, and fields that are the same in all rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from importing import file, imported, records
from trellis.records.door import Records
from trellis.records.importer import MappingInvalid, runner, runs
from trellis.records.importer.undoing import Journal, undo
from trellis.security.actor import SYSTEM
from trellis.system import Event, ImportRun
from trellis.workspace import Workspace

DEALS = """Id,Deal,Company,Product,Amount
1,Audit,Acme Corp,Silver card,100
2,Support, acme  CORP ,Silver card,200
3,Training,Corp Acme,,300
4,Refused,Nobody Ltd,Gold card,-5
5,Bare,,,1
6,Long,{long},,1
""".format(long="x" * 300)
COLUMNS = {
    "external_id": "Id",
    "name": "Deal",
    "customer.name": "Company",
    "product.name": "Product",
    "amount": "Amount",
}


def deals(workspace: Workspace, folder: Path, plan: dict[str, Any], text: str = DEALS, **options: Any) -> Any:
    mapping = file(folder, "m.json", json.dumps({"columns": COLUMNS, **plan}))
    return imported(workspace, "opportunity", file(folder, "d.csv", text), mapping=mapping, **options)


def test_unknown_names_become_records_where_that_is_asked_for(workspace: Workspace, tmp_path: Path) -> None:
    assert deals(workspace, tmp_path, {}).created == 1  # the row that names nothing
    plan = {"make": ["customer", "product"]}
    tried = deals(workspace, tmp_path, plan, dry_run=True)
    assert tried.made == {"customer": 1, "product": 1} and records(workspace, "customer", "name") == []
    done = deals(workspace, tmp_path, plan)
    assert (done.created, done.unchanged, done.made) == (3, 1, {"customer": 1, "product": 1})
    assert done.to_json()["made"] == {"customer": 1, "product": 1}
    told = {one.row: one.errors for one in done.rejections}
    assert list(told) == [4, 6] and list(told[4]) == ["amount"] and "cannot be made" in str(told[6])
    # one record for all spellings; none for a row that is refused for something else
    assert records(workspace, "customer", "name") == [("Acme Corp",)]
    assert records(workspace, "product", "name") == [("Silver card",)]
    found = dict(records(workspace, "opportunity", "name", "customer"))
    assert len({found.pop(name) for name in ("Audit", "Support", "Training")} - {None}) == 1
    assert found == {"Bare": None}
    again = deals(workspace, tmp_path, plan)
    assert (again.created, again.unchanged, again.made) == (0, 4, {})
    with workspace.read() as session:
        made = sa.select(Event.source, Event.action).where(Event.entity == "customer")
        assert session.execute(made).all() == [("import", "created")]


def test_unknown_names_leave_their_field_empty_where_that_is_asked_for(
    workspace: Workspace, tmp_path: Path
) -> None:
    done = deals(workspace, tmp_path, {"blank": ["customer", "product"]})
    assert (done.created, [one.row for one in done.rejections]) == (5, [4])
    assert {customer for (customer,) in records(workspace, "opportunity", "customer")} == {None}
    with pytest.raises(MappingInvalid, match=r"only where “owner\.name” is one of the columns"):
        deals(workspace, tmp_path, {"blank": ["owner"]})


def test_only_what_can_be_made_of_a_name_is_made(workspace: Workspace, tmp_path: Path) -> None:
    text = "Deal,Who\nAudit,Rosa\n"
    columns = {"name": "Deal", "owner.name": "Who"}
    with pytest.raises(MappingInvalid, match=r"“Owner” cannot be made .*: such a record needs .*: E-mail"):
        deals(workspace, tmp_path, {"columns": columns, "make": ["owner"]}, text)
    with pytest.raises(MappingInvalid, match=r"only where “customer\.name” is one of the columns"):
        deals(workspace, tmp_path, {"columns": columns, "make": ["customer"]}, text)
    with pytest.raises(MappingInvalid, match="make is a list of references"):
        deals(workspace, tmp_path, {"columns": columns, "make": "customer"}, text)


def test_undoing_takes_back_what_was_made_unless_something_hangs_on_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH", 2)
    text = "Id,Deal,Company,Product,Amount\n1,A,One,,1\n2,B,Two,,1\n3,C,Two,,1\n4,D,Three,,1\n"
    with workspace.write() as session:
        row = {"entity": "opportunity", "filename": "d.csv", "started_at": datetime.now(UTC), "plan": {}}
        insert = sa.insert(ImportRun).values(**row, total=4, state="running", result={}, dry_run=False)
        run_id = session.execute(insert.returning(ImportRun.id)).scalar_one()
    done = deals(workspace, tmp_path, {"make": ["customer"]}, text, noted=Journal(run_id).noting)
    assert (done.created, done.made) == (4, {"customer": 3})
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        door.create("activity", {"kind": "call", "subject": "Ring back", "customer": 3})
        found = runs.find(session, SYSTEM, run_id)
    assert found.entity == "opportunity"
    left = undo(workspace, SYSTEM, "opportunity", {"customer"}, run_id, lambda done, total: None)
    assert (left.removed, left.left, left.made_left) == (6, 1, [("customer", 3)])
    assert records(workspace, "customer", "name") == [("Three",)]
    assert records(workspace, "opportunity", "name") == []


def test_a_field_without_a_column_may_be_the_same_in_all_rows(workspace: Workspace, tmp_path: Path) -> None:
    columns = {"external_id": "Id", "name": "Deal"}
    fixed = {
        "outcome": "В работе",
        "stage": "Propose",
        "probability": "0.25",
        "amount": 40,
        "next_step": None,
    }
    plan = {"columns": columns, "fixed": {**fixed, "customer.name": "Acme Corp"}, "make": ["customer"]}
    done = deals(workspace, tmp_path, plan, "Id,Deal\n1,Audit\n2,Support\n")
    assert (done.created, done.made, done.rejections) == (2, {"customer": 1}, [])
    names = ("outcome", "stage", "probability", "amount", "customer", "next_step")
    assert set(records(workspace, "opportunity", *names)) == {
        ("open", "propose", Decimal("0.25"), Decimal(40), 1, None)
    }
    for wrong, why in (
        ({"name": "Deal"}, "“Name” has a column"),
        ({"probability": "much"}, "“Probability”, the same in all rows: "),
        ({"colour": "red"}, "has no field “colour”"),
        (["outcome"], "fixed are fields with the value"),
    ):
        with pytest.raises(MappingInvalid, match=why):
            deals(workspace, tmp_path, {"columns": columns, "fixed": wrong}, "Id,Deal\n1,Audit\n")
