"""Sending invitations: a job that invites those who were chosen, and mails each who waits, at most once (CU6).

Before a mail leaves, its invitation is claimed and that is committed. What a killed worker had claimed may have left: it is
marked so, and not sent again.
"""

from __future__ import annotations

import secrets
import smtplib
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from trellis import mail
from trellis.config import Config
from trellis.crm.customers import inviting
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.invitations import (
    FAILED,
    SENDING,
    SENT,
    UNCLEAR,
    WAITING,
    Survey,
    SurveyInvitation,
)
from trellis.crm.customers.inviting import Chosen, Counted
from trellis.crm.customers.letters import Letter, message_of
from trellis.crm.customers.marking import digest, mark
from trellis.crm.marketing import contacting
from trellis.errors import Conflict
from trellis.i18n import translator
from trellis.jobs import Work, enqueue
from trellis.jobs.mails import DOUBTFUL, GONE, PUT_OFF, REFUSED, Handed, Later, hand_over, send_waiting
from trellis.records.door import Records

_ = translator("trellis")

KIND = "survey_invitations"


def start(records: Records, survey: int, chosen: Chosen, config: Config) -> tuple[int, Counted]:
    """Puts the job into the queue; its number, and what it will do. Raises Conflict where no mail can be sent."""
    counted = inviting.count(records, survey, chosen)
    if not mail.may_send(config):
        raise Conflict(_("This server sends no mail, so nobody can be invited"))
    people = {"segment": chosen.segment, "customers": list(chosen.customers)}
    arguments = {"survey": survey, **people, "since": datetime.now(UTC).isoformat()}
    return enqueue(records.session, KIND, arguments, records.actor.user_id), counted


def work(work: Work) -> None:
    """The job."""
    if not mail.may_send(work.installation.config):
        raise Conflict(_("This server sends no mail, so nobody can be invited"))
    survey, chosen = int(work.arguments["survey"]), _chosen(work)
    with work.door() as door:
        _doubt(door, work.job_id)
        total = inviting.count(door, survey, chosen).mails
    _invite(work, survey, chosen)
    later = Later()
    try:
        sent = _send(work, survey, total, later)
    finally:
        later.enqueue(work, KIND, {**work.arguments, "segment": "", "customers": []})
    with work.workspace.write() as session:
        work.finish(session, {"survey": survey, "sent": sent})


def _chosen(work: Work) -> Chosen:
    asked = work.arguments
    since = datetime.fromisoformat(asked["since"])
    return Chosen(segment=asked["segment"], customers=asked["customers"], since=since)


def _doubt(door: Records, job_id: int) -> None:
    """Marks what this job had claimed before it was killed."""
    claimed = sa.select(SurveyInvitation.id).where(
        SurveyInvitation.state == SENDING, SurveyInvitation.job_id == job_id
    )
    for number in door.session.scalars(claimed).all():
        mark(door, number, SENDING, UNCLEAR)


def _invite(work: Work, survey: int, chosen: Chosen) -> None:
    """Makes the invitations, some at a time. Done again, it leaves out those who were invited already."""
    last, invited = 0, 0
    while True:
        with work.door() as door:
            number, last = inviting.invite_some(door, survey, chosen, last)
        if not last:
            return
        invited += number
        work.tell(0, invited)


def _send(work: Work, survey: int, total: int, later: Later) -> int:
    """Mails each who waits; how many mails left. Raises what a server put off."""

    def claim(last: int) -> tuple[int, Letter | None]:
        return _claim(work, survey, later, last)

    return send_waiting(work, partial(_next, work, survey), claim, partial(_post, work), total)


def _waiting(survey: int, after: int) -> sa.Select[Any]:
    """The next invitation of a survey that waits, behind one that was looked at."""
    found = SurveyInvitation
    mine = (found.survey_id == survey, found.state == WAITING, found.deleted_at.is_(None), found.id > after)
    return sa.select(found.id).where(*mine).order_by(found.id).limit(1)


def _next(work: Work, survey: int, after: int) -> int | None:
    with work.workspace.read() as session:
        number: int | None = session.scalar(_waiting(survey, after))
        return number


def _claim(work: Work, survey: int, later: Later, after: int) -> tuple[int, Letter | None]:
    """Takes the next invitation, so that nobody else sends it. Whoever may not be written to meanwhile is passed over."""
    with work.door() as door:
        session = door.session
        asked = inviting.open_survey(door, survey)
        while True:
            number = session.scalar(_waiting(survey, after).with_for_update(skip_locked=True))
            if number is None:
                return after, None
            invitation = session.get_one(SurveyInvitation, number)
            customer = session.get_one(Customer, invitation.customer_id)
            why, at = _forbidden(door, customer, invitation.email)
            if not why and at is None:
                break
            after = number
            if at is not None:
                later.note(at)
            else:
                mark(door, number, WAITING, FAILED, problem=why)
        secret, until = secrets.token_urlsafe(24), datetime.now(UTC) + timedelta(days=asked.lasts_days)
        kept = {"digest": digest(secret), "job_id": work.job_id, "expires_at": until}
        mark(door, number, WAITING, SENDING, **kept)
        return number, Letter(
            id=number,
            number=customer.id,
            email=invitation.email or customer.email or "",
            language=invitation.language or door.edition.settings.language,
            customer=customer.name,
            is_person=customer.kind == "person",
            secret=secret,
            lasts_until=until,
            survey={column.key: getattr(asked, column.key) for column in sa.inspect(Survey).column_attrs},
        )


def _forbidden(door: Records, customer: Customer, email: str | None) -> tuple[str, datetime | None]:
    """Why a customer may not be asked, or not before when. The invitation may go to another address than theirs."""
    if customer.deleted_at is not None:
        return "customer_gone", None
    terms = contacting.usual(door.edition)
    decided = contacting.decide(
        door.session, door.edition, terms, [customer.id], datetime.now(UTC), held=True, email=email
    )
    return decided[customer.id].why, decided[customer.id].at


def _post(work: Work, connection: smtplib.SMTP, letter: Letter) -> Handed:
    """Sends a mail and keeps how that went."""
    with work.workspace.read() as session:
        company = work.workspace.edition(session).settings.title or work.workspace.name
    message = message_of(work.installation.config, work.workspace.name, company, letter)
    handed = hand_over(connection, message)
    more: dict[str, Any] = {"sent_at": datetime.now(UTC)} if handed.how == GONE else {}
    more |= {"problem": handed.problem} if handed.problem else {}
    _mark(work, letter, _STATES[handed.how], **more)
    return handed


_STATES = {GONE: SENT, REFUSED: FAILED, PUT_OFF: WAITING, DOUBTFUL: UNCLEAR}


def _mark(work: Work, letter: Letter, state: str, **more: Any) -> None:
    with work.door() as door:
        mark(door, letter.id, SENDING, state, **more)
