"""What a backup holds: a zip with ``manifest.json``, ``people.jsonl``, and a file of rows for each table.

Values are written by their meaning and not as a database keeps them, so that a backup of SQLite can be read into
PostgreSQL and the other way round.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa

from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.records.entity import Base
from trellis.records.types import FixedPoint, UtcDateTime
from trellis.system import FilePart, IdempotentCall, ImportBatch, MassChange

_ = translator("trellis")

FORMAT = 1
MANIFEST, PEOPLE = "manifest.json", "people.jsonl"
LEFT_OUT = frozenset(one.__tablename__ for one in (FilePart, IdempotentCall, ImportBatch, MassChange))
"""Files that are kept for two weeks, answers kept for a day, and what only holds where it was written."""

Told = Callable[[int, int], None]
T = TypeVar("T")


class BackupInvalid(TrellisError):
    """The file is not a backup, or not one that this installation can read."""

    status = 422
    code = "backup_invalid"
    title = _("This file is not a backup of a workspace")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup says of itself. ``revisions`` are those of the tables, by owner; ``tables`` counts their rows."""

    format: int
    workspace: str
    title: str
    made_at: datetime
    revisions: Mapping[str, str | None]
    plugins: Mapping[str, str]
    tables: Mapping[str, int]

    @classmethod
    def read(cls, told: Any) -> Manifest:
        """The manifest in its JSON form. Raises ValueError, TypeError or KeyError: a file from elsewhere may hold anything."""
        texts = {name: _of(str, told[name]) for name in ("workspace", "title")}
        revisions = {name: revision and _of(str, revision) for name, revision in told["revisions"].items()}
        return cls(
            **texts,
            format=_of(int, told["format"]),
            made_at=datetime.fromisoformat(told["made_at"]),
            revisions=revisions,
            plugins={name: _of(str, version) for name, version in told["plugins"].items()},
            tables={name: _of(int, count) for name, count in told["tables"].items()},
        )


def _of(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(value)
    return value


def tables() -> Sequence[sa.Table]:
    """The tables of all installed packages that go into a backup, each after those it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def row_name(table: str) -> str:
    """The file of a table inside the backup."""
    return f"tables/{table}.jsonl"


def to_plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, date):  # moments too
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def from_plain(column: sa.Column[Any]) -> Callable[[Any], Any] | None:
    """What turns the JSON of a column into its value again; None where they are the same."""
    readers: tuple[tuple[type, Callable[[Any], Any]], ...] = (
        (UtcDateTime, datetime.fromisoformat),
        (sa.Date, date.fromisoformat),
        (FixedPoint, Decimal),
        (sa.LargeBinary, base64.b64decode),
    )
    return next((read for kind, read in readers if isinstance(column.type, kind)), None)
