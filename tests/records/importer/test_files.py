"""Files as other programs write them: typed cells, objects of different keys, rows that come back mended."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from importing import file, imported, records
from trellis.i18n import use_locale
from trellis.records.importer import ImportFailed
from trellis.workspace import Workspace


def sheet(path: Path, *rows: tuple[Any, ...]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        page, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for index, row in enumerate(rows):
            for column, value in enumerate(row):
                page.write(index, column, value, day if isinstance(value, date) else None)
    return path


def test_cells_of_a_spreadsheet_keep_their_meaning(workspace: Workspace, tmp_path: Path) -> None:
    names = ("external_id", "name", "phone", "birthday")
    path = sheet(tmp_path / "c.xlsx", names, (12923.0, 2026, 420602123456, date(1988, 6, 14)))
    assert imported(workspace, "customer", path).rejections == []
    assert records(workspace, "customer", "external_id", "name", "birthday") == [
        ("12923", "2026", date(1988, 6, 14))
    ]
    orders = ("external_id", "number", "customer", "ordered_at", "amount")
    path = sheet(tmp_path / "o.xlsx", orders, (1, 7, 12923, datetime(2026, 1, 2, 10, 30), 1234.5))
    assert imported(workspace, "order", path).rejections == []
    moment = datetime(2026, 1, 2, 10, 30, tzinfo=UTC)
    assert records(workspace, "order", "number", "ordered_at", "amount") == [("7", moment, Decimal("1234.5"))]


def test_what_stands_above_the_header_is_no_row(workspace: Workspace, tmp_path: Path) -> None:
    title = "Report of customers;;\n;;\nPeriod: 2026\n"
    path = file(tmp_path, "t.csv", f"{title}external_id;name;city\n1;Anna;Brno\n2;Boris;\n")
    assert imported(workspace, "customer", path).created == 2
    odd = file(tmp_path, "o.csv", "external_id~name\n3~Cyril, Dana\n4~Dora\n")
    assert imported(workspace, "customer", odd).created == 2
    assert records(workspace, "customer", "name") == [("Anna",), ("Boris",), ("Cyril, Dana",), ("Dora",)]
    broad = file(tmp_path, "b.csv", "external_id,name\n5,Eva,of,many,cells\n6,Fedor\n")
    assert [one.row for one in imported(workspace, "customer", broad).rejections] == [1]


def test_an_unknown_choice_is_refused_with_what_people_call_the_others(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = file(tmp_path, "k.csv", "name,kind\nAnna,ФИЗИЧЕСКОЕ ЛИЦО\nBoris,Supplier\nCyril,company\n")
    with use_locale("ru"):
        refused = imported(workspace, "customer", path).rejections
    told = {one.row: str(one.errors["kind"]) for one in refused}
    assert list(told) == [2] and "Физическое лицо" in told[2] and "person" not in told[2]
    assert records(workspace, "customer", "name", "kind") == [("Anna", "person"), ("Cyril", "company")]


def test_a_sheet_is_chosen_by_its_name(workspace: Workspace, tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "b.xlsx") as book:
        for name in ("Empty", "Old", "New"):
            page = book.add_worksheet(name)
            if name != "Empty":
                page.write_column(0, 0, ["name", name])
    plan = {"columns": {"name": "name"}, "sheet": "New"}
    for mapping in (plan, {"columns": {"name": "name"}}):
        given = file(tmp_path, "m.json", json.dumps(mapping))
        assert imported(workspace, "customer", tmp_path / "b.xlsx", mapping=given).created == 1
    assert records(workspace, "customer", "name") == [("New",), ("Old",)]
    given = file(tmp_path, "m.json", json.dumps({**plan, "sheet": "None"}))
    with pytest.raises(ImportFailed, match="no sheet “None”; it has: Empty, Old, New"):
        imported(workspace, "customer", tmp_path / "b.xlsx", mapping=given)


def test_objects_may_have_other_keys_than_the_first(workspace: Workspace, tmp_path: Path) -> None:
    lines = [{"name": "Anna"}, {"name": "Boris", "city": "Brno"}, ["nonsense"]]
    path = file(tmp_path, "c.jsonl", "\n".join(json.dumps(line) for line in lines))
    result = imported(workspace, "customer", path)
    assert (result.created, result.rejected) == (2, 1)
    assert records(workspace, "customer", "name", "city") == [("Anna", None), ("Boris", "Brno")]


def test_a_line_that_is_no_json_comes_back_alone_and_is_mended_there(
    workspace: Workspace, tmp_path: Path
) -> None:
    lines = '{"external_id": "1", "name": "Anna"}\n{"external_id": "2", "name": "Bo"ris"}\n{"external_id": "3", "name": "Cyril"}\n'
    errors = tmp_path / "errors.jsonl"
    result = imported(workspace, "customer", file(tmp_path, "c.jsonl", lines), errors=errors)
    assert (result.created, result.rejected, list(result.unused)) == (2, 1, [])
    assert result.rejections[0].row == 2 and "Line 2 is not valid JSON" in str(result.rejections[0].errors)
    kept = json.loads(errors.read_text())
    assert kept["_line"] == '{"external_id": "2", "name": "Bo"ris"}' and kept["_row"] == 2
    mended = file(tmp_path, "m.jsonl", json.dumps({**kept, "_line": kept["_line"].replace('"r', "r")}))
    assert imported(workspace, "customer", mended).created == 1
    assert {name for (name,) in records(workspace, "customer", "name")} == {"Anna", "Boris", "Cyril"}
    with pytest.raises(ImportFailed, match="Line 1 is not valid JSON"):
        imported(workspace, "customer", file(tmp_path, "n.json", "name,city\nAnna,Brno\n"))


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl"])
def test_refused_rows_are_mended_in_place_until_none_is_left(
    workspace: Workspace, tmp_path: Path, ending: str
) -> None:
    path = file(tmp_path, "c.csv", "external_id,name,email\n1,Anna,a@b.cz\n2,Boris,nonsense\n3,Cyril,worse\n")
    errors = tmp_path / f"errors.{ending}"
    assert imported(workspace, "customer", path, errors=errors).rejected == 2
    again = imported(workspace, "customer", errors, errors=errors)
    assert [(one.row, set(one.errors)) for one in again.rejections] == [(2, {"email"}), (3, {"email"})]
    mapping = file(
        tmp_path, "m.json", json.dumps({"columns": {"external_id": "external_id", "name": "name"}})
    )
    assert imported(workspace, "customer", errors, mapping=mapping, errors=tmp_path / "left.csv").created == 2
    assert not (tmp_path / "left.csv").exists()
    assert [name for (name,) in records(workspace, "customer", "name")] == ["Anna", "Boris", "Cyril"]


def test_a_text_that_is_not_in_the_encoding_named_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "c.csv", "name\nИрина\n".encode("cp1251"))
    with pytest.raises(ImportFailed, match="utf-8"):
        imported(workspace, "customer", path, encoding="utf-8")
    assert imported(workspace, "customer", path, encoding="cp1251").created == 1
    assert records(workspace, "customer", "name") == [("Ирина",)]


def test_an_encoding_that_does_not_exist_is_named(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("cp12511", "hex"):
        with pytest.raises(ImportFailed, match=name):
            imported(workspace, "customer", file(tmp_path, "c.csv", "name\nAnna\n"), encoding=name)


def test_a_broken_letter_in_utf8_is_told_with_its_line(workspace: Workspace, tmp_path: Path) -> None:
    lines = ["name", *["Анна Кузнецова"] * 20, "Пётр"]
    path = file(tmp_path, "c.csv", "\n".join(lines).encode()[:-1] + b"\n")
    with pytest.raises(ImportFailed, match="line 22"):
        imported(workspace, "customer", path)
    assert records(workspace, "customer", "name") == []


def test_totals_at_the_end_are_no_records(workspace: Workspace, tmp_path: Path) -> None:
    head, rows = (
        ("name", "revenue", "employees"),
        [("Acme", 1200.5, 4), ("Total", 300, None), ("Umbra", 7, 1)],
    )
    ends = [(None, None, None), ("Subtotal", 1507.5, None), ("Итого:", "1 507,50 ₽", 5)]
    columns = file(tmp_path, "m.json", '{"columns": {"name": "name"}}')
    path = sheet(tmp_path / "c.xlsx", head, *rows, *ends)
    result = imported(workspace, "customer", path, mapping=columns)
    assert (result.created, result.skipped, result.rejected) == (3, 2, 0)
    text = "name,city,phone\nBeta,2,3\nTotal,Paris,7\n"  # a company of that name
    assert imported(workspace, "customer", file(tmp_path, "n.csv", text), mapping=columns).created == 2
    text = "name;sum\nGamma;1\nGrand total;-1.234,50\n;\n"
    result = imported(workspace, "customer", file(tmp_path, "t.csv", text), mapping=columns)
    assert (result.created, result.skipped) == (1, 1)
    found = [name for (name,) in records(workspace, "customer", "name")]
    assert found == ["Acme", "Total", "Umbra", "Beta", "Total", "Gamma"]
