"""Files of imports, kept in the database in parts, so that every process can read them at flat memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.system import ImportPart

SOURCE, REJECTED = "source", "rejected"
PART = 1024 * 1024

_part = ImportPart.__table__.c


def keep(session: Session, run_id: int, kind: str, path: Path) -> None:
    """Keeps a file in place of the one of this kind."""
    forget(session, run_id, kind)
    with path.open("rb") as file:
        number = 0
        while data := file.read(PART):
            values = {"run_id": run_id, "kind": kind, "number": number, "data": data}
            session.execute(sa.insert(ImportPart).values(values))
            number += 1


def forget(session: Session, run_id: int, kind: str) -> None:
    """Removes the file of this kind."""
    session.execute(sa.delete(ImportPart).where(_part.run_id == run_id, _part.kind == kind))


def bring(session: Session, run_id: int, kind: str, path: Path) -> bool:
    """Writes a kept file to ``path``; False when there is none (any more)."""
    numbers = session.scalars(_numbers(run_id, kind)).all()
    with path.open("wb") as file:
        for number in numbers:
            file.write(session.scalar(_data(run_id, kind, number)) or b"")
    return bool(numbers)


def bring_start(session: Session, run_id: int, path: Path) -> bool:
    """Writes the first part of the sent file to ``path``, to its last whole line; a spreadsheet whole."""
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        return bring(session, run_id, SOURCE, path)
    data = session.scalar(_data(run_id, SOURCE, 0))
    if data is None:
        return False
    path.write_bytes(data if len(data) < PART else data[: data.rindex(b"\n") + 1] if b"\n" in data else data)
    return True


def there(session: Session, run_id: int, kind: str) -> bool:
    """Whether a file of this kind is kept."""
    return session.scalar(_numbers(run_id, kind).limit(1)) is not None


def _numbers(run_id: int, kind: str) -> sa.Select[Any]:
    return sa.select(_part.number).where(_part.run_id == run_id, _part.kind == kind).order_by(_part.number)


def _data(run_id: int, kind: str, number: int) -> sa.Select[Any]:
    return sa.select(_part.data).where(_part.run_id == run_id, _part.kind == kind, _part.number == number)
