"""Keyset pagination: any sort, empty values included, continued after the last row of the page before.

Empty values are the smallest on every database. Conditions are written out, as in
``a >= x AND (a > x OR a = x AND id > y)``: SQLite does not use an expression index for row values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trellis.records.types import FieldType

Condition = sa.ColumnElement[bool]
Bind = Callable[[Any, sa.types.TypeEngine[Any]], sa.ColumnElement[Any]]
"""Makes a parameter of a statement from a value and its type."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a sort. ``nullable`` keys say where NULL goes; others leave it out, as their index does."""

    expression: sa.ColumnElement[Any]
    type: FieldType
    descending: bool = False
    nullable: bool = True

    @property
    def order(self) -> sa.UnaryExpression[Any]:
        """The key in ORDER BY."""
        if self.descending:
            return self.expression.desc().nulls_last() if self.nullable else self.expression.desc()
        return self.expression.asc().nulls_first() if self.nullable else self.expression.asc()


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of a sorted list: its condition, and the keys that its rows still need sorting by."""

    condition: Condition
    keys: Sequence[SortKey]


def ranges_after(keys: Sequence[SortKey], values: Sequence[Any], bind: Bind) -> list[Range]:
    """The rows that follow the row with these key values: one range, or two that follow one another.

    Each value that is not None is bound once, in their order.

    There are two where the first key passes from values to empty ones, or back; each by itself is a range of
    an index, which both together (OR) would not be.
    """
    key, value = keys[0], values[0]
    expression = key.expression
    if value is None:
        tied = Range(sa.and_(expression.is_(None), _after(keys[1:], values[1:], bind)), keys[1:])
        return [tied] if key.descending or not key.nullable else [tied, Range(expression.is_not(None), keys)]
    limit = bind(value, expression.type)
    beyond = expression < limit if key.descending else expression > limit
    if len(keys) > 1:
        reached = expression <= limit if key.descending else expression >= limit
        beyond = sa.and_(
            reached, sa.or_(beyond, sa.and_(expression == limit, _after(keys[1:], values[1:], bind)))
        )
    following = Range(beyond, keys)
    return (
        [following, Range(expression.is_(None), keys[1:])] if key.descending and key.nullable else [following]
    )


def _after(keys: Sequence[SortKey], values: Sequence[Any], bind: Bind) -> Condition:
    if not keys:
        return sa.false()
    return sa.or_(sa.false(), *(part.condition for part in ranges_after(keys, values, bind)))
