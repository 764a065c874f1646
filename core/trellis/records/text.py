"""Text compared without regard to case, and by code points, alike in Python and on every database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

ESCAPE = "\\"


def fold(text: str) -> str:
    """``text`` in lower case, letter by letter as databases do (``str.lower`` treats Σ and İ otherwise)."""
    return text.replace("Σ", "σ").replace("İ", "i").lower()


def literal_pattern(text: str) -> str:
    """``text`` for LIKE, where ``%`` and ``_`` stand for themselves."""
    return text.replace(ESCAPE, ESCAPE * 2).replace("%", f"{ESCAPE}%").replace("_", f"{ESCAPE}_")


class Folded(FunctionElement[str]):
    """A text expression in lower case, any alphabet: SQLite's own ``lower`` knows only ASCII."""

    inherit_cache = True
    type = sa.String()


@compiles(Folded)
def _folded_on_sqlite(element: Folded, compiler: SQLCompiler, **kw: Any) -> str:
    return f"trellis_lower({compiler.process(element.clauses, **kw)})"


@compiles(Folded, "postgresql")
def _folded_on_postgresql(element: Folded, compiler: SQLCompiler, **kw: Any) -> str:
    return f"lower({compiler.process(element.clauses, **kw)})"


class ByCodePoint(FunctionElement[str]):
    """A text expression that compares by code points, whatever the collation of the database."""

    inherit_cache = True
    type = sa.String()


@compiles(ByCodePoint)
def _by_code_point_on_sqlite(element: ByCodePoint, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(ByCodePoint, "postgresql")
def _by_code_point_on_postgresql(element: ByCodePoint, compiler: SQLCompiler, **kw: Any) -> str:
    return f'({compiler.process(element.clauses, **kw)} COLLATE "C")'


def holding(text: str) -> str:
    """The pattern of what holds ``text`` somewhere, ignoring case."""
    return f"%{literal_pattern(fold(text))}%"


def beginning(text: str) -> str:
    """The pattern of what begins with ``text``, ignoring case."""
    return f"{literal_pattern(fold(text))}%"


def fits(expression: sa.ColumnElement[Any], pattern: Any) -> sa.ColumnElement[bool]:
    """``expression`` is like a pattern of :func:`holding` or :func:`beginning`."""
    return Folded(expression).like(pattern, escape=ESCAPE)
