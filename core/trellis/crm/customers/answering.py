"""Answers of customers on the public page: which invitation a link opens, and what an answer does (CU6)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.entities import Customer
from trellis.crm.customers.invitations import ANSWERED, Survey, SurveyInvitation
from trellis.crm.customers.marking import digest, mark
from trellis.crm.customers.questions import Question, is_low, questions_of, words
from trellis.crm.products.entities import Product
from trellis.edition import Edition
from trellis.errors import RecordInvalid, TrellisError
from trellis.i18n import Text, translator, use_locale
from trellis.records.door import Records
from trellis.security.actor import Actor

_ = translator("trellis")

log = logging.getLogger(__name__)

ANSWERING = Actor(name="Survey", administrator=True, source="web")
"""Who writes answers: nobody who has signed in. It does only what this module does."""
CHANNEL = "mail"
LONGEST_COMMENT = 4000


@dataclass(frozen=True, kw_only=True)
class Invited:
    """An invitation that can be answered, with its survey; ``words`` are those of its language."""

    invitation: SurveyInvitation
    survey: Survey
    customer: Customer
    questions: tuple[Question, ...]
    words: Mapping[str, str]

    @property
    def language(self) -> str:
        """The language of the invitation."""
        return self.invitation.language or "en"


def find(session: Session, edition: Edition, secret: str, language: str = "") -> Invited | None:
    """The invitation with this secret; None when it is answered, has ended, or its survey is not open."""
    wanted = (
        sa.select(SurveyInvitation, Survey, Customer)
        .join(Survey, Survey.id == SurveyInvitation.survey_id)
        .join(Customer, Customer.id == SurveyInvitation.customer_id)
        .where(
            SurveyInvitation.digest == digest(secret),
            SurveyInvitation.answered_at.is_(None),
            SurveyInvitation.expires_at > datetime.now(UTC),
            Survey.active,
            *(one.deleted_at.is_(None) for one in (SurveyInvitation, Survey, Customer)),
        )
    )
    row = session.execute(wanted).first()
    if row is None:
        return None
    invitation, survey, customer = row
    spoken = language or invitation.language or "en"
    told = {column.key: getattr(survey, column.key) for column in sa.inspect(Survey).column_attrs}
    with use_locale(spoken):
        said = words(told, spoken)
    return Invited(
        invitation=invitation,
        survey=survey,
        customer=customer,
        questions=questions_of(edition, survey.kind),
        words=said,
    )


def language_of(session: Session, secret: str) -> str | None:
    """The language of the invitation with this secret, whether or not it can still be answered; None when there is none."""
    wanted = sa.select(SurveyInvitation.language).where(SurveyInvitation.digest == digest(secret))
    found = session.execute(wanted).first()
    return None if found is None else found.language or "en"


def answer(records: Records, invited: Invited, given: Mapping[str, str]) -> bool:
    """Keeps an answer once; False when there is one already. Raises RecordInvalid that names the questions left open."""
    scores = _scores(invited, given)
    comment = given.get("comment", "").strip()
    if len(comment) > LONGEST_COMMENT:
        text = _(
            "At most %(length)s characters; this has %(given)s", length=LONGEST_COMMENT, given=len(comment)
        )
        raise RecordInvalid({"comment": [text]})
    now, invitation = datetime.now(UTC), invited.invitation
    times = {"answered_at": now, "sent_at": invitation.sent_at or now}
    if not mark(records, invitation.id, invitation.state, ANSWERED, **times):
        return False
    about = _about(records, invited.survey)
    records.create(
        "survey_answer",
        {
            "customer": invited.customer.id,
            "survey": invited.survey.kind,
            "answered_at": now,
            "channel": CHANNEL,
            "comment": comment or None,
            "product": about,
            "asked_in": invited.survey.id,
            "invitation": invitation.id,
            "case": _case(records, invited, scores, comment, about),
            **scores,
            **_belongs(invited),
        },
    )
    return True


def _scores(invited: Invited, given: Mapping[str, str]) -> dict[str, int]:
    """The answers by field, each on the scale of its question."""
    found: dict[str, int] = {}
    errors: dict[str, list[Text]] = {}
    for one in invited.questions:
        text = given.get(one.field, "")
        known = {str(number): number for number in range(one.lowest, one.highest + 1)}
        if text in known:
            found[one.field] = known[text]
        else:
            errors[one.field] = [_("Choose a number")]
    if errors:
        raise RecordInvalid(errors)
    return found


def _belongs(invited: Invited) -> dict[str, int | None]:
    """Answers and cases are those of whoever looks after the customer; else of whoever asks."""
    return {
        "owner": invited.customer.owner_id or invited.survey.owner_id,
        "unit": invited.customer.unit_id or invited.survey.unit_id,
    }


def _about(records: Records, survey: Survey) -> int | None:
    """The product that is asked about, unless it is in the bin by now."""
    known = sa.select(Product.id).where(Product.id == survey.product_id, Product.deleted_at.is_(None))
    return records.session.scalar(known)


def _case(
    records: Records, invited: Invited, scores: Mapping[str, int], comment: str, product: int | None
) -> int | None:
    """The case that a low answer opens. Where the organisation's rules refuse it, the answer is kept all the same."""
    survey, first = invited.survey, invited.questions[0]
    score = scores[first.field]
    if not survey.opens_case or not is_low(records.edition, survey.kind, score, survey.low_at):
        return None
    with use_locale(records.edition.settings.language):
        told = {"survey": survey.name, "score": score, "best": first.highest}
        subject = str(_("Low answer to “%(survey)s”: %(score)s of %(best)s", **told))
        lines = [f"{invited.words[one.field]} {scores[one.field]}" for one in invited.questions]
    values = {
        "subject": subject[:200],
        "description": "\n\n".join(["\n".join(lines), comment] if comment else ["\n".join(lines)]),
        "customer": invited.customer.id,
        "product": product,
        "kind": "complaint",
        "priority": survey.case_priority,
        "channel": CHANNEL,
        **_belongs(invited),
    }
    try:
        with records.whole():
            return int(records.create("case", values).id)
    except TrellisError as error:
        log.warning("no case was opened for a low answer to survey %s: %s", survey.id, error)
        return None
