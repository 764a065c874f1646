"""Totals of a list: sum, mean, least and most of its numbers over the whole result, money by currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal as Number
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.records.entity import Field
from trellis.records.query import ListQuery
from trellis.records.types import Money


@dataclass(frozen=True, slots=True)
class Total:
    """The totals of one field; ``currency`` is empty for what is no money. ``count`` is of records that have a value."""

    field: str
    currency: str
    count: int
    sum: Any
    least: Any
    most: Any

    @property
    def mean(self) -> Number:
        """The average of the values there are."""
        return Number(self.sum) / self.count


def totals(session: Session, query: ListQuery, names: Sequence[str], currency: str) -> list[Total]:
    """The totals of number fields, with one statement for each field that holds currencies, and one for the others.

    ``currency`` is that of records which name none. Fields that the actor may not read are not counted. Each statement
    reads every record that the list finds once.
    """
    fields = [query.view.fields[name] for name in names if name in query.view.fields]
    apart: dict[str | None, list[Field]] = {}
    for field in fields:
        if field.type.kind == "number" and not _is_blind(query, field):
            apart.setdefault(_currency_field(query, field), []).append(field)
    found: list[Total] = []
    for name, alike in apart.items():
        found += _totals(session, query, alike, name, currency)
    return found


def _is_blind(query: ListQuery, field: Field) -> bool:
    """Money whose currency is withheld from the actor: its sum would add up what is not alike."""
    named = field.type.currency if isinstance(field.type, Money) else ""
    return bool(named) and named not in query.view.fields and named in query.view.entity.__table__.c


def _currency_field(query: ListQuery, field: Field) -> str | None:
    named = field.type.currency if isinstance(field.type, Money) else None
    return named if named in query.view.fields else None


def _totals(
    session: Session, query: ListQuery, fields: Sequence[Field], currency_field: str | None, currency: str
) -> list[Total]:
    entity = query.view.entity
    by: sa.ColumnElement[Any] = sa.literal(currency)
    if currency_field is not None:
        by = sa.func.coalesce(query.view.fields[currency_field].of(entity), currency)
    columns: list[sa.ColumnElement[Any]] = [by]
    for field in fields:
        value = field.of(entity)
        columns += [sa.func.count(value), sa.func.sum(value), sa.func.min(value), sa.func.max(value)]
    statement = query.select(*columns)
    if currency_field is not None:
        statement = statement.group_by(by).order_by(by)
    found = []
    for row in session.execute(statement):
        for index, field in enumerate(fields):
            count, total, least, most = row[1 + 4 * index : 5 + 4 * index]
            if count:
                money = row[0] if isinstance(field.type, Money) else ""
                found.append(Total(field.name, money, count, total, least, most))
    return found
