"""Whether a statement compiles on both databases, asked when an edition is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from trellis.records.prepared import Shelf

_DIALECTS = (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call]
_known = Shelf(10_000)
"""Shapes of statements that have compiled, with what was found out about them: editions are built often, and this is most of the work."""


def compiles(statement: sa.Select[Any], ask: Callable[[sa.Select[Any]], Any] | None = None) -> Any:
    """Compiles a statement for both databases, unless one of its shape has; the answer to ``ask`` about it."""

    def found() -> Any:
        for dialect in _DIALECTS:
            statement.compile(dialect=dialect)
        return ask(statement) if ask else None

    shape = statement._generate_cache_key()
    return found() if shape is None else _known.get((shape.key, ask), found)
