"""Files to import, and what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trellis.records.door import Records
from trellis.records.importer import ImportResult, run_import
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


def imported(workspace: Workspace, entity: str, path: Path, **options: Any) -> ImportResult:
    return run_import(workspace, SYSTEM, entity, path, **options)


def records(workspace: Workspace, entity: str, *names: str) -> list[tuple[Any, ...]]:
    with workspace.read() as session:
        page = Records(session, workspace.edition(session), SYSTEM).list(entity, sort=("id",), limit=500)
        return [tuple(record.values[name] for name in names) for record in page.items]


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
