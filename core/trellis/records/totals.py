"""Totals of a list: sum, mean, least and most of its numbers over the whole result, money by currency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal as Number
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.records.entity import Field
from trellis.records.grouping import Grouping, among, key_of
from trellis.records.joins import Joins
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
    return [total for _key, total in _all(session, query, names, currency)]


def group_totals(
    session: Session, query: ListQuery, by: Grouping, keys: Sequence[Any], names: Sequence[str], currency: str
) -> dict[Any, list[Total]]:
    """The totals of each of these groups of a list; as many statements as :func:`totals`, whatever their number."""
    found: dict[Any, list[Total]] = {key: [] for key in keys}
    for key, total in _all(session, query, names, currency, by, keys):
        found[key].append(total)
    return found


def _all(
    session: Session,
    query: ListQuery,
    names: Sequence[str],
    currency: str,
    by: Grouping | None = None,
    keys: Sequence[Any] = (),
) -> Iterator[tuple[Any, Total]]:
    fields = [query.view.fields[name] for name in names if name in query.view.fields]
    apart: dict[str | None, list[Field]] = {}
    for field in fields:
        if field.type.kind == "number" and not _is_blind(query, field):
            apart.setdefault(_currency_field(query, field), []).append(field)
    for name, alike in apart.items():
        yield from _totals(session, query, alike, name, currency, by, keys)


def _is_blind(query: ListQuery, field: Field) -> bool:
    """Money whose currency is withheld from the actor: its sum would add up what is not alike."""
    named = field.type.currency if isinstance(field.type, Money) else ""
    return bool(named) and named not in query.view.fields and named in query.view.entity.__table__.c


def _currency_field(query: ListQuery, field: Field) -> str | None:
    named = field.type.currency if isinstance(field.type, Money) else None
    return named if named in query.view.fields else None


def _totals(
    session: Session,
    query: ListQuery,
    fields: Sequence[Field],
    currency_field: str | None,
    currency: str,
    by: Grouping | None,
    keys: Sequence[Any],
) -> Iterator[tuple[Any, Total]]:
    def columns(joins: Joins) -> list[sa.ColumnElement[Any]]:
        made: list[sa.ColumnElement[Any]] = [
            field.of(joins.root).label(f"value_{index}") for index, field in enumerate(fields)
        ]
        if currency_field is not None:
            named = query.view.fields[currency_field].of(joins.root)
            made.append(sa.func.coalesce(named, currency).label("currency"))
        return [*made, key_of(joins, by)] if by is not None else made

    found = query.selecting(columns).subquery().c
    parts = [found[name] for name in ("key", "currency") if name in found]
    measures: list[sa.ColumnElement[Any]] = []
    for index in range(len(fields)):
        value = found[f"value_{index}"]
        measures += [sa.func.count(value), sa.func.sum(value), sa.func.min(value), sa.func.max(value)]
    statement = sa.select(*parts, *measures).group_by(*parts).order_by(*parts)
    if by is not None:
        statement = statement.where(among(found.key, keys))
    for row in session.execute(statement):
        key = row[0] if by is not None else None
        named = row[len(parts) - 1] if currency_field is not None else currency
        for index, field in enumerate(fields):
            count, total, least, most = row[len(parts) + 4 * index : len(parts) + 4 * index + 4]
            if count:
                money = named if isinstance(field.type, Money) else ""
                yield key, Total(field.name, money, count, total, least, most)
