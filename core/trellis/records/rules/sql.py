"""Rules as SQL conditions.

Two-valued logic: NOT is pushed down to the leaves, and a negated leaf says ``OR ... IS NULL`` itself. So no
condition is ever unknown, and a positive leaf stays a plain comparison that an index can serve.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.records import text
from trellis.records.entity import Entity
from trellis.records.joins import Joins
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.rules.comparisons import Comparison, Meaning, meaning
from trellis.records.rules.context import RuleContext
from trellis.records.rules.gathered import gathered
from trellis.records.rules.nodes import (
    All,
    AnyOf,
    InSegment,
    Leaf,
    Measure,
    Node,
    Not,
    OfFigure,
    Operator,
    Related,
)
from trellis.records.rules.predicate import compared
from trellis.records.trees import branch
from trellis.records.types import SCALE, to_scaled

if TYPE_CHECKING:
    from trellis.edition import EntityView

Condition = sa.ColumnElement[bool]


def matching(
    statement: sa.Select[Any],
    node: Node,
    view: EntityView,
    context: RuleContext,
    entity: type[Entity] | None = None,
) -> sa.Select[Any]:
    """``statement`` limited to records of ``view`` that fit the rule; ``entity``: the alias it reads from."""
    joins = Joins(entity or view.entity, view, context.edition, context.actor)
    condition = to_sql(node, joins, context)
    return joins.add_to(statement).where(condition)


def to_sql(node: Node, joins: Joins, context: RuleContext) -> Condition:
    """The rule as a condition on the root of ``joins``, which gathers what the statement must join for it."""
    return _compiled(node, joins, context, negated=False)


def _compiled(node: Node, joins: Joins, context: RuleContext, *, negated: bool) -> Condition:
    match node:
        case Not(rule):
            return _compiled(rule, joins, context, negated=not negated)
        case Leaf():
            return _leaf(node, joins, context, negated=negated)
        case InSegment(segment):
            return _member(segment, joins, context, negated=negated)
        case OfFigure():
            inside = joins.root.id.in_(context.edition.figures.ids(context, node))
            return sa.not_(inside) if negated else inside
        case Related():
            return _related(node, joins, context, negated=negated)
        case All(rules) | AnyOf(rules):
            parts = [_compiled(rule, joins, context, negated=negated) for rule in rules]
            if isinstance(node, All) is not negated:
                return sa.and_(sa.true(), *parts)
            return sa.or_(sa.false(), *parts)


def _leaf(leaf: Leaf, joins: Joins, context: RuleContext, *, negated: bool) -> Condition:
    path = leaf.path
    value = path.field.of(joins.source(path.hops))
    # a reference whose record is hidden from the actor, or deleted, is empty
    presence: Any = joins.source((*path.hops, path.field)).id if path.is_reference else value
    means = meaning(leaf, context)
    if not path.is_reference:
        return _compared(means, value, joins, negated=negated, may_be_empty=path.may_be_empty)
    shown = presence.is_not(None) if negated is means.negated and not means.emptiness else sa.true()
    return sa.and_(_compared(means, value, joins, negated=negated, presence=presence), shown)


def _compared(
    means: Meaning,
    value: sa.ColumnElement[Any],
    joins: Joins,
    *,
    negated: bool,
    may_be_empty: bool = True,
    presence: sa.ColumnElement[Any] | None = None,
) -> Condition:
    """What a leaf asks of ``value``; it is empty where ``presence`` (or it) is NULL."""
    presence = value if presence is None else presence
    negated = negated is not means.negated
    if means.emptiness:
        return presence.is_not(None) if negated else presence.is_(None)
    if not negated:
        return sa.and_(*_comparisons(means, value, joins))
    opposite = [sa.not_(comparison) for comparison in _comparisons(means, value, joins)]
    return sa.or_(*opposite, presence.is_(None)) if may_be_empty else sa.or_(*opposite)


def _member(segment: str, joins: Joins, context: RuleContext, *, negated: bool) -> Condition:
    member = SEGMENT_MEMBER.alias()
    condition = sa.and_(member.c.segment == segment, member.c.record_id == joins.root.id)
    if context.few:
        inside = sa.exists().where(condition)
        return sa.not_(inside) if negated else inside
    joins.look_up(member, condition)
    return member.c.record_id.is_(None) if negated else member.c.record_id.is_not(None)


def _related(node: Related, joins: Joins, context: RuleContext, *, negated: bool) -> Condition:
    value, *whole = gathered(node, joins, context, to_sql)
    means = meaning(node.result, context)
    if whole:
        return _share(means, value, whole[0], negated=negated)
    if node.measure in (Measure.MIN, Measure.MAX):
        return _compared(means, value, joins, negated=negated)
    # where a record without any cannot fit it need not be joined
    if context.few or means.emptiness or compared(means)(0) is not negated:
        value = sa.func.coalesce(value, 0, type_=value.type)
    return _compared(means, value, joins, negated=negated, may_be_empty=False)


def _share(means: Meaning, part: Any, whole: Any, *, negated: bool) -> Condition:
    """Compares a quotient without dividing, so that nothing is rounded."""
    nothing = sa.func.coalesce(whole, 0) == 0
    negated = negated is not means.negated
    if means.emptiness:
        return sa.not_(nothing) if negated else nothing
    fits = [_fits(one, part * 10**SCALE, whole) for one in means.comparisons]
    if negated:
        return sa.or_(nothing, *(sa.not_(one) for one in fits))
    return sa.and_(sa.not_(nothing), *fits)


def _fits(comparison: Comparison, part: Any, whole: Any) -> Any:
    if comparison.operator is Operator.IN:
        return sa.or_(sa.false(), *(part == to_scaled(value) * whole for value in comparison.value))
    bound = to_scaled(comparison.value) * whole
    match comparison.operator:
        case Operator.EQ:
            return part == bound
        case Operator.LT:
            return part < bound
        case Operator.LTE:
            return part <= bound
        case Operator.GT:
            return part > bound
        case _:
            return part >= bound


def _comparisons(means: Meaning, value: sa.ColumnElement[Any], joins: Joins) -> list[Condition]:
    return [_comparison(comparison, value, joins) for comparison in means.comparisons]


def _comparison(comparison: Comparison, value: Any, joins: Joins) -> Any:
    if comparison.operator is Operator.IN:
        return value.in_(comparison.value) if comparison.value else sa.false()
    if comparison.operator is Operator.WITHIN:
        root = joins.bind(comparison.value, value.type)
        return value.in_(branch(joins.edition, joins.actor, comparison.entity, root))
    operand: Any = _operand(comparison)
    ordered: Any = text.ByCodePoint(value) if isinstance(operand, str) else value
    if not _is_written(operand):
        operand = joins.bind(operand, value.type)
    match comparison.operator:
        case Operator.EQ:
            return value == operand
        case Operator.LT:
            return ordered < operand
        case Operator.LTE:
            return ordered <= operand
        case Operator.GT:
            return ordered > operand
        case Operator.GTE:
            return ordered >= operand
        case Operator.CONTAINS | Operator.STARTS_WITH:
            return text.fits(value, operand)
        case _:
            raise AssertionError(comparison.operator)


def _operand(comparison: Comparison) -> Any:
    """What a value is compared with in SQL."""
    match comparison.operator:
        case Operator.CONTAINS:
            return text.holding(comparison.value)
        case Operator.STARTS_WITH:
            return text.beginning(comparison.value)
        case _:
            return comparison.value


def _is_written(operand: Any) -> bool:
    """Yes and no are part of the statement, so that an index fits them."""
    return isinstance(operand, bool)


def shape_of(node: Node, context: RuleContext, values: list[Any]) -> Hashable | None:
    """What rules have in common whose SQL differs by no more than ``values``; None where it depends on the values.

    ``values`` receives those that :func:`to_sql` binds, in its order.
    """
    match node:
        case Not(rule):
            shape = shape_of(rule, context, values)
            return shape and ("not", shape)
        case Leaf():
            return _leaf_shape(node, meaning(node, context), values)
        case InSegment() | OfFigure() | Related():
            return None
        case All(rules) | AnyOf(rules):
            shapes = tuple(shape_of(rule, context, values) for rule in rules)
            return None if None in shapes else (type(node).__name__, shapes)


def _leaf_shape(leaf: Leaf, means: Meaning, values: list[Any]) -> Hashable | None:
    parts: list[Any] = []
    for comparison in means.comparisons:
        if comparison.operator is Operator.IN:
            return None
        operand = _operand(comparison)
        if _is_written(operand):
            parts.append((comparison.operator, operand))
        else:
            parts.append((comparison.operator, type(operand)))
            values.append(operand)
    return leaf.path.name, means.negated, means.emptiness, *parts
