"""Where a service firm's income stands: approved billable time and accepted milestones."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import trellis
from trellis import IncomeQuery, IncomeSource, Watch

from trellis_b2b.entities import Milestone, TimeEntry
from trellis_b2b.model import PYRAMID

_ = trellis.translator("trellis_b2b")


def approved_time(q: IncomeQuery) -> sa.Select[Any]:
    """The value of approved billable hours against the cost of all approved hours, by customer and day."""
    columns: list[Any] = [
        TimeEntry.customer_id,
        q.day(TimeEntry.worked_on),
        q.currency(TimeEntry.currency),
        sa.func.sum(TimeEntry.value),
        sa.func.sum(TimeEntry.cost),
        sa.func.count(),
    ]
    return sa.select(*columns).where(
        TimeEntry.deleted_at.is_(None),
        TimeEntry.approved,
        q.touched(TimeEntry.customer_id, TimeEntry.worked_on),
    )


def accepted_milestones(q: IncomeQuery) -> sa.Select[Any]:
    """The amounts of milestones on the day they were accepted."""
    columns: list[Any] = [
        Milestone.customer_id,
        q.day(Milestone.accepted_on),
        q.currency(Milestone.currency),
        sa.func.sum(Milestone.amount),
        sa.null(),
        sa.func.count(),
    ]
    return sa.select(*columns).where(
        Milestone.deleted_at.is_(None),
        Milestone.accepted_on.is_not(None),
        q.touched(Milestone.customer_id, Milestone.accepted_on),
    )


SOURCES = [
    IncomeSource(
        name="b2b.approved_time",
        title=_("Approved time"),
        cell=PYRAMID,
        select=approved_time,
        entity=TimeEntry,
        watches={"b2b.time_entry": Watch(customer="customer", date="worked_on")},
    ),
    IncomeSource(
        name="b2b.accepted_milestones",
        title=_("Accepted milestones"),
        cell=PYRAMID,
        select=accepted_milestones,
        entity=Milestone,
        watches={"b2b.milestone": Watch(customer="customer", date="accepted_on")},
    ),
]
