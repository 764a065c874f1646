"""Sending the messages of journeys: each is claimed and that is committed before it leaves, so that it leaves at most once (MC5).

What a killed worker had claimed may have left: it is marked so, and not sent again.
"""

from __future__ import annotations

import dataclasses
import smtplib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import mail
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.inviting import language_of
from trellis.crm.customers.unsubscribing import Way, footer, link_of
from trellis.crm.marketing import contacting
from trellis.crm.marketing.journeys.entities import PAUSED, STOPPED, Journey
from trellis.crm.marketing.journeys.kept import door_of, version_of
from trellis.crm.marketing.journeys.tables import (
    FAILED,
    HELD,
    MEMBERS,
    MESSAGES,
    PASSAGES,
    SENDING,
    SENT,
    UNCLEAR,
    WAITING,
)
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.jobs import Work
from trellis.jobs.mails import DOUBTFUL, GONE, PUT_OFF, REFUSED, Handed, Later, hand_over, send_waiting
from trellis.jobs.queue import enqueue
from trellis.letters.templates import draft, find
from trellis.reasons import MAY_HAVE_LEFT, NO_SERVER, NO_TEMPLATE
from trellis.records.door import Records

KIND = "journey_mail"
_STATES = {GONE: SENT, REFUSED: FAILED, PUT_OFF: WAITING, DOUBTFUL: UNCLEAR}

_message, _member, _passage = MESSAGES.c, MEMBERS.c, PASSAGES.c
_journey, _customer = Journey.__table__.c, Customer.__table__.c


@dataclass(frozen=True)
class Mail:
    """A message on its way to a customer, whose activity it is; ``text`` is what goes out, ``out`` leads to no more of them."""

    id: int
    activity: int
    to: str
    subject: str
    text: str
    out: str


def start(session: Session, journey: int) -> None:
    """Has the messages of a journey sent that wait."""
    enqueue(session, KIND, {"journey": journey}, None)


def work(work: Work) -> None:
    """The job. Raises what a server put off, so that it is tried again later."""
    journey = int(work.arguments["journey"])
    _doubt(work, journey)
    waits, later = partial(_next, work, journey), Later()
    if mail.may_send(work.installation.config):
        try:
            send_waiting(work, waits, partial(_claim, work, journey, later), partial(_post, work))
        finally:
            later.enqueue(work, KIND, {"journey": journey})
    elif waits(0):
        _fail_all(work, journey)


def _waiting(journey: int, after: int) -> sa.Select[Any]:
    mine = (_message.journey_id == journey, _message.state == WAITING, _message.id > after)
    return sa.select(MESSAGES).where(*mine).order_by(_message.id).limit(1)


def _next(work: Work, journey: int, after: int) -> int | None:
    with work.workspace.read() as session:
        row = session.execute(_waiting(journey, after)).first()
        paused = session.scalar(sa.select(_journey.state).where(_journey.id == journey)) == PAUSED
        return None if row is None or paused else int(row.id)


def _claim(work: Work, journey: int, later: Later, after: int) -> tuple[int, Mail | None]:
    """Takes the next message, so that nobody else sends it. Whoever may not be written to meanwhile is passed over."""
    while True:
        with work.workspace.write() as session:
            row = session.execute(_waiting(journey, after).with_for_update(skip_locked=True)).first()
            course = session.execute(
                sa.select(_journey.name, _journey.owner_id, _journey.state).where(_journey.id == journey)
            ).one()
            if row is None or course.state == PAUSED:
                return after, None
            door = door_of(session, work.workspace.edition(session), course.name)
            letter = _written(door, row, course, work, later)
        door.committed()
        work.workspace.record_faults(door.faults)
        after = row.id
        if letter is not None:
            return after, letter


