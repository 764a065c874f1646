"""The expressions of diagrams: the language of import mappings, with dotted paths into the record. Never Python.

``record.amount > 20000 and decision == "approve"`` names variables of the instance and fields of its record, also through
references (``record.customer.name``). Nothing else can be reached.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from trellis.i18n import current_timezone, format_date, format_datetime, format_number, translator
from trellis.records.expressions import (
    FUNCTIONS,
    LONGEST,
    WORDS,
    Evaluator,
    ExpressionFailed,
    ExpressionInvalid,
    check_nodes,
)

_ = translator("trellis")

Path = tuple[str, ...]

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_TIMER = re.compile(r"(R\d*/)?(P[0-9.,YMWDTHS]+|\d{4}-\d\d-\d\d[T0-9:.+Z-]*)(/P[0-9.,YMWDTHS]+)?")
MOST_DAYS = 36_500


class Facts(Protocol):
    """What expressions may name."""

    def look_up(self, path: Path) -> Any:
        """The value at a path. Raises KeyError where there is none."""


def _days(number: Any) -> timedelta:
    return timedelta(days=max(-MOST_DAYS, min(MOST_DAYS, float(number))))


_OWN: Mapping[str, Callable[..., Any]] = {
    "today": lambda: datetime.now(current_timezone()).date(),
    "now": lambda: datetime.now(UTC),
    "days": _days,
    "empty": lambda value: value in (None, "", []),
    "count": lambda values, *wanted: sum(1 for one in values if not wanted or one in wanted),
    "sum": lambda values: sum(one for one in values if one is not None),
    "least": lambda values: min((one for one in values if one is not None), default=None),
    "most": lambda values: max((one for one in values if one is not None), default=None),
}
"""What expressions of diagrams may call beside the functions of import mappings."""


class _Evaluator(Evaluator):
    """Names and dotted paths are asked of the facts, never of Python objects."""

    def __init__(self, facts: Facts | None = None) -> None:
        super().__init__()
        self.functions = {**FUNCTIONS, **_OWN}
        self.nodes: dict[type[ast.AST], Any] = {
            **self.nodes,
            ast.Name: self._path,
            ast.Attribute: self._path,
        }
        del self.nodes[ast.Subscript]
        self._facts = facts

    def _path(self, node: ast.expr) -> Any:
        path = path_of(node)
        if len(path) == 1 and path[0] in WORDS:
            return WORDS[path[0]]
        if self._facts is None:
            raise KeyError(path[0])
        try:
            return self._facts.look_up(path)
        except KeyError:
            raise ValueError(_("there is no “%(name)s”", name=".".join(path))) from None


def path_of(node: ast.expr) -> Path:
    """``record.customer.name`` as a path. Raises ValueError for a dot after anything but a name."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (*path_of(node.value), node.attr)
    raise ValueError("a dot may only follow a name")


@dataclass(frozen=True)
class Expression:
    """A compiled expression; called with facts. Raises ExpressionFailed. ``paths`` are those that it reads."""

    text: str
    paths: frozenset[Path]
    _parsed: ast.expr

    def __call__(self, facts: Facts) -> Any:
        try:
            return _Evaluator(facts).eval(self.text, previously_parsed=self._parsed)
        except Exception as error:  # variables hold anything, and functions fail on it in any way
            raise ExpressionFailed(
                _("“%(text)s” cannot be told: %(problem)s", text=self.text, problem=str(error))
            ) from None


@lru_cache(maxsize=2000)
def compile_expression(text: str) -> Expression:
    """An expression ready to be called. Raises ExpressionInvalid for what cannot be parsed or calls the unknown."""
    if len(text) > LONGEST:
        raise ExpressionInvalid(_("The expression is too long"))
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
        check_nodes(parsed, _Evaluator())
        return Expression(text.strip(), frozenset(_paths(parsed)), parsed)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        problem = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ExpressionInvalid(
            _("“%(text)s” is not an expression: %(problem)s", text=text, problem=problem)
        ) from None


def _paths(parsed: ast.expr) -> Iterator[Path]:
    """The outermost paths: ``record.customer.name``, not also ``record.customer``."""
    called = {id(node.func) for node in ast.walk(parsed) if isinstance(node, ast.Call)}
    inner = {id(node.value) for node in ast.walk(parsed) if isinstance(node, ast.Attribute)}
    for node in ast.walk(parsed):
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in called | inner:
            path = path_of(node)
            if len(path) > 1 or path[0] not in WORDS:
                yield path


@dataclass(frozen=True)
class Argument:
    """A text of a diagram: ``=expression``, or words with ``{expression}`` in them."""

    text: str
    parts: tuple[str | Expression, ...]

    @property
    def paths(self) -> frozenset[Path]:
        """All that its expressions read."""
        return frozenset(path for part in self.parts if isinstance(part, Expression) for path in part.paths)

    def __call__(self, facts: Facts) -> Any:
        if len(self.parts) == 1 and isinstance(self.parts[0], Expression) and self.text.startswith("="):
            return self.parts[0](facts)
        return "".join(one if isinstance(one, str) else said(one(facts)) for one in self.parts)


def compile_argument(text: str) -> Argument:
    """An argument ready to be called. Raises ExpressionInvalid."""
    if text.startswith("="):
        return Argument(text, (compile_expression(text[1:]),))
    pieces = _PLACEHOLDER.split(text)
    parts = (compile_expression(piece) if at % 2 else piece for at, piece in enumerate(pieces))
    return Argument(text, tuple(part for part in parts if part != ""))


def said(value: Any) -> str:
    """A value as it stands in a text for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(value, datetime):
        return format_datetime(value)
    if hasattr(value, "isoformat"):
        return format_date(value)
    return str(value) if isinstance(value, str) else format_number(value)


def is_moment(text: str) -> bool:
    """A timer that says its time itself (``P3D``, ``R/P1D``, ``2026-11-25``), rather than by an expression."""
    return _TIMER.fullmatch(text.strip()) is not None
