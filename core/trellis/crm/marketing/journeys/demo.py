"""Journeys of a demo: one of the edition in use for some weeks, with customers in it, mails they got and goals they reached."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Journey as Brought
from trellis.crm.analytics.figures import refresh_customer_value
from trellis.crm.customers.entities import Customer
from trellis.crm.marketing.journeys import running
from trellis.crm.marketing.journeys.entering import enter
from trellis.crm.marketing.journeys.kept import Course, course_of, version_of, zone_of
from trellis.crm.marketing.journeys.moving import advance
from trellis.crm.marketing.journeys.reaching import reach
from trellis.crm.marketing.journeys.tables import MEMBERS, MESSAGES, SENT, WAITING
from trellis.errors import RecordInvalid
from trellis.kpi.periods import today_in
from trellis.letters.templates import draft, find
from trellis.records.door import Records

_DAYS = 42
_EVERY = timedelta(hours=12)
_AT_ONCE = timedelta(days=5)
_member, _message, _customer = MEMBERS.c, MESSAGES.c, Customer.__table__.c


def travel(
    records: Records, name: str, customers: Sequence[int], reached: tuple[float, float], owner: int
) -> int:
    """Starts a journey of the edition six weeks ago and lets customers come in since, some each five days.

    ``reached`` are the shares that reach the goal, of those who got it and of the control group. Returns its id.
    """
    session, edition = records.session, records.edition
    refresh_customer_value(session, edition, today_in(zone_of(edition)))  # what rules of splits ask for
    made = running.adopt(records, edition.all(Brought)[name]).id
    records.update("journey", made, {"owner": owner})
    running.publish(records, made)
    course = course_of(session, edition, made)
    assert course is not None
    dice, now = random.Random(name), datetime.now(UTC)
    began = moment = now - timedelta(days=_DAYS)
    groups = _groups(list(customers), began, now)
    goals: list[tuple[datetime, int]] = []
    while moment < now:
        while groups and groups[0][0] <= moment:
            some = groups.pop(0)[1]
            enter(session, edition, course, some, moment)
            goals += _goals(records, course, some, moment, reached, dice)
        _reach(records, course, goals, moment)
        while advance(session, edition, made, moment)[0]:
            pass
        moment += _EVERY
    _sent(records, made)
    session.execute(
        sa.text("UPDATE journey SET started_at = :at WHERE id = :id").bindparams(_at(began)), {"id": made}
    )
    return made


def _at(moment: datetime) -> sa.BindParameter[Any]:
    return sa.bindparam("at", moment, type_=_member.since.type)


def _groups(customers: list[int], began: datetime, now: datetime) -> list[tuple[datetime, list[int]]]:
    """Who comes in when."""
    number = int((now - began) / _AT_ONCE)
    return [(began + place * _AT_ONCE, customers[place::number]) for place in range(number)]


def _goals(
    records: Records,
    course: Course,
    customers: Sequence[int],
    moment: datetime,
    reached: tuple[float, float],
    dice: random.Random,
) -> list[tuple[datetime, int]]:
    """Which of them reach the goal, and when."""
    rows = records.session.execute(
        sa.select(_member.customer_id, _member.control)
        .where(_member.journey_id == course.id, _member.customer_id.in_(customers))
        .order_by(_member.id)
    )
    found = []
    for customer, control in rows:
        if dice.random() < reached[control]:
            found.append((moment + timedelta(hours=dice.randrange(20, 24 * 20)), customer))
    return found


def _reach(records: Records, course: Course, goals: list[tuple[datetime, int]], moment: datetime) -> None:
    for at, customer in [one for one in goals if one[0] <= moment]:
        reach(
            records.session, version_of(records.session, records.edition, course.version.id), [customer], at
        )
        goals.remove((at, customer))


def _sent(records: Records, journey: int) -> None:
    """The messages left when they were due, and stand on the timelines of their customers."""
    session = records.session
    waiting = sa.select(MESSAGES, _customer.email, _customer.owner_id).join(
        Customer, _customer.id == _message.customer_id
    )
    mine = (_message.journey_id == journey, _message.state == WAITING)
    for row in session.execute(waiting.where(*mine).order_by(_message.id)).all():
        try:
            template = find(records, "customer", row.template)
            subject, text = draft(records, "customer", row.customer_id, template)
        except RecordInvalid:
            continue
        values = {"kind": "mail", "customer": row.customer_id, "mail_to": row.email, "owner": row.owner_id}
        told = {"subject": subject[:200], "body": text, "done_at": row.created_at}
        made = records.create("activity", {**values, **told}).id
        left = {"state": SENT, "sent_at": row.created_at, "activity_id": made}
        session.execute(sa.update(MESSAGES).where(_message.id == row.id).values(**left))
