"""Coming in: whoever may goes on a journey, or into its control group, which is the same for a customer always (MC5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.entities import Customer
from trellis.crm.marketing.journeys.kept import Course, part_of
from trellis.crm.marketing.journeys.reaching import at_goal
from trellis.crm.marketing.journeys.tables import ACTIVE, MEMBERS
from trellis.crm.marketing.journeys.waking import wake
from trellis.edition import Edition
from trellis.records.bulk import among, insert_rows

_member, _customer = MEMBERS.c, Customer.__table__.c


def enter(session: Session, edition: Edition, course: Course, customers: Iterable[int], now: datetime) -> int:
    """Lets those in who may come (again) and are not at the goal already; how many that were. The course must be held."""
    ids = sorted(set(customers))
    ids = sorted(set(ids) - at_goal(session, edition, course.version.plan["goal"], ids))
    rounds = _next_rounds(session, course, ids, now) if ids else {}
    if not rounds:
        return 0
    plan, rows = course.version.plan, []
    for customer, number in rounds.items():
        control = part_of(course.id, "control", customer) < plan["control"] * 100
        over = now + timedelta(days=plan["goal_days"])
        row = {"customer_id": customer, "round": number, "control": control}
        rows.append({**row, "due_at": over if control else now})
    alike = {
        "journey_id": course.id,
        "version_id": course.version.id,
        "state": ACTIVE,
        "step": "",
        "since": now,
        "entered_at": now,
    }
    insert_rows(session, MEMBERS, alike, rows)
    for at in {row["due_at"] for row in rows}:
        wake(session, course.id, at)
    return len(rows)


def _next_rounds(session: Session, course: Course, ids: Sequence[int], now: datetime) -> dict[int, int]:
    """The customers who may come in, with the number of times that makes."""
    there = sa.select(_customer.id).where(among(session, _customer.id, ids), _customer.deleted_at.is_(None))
    known = (
        sa.select(
            _member.customer_id,
            sa.func.max(_member.round).label("round"),
            sa.func.max(_member.ended_at).label("ended_at"),
            sa.func.sum(sa.case((_member.state == ACTIVE, 1), else_=0)).label("open"),
        )
        .where(_member.journey_id == course.id, among(session, _member.customer_id, ids))
        .group_by(_member.customer_id)
    )
    before = {row.customer_id: row for row in session.execute(known)}
    found = {}
    for customer in session.scalars(there.order_by(_customer.id)):
        row = before.get(customer)
        if row is None:
            found[customer] = 1
        elif _may_again(row, course.version.plan["again"], now):
            found[customer] = row.round + 1
    return found


def _may_again(row: Any, days: int | None, now: datetime) -> bool:
    if days is None or row.open or row.ended_at is None:
        return False
    return bool(row.ended_at <= now - timedelta(days=days))
