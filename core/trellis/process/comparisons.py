"""Conditions that are comparisons side by side (``record.amount > 20000 and decision == "yes"``), taken apart and put together.

What is more than that stays the expression that it is.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trellis.process.expressions import path_of
from trellis.records.expressions import WORDS

OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
}
EMPTY, FILLED = "empty", "filled"
AND, OR = "and", "or"


@dataclass(frozen=True)
class Comparison:
    """One of them: a path, one of :data:`OPERATORS` (or ``empty``, ``filled``), and the value as people write it."""

    path: str
    operator: str
    value: Any = ""

    def __str__(self) -> str:
        if self.operator in (EMPTY, FILLED):
            return f"{'not ' if self.operator == FILLED else ''}empty({self.path})"
        return f"{self.path} {self.operator} {_literal(self.value)}"


def together(comparisons: Sequence[Comparison], word: str = AND) -> str:
    """The expression under which all (or, with ``or``, any) of them hold."""
    return f" {word} ".join(map(str, comparisons))


def apart(text: str) -> tuple[list[Comparison], str] | None:
    """The comparisons of an expression, and the word between them; None where it is more than that."""
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
        if isinstance(parsed, ast.BoolOp):
            word = AND if isinstance(parsed.op, ast.And) else OR
            return [_comparison(one) for one in parsed.values], word
        return [_comparison(parsed)], AND
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _comparison(node: ast.expr) -> Comparison:
    """Raises ValueError for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return Comparison(_asked(node.operand), FILLED)
    if isinstance(node, ast.Call):
        return Comparison(_asked(node), EMPTY)
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in OPERATORS:
        raise ValueError("no comparison")
    return Comparison(_path(node.left), OPERATORS[type(node.ops[0])], _value(node.comparators[0]))


def _asked(node: ast.expr) -> str:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == EMPTY):
        raise ValueError("no question whether something is empty")
    if len(node.args) != 1 or node.keywords:
        raise ValueError("one path belongs into the brackets")
    return _path(node.args[0])


def _path(node: ast.expr) -> str:
    path = ".".join(path_of(node))
    if path in WORDS:
        raise ValueError("a word, no path")
    return path


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Name) and node.id in WORDS and WORDS[node.id] is not None:
        return WORDS[node.id]
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str | int | float):
        raise ValueError("no plain value")
    return Decimal(str(node.value)) if isinstance(node.value, float) else node.value


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
