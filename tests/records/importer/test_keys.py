"""Keys of an import: which record a row means, and whether the one who imports may touch it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from importing import file, imported, records
from trellis.contributions import Grant, Scope
from trellis.errors import Conflict, PermissionRefused
from trellis.i18n import Text
from trellis.records.door import Records, Write
from trellis.records.importer import MappingInvalid, run_import, runner
from trellis.security.actor import SYSTEM, Actor
from trellis.system import Event
from trellis.workspace import Workspace


def add(workspace: Workspace, **values: object) -> int:
    with workspace.write() as session:
        return Records(session, workspace.edition(session), SYSTEM).create("customer", values).id


def test_a_record_out_of_reach_is_neither_changed_nor_doubled(workspace: Workspace, tmp_path: Path) -> None:
    with workspace.write() as session:
        user = Records(session, workspace.edition(session), SYSTEM).create(
            "user", {"name": "Agent", "email": "a@b.cz"}
        )
    own = Grant("customer", read=Scope.OWN, update=Scope.OWN, create=True)
    agent = Actor(user_id=user.id, name="Agent", grants={"customer": own})
    add(workspace, external_id="A", name="Hidden")
    path = file(tmp_path, "c.csv", "external_id,name\nA,Mine now\nB,New\n")
    result = run_import(workspace, agent, "customer", path)
    assert (result.created, result.updated, result.rejected) == (1, 0, 1)
    assert "Hidden" not in str(result.rejections)
    assert records(workspace, "customer", "name", "owner") == [("Hidden", None), ("New", user.id)]


def test_who_may_not_create_imports_nothing(workspace: Workspace, tmp_path: Path) -> None:
    reader = Actor(user_id=7, name="Reader", grants={"customer": Grant("customer", read=Scope.ALL)})
    with pytest.raises(PermissionRefused):
        run_import(workspace, reader, "customer", file(tmp_path, "c.csv", "name\nAnna\n"))


def test_a_record_in_the_bin_is_not_made_again(workspace: Workspace, tmp_path: Path) -> None:
    record_id = add(workspace, external_id="A", name="Anna")
    with workspace.write() as session:
        Records(session, workspace.edition(session), SYSTEM).delete("customer", record_id)
    result = imported(workspace, "customer", file(tmp_path, "c.csv", "external_id,name\nA,Anna\n"))
    assert (result.created, result.rejected) == (0, 1)
    assert "recycle bin" in str(result.rejections[0].errors["external_id"])


def test_a_key_of_several_records_means_none_of_them(workspace: Workspace, tmp_path: Path) -> None:
    for city in ("Brno", "Graz"):
        add(workspace, name="Anna", city=city)
    path = file(tmp_path, "c.csv", "name,city\nAnna,Wien\nBoris,Riga\n")
    result = imported(workspace, "customer", path, key="name")
    assert (result.created, result.rejected) == (1, 1)
    assert records(workspace, "customer", "city") == [("Brno",), ("Graz",), ("Riga",)]


def test_keys_that_are_kept_alike_are_one(workspace: Workspace, tmp_path: Path) -> None:
    path = file(tmp_path, "c.csv", "email,name\nANNA@acme.test ,Anna\nanna@acme.test,Anna\n")
    assert imported(workspace, "customer", path, key="email").created == 1
    assert imported(workspace, "customer", path, key="email").unchanged == 1


def test_a_row_without_a_key_is_a_new_record_once(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{number if number % 2 else ''},C{number}" for number in range(8)]
    path = file(tmp_path, "c.csv", "\n".join(["external_id,name", *lines]))
    save = Records.save

    def killed(records: Records, entity: str, writes: Sequence[Write]) -> list[int]:
        if any(write.values.get("name") == "C4" for write in writes):
            raise KeyboardInterrupt
        return save(records, entity, writes)

    monkeypatch.setattr(runner, "BATCH", 3)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Records, "save", killed)
        imported(workspace, "customer", path)
    again = imported(workspace, "customer", path)
    assert (again.rows, again.created, again.unchanged, again.resumed) == (6, 5, 1, 2)
    assert records(workspace, "customer", "name") == [(f"C{number}",) for number in range(8)]
    numbers = imported(workspace, "customer", file(tmp_path, "n.csv", "id,name\n1,C0\n,C8\n"), key="id")
    assert (numbers.created, numbers.rejected) == (1, 0)


def test_every_row_is_a_new_record_where_that_is_asked_for(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, external_id="A", name="Anna")
    path = file(tmp_path, "c.csv", "external_id,name\nA,Anne\nB,Boris\nB,Bob\n,Carl\n")
    result = imported(workspace, "customer", path, key="")
    assert (result.created, result.updated) == (2, 0)
    assert [(one.row, list(one.errors)) for one in result.rejections] == [
        (1, ["external_id"]),
        (3, ["external_id"]),
    ]
    assert records(workspace, "customer", "name") == [("Anna",), ("Boris",), ("Carl",)]


def test_the_number_of_a_record_can_be_the_key(workspace: Workspace, tmp_path: Path) -> None:
    record_id = add(workspace, name="Anna")
    path = file(tmp_path, "c.csv", f"id,name\n{record_id},Anne\n{record_id + 1},Nobody\nx,Wrong\n")
    result = imported(workspace, "customer", path, key="id")
    assert (result.updated, result.rejected) == (1, 2)
    assert records(workspace, "customer", "name") == [("Anne",)]


def test_one_refused_record_does_not_hold_up_the_others(workspace: Workspace, tmp_path: Path) -> None:
    lines = [f"{number},C{number},c{number}@acme.test" for number in range(1200)]
    lines[700] = "700,,c700@acme.test"
    path = file(tmp_path, "c.csv", "\n".join(["external_id,name,email", *lines]))
    result = imported(workspace, "customer", path)
    assert (result.created, [one.row for one in result.rejections]) == (1199, [701])
    path = file(tmp_path, "cases.csv", "subject,impact\nLost card,low\nNo card,huge\nOld card,high\n")
    assert imported(workspace, "case", path).rejected == 1
    assert records(workspace, "case", "number") == [("C-000001",), ("C-000002",)], "no number is left out"


@pytest.mark.parametrize("content", ["name\nAnna\n", '{"name": "Anna"}\n'])
def test_a_column_that_the_file_lacks_is_named(workspace: Workspace, tmp_path: Path, content: str) -> None:
    path = file(tmp_path, "c.jsonl" if content.startswith("{") else "c.csv", content)
    mapping = file(tmp_path, "m.json", '{"columns": {"name": "name", "city": "Town"}}')
    if content.startswith("{"):  # an object leaves out what it does not have
        assert imported(workspace, "customer", path, mapping=mapping).created == 1
        return
    with pytest.raises(MappingInvalid, match="Town"):
        imported(workspace, "customer", path, mapping=mapping)
    assert records(workspace, "customer", "name") == []


def listening(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that plugins hear of after a commit."""
    heard: list[str] = []

    def tell(records: Records) -> None:
        heard.extend(f"{change.id}" for event in records._committed for change in event.changes)

    monkeypatch.setattr(Records, "committed", tell)
    return heard


def test_a_dry_run_tells_nobody_and_leaves_no_event(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = listening(workspace, monkeypatch)
    path = file(tmp_path, "c.csv", "external_id,name\nA,Anna\n")
    assert imported(workspace, "customer", path, dry_run=True).created == 1
    with workspace.read() as session:
        assert heard == session.scalars(sa.select(Event.id)).all() == []
    assert imported(workspace, "customer", path).created == 1
    assert len(heard) == 1


def test_a_record_that_somebody_makes_meanwhile_does_not_end_the_import(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, met = Records.save, []

    def saved(records: Records, entity: str, writes: Sequence[Write]) -> list[int]:
        if any(write.values.get("name") == "C3" for write in writes) and len(met) < 6:
            met.append(len(writes))
            raise Conflict(Text("Another record with these values was saved at the same moment"))
        return save(records, entity, writes)

    monkeypatch.setattr(Records, "save", saved)
    path = file(tmp_path, "c.csv", "\n".join(["name", *(f"C{number}" for number in range(20))]))
    result = imported(workspace, "customer", path)
    assert (result.created, [one.row for one in result.rejections]) == (19, [4])
    assert met[0] == 20 and met[-1] == 1
