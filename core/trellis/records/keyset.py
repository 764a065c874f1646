"""Keyset pagination: any sort, empty values included, continued after the last row of the page before.

Empty values are the smallest on every database. Conditions are written out, as in
``a >= x AND (a > x OR a = x AND id > y)``: SQLite does not use an expression index for row values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trellis.records.types import FieldType

Condition = sa.ColumnElement[bool]


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


def ranges_after(keys: Sequence[SortKey], values: Sequence[Any]) -> list[Condition]:
    """Conditions for the rows that follow the row with these key values: one, or two that follow one another.

    There are two where the first key passes from values to empty ones, or back; each by itself is a range of
    an index, which both together (OR) would not be.
    """
    key, value = keys[0], values[0]
    same_but_later = sa.or_(*ranges_after(keys[1:], values[1:])) if len(keys) > 1 else sa.false()
    if value is None:
        tied = sa.and_(key.expression.is_(None), same_but_later)
        return [tied] if key.descending or not key.nullable else [tied, key.expression.is_not(None)]
    expression = key.expression
    limit = sa.literal(value, expression.type)
    beyond = expression < limit if key.descending else expression > limit
    if len(keys) > 1:
        reached = expression <= limit if key.descending else expression >= limit
        beyond = sa.and_(reached, sa.or_(beyond, sa.and_(expression == limit, same_but_later)))
    return [beyond, expression.is_(None)] if key.descending and key.nullable else [beyond]
