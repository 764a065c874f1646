"""The parts of a checked rule: groups, negation, leaves that compare one field with a value, membership in segments, and
figures of the records that refer to the one asked about, and the records that make a figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from trellis.i18n import Text as Label
from trellis.records.entity import Field
from trellis.records.types import Reference


class Operator(StrEnum):
    """How a leaf compares its field with its value."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    NOT_IN = "not_in"
    WITHIN = "within"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    BETWEEN = "between"
    IS_EMPTY = "is_empty"
    IS_NOT_EMPTY = "is_not_empty"


@dataclass(frozen=True, slots=True)
class Relative:
    """A day counted from the day of asking, in days or in months."""

    days: int = 0
    months: int = 0


class Unit(StrEnum):
    """What periods of the calendar are counted in; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """All days from one ``unit`` of the calendar to another, counted from the present one, which is 0.

    The last 30 days are the days -29 to 0, the previous month is the month -1 to -1.
    """

    unit: Unit
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Me:
    """The person who asks."""


@dataclass(frozen=True, slots=True)
class Path:
    """A field of the entity itself or, through references (``hops``), of a record it refers to."""

    hops: tuple[Field, ...]
    field: Field

    @property
    def name(self) -> str:
        """As written in rules: ``customer.city``."""
        return ".".join(field.name for field in (*self.hops, self.field))

    @property
    def is_reference(self) -> bool:
        return isinstance(self.field.type, Reference)

    @property
    def may_be_empty(self) -> bool:
        """Whether SQL can find NULL here; in any reference, since its record may be hidden or deleted."""
        return bool(self.hops) or self.field.is_extension or not self.field.required or self.is_reference


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison. ``value`` is of the field's Python type, Relative, Period, Me, a tuple of these, or None."""

    path: Path
    operator: Operator
    value: Any = None


@dataclass(frozen=True, slots=True)
class All:
    """True when every rule is; with no rules, true."""

    rules: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when one of the rules is; with no rules, false."""

    rules: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the rule is false."""

    rule: Node


@dataclass(frozen=True, slots=True)
class InSegment:
    """The record is a member of a segment, as it was last counted."""

    segment: str
    title: Label


@dataclass(frozen=True, slots=True)
class OfFigure:
    """The record is one of those that make a figure: a KPI in a ``period``, or a row (``key``) of its breakdown ``by``."""

    kpi: str
    period: str
    by: str | None
    key: str | int | None
    title: Label


class Measure(StrEnum):
    """What the records that refer to the one asked about come to together."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Related:
    """Three orders or more in 90 days: a figure of the records whose ``reference`` is the record asked about.

    Only those that the reader may see and that fit ``where`` are counted; ``part`` is what the share is of. Amounts in
    other currencies than the workspace's do not count. ``result`` compares: its field is the figure.
    """

    reference: Field
    measure: Measure
    records: Label
    where: Node
    result: Leaf
    part: Node | None = None

    @property
    def name(self) -> str:
        """As written in rules: ``order.customer``."""
        return f"{self.reference.entity}.{self.reference.name}"

    @property
    def field(self) -> Field | None:
        """The field that is added up; None where records are counted."""
        return self.result.path.field if self.measure in ON_FIELDS else None


ON_FIELDS = (Measure.SUM, Measure.MIN, Measure.MAX)

Node = All | AnyOf | Not | Leaf | InSegment | OfFigure | Related


def walk(node: Node) -> Iterator[Node]:
    """The rule and all rules inside it, also those over related records."""
    yield node
    match node:
        case All(rules) | AnyOf(rules):
            for rule in rules:
                yield from walk(rule)
        case Not(rule):
            yield from walk(rule)
        case Related(where=where, part=part):
            yield from walk(where)
            yield from walk(part) if part is not None else ()


def segments_in(node: Node) -> list[str]:
    """The names of the segments that a rule asks for, each once."""
    return list(dict.fromkeys(one.segment for one in walk(node) if isinstance(one, InSegment)))


def to_json(node: Node) -> dict[str, Any]:
    """The rule as JSON; parsing it gives the same node."""
    match node:
        case All(rules):
            return {"all": [to_json(rule) for rule in rules]}
        case AnyOf(rules):
            return {"any": [to_json(rule) for rule in rules]}
        case Not(rule):
            return {"not": to_json(rule)}
        case Leaf(path):
            return {"field": path.name, **_compared(node)}
        case InSegment(segment):
            return {"segment": segment}
        case OfFigure(kpi, period, by, key):
            row = {} if by is None else {"by": by, "key": key}
            return {"kpi": kpi, "period": period, **row}
        case Related():
            return _related_to_json(node)


def _compared(leaf: Leaf) -> dict[str, Any]:
    compared: dict[str, Any] = {"op": leaf.operator.value}
    return (
        compared if leaf.value is None else compared | {"value": _value_to_json(leaf.path.field, leaf.value)}
    )


def _related_to_json(node: Related) -> dict[str, Any]:
    written: dict[str, Any] = {"related": node.name, "measure": node.measure.value}
    if node.field is not None:
        written["field"] = node.field.name
    if node.where != All(()):
        written["where"] = to_json(node.where)
    if node.part is not None:
        written["part"] = to_json(node.part)
    return written | _compared(node.result)


def _value_to_json(field: Field, value: Any) -> Any:
    match value:
        case tuple():
            return [_value_to_json(field, item) for item in value]
        case Me():
            return {"me": True}
        case Relative(days, months):
            return {"months": months} if months else {"days": days}
        case Period(unit, first, last):
            return {"period": unit.value, "from": first, "to": last}
        case _ if field.type.kind == "datetime":
            # a day stays a day: against a moment it means the whole day
            return field.type.to_json(value) if isinstance(value, datetime) else value.isoformat()
        case _:
            return field.type.to_json(value)
