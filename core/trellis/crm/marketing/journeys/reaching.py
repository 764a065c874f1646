"""Reaching the goal: it ends the journey of whoever is on it, and is counted for all who came in of late (MC5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.entities import Customer
from trellis.crm.marketing.journeys.entities import PAUSED, RUNNING, Journey
from trellis.crm.marketing.journeys.kept import Version, version_of
from trellis.crm.marketing.journeys.tables import ACTIVE, ENDED, MEMBERS, PASSAGES, REACHED, VERSIONS
from trellis.edition import Edition
from trellis.jobs import Work
from trellis.process import events
from trellis.records.bulk import among, insert_rows
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.rules import RuleContext, matching, parse, today_in
from trellis.security.actor import SYSTEM

DAILY = "journey_goals"
AT_ONCE = 1_000

_member, _version, _journey = MEMBERS.c, VERSIONS.c, Journey.__table__.c


def versions_under_way(session: Session, edition: Edition) -> list[Version]:
    """The versions of all journeys that have begun and are not stopped."""
    going = (_journey.state.in_((RUNNING, PAUSED)), _journey.deleted_at.is_(None))
    ids = sa.select(_version.id).join(Journey, _journey.id == _version.journey_id).where(*going)
    return [version_of(session, edition, number) for number in session.scalars(ids.order_by(_version.id))]


def reach(session: Session, version: Version, customers: Collection[int], at: datetime) -> int:
    """The goal was reached at a moment by these customers, where they had come in before; how many counted."""
    since = at - timedelta(days=version.plan["goal_days"])
    mine = sa.select(_member.id, _member.state, _member.step, _member.since).where(
        among(session, _member.customer_id, sorted(customers)),
        _member.version_id == version.id,
        _member.reached_at.is_(None),
        _member.state != ENDED,
        _member.entered_at < at,
        _member.entered_at >= since,
    )
    rows = session.execute(mine.order_by(_member.id).with_for_update()).all() if customers else []
    going = [row for row in rows if row.state == ACTIVE]
    here = [row for row in going if row.step]
    if here:
        alike = {"version_id": version.id, "left_at": at, "outcome": REACHED, "reason": ""}
        passages = [{"member_id": row.id, "step": row.step, "entered_at": row.since} for row in here]
        insert_rows(session, PASSAGES, alike, passages)
    over: dict[str, Any] = {"state": REACHED, "step": "", "due_at": None, "ended_at": at}
    for some, values in ((going, over), ([row for row in rows if row.state != ACTIVE], {})):
        if some:
            ids = [row.id for row in some]
            changed = sa.update(MEMBERS).where(among(session, _member.id, ids))
            session.execute(changed.values(reached_at=at, **values))
    return len(rows)


def look(session: Session, edition: Edition, version: Version, after: int, now: datetime) -> int:
    """Looks whether the next members of a version fit the rule of its goal; the last one looked at, 0 when nobody is left."""
    since = now - timedelta(days=version.plan["goal_days"])
    waiting = sa.select(_member.id, _member.customer_id).where(
        _member.version_id == version.id,
        _member.reached_at.is_(None),
        _member.state != ENDED,
        _member.entered_at >= since,
        _member.id > after,
    )
    rows = session.execute(waiting.order_by(_member.id).limit(AT_ONCE)).all()
    if rows:
        customers = sorted({row.customer_id for row in rows})
        fitting = fits(session, edition, version.plan["goal"], customers)
        reach(session, version, fitting, now)
    return rows[-1].id if len(rows) == AT_ONCE else 0


def fits(session: Session, edition: Edition, rule: Any, customers: Sequence[int]) -> set[int]:
    """Those of a few customers who fit a rule."""
    if not customers:
        return set()
    view = edition.entity("customer")
    context = RuleContext(edition=edition, actor=SYSTEM, today=today_in(edition), few=True)
    few = sa.select(Customer.id).where(among(session, Customer.id, sorted(customers)))
    return set(session.scalars(matching(few, parse(rule, view, edition), view, context)))


def at_goal(session: Session, edition: Edition, goal: Any, customers: Sequence[int]) -> set[int]:
    """Those of a few customers who fit the rule of a goal, or are in its segment. An event has not happened before."""
    if not isinstance(goal, str):
        return fits(session, edition, goal, customers)
    if not goal.startswith(events.SEGMENT) or not customers:
        return set()
    member = SEGMENT_MEMBER.c
    inside = member.segment == goal.removeprefix(events.SEGMENT)
    found = sa.select(member.record_id).where(inside, among(session, member.record_id, list(customers)))
    return set(session.scalars(found))


def work_daily(work: Work) -> None:
    """The daily job: rules of goals may have come true without a write, by days that went by or figures of the night."""
    with work.workspace.read() as session:
        edition = work.workspace.edition(session)
        ids = [
            one.id for one in versions_under_way(session, edition) if not isinstance(one.plan["goal"], str)
        ]
    for number in ids:
        last = -1
        while last:
            with work.workspace.write() as session:
                edition = work.workspace.edition(session)
                version = version_of(session, edition, number)
                last = look(session, edition, version, max(last, 0), datetime.now(UTC))
