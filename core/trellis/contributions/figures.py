"""Segments, KPIs and where income comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trellis.contributions.base import Contribution, Rule
from trellis.i18n import Text as Label

if TYPE_CHECKING:
    import sqlalchemy as sa

    from trellis.kpi.income import IncomeDay, IncomeQuery
    from trellis.kpi.query import KpiQuery
    from trellis.records.entity import Entity
    from trellis.segments.query import SegmentQuery


@dataclass(frozen=True, kw_only=True)
class Segment(Contribution):
    """A dynamic set of records of ``entity``, by ``rule`` or by ``select`` (a query that returns their ids).

    Members by a rule follow each write. Those by a select do when ``watches`` says which records change them, as entity ->
    the field that leads to the record of the segment (``{"order": "customer"}``; ``id`` on the entity itself), and the
    select limits itself with ``q.among(<column of ids>)``; without it they are counted anew when somebody looks.
    ``listed`` marks a list of chosen members, which an organisation keeps. ``tone`` colours its dot.
    """

    entity: str = "customer"
    rule: Rule | None = None
    select: Callable[[SegmentQuery], sa.Select[Any]] | None = None
    watches: Mapping[str, str] = field(default_factory=dict)
    listed: bool = False
    tone: str = "neutral"


class Unit(StrEnum):
    """What a KPI's value is measured in. Percent values are ratios 0..1."""

    MONEY = "money"
    PERCENT = "percent"
    COUNT = "count"
    DAYS = "days"
    HOURS = "hours"
    RATIO = "ratio"
    POINTS = "points"


@dataclass(frozen=True, kw_only=True)
class Behind:
    """The records of ``entity`` that a figure counted as a whole is about: ``select`` returns their ids."""

    select: Callable[[KpiQuery], sa.Select[Any]]
    entity: str = "customer"


@dataclass(frozen=True, kw_only=True)
class Kpi(Contribution):
    """A measure computed in SQL over a period.

    ``select`` returns a select of one column, the value; it limits itself with ``q.during(<date column>)`` and
    ``q.visible(<entity>)``. Where ``entity`` is given, the engine splits the same select by unit, person, channel or
    segment and lists the records behind a figure; where ``date`` is given too, by time. Both must stand in the FROM of
    the select itself, not only inside a subquery; leave them out where records cannot be told apart (retention), and say
    in ``behind`` which records the figure is about.
    ``breakdowns`` adds or replaces keys: name -> column of the select, a :class:`Field` of ``entity``, or the name of one.
    ``rule`` is what the select asks of the records of ``entity`` beside that: the list behind a figure then has exactly its
    records. ``formula`` says in words how it is counted. ``higher_is_better`` gives deviations their sign.

    Instead of ``select`` an ``expression`` over other KPIs may be given: ``"gym.visits / orders"``.
    """

    select: Callable[[KpiQuery], sa.Select[Any]] | None = None
    expression: str = ""
    unit: Unit = Unit.COUNT
    entity: type[Entity] | type[IncomeDay] | None = None
    date: Any = None
    breakdowns: Mapping[str, Any] = field(default_factory=dict)
    rule: Rule | None = None
    behind: Behind | None = None
    formula: Label | None = None
    higher_is_better: bool = True
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Where a record leads to income: ``customer`` and ``date`` are fields, also through references.

    ``Watch(customer="order.customer", date="order.ordered_at")`` on order lines.
    """

    customer: str
    date: str


@dataclass(frozen=True, kw_only=True)
class IncomeSource(Contribution):
    """Where revenue and cost per customer and day come from.

    ``select(q)`` returns six columns in this order: customer id, day, currency, revenue, cost, number of purchases. The
    rows are grouped by the first three for you. ``entity`` is what the sales are, one of those that it selects from: by their
    owner and unit a reader's figures count the sales that they may see. Without it only who sees everything counts them.
    ``q`` gives the day of a moment in the workspace's zone, the currency where a record names none, and the limit to what is
    to be counted anew::

        def receipts(q: trellis.IncomeQuery) -> sa.Select:
            return sa.select(
                Order.customer_id,
                q.day(Order.ordered_at),
                q.currency(Order.currency),
                sa.func.sum(Order.amount),
                q.known_sum(Order.cost),
                q.purchases(Order.amount),
            ).where(Order.deleted_at.is_(None), q.touched(Order.customer_id, Order.ordered_at))

    Cost is NULL where it is unknown. ``watches`` names each entity whose writes change the income, the sales among them, and
    how its records lead to the customer and the day.
    """

    select: Callable[[IncomeQuery], sa.Select[Any]]
    entity: type[Entity] | None = None
    watches: Mapping[str, Watch] = field(default_factory=dict)
