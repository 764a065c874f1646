"""Who is invited to a survey: whom a segment holds, less who cannot, will not or need not be asked (CU6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Segment
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.invitations import FAILED, WAITING, Survey, SurveyInvitation
from trellis.crm.marketing import contacting
from trellis.edition import Edition
from trellis.errors import Conflict, PermissionRefused, RecordInvalid
from trellis.i18n import Text, format_day, translator
from trellis.reasons import LIMIT, REASONS
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.events import MERGING, BeforeSave
from trellis.segments import engine

_ = translator("trellis")

AT_ONCE = 200
"""Invitations that are written in one transaction."""
_NEEDED = frozenset({"name", "email", "language", "consent_mail"})
"""Fields of customers that say who can be asked: whoever does not read them does not learn them by asking."""
RUSSIAN = ("ru", "рус")
ENGLISH = ("en", "анг")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Who is to be asked: the customers of a segment, or these; nobody but who waits already when neither is given.

    Whoever was invited after ``since``, when that was asked for, is not invited again, however long it takes.
    """

    segment: str = ""
    customers: Sequence[int] = ()
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many of the chosen are invited, and how many are left out for which reason; ``waiting`` are invited already."""

    chosen: int
    invited: int
    no_address: int
    refused: int
    recent: int
    enough: int
    waiting: int

    @property
    def mails(self) -> int:
        """How many mails that makes."""
        return self.invited + self.waiting


def open_survey(records: Records, survey: int) -> Survey:
    """A survey to which the actor may invite. Raises RecordNotFound, PermissionRefused, Conflict for one that is not open."""
    records.get("survey", survey)
    records.actor.require("survey_invitation", "create")
    records.actor.require("customer", "read")
    seen = records.actor.sees(records.edition).entity("customer").fields
    if _NEEDED - seen.keys():
        raise PermissionRefused()
    found = records.session.get_one(Survey, survey)
    if not found.active:
        raise Conflict(_("This survey is not open"))
    return found


def count(records: Records, survey: int, chosen: Chosen) -> Counted:
    """What inviting them would do now."""
    asked = open_survey(records, survey)
    reason = _reason(records.edition, asked, chosen.since)
    wanted = sa.select(reason, sa.func.count()).where(*_among(records, chosen)).group_by(reason)
    found: dict[str, int] = {row[0]: row[1] for row in records.session.execute(wanted)}
    waiting = sa.select(sa.func.count()).where(*_waiting(survey))
    return Counted(
        chosen=sum(found.values()),
        waiting=records.session.scalar(waiting) or 0,
        **{name: found.get(name, 0) for name in ("invited", "no_address", "refused", "recent", "enough")},
    )


def invite_some(records: Records, survey: int, chosen: Chosen, after: int) -> tuple[int, int]:
    """Invites the next of the chosen, by id; how many were, and the last id looked at: 0 when nobody is left."""
    asked = open_survey(records, survey)
    reason = _reason(records.edition, asked, chosen.since)
    wanted = sa.select(Customer.id).where(*_among(records, chosen), reason == "invited")
    ids = list(
        records.session.scalars(wanted.where(Customer.id > after).order_by(Customer.id).limit(AT_ONCE))
    )
    if not ids:
        return 0, 0
    return len(_invite(records, survey, ids)), ids[-1]


def _invite(records: Records, survey: int, ids: Sequence[int]) -> list[int]:
    """Writes the invitations; without those whom somebody else has invited meanwhile."""
    writes = [Write(values={"survey": survey, "customer": one}) for one in ids]
    try:
        with records.whole():
            return records.save("survey_invitation", writes)
    except BatchInvalid as error:
        left = [one for place, one in enumerate(ids) if place not in error.failures]
        return _invite(records, survey, left) if left else []


def complete(event: BeforeSave) -> None:
    """Fills in address and language, and refuses an invitation that should not be sent, or is turned to somebody else."""
    if event.action == "updated":
        _keep(event)
    if event.action != "created":
        return
    values, session = event.values, event.session
    survey = session.get(Survey, values["survey"]) if values.get("survey") else None
    # the row is held until the end: whoever invites the same customer meanwhile waits, and sees this invitation
    seen = (Customer.id == values.get("customer"), event.actor.visible(Customer))
    held = sa.select(Customer).where(*seen).with_for_update(key_share=True)
    customer = session.scalar(held.execution_options(populate_existing=True))
    if survey is None or customer is None:  # the door says what is missing
        return
    if _NEEDED - event.actor.sees(event.edition).entity("customer").fields.keys():
        raise PermissionRefused()
    values["email"] = values.get("email") or customer.email
    values["language"] = values.get("language") or language_of(customer.language, event.edition)
    errors: dict[str, list[Text]] = {}
    if not survey.active:
        errors["survey"] = [_("This survey is not open")]
    if values["email"] is None:
        errors["email"] = [_("This customer has no mail address; give one here")]
    if customer.consent_mail == "refused":
        errors["customer"] = [_("This customer refused mail")]
    else:
        at = session.scalar(_asked_last(survey).where(SurveyInvitation.customer_id == customer.id))
        if at is not None:
            told = {"day": format_day(at), "days": survey.again_after_days}
            text = _("Invited before: %(day)s. This survey asks once in %(days)s days", **told)
            errors["customer"] = [text]
        elif session.scalar(_got_enough(event.edition, customer.id)) is not None:
            errors["customer"] = [REASONS[LIMIT]]
    if errors:
        raise RecordInvalid(errors)


def _keep(event: BeforeSave) -> None:
    """Refuses to turn an invitation to somebody else: its link is with whom it was made for."""
    before = event.before
    changed = {name for name, value in event.values.items() if value != before.get(name)}
    errors: dict[str, list[Text]] = {}
    if not event.session.info.get(MERGING):
        errors = {
            name: [_("This cannot be changed; make a new invitation")]
            for name in ("customer", "survey")
            if name in changed
        }
    if "email" in changed and before["state"] != WAITING:
        errors["email"] = [_("The address cannot be changed any more; make a new invitation")]
    if errors:
        raise RecordInvalid(errors)


def language_of(spoken: str | None, edition: Edition) -> str:
    """The language to ask somebody in, of whom it is noted as people do: “ru”, “Russian”, “русский”."""
    noted = (spoken or "").strip().lower()
    if noted.startswith(RUSSIAN):
        return "ru"
    return "en" if noted.startswith(ENGLISH) else edition.settings.language


def _among(records: Records, chosen: Chosen) -> list[Any]:
    """The customers that the actor may see, of those who were chosen."""
    who: Any = sa.false()
    if chosen.segment:
        seen = records.actor.sees(records.edition)
        if engine.find(seen, chosen.segment).entity != "customer":
            raise RecordInvalid({"segment": [_("Choose a segment of customers")]})
        who = Customer.id.in_(engine.members(seen, records.actor, chosen.segment))
    elif chosen.customers:
        who = Customer.id.in_(sorted(set(chosen.customers)))
    return [who, Customer.deleted_at.is_(None), records.actor.visible(Customer)]


def _reason(edition: Edition, survey: Survey, since: datetime | None) -> sa.ColumnElement[str]:
    """Why a customer is left out, or that they are invited."""
    recent = _asked_last(survey, since).where(SurveyInvitation.customer_id == Customer.id).exists()
    return sa.case(
        (Customer.email.is_(None), "no_address"),
        (Customer.consent_mail == "refused", "refused"),
        (recent, "recent"),
        (Customer.id.in_(contacting.full(contacting.usual(edition), datetime.now(UTC))), "enough"),
        else_="invited",
    )


def _asked_last(survey: Survey, since: datetime | None = None) -> sa.Select[Any]:
    """The last invitation that forbids another one; one in the bin has been sent all the same."""
    begin = datetime.now(UTC) - timedelta(days=survey.again_after_days)
    begin = min(begin, since) if since is not None else begin
    made = SurveyInvitation.created_at
    mine = (SurveyInvitation.survey_id == survey.id, SurveyInvitation.state != FAILED, made >= begin)
    return sa.select(made).where(*mine).order_by(made.desc()).limit(1)


def _got_enough(edition: Edition, customer: int) -> sa.Select[Any]:
    """The customer, where so many mails of journeys and surveys came of late that no more are to come."""
    return contacting.full(contacting.usual(edition), datetime.now(UTC), lambda column: column == customer)


def _waiting(survey: int) -> list[Any]:
    mine = SurveyInvitation.survey_id == survey
    return [mine, SurveyInvitation.state == WAITING, SurveyInvitation.deleted_at.is_(None)]


def segments_of(edition: Edition) -> list[Segment]:
    """The segments of customers, by their titles."""
    known = [one for one in edition.all(Segment).values() if one.entity == "customer"]
    return sorted(known, key=lambda one: str(one.title).lower())
