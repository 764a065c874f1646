"""Files that people sent or that were made for them, kept in the database in parts, at flat memory, for a while."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.http import dump_options_header

from trellis.system import FilePart

PART = 1024 * 1024
KEPT = timedelta(days=14)

_part = FilePart.__table__.c


def keep(session: Session, name: str, path: Path, kept: timedelta = KEPT) -> None:
    """Keeps a file, in place of the one of this name."""
    forget(session, name)
    until = datetime.now(UTC) + kept
    with path.open("rb") as file:
        number = 0
        while data := file.read(PART):
            values = {"name": name, "number": number, "kept_until": until, "data": data}
            session.execute(sa.insert(FilePart).values(values))
            number += 1


def forget(session: Session, name: str) -> None:
    """Removes a file."""
    session.execute(sa.delete(FilePart).where(_part.name == name))


def forget_old(session: Session) -> None:
    """Removes the files whose time is over."""
    session.execute(sa.delete(FilePart).where(_part.kept_until < datetime.now(UTC)))


def content(session: Session, name: str) -> Iterator[bytes]:
    """A file piece by piece; nothing when there is none (any more)."""
    for number in session.scalars(_numbers(name)).all():
        yield session.scalar(_data(name, number)) or b""


def bring(session: Session, name: str, path: Path) -> bool:
    """Writes a file to ``path``; False when there is none (any more)."""
    with path.open("wb") as file:
        return sum(file.write(piece) for piece in content(session, name)) > 0


def bring_start(session: Session, name: str, path: Path) -> bool:
    """Writes the start of a file of lines to ``path``, to the last whole line of its first piece."""
    data = session.scalar(_data(name, 0))
    if data is None:
        return False
    path.write_bytes(data if len(data) < PART else data[: data.rindex(b"\n") + 1] if b"\n" in data else data)
    return True


def sizes(session: Session, names: Collection[str]) -> dict[str, int]:
    """How many bytes files have, of those that are (still) kept."""
    total = sa.select(_part.name, sa.func.sum(sa.func.length(_part.data))).group_by(_part.name)
    return dict(map(tuple, session.execute(total.where(_part.name.in_(names)))))


def _numbers(name: str) -> sa.Select[Any]:
    return sa.select(_part.number).where(_part.name == name).order_by(_part.number)


def _data(name: str, number: int) -> sa.Select[Any]:
    return sa.select(_part.data).where(_part.name == name, _part.number == number)


def saved_as(name: str) -> str:
    """The header ``Content-Disposition`` by which a browser saves a file under this name, in whatever script (RFC 6266)."""
    if name.isascii():
        return dump_options_header("attachment", {"filename": name})
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return dump_options_header(
        "attachment", {"filename": plain.strip(), "filename*": f"UTF-8''{quote(name, safe='')}"}
    )
