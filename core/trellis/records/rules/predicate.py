"""Rules as Python functions over one record's values: the twin of :mod:`trellis.records.rules.sql`."""

from __future__ import annotations

import operator as python
from collections.abc import Callable, Mapping
from typing import Any

from trellis.records.rules.comparisons import Comparison, meaning
from trellis.records.rules.context import Lookup, RuleContext
from trellis.records.rules.nodes import All, AnyOf, Leaf, Node, Not, Operator, Path
from trellis.records.text import fold
from trellis.records.types import Reference

Values = Mapping[str, Any]
Predicate = Callable[[Values], bool]
Test = Callable[[Any], bool]


def to_predicate(node: Node, context: RuleContext) -> Predicate:
    """The rule as a function of a record's values by field name, as Python objects.

    References are followed by ``context.lookup``; ValueError when the rule has one and there is no lookup.
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
        case Leaf():
            return _leaf(node, context)


def _leaf(leaf: Leaf, context: RuleContext) -> Predicate:
    read = _reader(leaf.path, context)
    means = meaning(leaf, context)
    if means.emptiness:
        return lambda values: (read(values) is None) is not means.negated
    tests = [_test(comparison) for comparison in means.comparisons]

    def holds(values: Values) -> bool:
        value = read(values)
        return (value is not None and all(test(value) for test in tests)) is not means.negated

    return holds


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
