"""What SQLite lacks and Trellis adds to each connection."""

from __future__ import annotations

from math import sqrt
from typing import Any

from trellis.records.text import fold
from trellis.records.types import last_digits_of
from trellis.search.asked import holds
from trellis.search.words import number_ends, terms


def _lower(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value


def _last_digits(value: Any, number: int) -> str | None:
    return last_digits_of(value, number) if isinstance(value, str) else None


def _root(value: Any) -> float | None:
    return None if value is None else sqrt(value)


def install_functions(dbapi_connection: Any) -> None:
    """Registers the functions that queries use; called for each new connection to SQLite."""
    dbapi_connection.create_function("trellis_lower", 1, _lower, deterministic=True)
    dbapi_connection.create_function("sqrt", 1, _root, deterministic=True)  # not in every build
    dbapi_connection.create_function("trellis_last_digits", 2, _last_digits, deterministic=True)
    dbapi_connection.create_function("trellis_words", 1, terms, deterministic=True)
    dbapi_connection.create_function("trellis_number_ends", 1, number_ends, deterministic=True)
    dbapi_connection.create_function("trellis_holds", 2, holds, deterministic=True)
