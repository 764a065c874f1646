"""What a loyalty programme adds: members against others that bought alike before (AN3).

The members that joined in one month are compared with customers who are no members and stood in the same cell of the RFM
matrix in the 12 months before. What counts is the difference in differences: by how much more a member brought, a month,
than in those 12 months, less the same of the others. Members without anybody to compare with are left out and counted:
who joins buys more than others from the start, so that the plain difference would be no effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.rfm import scoring
from trellis.crm.analytics.window import Window, customers_of, income_rows, per_customer
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.programme import Programme, member_fields
from trellis.edition import Edition
from trellis.kpi.income import INCOME_DAY
from trellis.kpi.periods import Grain, Period, containing
from trellis.records.days import bucket
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.types import Boolean
from trellis.security.actor import Actor

_day = INCOME_DAY.c
BASE = 12
"""Months before joining that tell who is alike."""


@dataclass(frozen=True, kw_only=True)
class Uplift:
    """What members brought more, by month.

    ``matched`` members had somebody to be compared with. ``unmatched`` had not, or joined in a month that has not ended.
    """

    months: dict[Period, Decimal] = field(default_factory=dict)
    active: dict[Period, int] = field(default_factory=dict)
    matched: int = 0
    unmatched: int = 0
    compared: int = 0

    @property
    def per_member(self) -> Decimal | None:
        """The mean uplift of a member in a month; None without months or members."""
        member_months = sum(self.active.values())
        return sum(self.months.values(), Decimal(0)) / member_months if member_months else None


@dataclass
class _Side:
    """Members, or those they are compared with, of one cell: how many, and what they brought before and since."""

    customers: int = 0
    base: Decimal = Decimal(0)
    since: dict[int, Decimal] = field(default_factory=dict)


def uplift(
    session: Session,
    edition: Edition,
    actor: Actor,
    programme: Programme,
    measure: str,
    months: Sequence[Period],
) -> Uplift:
    """The uplift in ``months``, which have ended, of the members that the reader may see."""
    if not months:
        return Uplift(unmatched=_members(session, edition, actor, programme))
    joined = membership(edition, actor, programme)
    if joined is None:
        return Uplift()
    gained, active = dict.fromkeys(months, Decimal(0)), dict.fromkeys(months, 0)
    matched = compared = 0
    for place, month in enumerate(months):
        cells = _cells(session, edition, actor, programme, joined, measure, month, months[place:])
        for members, others in cells.values():
            if not members.customers or not others.customers:
                continue
            matched += members.customers
            compared += others.customers
            for later, when in enumerate(months[place:]):
                gained[when] += _difference(members, others, later)
                active[when] += members.customers
    whole = _members(session, edition, actor, programme)
    return Uplift(months=gained, active=active, matched=matched, unmatched=whole - matched, compared=compared)


def membership(edition: Edition, actor: Actor, programme: Programme) -> sa.Subquery | None:
    """(customer_id, joined) of the members that the reader may see; None where nothing says who is one.

    Who is in the segment, or has yes in the field, joined when the programme started.
    """
    members: sa.ColumnElement[bool]
    joined: sa.ColumnElement[Any] = sa.literal(programme.started_on, sa.Date())
    if programme.segment:
        found = sa.select(SEGMENT_MEMBER.c.record_id).where(SEGMENT_MEMBER.c.segment == programme.segment)
        members = Customer.id.in_(found)
    else:
        field_ = member_fields(edition).get(programme.member_field or "")
        if field_ is None:
            return None
        value = field_.of(Customer)
        if isinstance(field_.type, Boolean):
            members = value.is_(True)
        else:
            members, joined = value.is_not(None), value
    query = sa.select(Customer.id.label("customer_id"), joined.label("joined"))
    return query.where(customers_of(actor), members).subquery("membership")


def _members(session: Session, edition: Edition, actor: Actor, programme: Programme) -> int:
    joined = membership(edition, actor, programme)
    return 0 if joined is None else session.scalar(sa.select(sa.func.count()).select_from(joined)) or 0


def _cells(
    session: Session,
    edition: Edition,
    actor: Actor,
    programme: Programme,
    joined: sa.Subquery,
    measure: str,
    month: Period,
    since: Sequence[Period],
) -> Mapping[Any, tuple[_Side, _Side]]:
    """Members that joined in ``month`` and others, by cell of the matrix: (members, others).

    Who joined before the programme started counts to its first month.
    """
    base = Window(month.shifted(-BASE).first, month.first)
    scored = scoring(per_customer(edition, actor, base).subquery("value")).subquery("scored").c
    cell = _cell(scored, programme.compare_by)
    begins = month.first if month.first > _month_of(programme.started_on).first else date.min
    now = sa.and_(joined.c.joined >= begins, joined.c.joined < month.end)
    side = sa.case((joined.c.customer_id.is_(None), 0), (now, 1))
    placed = (
        sa.select(scored.customer_id, cell.label("cell"), side.label("side"), scored[measure].label("base"))
        .join_from(scored.customer_id.table, joined, joined.c.customer_id == scored.customer_id, isouter=True)
        .cte("placed")
    )
    keys = (placed.c.cell, placed.c.side)
    counted = sa.select(*keys, sa.func.count().label("customers"), sa.func.sum(placed.c.base).label("base"))
    cells: dict[Any, tuple[_Side, _Side]] = {}
    for row in session.execute(counted.where(placed.c.side.is_not(None)).group_by(*keys)):
        sides = cells.setdefault(row.cell, (_Side(), _Side()))
        sides[1 - row.side].customers, sides[1 - row.side].base = row.customers, row.base
    when = bucket(_day.day, [(one.first, one.end) for one in since])
    amount = _day.revenue - _day.cost if measure == "margin" else _day.revenue
    brought = (
        sa.select(*keys, when.label("month"), sa.func.sum(amount).label("amount"))
        .join(placed, placed.c.customer_id == _day.customer_id)
        .where(
            *income_rows(edition, actor, Window(since[0].first, since[-1].end)),
            _day.currency == edition.settings.currency,
            placed.c.side.is_not(None),
        )
        .group_by(*keys, when)
    )
    for row in session.execute(brought):
        cells[row.cell][1 - row.side].since[row.month] = row.amount or Decimal(0)
    return cells


def _cell(scored: Any, by: str) -> sa.ColumnElement[int]:
    """A number that stands for a cell of the matrix, or for a field of the coarser map of areas."""
    if by == "area":
        return scored.r * 10 + (scored.f + scored.m + 1) // 2  # type: ignore[no-any-return]
    return scored.r * 100 + scored.f * 10 + scored.m  # type: ignore[no-any-return]


def _difference(members: _Side, others: _Side, month: int) -> Decimal:
    """What the members of a cell brought in a month beyond their own past and beyond how the others changed."""
    change = members.since.get(month, Decimal(0)) - members.base / BASE
    usual = (others.since.get(month, Decimal(0)) - others.base / BASE) / others.customers
    return change - members.customers * usual


def _month_of(day: date) -> Period:
    return containing(day, Grain.MONTH)
