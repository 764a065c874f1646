"""Imports: what becomes a record, what is refused and why, and that it can be repeated."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from importing import file, imported, records
from trellis.errors import TrellisError
from trellis.i18n import use_locale
from trellis.records.door import Records
from trellis.records.exporter import Export, write_file
from trellis.records.expressions import (
    ExpressionFailed,
    ExpressionInvalid,
    compile_expression,
    names_of,
)
from trellis.records.importer import ImportFailed
from trellis.records.importer.plans import Plan
from trellis.records.importer.readers import open_source
from trellis.records.importer.suggesting import columns_of_file, suggested
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1251", "|")]
)
def test_usual_encodings_and_delimiters_are_read(
    workspace: Workspace, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    people = ["Анна Ивановна Кузнецова", "Пётр Сергеевич Иванов", "Мария Ковалёва"]
    lines = [delimiter.join(("Название", "city"))] + [delimiter.join((name, "Москва")) for name in people]
    path = file(tmp_path, "people.csv", "\r\n".join(lines).encode(encoding))
    assert imported(workspace, "customer", path).created == 3
    assert records(workspace, "customer", "name", "city") == [(name, "Москва") for name in people]


def test_a_second_run_changes_nothing_and_a_changed_row_one(workspace: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "c.csv", "external_id,name,city\n1,Anna,Brno\n2,Boris,Praha\n")
    assert imported(workspace, "customer", path).created == 2
    again = imported(workspace, "customer", path)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)
    path.write_text("external_id,name,city\n1,Anna,\n2,Boris,Wien\n")
    third = imported(workspace, "customer", path)
    assert (third.updated, third.unchanged) == (1, 1)
    assert records(workspace, "customer", "name", "city") == [("Anna", "Brno"), ("Boris", "Wien")]


def test_rows_of_one_key_are_one_record(workspace: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "c.csv", "external_id,name,phone\n1,Anna,\n1,Anna,+420 1\n1,Anna,+420 1\n")
    first = imported(workspace, "customer", path)
    assert (first.created, first.updated, first.unchanged) == (1, 1, 1)
    assert records(workspace, "customer", "phone") == [("+420 1",)]


def test_a_folder_for_rejected_rows_that_is_not_there_is_told_before_anything_is_written(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = file(tmp_path, "c.csv", "external_id,name\n1,Anna\n2,\n")
    with pytest.raises(ImportFailed, match="no folder"):
        imported(workspace, "customer", path, errors=tmp_path / "none" / "errors.csv")
    assert records(workspace, "customer", "name") == []


def test_rows_of_one_key_are_rejected_together(workspace: Workspace, tmp_path: Path) -> None:
    errors = tmp_path / "errors.csv"
    path = file(tmp_path, "c.csv", "external_id,name,phone\n1,Anna,\n1,Anna,none\n2,Boris,\n")
    result = imported(workspace, "customer", path, errors=errors)
    assert (result.created, result.updated, result.unchanged, result.rejected) == (1, 0, 0, 2)
    with errors.open() as opened:
        assert [(row["_row"], row["phone"]) for row in csv.DictReader(opened)] == [("1", ""), ("2", "none")]


def test_every_rejected_row_comes_back_with_its_reason(workspace: Workspace, tmp_path: Path) -> None:
    content = "external_id,name,email\n1,Anna,a@b.cz\n2,,x@y.cz\n3,Boris,nonsense\n,Nobody,\n4,Cyril,c@d.cz,too,many\n"
    errors = tmp_path / "errors.csv"
    result = imported(workspace, "customer", file(tmp_path, "c.csv", content), errors=errors)
    assert (result.created, result.rejected) == (2, 3)
    with errors.open() as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["_row"], row["_problem"].split(":")[0]) for row in rows] == [
        ("2", "name"),
        ("3", "email"),
        ("5", "The row has 5 cells, the header 3"),
    ]
    mended = errors.read_text().replace("nonsense", "b@c.cz")
    assert imported(workspace, "customer", file(tmp_path, "mended.csv", mended)).created == 2


def test_all_that_is_wrong_in_a_row_is_told_at_once(workspace: Workspace, tmp_path: Path) -> None:
    errors = tmp_path / "errors.csv"
    path = file(tmp_path, "c.csv", "external_id,name,email,phone,birthday\n1,Anna,nonsense,none,soon\n")
    assert imported(workspace, "customer", path, errors=errors).rejected == 1
    told = errors.read_text()
    assert all(f"{name}:" in told for name in ("email", "phone", "birthday"))


def test_a_dry_run_tells_and_writes_nothing(workspace: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "c.csv", "external_id,name\n1,Anna\n2,\n")
    result = imported(workspace, "customer", path, dry_run=True)
    assert (result.created, result.rejected) == (1, 1)
    assert records(workspace, "customer", "name") == []


def test_references_are_found_by_external_id_and_a_missing_one_is_named(
    workspace: Workspace, tmp_path: Path
) -> None:
    imported(workspace, "customer", file(tmp_path, "c.csv", "external_id,name\nA,Anna\n"))
    orders = "external_id,number,customer,ordered_at,amount\n1,N1,A,2026-01-02,10.50\n2,N2,Z,2026-01-02,1\n"
    result = imported(workspace, "order", file(tmp_path, "o.csv", orders))
    assert (result.created, result.rejected) == (1, 1)
    assert set(result.rejections[0].errors) == {"customer"}
    assert records(workspace, "order", "number", "amount") == [("N1", Decimal("10.50"))]


def test_a_mapping_computes_skips_and_keys(workspace: Workspace, tmp_path: Path) -> None:
    mapping = {
        "columns": {
            "external_id": "=whole(row['Customer ID'])",
            "name": "=concat('Customer ', whole(row['Customer ID']))",
            "country": "=title(Country)",
        },
        "key": "external_id",
        "skip": "=not row['Customer ID']"[1:],
    }
    path = file(
        tmp_path, "r.csv", "Customer ID,Country\n12923.0,UNITED KINGDOM\n,FRANCE\n12923.0,UNITED KINGDOM\n"
    )
    result = imported(workspace, "customer", path, mapping=file(tmp_path, "map.json", json.dumps(mapping)))
    assert (result.created, result.skipped) == (1, 1)
    assert records(workspace, "customer", "external_id", "name", "country") == [
        ("12923", "Customer 12923", "United Kingdom")
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("broken.xlsx", b"PK\x03\x04 not a workbook", "cannot be read"),
        ("picture.csv", b"\x89PNG\x00\x00\x00", "not a text file"),
        ("broken.jsonl", b'{"name": \n', "Line 1"),
        ("absent.csv", None, "no file"),
        ("quote.csv", b'name,city\n"Anna,Brno\n', "line"),
    ],
)
def test_a_broken_file_is_told_by_name(
    workspace: Workspace, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImportFailed, match=message):
        imported(workspace, "customer", path)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"columns": {"nmae": "x"}}, "nmae"),
        ({"columns": {"name": "=1 +"}}, "not an expression"),
        ({"columns": {"name": "name"}, "key": "email"}, "email"),
        ({"column": {}}, "columns"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(
    workspace: Workspace, tmp_path: Path, mapping: dict[str, Any], message: str
) -> None:
    path = file(tmp_path, "c.csv", "name\nAnna\n")
    with pytest.raises(TrellisError, match=message):
        imported(workspace, "customer", path, mapping=file(tmp_path, "map.json", json.dumps(mapping)))


@pytest.mark.parametrize(
    "attack",
    [
        "().__class__.__bases__[0].__subclasses__()",
        "open('/etc/passwd').read()",
        "__import__('os').system('id')",
        "9**9**9",
        "'a' * 10**9",
        "row.__class__",
        "[x for x in range(10**9)]",
    ],
)
def test_an_expression_reaches_nothing(attack: str) -> None:
    with pytest.raises((ExpressionInvalid, ExpressionFailed)):
        compile_expression(attack)(names_of({"a": "1"}, 1))


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl"])
def test_an_export_can_be_imported_again(workspace: Workspace, tmp_path: Path, ending: str) -> None:
    imported(
        workspace, "customer", file(tmp_path, "c.csv", "external_id,name\nA,=cmd|' /C calc'!A0\nB,Ирина\n")
    )
    lines = "external_id,number,customer,ordered_at,amount\n1,N1,A,2026-01-02T10:00:00Z,-10.5\n2,N2,B,2026-03-04,7\n"
    imported(workspace, "order", file(tmp_path, "o.csv", lines))
    before = records(workspace, "order", "number", "customer", "ordered_at", "amount")

    path = tmp_path / f"orders.{ending}"
    with workspace.read() as session:
        edition = workspace.edition(session)
        asked = Export(entity="order", sort=("id",))
        rows = asked.rows(session, edition, SYSTEM)
        assert write_file(path, edition.entity("order"), asked.columns(edition), rows) == 2
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        for record in door.list("order").items:
            door.update("order", record.id, {"amount": 0, "number": "changed"})
    result = imported(workspace, "order", path)
    assert (result.updated, result.rejected) == (2, 0)
    assert records(workspace, "order", "number", "customer", "ordered_at", "amount") == before


def test_a_cell_that_looks_like_a_formula_is_defused(workspace: Workspace, tmp_path: Path) -> None:
    imported(workspace, "customer", file(tmp_path, "c.csv", "external_id,name\nA,=1+1\n"))
    with workspace.read() as session:
        edition = workspace.edition(session)
        asked = Export(entity="customer", fields=["name"])
        rows = asked.rows(session, edition, SYSTEM)
        write_file(tmp_path / "out.csv", edition.entity("customer"), ["name"], rows)
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == "'=1+1"


def test_a_spreadsheet_for_people_comes_back_in_any_language(workspace: Workspace, tmp_path: Path) -> None:
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        owner = door.create("user", {"name": "Rosa", "email": "rosa@acme.test"}).id
        given = {
            "name": "Anna",
            "kind": "company",
            "stage_held": True,
            "birthday": "1988-06-14",
            "owner": owner,
        }
        number = door.create("customer", given).id
    names = ("name", "kind", "stage_held", "birthday", "owner")
    before = records(workspace, "customer", *names)
    path = tmp_path / "people.xlsx"
    with use_locale("ru"), workspace.read() as session:
        edition = workspace.edition(session)
        view = edition.entity("customer")
        asked = Export(entity="customer", fields=["id", "external_id", *names], labelled=True)
        rows = asked.rows(session, edition, SYSTEM)
        assert write_file(path, view, asked.columns(edition), rows, labelled=True) == 1
        heads = [str(view.fields[name].label) for name in names]
    (row,) = [one.cells for one in open_source(path).rows()]
    assert [row[head] for head in heads] == ["Anna", "Компания", True, date(1988, 6, 14), "Rosa"]
    with workspace.write() as session:
        other = {"name": "X", "kind": "person", "stage_held": False, "birthday": None, "owner": None}
        Records(session, workspace.edition(session), SYSTEM).update("customer", number, other)
        edition = workspace.edition(session)
        found = suggested(edition, edition.entity("customer"), columns_of_file(open_source(path)))
    assert {"id", "owner.id", "kind", "stage_held"} <= found.keys() and not {
        "owner",
        "owner.name",
    } & found.keys()
    assert imported(workspace, "customer", path).rejected == 1, "it is no new record"
    assert imported(workspace, "customer", path, key="id").updated == 1
    assert records(workspace, "customer", *names) == before
    assert imported(workspace, "customer", path, mapping=Plan(columns=found, key="id")).unchanged == 1
