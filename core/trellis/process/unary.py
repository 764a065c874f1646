"""A cell of a decision table: what a value must be there. ``-``, ``"a","b"``, ``>= 100``, ``[1..5]``, ``not("a")``, ``? * 2 > x``.

What stands in a cell is our expression language, with the marks of the DMN standard around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from trellis.process.expressions import Expression, Facts, Path, compile_expression
from trellis.records.expressions import ExpressionFailed

VALUE = "_value"
"""What an expression calls the value that it is asked about (``?`` in a cell)."""

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "=": lambda one, other: one == other,
}
_INTERVAL = re.compile(r"([\[\](])(.+)\.\.(.+)([\[\])])", re.DOTALL)
_NEGATED = re.compile(r"not\s*\((.*)\)", re.DOTALL)
_NULL = re.compile(r"\bnull\b")
_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')')


class _Asked:
    """Facts, with the value that is asked about."""

    def __init__(self, facts: Facts, value: Any) -> None:
        self._facts, self._value = facts, value

    def look_up(self, path: Path) -> Any:
        return self._value if path == (VALUE,) else self._facts.look_up(path)


@dataclass(frozen=True)
class _Test:
    """One of the conditions of a cell: the value compares so with each of these."""

    bounds: tuple[tuple[str, Expression], ...]
    holds_itself: bool = False

    def __call__(self, value: Any, facts: Facts) -> bool:
        asked = _Asked(facts, value)
        if self.holds_itself:
            return bool(self.bounds[0][1](asked))
        for mark, expression in self.bounds:
            other = expression(asked)
            if mark in ("=", "!="):
                found = _COMPARED[mark](value, other)
            elif value is None or other is None:
                return False
            else:
                found = _compared(mark, value, other)
            if not found:
                return False
        return True


@dataclass(frozen=True)
class Cell:
    """What a value must be: one of the tests holds, or none where the cell is negated; anything where there is none."""

    tests: tuple[_Test, ...]
    negated: bool = False

    def holds(self, value: Any, facts: Facts) -> bool:
        """Whether a value is what the cell asks for. Raises ExpressionFailed."""
        if not self.tests:
            return True
        return any(test(value, facts) for test in self.tests) != self.negated

    @property
    def paths(self) -> frozenset[Path]:
        """All that its expressions read."""
        found = (one.paths for test in self.tests for _mark, one in test.bounds)
        return frozenset[Path]().union(*found) - {(VALUE,)}


def compile_cell(text: str) -> Cell:
    """A cell ready to be asked. Raises ExpressionInvalid."""
    text = text.strip()
    if text in ("", "-"):
        return Cell(())
    negated = _NEGATED.fullmatch(text)
    inner = negated[1] if negated else text
    return Cell(tuple(_test(one) for one in parts(inner)), negated is not None)


def compile_value(text: str) -> Expression:
    """What stands in the cell of an output. Raises ExpressionInvalid."""
    return compile_expression(_ours(text))


def parts(text: str) -> Iterator[str]:
    """What commas part, outside of quotes and brackets."""
    depth, begun = 0, 0
    masked = _QUOTED.sub(lambda found: "_" * len(found[0]), text)
    for place, letter in enumerate(masked):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth <= 0:
            yield text[begun:place].strip()
            begun, depth = place + 1, 0
    yield text[begun:].strip()


def _test(text: str) -> _Test:
    interval = _INTERVAL.fullmatch(text)
    if interval:
        low, high = (compile_value(one) for one in (interval[2], interval[3]))
        return _Test(
            ((">=" if interval[1] == "[" else ">", low), ("<=" if interval[4] == "]" else "<", high))
        )
    for mark in _COMPARED:
        if text.startswith(mark) and not text.startswith("=="):
            return _Test(((mark, compile_value(text[len(mark) :])),))
    expression = compile_value(text)
    return _Test((("=", expression),), holds_itself=(VALUE,) in expression.paths)


def _ours(text: str) -> str:
    """``?`` and ``null`` of the standard, as our language writes them."""
    pieces = _QUOTED.split(text.strip())
    for place in range(0, len(pieces), 2):
        pieces[place] = _NULL.sub("none", pieces[place].replace("?", VALUE))
    return "".join(pieces)


def _compared(mark: str, one: Any, other: Any) -> bool:
    try:
        return bool(_COMPARED[mark](one, other))
    except TypeError as error:
        raise ExpressionFailed(str(error)) from None
