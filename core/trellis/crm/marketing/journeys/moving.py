"""Moving on those who are due, some at a time: each step is done for all who stand at it by a few statements (MC5).

What a step does, where everybody stands then and which messages wait to be sent are committed together, so that each happens
once, whatever is killed when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.entities import Customer
from trellis.crm.marketing.journeys import acting, mailing
from trellis.crm.marketing.journeys.entities import RUNNING
from trellis.crm.marketing.journeys.kept import course_of, door_of, version_of, zone_of
from trellis.crm.marketing.journeys.riders import Batch, Rider
from trellis.crm.marketing.journeys.tables import DONE, LEFT, MEMBERS, REACHED
from trellis.crm.marketing.journeys.waking import wake_next
from trellis.edition import Edition
from trellis.jobs import Work
from trellis.records.bulk import among
from trellis.records.door import Records

AT_ONCE = 1_000
"""Members that are moved in one transaction."""
GONE = "customer_gone"

_member, _customer = MEMBERS.c, Customer.__table__.c
_COLUMNS = (
    _member.id,
    _member.customer_id,
    _member.round,
    _member.control,
    _member.step,
    _member.since,
    _member.entered_at,
)


def work(work: Work) -> None:
    """The job: moves on all who are due, and sees to it that the next are."""
    journey = int(work.arguments["journey"])
    number = AT_ONCE
    while number == AT_ONCE:
        with work.workspace.write() as session:
            edition = work.workspace.edition(session)
            number, door = advance(session, edition, journey, datetime.now(UTC), AT_ONCE)
            if number < AT_ONCE:
                if door is not None:
                    wake_next(session, journey, datetime.now(UTC))
                work.finish(session, {})
        if door is not None:
            door.committed()
            work.workspace.record_faults(door.faults)


def advance(
    session: Session, edition: Edition, journey: int, now: datetime, most: int = AT_ONCE
) -> tuple[int, Records | None]:
    """Moves on members who are due; how many they were, and the door that wrote. A paused journey stands still."""
    course = course_of(session, edition, journey)
    if course is None or course.state != RUNNING:
        return 0, None
    door = door_of(session, edition, course.name)
    due = sa.select(_member.version_id, *_COLUMNS).where(
        _member.journey_id == journey, _member.due_at.is_not(None), _member.due_at <= now
    )
    rows = session.execute(
        due.order_by(_member.due_at, _member.id).limit(most).with_for_update(skip_locked=True)
    ).all()
    by_version: dict[int, list[Rider]] = {}
    for version, *row in rows:
        by_version.setdefault(version, []).append(Rider(*row))
    for version, riders in by_version.items():
        batch = Batch(
            door=door,
            course=course,
            version=version_of(session, edition, version),
            now=now,
            zone=zone_of(edition),
            riders=riders,
        )
        _move(batch)
    return len(rows), door


def _move(batch: Batch) -> None:
    gone = _gone(batch.session, [rider.customer for rider in batch.riders])
    reached = _reached(batch)
    for rider in batch.riders:
        if rider.customer in gone:
            batch.end(rider, LEFT, GONE, at_step=True)
        elif rider.customer in reached:
            rider.reached = rider.entered + timedelta(days=batch.version.plan["goal_days"]) >= batch.now
            batch.end(rider, REACHED, at_step=True)
        elif rider.control:
            batch.end(rider, DONE)
        elif rider.step:
            batch.standing.setdefault(rider.step, []).append(rider)
        else:
            batch.arrive(rider, batch.version.first)
    for node in batch.version.program.values():
        riders = batch.standing.pop(node.key, [])
        if riders:
            acting.act(batch, node, riders)
    batch.write()
    if batch.messages:
        mailing.start(batch.session, batch.course.id)


def _gone(session: Session, customers: Sequence[int]) -> set[int]:
    binned = sa.select(_customer.id).where(
        among(session, _customer.id, customers), _customer.deleted_at.is_not(None)
    )
    return set(session.scalars(binned))


def _reached(batch: Batch) -> set[int]:
    """Those who fit the rule of the goal; goals that are events are heard when they happen."""
    goal: Any = batch.version.plan["goal"]
    if isinstance(goal, str):
        return set()
    return batch.fitting(goal, [rider.customer for rider in batch.riders])
