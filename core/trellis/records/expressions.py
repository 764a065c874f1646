"""Expressions over named values, for import mappings and KPI formulas: they reach nothing else. Evaluated by simpleeval, never by Python."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from simpleeval import SimpleEval

from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.records import types
from trellis.records.numbers import read_number

_ = translator("trellis")

LONGEST = 2000
LONGEST_VALUE = 1024 * 1024
"""Letters that an expression may put together: as many as one cell may have."""


class ExpressionInvalid(TrellisError):
    """An expression cannot be parsed."""

    code = "expression_invalid"


class ExpressionFailed(ValueError):
    """An expression cannot be evaluated on this row."""


def _number(value: Any, mark: str | None = None) -> Decimal:
    """A number; ``mark`` is the decimal mark of the file where it is not a point."""
    given = read_number(value, mark) if mark and isinstance(value, str) and value.strip() else value
    return Decimal(str(types.Decimal().check(given) or 0))


def _date(value: Any, form: str = "%Y-%m-%d") -> date | None:
    moment = _datetime(value, form)
    return moment.date() if moment is not None else None


def _datetime(value: Any, form: str = "%Y-%m-%d %H:%M:%S") -> datetime | None:
    """A moment, without a zone where ``form`` has none; a cell of a spreadsheet may hold one already."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    text = _text(value)
    return datetime.strptime(text, form) if text else None


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _words(*parts: Any) -> str:
    """What there is, with a space between."""
    return " ".join(text for text in map(_text, parts) if text)


def _concat(*parts: Any) -> str:
    texts = ["" if part is None else str(part) for part in parts]
    if sum(map(len, texts)) > LONGEST_VALUE:
        raise ValueError(_("the text is too long"))
    return "".join(texts)


def _quotient(one: Any, other: Any) -> Any:
    """Division that is exact for whole numbers too, as far as decimals are."""
    return (Decimal(one) if isinstance(one, int) else one) / other


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "lower": lambda value: _text(value).lower(),
    "upper": lambda value: _text(value).upper(),
    "title": lambda value: _text(value).title(),
    "text": _text,
    "number": _number,
    "whole": lambda value: str(int(_number(value))) if _text(value) else "",
    "abs": abs,
    "round": lambda value, digits=2: round(_number(value), int(digits)),
    "date": _date,
    "datetime": _datetime,
    "prefix": lambda start, value: f"{start}{_text(value)}" if _text(value) else "",
    "concat": _concat,
    "words": _words,
    "starts_with": lambda value, start: _text(value).startswith(start),
    "ends_with": lambda value, end: _text(value).endswith(end),
    "contains": lambda value, part: part in _text(value),
    "without": lambda value, start: _text(value).removeprefix(start),
    "pad": lambda value, width: _text(value).zfill(min(int(width), 40)),
    "when": lambda condition, yes, no="": yes if condition else no,
}
"""What an expression may call."""


_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Not, ast.USub, *_COMPARISONS)
_NODES = (ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Subscript)
WORDS: Mapping[str, Any] = {"true": True, "false": False, "none": None}
"""What is said for values that have no digits or quotes."""


class Evaluator(SimpleEval):  # type: ignore[misc]
    """simpleeval cut down to what an expression needs: no attributes, no comprehensions, no way to grow large texts."""

    def __init__(self) -> None:
        super().__init__(functions=dict(FUNCTIONS), names={})
        operators, nodes = self.__dict__["operators"], self.__dict__["nodes"]
        self.operators: dict[type[ast.AST], Any] = {kind: operators[kind] for kind in _OPERATORS}
        self.operators[ast.Div] = _quotient
        self.nodes: dict[type[ast.AST], Any] = {kind: nodes[kind] for kind in _NODES} | {
            ast.Constant: self._constant,
            ast.List: lambda node: [self._eval(one) for one in node.elts],
            ast.Tuple: lambda node: [self._eval(one) for one in node.elts],
        }

    @staticmethod
    def _constant(node: ast.Constant) -> Any:
        """Numbers of an expression are exact, as those of records are."""
        return Decimal(str(node.value)) if isinstance(node.value, float) else node.value


@dataclass(frozen=True)
class Expression:
    """A compiled expression; called with the names of a row (:func:`names_of`). Raises ExpressionFailed.

    ``columns`` are those that it reads. Threads may share one: it is evaluated for one of them at a time.
    """

    text: str
    columns: frozenset[str]
    _parsed: ast.AST
    _evaluator: Evaluator
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @cached_property
    def adds_up(self) -> bool:
        """Whether it does no more than add and subtract columns, or such sums, times numbers: of sums it is a sum."""
        return _adds_up(self._parsed)

    def __call__(self, names: Mapping[str, Any]) -> Any:
        with self._lock:
            self._evaluator.names = names
            try:
                return self._evaluator.eval(self.text, previously_parsed=self._parsed)
            except Exception as error:  # cells hold anything, and functions fail on it in any way
                raise ExpressionFailed(str(error)) from None


def names_of(cells: Mapping[str, Any], number: int) -> dict[str, Any]:
    """What expressions may name for one row: columns, ``row["Column name"]``, and the row's number ``_row``."""
    return {**cells, "row": cells, "_row": number, **WORDS}


def compile_expression(text: str) -> Expression:
    """An expression ready to be called. Raises ExpressionInvalid for what cannot be parsed or calls the unknown."""
    if len(text) > LONGEST:
        raise ExpressionInvalid(_("The expression is too long"))
    evaluator = Evaluator()
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
        check_nodes(parsed, evaluator)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        problem = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ExpressionInvalid(
            _("“%(text)s” is not an expression: %(problem)s", text=text, problem=problem)
        ) from None
    return Expression(text, frozenset(_columns(parsed)), parsed, evaluator)


def check_nodes(parsed: ast.expr, evaluator: Evaluator) -> None:
    """Raises ValueError for what ``evaluator`` does not evaluate."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) not in evaluator.functions:
            raise ValueError(f"there is no function {ast.unparse(node.func)}")
        allowed = type(node) in evaluator.nodes or type(node) in evaluator.operators
        if isinstance(node, ast.expr | ast.operator | ast.unaryop | ast.cmpop) and not allowed:
            raise ValueError(f"{type(node).__name__} is not allowed")


def _adds_up(node: ast.AST) -> bool:
    match node:
        case ast.Name():
            return node.id not in WORDS
        case ast.UnaryOp(op=ast.USub(), operand=one):
            return _adds_up(one)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return _adds_up(left) and _adds_up(right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return (_adds_up(left) and _is_number(right)) or (_is_number(left) and _adds_up(right))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _adds_up(left) and _is_number(right)
    return False


def _is_number(node: ast.AST) -> bool:
    return not any(isinstance(one, ast.Name | ast.Call | ast.Subscript) for one in ast.walk(node))


def _columns(parsed: ast.expr) -> Iterator[str]:
    """The columns that an expression names: ``Country``, ``row["Customer ID"]``."""
    called = {id(node.func) for node in ast.walk(parsed) if isinstance(node, ast.Call)}
    for node in ast.walk(parsed):
        if isinstance(node, ast.Name) and id(node) not in called and node.id not in ("row", "_row", *WORDS):
            yield node.id
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id == "row"
            and isinstance(node.slice, ast.Constant)
        ):
            yield str(node.slice.value)
