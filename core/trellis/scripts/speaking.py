"""The texts of scripts as they are said: with the values of a record, or told of without one."""

from __future__ import annotations

from typing import Any

from trellis.letters.facts import LetterFacts, told_part
from trellis.process.expressions import compile_argument
from trellis.records.door import Records
from trellis.records.expressions import ExpressionFailed, ExpressionInvalid

_OPEN = "…"
"""What is said where a mark has no value."""


def spoken(text: str, records: Records, entity: str, record_id: int) -> str:
    """A text of a script with the values of the record; what is empty or withheld is left open."""
    facts = LetterFacts(records, entity, record_id)
    try:
        parts = compile_argument(text).parts
    except ExpressionInvalid:
        return text
    return "".join(one if isinstance(one, str) else _said(one, facts) for one in parts)


def without_marks(text: str) -> str:
    """A text of a script as it is told of, with its marks left open."""
    try:
        parts = compile_argument(text).parts
    except ExpressionInvalid:
        return text
    return "".join(one if isinstance(one, str) else _OPEN for one in parts)


def _said(expression: Any, facts: LetterFacts) -> str:
    try:
        return told_part(expression, facts) or _OPEN
    except (KeyError, ExpressionFailed):
        return _OPEN
