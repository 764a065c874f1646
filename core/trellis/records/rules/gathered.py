"""Figures of related records in SQL: of all records at once by a grouped join, or of a few by looking each up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from trellis.records.joins import Joins, source, table_of
from trellis.records.rules.context import RuleContext
from trellis.records.rules.figures import currency_field
from trellis.records.rules.nodes import Measure, Node, Related

_COUNT = sa.func.count(type_=sa.BigInteger())

Compile = Callable[[Node, Joins, RuleContext], sa.ColumnElement[bool]]


def gathered(
    node: Related, joins: Joins, context: RuleContext, compiled: Compile
) -> list[sa.ColumnElement[Any]]:
    """The figure of each record of ``joins``: one column, for the share those of the part and of the whole.

    Records that are in the bin, or that the actor may not see, are not counted. A record without any related ones has
    NULL, or zero where it is looked up by itself.
    """
    view = context.edition.entity(node.reference.entity)
    target = source(view.entity, alias=True)
    inner = Joins(target, view, context.edition, context.actor)
    here = node.reference.of(target)
    conditions = [target.deleted_at.is_(None), context.actor.visible(target)]
    conditions.append(compiled(node.where, inner, context))
    currency = currency_field(view, node.field)
    if currency is not None:
        named = currency.of(target)
        conditions.append(sa.or_(named.is_(None), named == context.edition.settings.currency))
    figures = _figures(node, target, inner, context, compiled)
    if context.few:
        place = table_of(joins.root)
        conditions.append(here == joins.root.id)
        return [
            inner.add_to(sa.select(figure).select_from(table_of(target)))
            .where(*conditions)
            .correlate(place)
            .scalar_subquery()
            for figure in figures
        ]
    columns = [figure.label(f"figure_{index}") for index, figure in enumerate(figures)]
    statement = sa.select(here.label("id"), *columns).select_from(table_of(target))
    grouped = inner.add_to(statement).where(*conditions, here.is_not(None)).group_by(here).subquery()
    joins.look_up(grouped, grouped.c.id == joins.root.id)
    return [grouped.c[column.name] for column in columns]


def _figures(
    node: Related, target: Any, inner: Joins, context: RuleContext, compiled: Compile
) -> list[sa.ColumnElement[Any]]:
    field = node.field
    if field is not None:
        value = field.of(target)
        match node.measure:
            case Measure.SUM:
                return [sa.func.sum(value)]
            case Measure.MIN:
                return [sa.func.min(value)]
            case _:
                return [sa.func.max(value)]
    if node.part is None:
        return [_COUNT]
    fits = compiled(node.part, inner, context)
    return [sa.func.count(sa.case((fits, 1)), type_=sa.BigInteger()), _COUNT]
