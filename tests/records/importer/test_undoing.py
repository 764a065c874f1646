"""Imports are taken back many records at a time, each only as far as it is still as the import left it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from importing import file, imported, records
from sqlalchemy.engine import Engine
from trellis.contributions import Grant, Scope
from trellis.records.door import Records
from trellis.records.importer import undoing
from trellis.records.importer.undoing import Journal, Undone
from trellis.security.actor import SYSTEM, Actor
from trellis.system import ImportRun
from trellis.workspace import Workspace

HEAD = "external_id,name,city,owner.name\n"


def run(workspace: Workspace, folder: Path, text: str) -> int:
    """Imports customers; the number of the import."""
    with workspace.write() as session:
        row = {"entity": "customer", "filename": "c.csv", "started_at": datetime.now(UTC), "plan": {}}
        insert = sa.insert(ImportRun).values(**row, total=4, state="running", result={}, dry_run=False)
        run_id: int = session.execute(insert.returning(ImportRun.id)).scalar_one()
    imported(workspace, "customer", file(folder, "c.csv", HEAD + text), noted=Journal(run_id).noting)
    return run_id


def undo(workspace: Workspace, run_id: int, actor: Actor = SYSTEM) -> Undone:
    return undoing.undo(workspace, actor, "customer", (), run_id, lambda done, total: None)


def change(workspace: Workspace, act: Callable[[Records], object]) -> None:
    with workspace.write() as session:
        act(Records(session, workspace.edition(session), SYSTEM))


def test_rows_of_one_record_are_taken_back_one_after_another(workspace: Workspace, tmp_path: Path) -> None:
    run(workspace, tmp_path, "A,Anna,Brno,\n")
    twice = run(workspace, tmp_path, "A,Anna,Wien,\nB,Boris,Graz,\nA,Anna,Linz,\nB,Boris,Riga,\n")
    assert records(workspace, "customer", "name", "city") == [("Anna", "Linz"), ("Boris", "Riga")]
    found = undo(workspace, twice)
    assert (found.removed, found.left) == (1, 0)
    assert records(workspace, "customer", "external_id", "name", "city") == [("A", "Anna", "Brno")]


def test_what_was_changed_binned_or_may_not_be_taken_is_left_and_the_rest_is_not(
    workspace: Workspace, tmp_path: Path
) -> None:
    change(workspace, lambda door: door.create("user", {"name": "Rosa", "email": "rosa@acme.test"}))
    owned = {True: "Rosa", False: ""}
    rows = (f"K{number},Customer {number},Ulm,{owned[number % 3 > 0]}\n" for number in range(1, 10))
    run_id = run(workspace, tmp_path, "".join(rows))
    change(workspace, lambda door: door.update("customer", 1, {"city": "Bonn"}))  # another value
    change(workspace, lambda door: door.update("customer", 2, {"email": "c@acme.test"}))  # and one more
    change(workspace, lambda door: door.delete("customer", 4))
    theirs = Grant("customer", read=Scope.ALL, update=Scope.ALL, delete=Scope.OWN)
    found = undo(workspace, run_id, Actor(user_id=1, grants={"customer": theirs}))
    assert (found.removed, sorted(found.records_left)) == (3, [1, 2, 3, 4, 6, 9])
    left = [(f"K{number}",) for number in (1, 2, 3, 6, 9)]  # those that are left keep their keys
    assert records(workspace, "customer", "external_id") == left


def test_the_number_of_statements_does_not_grow_with_the_records(
    workspace: Workspace, tmp_path: Path
) -> None:
    def statements(rows: Sequence[int], city: str) -> int:
        text = "".join(f"R{number},Customer,{city},\n" for number in rows)
        run_id, seen = run(workspace, tmp_path, text), list[str]()

        def count(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        sa.event.listen(Engine, "before_cursor_execute", count)
        found = undo(workspace, run_id)
        sa.event.remove(Engine, "before_cursor_execute", count)
        assert found.removed + found.restored == len(rows)
        return len(seen)

    run(workspace, tmp_path, "".join(f"R{number},Customer,Ulm,\n" for number in range(60)))
    statements(range(2), "Graz")
    assert statements(range(40), "Linz") == statements(range(3), "Riga")
    statements(range(100, 102), "Graz")
    assert statements(range(100, 140), "Linz") == statements(range(100, 103), "Riga")