def _written(door: Records, row: Any, course: Any, work: Work, later: Later) -> Mail | None:
    """The mail of a message, kept as an activity of the customer; None when it must not leave, or not now."""
    why, at = ("journey_stopped", None) if course.state == STOPPED else _forbidden(door, row)
    if at is not None:
        later.note(at)
        return None
    if why:
        mark(door.session, row, WAITING, FAILED, outcome=HELD, problem=why)
        return None
    try:
        found = find(door, "customer", row.template)
        who = door.get("customer", row.customer_id).values
        writer = dataclasses.replace(door.actor, user_id=who["owner"] or course.owner_id)
        subject, text = draft(Records(door.session, door.edition, writer), "customer", row.customer_id, found)
    except (RecordNotFound, RecordInvalid) as error:
        problem = error.errors if isinstance(error, RecordInvalid) else {}
        told = " ".join(str(one) for texts in problem.values() for one in texts) or NO_TEMPLATE
        mark(door.session, row, WAITING, FAILED, outcome=FAILED, problem=told)
        return None
    values = {"kind": "mail", "mail_to": who["email"], "subject": subject[:200] or "–", "body": text}
    made = door.create("activity", {**values, "customer": row.customer_id, "owner": writer.user_id})
    mark(door.session, row, WAITING, SENDING, job_id=work.job_id, activity_id=made.id)
    out = link_of(
        work.installation.config, Way(work.workspace.name, row.customer_id, "journey", row.journey_id)
    )
    company = door.edition.settings.title or work.workspace.name
    below = footer(language_of(who["language"], door.edition), company, out)
    return Mail(row.id, made.id, who["email"], values["subject"], f"{text}{below}", out)


def _forbidden(door: Records, row: Any) -> tuple[str, datetime | None]:
    """Why a customer may not be written to, or not before when: since the step, consent was taken back or a night began."""
    gone = door.session.scalar(sa.select(_customer.deleted_at).where(_customer.id == row.customer_id))
    number = door.session.scalar(sa.select(_member.version_id).where(_member.id == row.member_id))
    plan = version_of(door.session, door.edition, int(number or 0)).plan
    now, who = datetime.now(UTC), [row.customer_id]
    found = contacting.decide(door.session, door.edition, plan, who, now, limited=False).get(row.customer_id)
    return ("customer_gone", None) if found is None or gone is not None else (found.why, found.at)


def _post(work: Work, connection: smtplib.SMTP, letter: Mail) -> Handed:
    """Sends a mail and keeps how that went."""
    config = work.installation.config
    handed = hand_over(connection, mail.message(config, letter.to, letter.subject, letter.text, letter.out))
    state = _STATES[handed.how]
    problem = handed.problem or (MAY_HAVE_LEFT if state == UNCLEAR else "")
    _finish(work, letter.id, state, problem)
    return handed


def _finish(work: Work, message: int, state: str, problem: str) -> None:
    """Keeps how the sending of a message ended; its activity is done by that, or goes to the bin."""
    now = datetime.now(UTC)
    with work.workspace.write() as session:
        row = session.execute(sa.select(MESSAGES).where(_message.id == message)).one()
        course = session.scalar(sa.select(_journey.name).where(_journey.id == row.journey_id))
        door = door_of(session, work.workspace.edition(session), course or "")
        left = state in (SENT, UNCLEAR)
        more = {"sent_at": now} if left else {"activity_id": None}
        if mark(session, row, SENDING, state, outcome=FAILED if problem else "", problem=problem, **more):
            _close(door, row.activity_id, now if left else None)
    door.committed()
    work.workspace.record_faults(door.faults)


def _close(door: Records, activity: int, done: datetime | None) -> None:
    try:
        if done is None:
            door.delete("activity", activity)
        else:
            door.update("activity", activity, {"done_at": done})
    except RecordNotFound:
        return  # somebody has put it into the bin


def mark(
    session: Session, row: Any, before: str, after: str, *, outcome: str = "", problem: str = "", **more: Any
) -> bool:
    """Moves a message on from the state that it is known to be in; its step gets another ``outcome`` where one is given."""
    problem = " ".join(problem.split())[:300]
    moved = sa.update(MESSAGES).where(_message.id == row.id, _message.state == before)
    if not session.execute(moved.values(state=after, problem=problem, **more)).rowcount:  # type: ignore[attr-defined]
        return False
    if outcome:
        step = (_passage.member_id == row.member_id, _passage.step == row.step)
        session.execute(sa.update(PASSAGES).where(*step).values(outcome=outcome, reason=problem))
    return True


def _doubt(work: Work, journey: int) -> None:
    """Ends what this job had claimed before it was killed."""
    claimed = (_message.journey_id == journey, _message.state == SENDING, _message.job_id == work.job_id)
    with work.workspace.read() as session:
        ids = session.scalars(sa.select(_message.id).where(*claimed)).all()
    for number in ids:
        _finish(work, number, UNCLEAR, MAY_HAVE_LEFT)


def _fail_all(work: Work, journey: int) -> None:
    with work.workspace.write() as session:
        waiting = (_message.journey_id == journey, _message.state == WAITING)
        for row in session.execute(sa.select(MESSAGES).where(*waiting).with_for_update()).all():
            mark(session, row, WAITING, FAILED, outcome=FAILED, problem=NO_SERVER)
        work.finish(session, {})
