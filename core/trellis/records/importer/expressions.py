"""The expressions of import mappings: read one row, reach nothing else. Evaluated by simpleeval, never by Python."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from simpleeval import EvalWithCompoundTypes, InvalidExpression

from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.records import types

_ = translator("trellis")

LONGEST = 2000


class ExpressionInvalid(TrellisError):
    """An expression cannot be parsed."""

    code = "expression_invalid"


class ExpressionFailed(ValueError):
    """An expression cannot be evaluated on this row."""


def _number(value: Any) -> Decimal:
    return Decimal(str(types.Decimal().check(value) or 0))


def _date(text: Any, form: str = "%Y-%m-%d") -> date | None:
    return (
        datetime.strptime(str(text).strip(), form).replace(tzinfo=UTC).date() if str(text).strip() else None
    )


def _datetime(text: Any, form: str = "%Y-%m-%d %H:%M:%S") -> datetime | None:
    return datetime.strptime(str(text).strip(), form).replace(tzinfo=UTC) if str(text).strip() else None


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "lower": lambda value: _text(value).lower(),
    "upper": lambda value: _text(value).upper(),
    "title": lambda value: _text(value).title(),
    "text": _text,
    "number": _number,
    "whole": lambda value: str(int(_number(value))) if _text(value) else "",
    "abs": abs,
    "round": lambda value, digits=2: round(value, digits),
    "date": _date,
    "datetime": _datetime,
    "concat": lambda *parts: "".join("" if part is None else str(part) for part in parts),
    "starts_with": lambda value, start: _text(value).startswith(start),
    "ends_with": lambda value, end: _text(value).endswith(end),
    "contains": lambda value, part: part in _text(value),
    "without": lambda value, start: _text(value).removeprefix(start),
    "pad": lambda value, width: _text(value).zfill(min(int(width), 40)),
    "when": lambda condition, yes, no="": yes if condition else no,
}
"""What an expression may call."""


def compile_expression(text: str) -> Callable[[Mapping[str, Any], int], Any]:
    """A function of a row and its number. Columns are names, or ``row["Column name"]``; the number is ``_row``.

    Raises ExpressionInvalid for what cannot be parsed; the function raises ExpressionFailed.
    """
    if len(text) > LONGEST:
        raise ExpressionInvalid(_("The expression is too long"))
    evaluator = EvalWithCompoundTypes(functions=dict(FUNCTIONS))
    try:
        parsed = evaluator.parse(text.strip())
        if not isinstance(parsed, ast.AST):
            raise SyntaxError("empty")
    except (InvalidExpression, SyntaxError, ValueError) as error:
        raise ExpressionInvalid(
            _("“%(text)s” is not an expression: %(problem)s", text=text, problem=str(error))
        ) from None

    def evaluate(cells: Mapping[str, Any], number: int) -> Any:
        evaluator.names = {**cells, "row": cells, "_row": number, "true": True, "false": False, "none": None}
        try:
            return evaluator.eval(text, previously_parsed=parsed)
        except (
            InvalidExpression,
            ArithmeticError,
            TypeError,
            ValueError,
            KeyError,
            types.ValueInvalid,
        ) as error:
            raise ExpressionFailed(str(error)) from None

    return evaluate
