"""Rows that are given to a statement as one parameter: however many, its text is the same, and is compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from trellis.records.days import FromIso
from trellis.records.types import UtcDateTime


def given_rows(columns: Mapping[str, TypeEngine[Any]], rows: Sequence[Sequence[Any]]) -> sa.Select[Any]:
    """Rows of numbers, texts, days and moments, by the names and types of their columns."""
    text = orjson.dumps(rows).decode()
    row = _Each(sa.literal(text)).table_valued(sa.column("value", sa.JSON())).c.value
    cells = [row[place].as_string() for place in range(len(columns))]
    return sa.select(
        *(
            (FromIso if isinstance(kind, sa.Date | UtcDateTime) else sa.cast)(cell, kind).label(name)
            for cell, (name, kind) in zip(cells, columns.items(), strict=True)
        )
    )


class _Each(FunctionElement[Any]):
    """The elements of a list that stands in a text as JSON, a row each."""

    inherit_cache = True


@compiles(_Each)
def _as_usual(element: _Each, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_array_elements(CAST({compiler.process(element.clauses, **kw)} AS JSON))"


@compiles(_Each, "sqlite")
def _on_sqlite(element: _Each, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"
