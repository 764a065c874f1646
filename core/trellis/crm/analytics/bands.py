"""The distribution of a number in the profile of a segment: bands that hold a fifth of all customers each.

Equal values stand in one band, so that bands of a number with few values are fewer, and of unequal size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.i18n import format_money, format_number, format_percent
from trellis.records.entity import Field
from trellis.records.grouping import Grouping, key_of
from trellis.records.joins import Joins
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.query import ListQuery
from trellis.records.types import Money, Percent
from trellis.security.actor import Actor

BANDS = 5


@dataclass(frozen=True, kw_only=True)
class Band:
    """The customers with a value from ``low`` to ``high``, both with it: of the segment, and of all."""

    low: Any
    high: Any
    count: int
    everybody: int

    def rule(self, field: Field) -> dict[str, Any]:
        """The rule that they fulfil."""
        bounds = [field.type.to_json(one) for one in (self.low, self.high)]
        return {"field": field.name, "op": "between", "value": bounds}

    def title(self, edition: Edition, field: Field) -> str:
        """The band in words."""
        low, high = (_shown(edition, field, one) for one in (self.low, self.high))
        return low if low == high else f"{low} – {high}"


def bands(session: Session, edition: Edition, actor: Actor, name: str, by: Grouping) -> Iterator[Band]:
    """The bands of a field of numbers, the lowest first: one statement. Who has no value is in none."""
    inside = SEGMENT_MEMBER.alias()

    def columns(joins: Joins) -> list[sa.ColumnElement[Any]]:
        joins.look_up(inside, sa.and_(inside.c.segment == name, inside.c.record_id == joins.root.id))
        return [key_of(joins, by), inside.c.record_id.label("inside")]

    found = ListQuery(by.view, edition, actor).selecting(columns).subquery()
    place = sa.func.ntile(BANDS).over(order_by=found.c.key).label("place")
    placed = sa.select(found.c.key, found.c.inside, place).where(found.c.key.is_not(None)).subquery()
    alike = (
        sa.select(
            placed.c.key,
            sa.func.max(placed.c.place).label("place"),
            sa.func.count(placed.c.inside).label("inside"),
            sa.func.count().label("everybody"),
        )
        .group_by(placed.c.key)
        .subquery()
    )
    sums = (sa.func.sum(one) for one in (alike.c.inside, alike.c.everybody))
    ends = sa.func.min(alike.c.key), sa.func.max(alike.c.key)
    query: sa.Select[Any] = sa.select(*ends, *sums).group_by(alike.c.place).order_by(alike.c.place)
    for low, high, count, everybody in session.execute(query):
        yield Band(low=low, high=high, count=int(count), everybody=int(everybody))


def _shown(edition: Edition, field: Field, value: Any) -> str:
    if isinstance(field.type, Money):
        return format_money(value, edition.settings.currency)
    if isinstance(field.type, Percent):
        return format_percent(value, 1)
    return format_number(value)
