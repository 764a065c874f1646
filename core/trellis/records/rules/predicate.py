"""Rules as Python functions over one record's values: the twin of :mod:`trellis.records.rules.sql`."""

from __future__ import annotations

import dataclasses
import operator as python
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from trellis.records.rules.comparisons import Comparison, Meaning, meaning
from trellis.records.rules.context import Lookup, RuleContext
from trellis.records.rules.figures import currency_field
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
    Path,
    Related,
)
from trellis.records.text import fold
from trellis.records.trees import tree_of, way_up
from trellis.records.types import Reference

Values = Mapping[str, Any]
Predicate = Callable[[Values], bool]
Test = Callable[[Any], bool]


def to_predicate(node: Node, context: RuleContext) -> Predicate:
    """The rule as a function of a record's values by field name, as Python objects.

    References are followed by ``context.lookup``, related records found by ``referring``, members by ``member``;
    ValueError when the rule asks for one that is not there.
    """
    match node:
        case All(rules):
            every = [to_predicate(rule, context) for rule in rules]
            return lambda values: all(test(values) for test in every)
        case AnyOf(rules):
            one_of = [to_predicate(rule, context) for rule in rules]
            return lambda values: any(test(values) for test in one_of)
        case Not(rule):
            inner = to_predicate(rule, context)
            return lambda values: not inner(values)
        case Leaf(path, Operator.WITHIN, root):
            return _within(path, root, context)
        case Leaf():
            return _reading(_reader(node.path, context), compared(meaning(node, context)))
        case InSegment(segment):
            return _member(segment, context)
        case OfFigure(kpi):
            raise ValueError(f"the records of the figure {kpi} are known to the database alone")
        case Related():
            return _reading(_figure(node, context), compared(_exact(node, meaning(node.result, context))))


def compared(means: Meaning) -> Test:
    """Whether a value is what a leaf asks for."""
    if means.emptiness:
        return lambda value: (value is None) is not means.negated
    tests = [_test(comparison) for comparison in means.comparisons]
    return lambda value: (value is not None and all(test(value) for test in tests)) is not means.negated


def _reading(read: Callable[[Values], Any], test: Test) -> Predicate:
    return lambda values: test(read(values))


def _within(path: Path, root: int, context: RuleContext) -> Predicate:
    read, lookup = _reader(path, context), context.lookup
    tree = tree_of(context.edition, path.field)
    assert isinstance(path.field.type, Reference) and tree is not None and lookup is not None
    entity = path.field.type.entity
    return lambda values: root in way_up(entity, tree, read(values), lookup)


def _member(segment: str, context: RuleContext) -> Predicate:
    member = context.member
    if member is None:
        raise ValueError(f"the rule on the segment {segment} needs to know its members")
    return lambda values: member(segment, values["id"])


def _figure(node: Related, context: RuleContext) -> Callable[[Values], Any]:
    """Reads what the records that refer to a record come to."""
    referring = context.referring
    if referring is None:
        raise ValueError(f"the rule on {node.name} needs a lookup of the records that refer")
    fits = to_predicate(node.where, context)
    part = None if node.part is None else to_predicate(node.part, context)
    view = context.edition.entity(node.reference.entity)
    currency, own = currency_field(view, node.field), (None, context.edition.settings.currency)

    def read(values: Values) -> Any:
        found = [one for one in referring(view.name, node.reference.name, values["id"]) if fits(one)]
        if part is not None:
            return Fraction(sum(map(part, found)), len(found)) if found else None
        if node.field is None:
            return len(found)
        name = node.field.name
        amounts = [one[name] for one in found if currency is None or one.get(currency.name) in own]
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if node.measure is Measure.SUM else _ENDS[node.measure](known, default=None)

    return read


_ENDS: Mapping[Measure, Callable[..., Any]] = {Measure.MIN: min, Measure.MAX: max}


def _exact(node: Related, means: Meaning) -> Meaning:
    """Shares are compared as fractions, which lose nothing."""
    if node.measure is not Measure.SHARE:
        return means
    exact = [
        Comparison(
            one.operator,
            tuple(map(Fraction, one.value)) if one.operator is Operator.IN else Fraction(one.value),
        )
        for one in means.comparisons
    ]
    return dataclasses.replace(means, comparisons=tuple(exact))


def _reader(path: Path, context: RuleContext) -> Callable[[Values], Any]:
    """Reads the value at the end of ``path``; None where a record on the way is hidden or missing."""
    name = path.field.name
    if not path.hops and not path.is_reference:
        return lambda values: values.get(name)
    lookup = context.lookup
    if lookup is None:
        raise ValueError(f"the rule on {path.name} needs a lookup of referred records")
    hops = [(hop.name, hop.type.entity) for hop in path.hops if isinstance(hop.type, Reference)]
    target = path.field.type.entity if isinstance(path.field.type, Reference) else ""

    def read(values: Values) -> Any:
        record: Values | None = values
        for hop, entity in hops:
            record = _referred(record, hop, entity, lookup)
        value = None if record is None else record.get(name)
        return value if not target or _referred(record, name, target, lookup) is not None else None

    return read


def _referred(record: Values | None, name: str, entity: str, lookup: Lookup) -> Values | None:
    id = None if record is None else record.get(name)
    return None if id is None else lookup(entity, id)


_ORDER: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: python.eq,
    Operator.LT: python.lt,
    Operator.LTE: python.le,
    Operator.GT: python.gt,
    Operator.GTE: python.ge,
}


def _test(comparison: Comparison) -> Test:
    operand = comparison.value
    match comparison.operator:
        case Operator.IN:
            known = frozenset(operand)
            return lambda value: value in known
        case Operator.CONTAINS:
            folded = fold(operand)
            return lambda value: folded in fold(value)
        case Operator.STARTS_WITH:
            folded = fold(operand)
            return lambda value: fold(value).startswith(folded)
        case other:
            compare = _ORDER[other]
            return lambda value: compare(value, operand)
