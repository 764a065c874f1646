"""Whether a statement compiles on both databases, asked when an edition is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_DIALECTS = (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call]
_MOST_KNOWN = 10_000
_known: dict[Any, Any] = {}
"""Shapes of statements that have compiled, with what was found out about them: editions are built often, and this is most of the work."""


def compiles(statement: sa.Select[Any], ask: Callable[[sa.Select[Any]], Any] | None = None) -> Any:
    """Compiles a statement for both databases, unless one of its shape has; the answer to ``ask`` about it."""
    shape = statement._generate_cache_key()
    key = shape and (shape.key, ask)
    if key in _known:
        return _known[key]
    for dialect in _DIALECTS:
        statement.compile(dialect=dialect)
    answer = ask(statement) if ask else None
    if key is not None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[key] = answer
    return answer
