"""Rows that look like a record there is: made all the same, left out with the reason, or a change of that record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from importing import file, imported, records
from sqlalchemy.engine import Engine
from trellis.errors import TrellisError
from trellis.records.door import Records, Write
from trellis.records.importer import ImportResult
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

FILE = """Name,Mail,Phone,City
Anna Meyer,ANNA@example.com,,Riga
Müller & Sons GmbH,,,Wien
Someone Else,,+7 (921) 555-01-42,Tver
Nobody,,,Brno
Meyer Anna,,,Graz
"""
COLUMNS = {"name": "Name", "email": "Mail", "phone": "Phone", "city": "City"}
KNOWN = [
    {"name": "Anna Meyer", "email": "anna@example.com"},
    {"name": "Muller and Sons"},
    {"name": "Sons Müller"},
    {"name": "P. Petrov", "phone": "8 921 555 01 42"},
]
Plan = Callable[..., Path]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    def made(alike: str | None) -> Path:
        return file(tmp_path, "plan.json", json.dumps({"columns": COLUMNS, "alike": alike}))

    return made


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    with workspace.write() as session:
        Records(session, workspace.edition(session), SYSTEM).save(
            "customer", [Write(values=one) for one in KNOWN]
        )
    return workspace


def test_rows_that_look_like_a_record_are_left_out_with_the_reason(
    filled: Workspace, plan: Plan, tmp_path: Path
) -> None:
    path, errors = file(tmp_path, "new.csv", FILE), tmp_path / "errors.csv"
    result = imported(filled, "customer", path, mapping=plan("leave"), errors=errors)
    assert (result.created, result.rejected) == (1, 4)
    reasons = [one.errors["_record"][0] for one in result.rejections]
    assert reasons[0] == "Looks like “Anna Meyer” (#1) (same mail address, same name)"
    assert "“Sons Müller” (#3)" in reasons[1]
    assert reasons[2] == "Looks like “P. Petrov” (#4) (same telephone number)"
    assert reasons[3] == "Looks like “Anna Meyer” (#1) (same name)"
    assert "Looks like “Anna Meyer” (#1)" in errors.read_text()
    assert [name for (name,) in records(filled, "customer", "name")][4:] == ["Nobody"]
    assert imported(filled, "customer", path, mapping=plan(None)).created == 5


def test_a_row_changes_the_one_record_that_it_looks_like(
    filled: Workspace, plan: Plan, tmp_path: Path
) -> None:
    path = file(tmp_path, "new.csv", FILE)
    tried = imported(filled, "customer", path, mapping=plan("update"), dry_run=True)
    result = imported(filled, "customer", path, mapping=plan("update"))
    assert tried.to_json() == result.to_json()
    assert (result.created, result.updated) == (1, 3)
    assert result.rejections[0].errors == {
        "_record": ["Another row of the file is the record “Anna Meyer” (#1) already"]
    }
    assert records(filled, "customer", "name", "city")[0] == ("Anna Meyer", "Riga")
    with pytest.raises(TrellisError, match="alike is one of"):
        imported(filled, "customer", path, mapping=plan("guess"))


TWINS = """Id,Name,Mail,Phone,City
1,Anna Meyer,Anna@example.com,,Riga
2,A. Meier,anna@EXAMPLE.com,,Wien
3,Boris,,+7 921 555 01 42,Tver
4,B. Petrov,,8 (921) 555-01-42,
5,Eva,wrong,,
6,Eva,,,Brno
"""


def test_rows_that_look_like_an_earlier_one_are_met_too(workspace: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "new.csv", TWINS)

    def told(alike: str) -> ImportResult:
        columns = {**COLUMNS, "external_id": "Id"}
        plan = file(tmp_path, "plan.json", json.dumps({"columns": columns, "alike": alike}))
        return imported(workspace, "customer", path, mapping=plan, dry_run=alike == "leave")

    left = told("leave")
    assert left.created == 2 and [one.row for one in left.rejections] == [2, 4, 5, 6]
    assert left.rejections[0].errors == {"_record": ["Looks like row 1 of the file (same mail address)"]}
    done = told("update")
    assert (done.created, done.updated, done.unchanged) == (2, 2, 0)
    assert [one.row for one in done.rejections] == [5, 6]
    assert records(workspace, "customer", "external_id", "name", "city") == [
        ("1", "A. Meier", "Wien"),
        ("3", "B. Petrov", "Tver"),
    ]


def test_a_batch_is_compared_by_a_few_queries(filled: Workspace, plan: Plan, tmp_path: Path) -> None:
    rows = "".join(f"Person{n:03} Number,p{n}@example.com,+49 30 {n:07},Berlin\n" for n in range(300))
    path = file(tmp_path, "many.csv", f"Name,Mail,Phone,City\n{rows}")
    asked: list[str] = []
    counts = []

    def keep(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    sa.event.listen(Engine, "before_cursor_execute", keep)
    for alike in (None, "leave"):
        asked.clear()
        imported(filled, "customer", path, mapping=plan(alike), dry_run=True)
        counts.append(len(asked))
    sa.event.remove(Engine, "before_cursor_execute", keep)
    assert counts[1] - counts[0] <= 4
    assert imported(filled, "customer", path, mapping=plan("leave")).created == 300
    assert imported(filled, "customer", path, mapping=plan("leave")).rejected == 300
