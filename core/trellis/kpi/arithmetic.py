"""Division and multiplication in SQL that know about fixed-point columns and never divide by zero.

Money and decimals are integer ten-thousandths on SQLite, where ``a / b`` of two integers would also be cut to an
integer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from trellis.records.types import SCALE, FixedPoint


class _Pair(FunctionElement[Any]):
    """Two expressions under one operation, spelled by each database in its way."""

    inherit_cache = True

    @property
    def digits(self) -> tuple[int, int]:
        """The digits after the point that each side holds as an integer on SQLite."""
        left, right = self.clauses
        return _digits(left), _digits(right)

    def sides(self, compiler: SQLCompiler, **kw: Any) -> tuple[str, str]:
        """Both expressions as SQL, each safe to stand beside an operator."""
        left, right = self.clauses
        return f"({compiler.process(left, **kw)})", f"({compiler.process(right, **kw)})"


class _Ratio(_Pair):
    inherit_cache = True
    type = sa.Float()


class _Average(_Pair):
    inherit_cache = True
    type = FixedPoint()


class _Days(_Pair):
    inherit_cache = True
    type = sa.Float()


class _Product(_Pair):
    inherit_cache = True
    type = FixedPoint()


def ratio(part: Any, whole: Any) -> sa.ColumnElement[float]:
    """``part / whole`` as a float; NULL where ``whole`` is zero or NULL.

    Both may be money, decimals, counts or numbers, in any mixture.
    """
    return _Ratio(part, whole)


def average(amount: Any, number: Any) -> sa.ColumnElement[Decimal]:
    """``amount / number`` of a sum of money (or decimals), as money with four digits; NULL where ``number`` is zero."""
    return _Average(amount, number)


def product(amount: Any, factor: Any) -> sa.ColumnElement[Decimal]:
    """``amount * factor`` of two fixed-point values (money times quantity or percent), with four digits."""
    return _Product(amount, factor)


def days_between(start: Any, end: Any) -> sa.ColumnElement[float]:
    """The days from ``start`` to ``end`` (columns of moments or of days) as a float; NULL where one is empty."""
    return _Days(start, end)


class united_bits(FunctionElement[int]):
    """The bits that are set in one of the rows of a group; each value given has a single bit."""

    inherit_cache = True
    type = sa.BigInteger()


@compiles(united_bits)
def _bits_as_usual(element: united_bits, compiler: SQLCompiler, **kw: Any) -> str:
    return f"BIT_OR({compiler.process(element.clauses, **kw)})"


@compiles(united_bits, "sqlite")
def _bits_on_sqlite(element: united_bits, compiler: SQLCompiler, **kw: Any) -> str:
    return f"SUM(DISTINCT {compiler.process(element.clauses, **kw)})"


def _digits(element: sa.ColumnElement[Any]) -> int:
    return SCALE if isinstance(element.type, FixedPoint) else 0


@compiles(_Ratio, "sqlite")
def _ratio_on_sqlite(element: _Ratio, compiler: SQLCompiler, **kw: Any) -> str:
    part, whole = element.sides(compiler, **kw)
    of_part, of_whole = element.digits
    return f"(CAST({part} AS REAL) / NULLIF({whole}, 0){_scaled(of_part - of_whole)})"


@compiles(_Ratio)
def _ratio_as_usual(element: _Ratio, compiler: SQLCompiler, **kw: Any) -> str:
    part, whole = element.sides(compiler, **kw)
    return f"(CAST({part} AS DOUBLE PRECISION) / CAST(NULLIF({whole}, 0) AS DOUBLE PRECISION))"


@compiles(_Average, "sqlite")
def _average_on_sqlite(element: _Average, compiler: SQLCompiler, **kw: Any) -> str:
    amount, number = element.sides(compiler, **kw)
    of_amount, of_number = element.digits
    scaled = _scaled(of_amount - of_number - SCALE)  # the result is held in ten-thousandths itself
    return f"CAST(ROUND(CAST({amount} AS REAL) / NULLIF({number}, 0){scaled}) AS INTEGER)"


@compiles(_Average)
def _average_as_usual(element: _Average, compiler: SQLCompiler, **kw: Any) -> str:
    amount, number = element.sides(compiler, **kw)
    return f"ROUND(CAST({amount} AS NUMERIC) / NULLIF({number}, 0), {SCALE})"


@compiles(_Product, "sqlite")
def _product_on_sqlite(element: _Product, compiler: SQLCompiler, **kw: Any) -> str:
    amount, factor = element.sides(compiler, **kw)
    return f"CAST(ROUND({amount} * {factor}{_scaled(sum(element.digits) - SCALE)}) AS INTEGER)"


@compiles(_Product)
def _product_as_usual(element: _Product, compiler: SQLCompiler, **kw: Any) -> str:
    amount, factor = element.sides(compiler, **kw)
    return f"ROUND(CAST({amount} AS NUMERIC) * {factor}, {SCALE})"


@compiles(_Days, "sqlite")
def _days_on_sqlite(element: _Days, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = element.sides(compiler, **kw)
    return f"(JULIANDAY{end} - JULIANDAY{start})"


@compiles(_Days)
def _days_as_usual(element: _Days, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = (
        f"(CAST({side} AS TIMESTAMP) AT TIME ZONE 'UTC')" if isinstance(one.type, sa.Date) else side
        for one, side in zip(element.clauses, element.sides(compiler, **kw), strict=True)
    )
    return f"CAST(EXTRACT(EPOCH FROM {end} - {start}) / 86400 AS DOUBLE PRECISION)"


def _scaled(digits: int) -> str:
    """Shifts the point: `` / 10000.0`` for four digits too many, `` * 10000.0`` for four too few."""
    if digits == 0:
        return ""
    return f" / {10**digits}.0" if digits > 0 else f" * {10**-digits}.0"
