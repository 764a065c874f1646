"""Division and multiplication in SQL that know about fixed-point columns and never divide by zero.

Money and decimals are integer ten-thousandths on SQLite, where ``a / b`` of two integers would also be cut to an integer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from trellis.records.types import SCALE, FixedPoint

_FACTOR = 10**SCALE


class _Pair(ColumnElement[Any]):
    """Two expressions under one operation, spelled by each database in its way."""

    inherit_cache = True
    _traverse_internals = [
        ("left", sa.sql.visitors.InternalTraversal.dp_clauseelement),
        ("right", sa.sql.visitors.InternalTraversal.dp_clauseelement),
        ("type", sa.sql.visitors.InternalTraversal.dp_type),
    ]

    def __init__(self, left: Any, right: Any, type_: sa.types.TypeEngine[Any]) -> None:
        self.left = _element(left)
        self.right = _element(right)
        self.type = type_

    def sides(self, compiler: SQLCompiler, **kw: Any) -> tuple[str, str]:
        """Both expressions as SQL, each safe to stand beside an operator."""
        return f"({compiler.process(self.left, **kw)})", f"({compiler.process(self.right, **kw)})"

    @property
    def scale(self) -> int:
        """What a quotient of the stored integers must be divided by on SQLite, as a power of ten."""
        return _digits(self.left) - _digits(self.right)


class _Ratio(_Pair):
    inherit_cache = True


class _Average(_Pair):
    inherit_cache = True


class _Product(_Pair):
    inherit_cache = True


def ratio(part: Any, whole: Any) -> ColumnElement[float]:
    """``part / whole`` as a float; NULL where ``whole`` is zero or NULL.

    Both may be money, decimals, counts or numbers, in any mixture.
    """
    return _Ratio(part, whole, sa.Float())


def average(amount: Any, number: Any) -> ColumnElement[Decimal]:
    """``amount / number`` of a sum of money (or of decimals), as money with four digits; NULL where ``number`` is zero."""
    return _Average(amount, number, FixedPoint())


def product(amount: Any, factor: Any) -> ColumnElement[Decimal]:
    """``amount * factor`` of two fixed-point values (money times quantity or percent), with four digits."""
    return _Product(amount, factor, FixedPoint())


def _element(value: Any) -> ColumnElement[Any]:
    return sa.sql.coercions.expect(sa.sql.roles.ExpressionElementRole, value)  # type: ignore[no-any-return]


def _digits(element: ColumnElement[Any]) -> int:
    return SCALE if isinstance(element.type, FixedPoint) else 0


@compiles(_Ratio, "sqlite")
def _ratio_on_sqlite(element: _Ratio, compiler: SQLCompiler, **kw: Any) -> str:
    part, whole = element.sides(compiler, **kw)
    return f"(CAST({part} AS REAL) / NULLIF({whole}, 0){_scaled(element.scale)})"


@compiles(_Ratio, "postgresql")
def _ratio_on_postgresql(element: _Ratio, compiler: SQLCompiler, **kw: Any) -> str:
    part, whole = element.sides(compiler, **kw)
    return f"(CAST({part} AS DOUBLE PRECISION) / CAST(NULLIF({whole}, 0) AS DOUBLE PRECISION))"


@compiles(_Average, "sqlite")
def _average_on_sqlite(element: _Average, compiler: SQLCompiler, **kw: Any) -> str:
    amount, number = element.sides(compiler, **kw)
    scaled = _scaled(element.scale - SCALE)  # the result is stored in ten-thousandths itself
    return f"CAST(ROUND(CAST({amount} AS REAL) / NULLIF({number}, 0){scaled}) AS INTEGER)"


@compiles(_Average, "postgresql")
def _average_on_postgresql(element: _Average, compiler: SQLCompiler, **kw: Any) -> str:
    amount, number = element.sides(compiler, **kw)
    return f"ROUND(CAST({amount} AS NUMERIC) / NULLIF({number}, 0), {SCALE})"


@compiles(_Product, "sqlite")
def _product_on_sqlite(element: _Product, compiler: SQLCompiler, **kw: Any) -> str:
    amount, factor = element.sides(compiler, **kw)
    digits = _digits(element.left) + _digits(element.right) - SCALE
    return f"CAST(ROUND({amount} * {factor}{_scaled(digits)}) AS INTEGER)"


@compiles(_Product, "postgresql")
def _product_on_postgresql(element: _Product, compiler: SQLCompiler, **kw: Any) -> str:
    amount, factor = element.sides(compiler, **kw)
    return f"ROUND(CAST({amount} AS NUMERIC) * {factor}, {SCALE})"


def _scaled(digits: int) -> str:
    """Shifts the point: `` / 10000.0`` for four digits too many, `` * 10000.0`` for four too few."""
    if digits == 0:
        return ""
    return f" / {10**digits}.0" if digits > 0 else f" * {10**-digits}.0"
