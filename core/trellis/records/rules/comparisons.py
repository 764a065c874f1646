"""What a leaf means, said once for SQL and for Python: plain comparisons that must all hold, or must not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from trellis.records.rules.context import RuleContext
from trellis.records.rules.nodes import Leaf, Me, Operator, Period, Relative
from trellis.records.types import Reference

_NEGATIVE = {
    Operator.NE: Operator.EQ,
    Operator.NOT_IN: Operator.IN,
    Operator.IS_NOT_EMPTY: Operator.IS_EMPTY,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison with a plain value: one of eq, lt, lte, gt, gte, in, contains, starts_with; within a record of ``entity``."""

    operator: Operator
    value: Any
    entity: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A leaf holds when its field has a value and all ``comparisons`` hold; if ``negated``, when not.

    ``emptiness`` marks is_empty, which compares nothing.
    """

    comparisons: tuple[Comparison, ...]
    negated: bool
    emptiness: bool = False


def meaning(leaf: Leaf, context: RuleContext) -> Meaning:
    """The comparisons that ``leaf`` stands for today, for this actor."""
    negated = leaf.operator in _NEGATIVE
    operator = _NEGATIVE.get(leaf.operator, leaf.operator)
    if operator is Operator.IS_EMPTY:
        return Meaning((), negated, emptiness=True)
    if operator is Operator.WITHIN and isinstance(leaf.path.field.type, Reference):
        return Meaning((Comparison(operator, leaf.value, leaf.path.field.type.entity),), negated)
    if leaf.path.field.type.kind == "datetime":
        return Meaning(_of_moments(operator, leaf.value, context), negated)
    return Meaning(_of_values(operator, leaf.value, context), negated)


def _of_values(operator: Operator, value: Any, context: RuleContext) -> tuple[Comparison, ...]:
    if operator is Operator.IN:
        known = [_plain(item, context) for item in value]
        return (Comparison(operator, tuple(item for item in known if item is not None)),)
    if operator is Operator.BETWEEN:
        lowest, highest = value
        return (
            Comparison(Operator.GTE, _plain(lowest, context)),
            Comparison(Operator.LTE, _plain(highest, context)),
        )
    if isinstance(value, Period):
        return _of_period(operator, *context.days(value))
    plain = _plain(value, context)
    return (Comparison(Operator.IN, ()) if plain is None else Comparison(operator, plain),)


def _of_period(operator: Operator, first: date, last: date) -> tuple[Comparison, ...]:
    """A period stands for all its days: ``lte`` reaches to its end, ``eq`` spans it."""
    match operator:
        case Operator.EQ:
            return (Comparison(Operator.GTE, first), Comparison(Operator.LTE, last))
        case Operator.LT | Operator.GTE:
            return (Comparison(operator, first),)
        case _:
            return (Comparison(operator, last),)


def _plain(value: Any, context: RuleContext) -> Any:
    """A value as fields hold it; None for the person who asks, when it is the system."""
    if isinstance(value, Me):
        return context.actor.user_id
    return context.day(value) if isinstance(value, Relative) else value


def _of_moments(operator: Operator, value: Any, context: RuleContext) -> tuple[Comparison, ...]:
    """A day or a period stands for all its moments: ``lte`` reaches to its end, ``eq`` spans it."""
    if operator is Operator.BETWEEN:
        lowest, highest = value
        return (*_of_moments(Operator.GTE, lowest, context), *_of_moments(Operator.LTE, highest, context))
    if isinstance(value, datetime):
        return (Comparison(operator, value),)
    assert isinstance(value, date | Relative | Period)
    first, last = context.days(value)
    from_start = Comparison(Operator.GTE, context.start(first))
    before_end = Comparison(Operator.LT, context.end(last))
    match operator:
        case Operator.EQ:
            return (from_start, before_end)
        case Operator.LT:
            return (Comparison(Operator.LT, context.start(first)),)
        case Operator.LTE:
            return (before_end,)
        case Operator.GT:
            return (Comparison(Operator.GTE, context.end(last)),)
        case _:
            return (from_start,)
