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


def counted(
    session: Session, query: ListQuery, limit: int, name: str | None, currency: str
) -> tuple[int, list[Total]]:
    """How many records the list has, counted up to ``limit``, and the totals of the additive money field ``name``.

    One statement reads the records once. There are no totals of more records than are counted.
    """
    field = query.view.fields.get(name or "")
    if (
        field is None
        or not isinstance(field.type, Money)
        or not field.type.adds_up
        or _is_blind(query, field)
    ):
        field = None
    named = None if field is None else _currency_field(query, field)

    def columns(joins: Joins) -> list[sa.ColumnElement[Any]]:
        value = sa.literal_column("1") if field is None else field.of(joins.root)
        return [value.label("value"), *_currencies(query, joins, named, currency)]

    def around(records: sa.Select[Any]) -> sa.Select[Any]:
        found = records.limit(limit).subquery().c
        value, parts = found["value"], [one for one in found if one.name == "currency"]
        counts = (sa.func.count(), sa.func.count(value))
        measures = () if field is None else (sa.func.sum(value), sa.func.min(value), sa.func.max(value))
        return sa.select(*parts, *counts, *measures).group_by(*parts).order_by(*parts)

    rows = query.figures(session, ("counted", limit, field and field.name, currency), columns, around)
    start = 0 if named is None else 1
    number = sum(row[start] for row in rows)
    if not number and query.count(session, 1):  # words that nothing has are taken loosely from now on
        return counted(session, query, limit, name, currency)
    if field is None or number >= limit:
        return number, []
    return number, [
        Total(field.name, currency if named is None else row[0], *row[start + 1 :])
        for row in rows
        if row[start + 1]
    ]


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


def _currencies(
    query: ListQuery, joins: Joins, name: str | None, currency: str
) -> list[sa.ColumnElement[Any]]:
    """The currency of each record, where a field holds it; ``currency`` is that of those without."""
    if name is None:
        return []
    return [sa.func.coalesce(query.view.fields[name].of(joins.root), currency).label("currency")]


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
        made += _currencies(query, joins, currency_field, currency)
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
