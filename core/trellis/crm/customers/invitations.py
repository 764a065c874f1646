"""Surveys that are sent to customers, and the invitations to them (CU6)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.crm.customers.surveys import SURVEYS
from trellis.crm.service.options import PRIORITIES
from trellis.i18n import translator
from trellis.naming import REASON
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import (
    BigId,
    Boolean,
    Choice,
    DateTime,
    Email,
    Integer,
    LongText,
    Option,
    Reference,
    Text,
)
from trellis.security.people import LANGUAGES

_ = translator("trellis")

_ENGLISH = _("In English")
_RUSSIAN = _("In Russian")
_SENDING = _("Sending")
_LOW = _("Low answers")
_USUAL = _("Filled in by itself when left empty")
_OF_THREE = {"field": "kind", "op": "eq", "value": "acsi"}

WAITING, SENDING, SENT, UNCLEAR = "waiting", "sending", "sent", "unclear"
ANSWERED, FAILED = "answered", "failed"
STATES = (
    Option(WAITING, _("Waits to be sent"), "info"),
    Option(SENDING, _("Is being sent"), "info"),
    Option(SENT, _("Sent")),
    Option(UNCLEAR, _("May have been sent"), "warn"),
    Option(ANSWERED, _("Answered"), "good"),
    Option(FAILED, _("Not sent"), "danger"),
)


class Survey(Entity):
    """What customers are asked, in both languages, how often, and what a low answer does.

    An answer of ``low_at`` or worse to the first question opens a case.
    """

    __tablename__ = "survey"
    __entity__ = EntityInfo(
        name="survey",
        title=_("Survey"),
        plural=_("Surveys"),
        new=_("New survey"),
        icon="message-circle-question-mark",
        direction="customers",
        level="tactics",
        row="CU6",
        subtitle_field="kind",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    kind: Mapped[str] = column(Choice(SURVEYS), label=_("Kind"), required=True, default="nps", in_list=True)
    active: Mapped[bool] = column(
        Boolean(),
        label=_("In force"),
        help=_("Invitations to a survey that is not open lead nowhere"),
        required=True,
        default=True,
        in_list=True,
    )
    product_id: Mapped[int | None] = column(
        Reference("product"),
        label=_("Product"),
        help=_("What is asked about; its answers are about it, and so are the cases that they open"),
    )
    again_after_days: Mapped[int] = column(
        Integer(minimum=1, maximum=3650, additive=False),
        label=_("Not asked again for, days"),
        help=_("A customer is invited at most once in so many days"),
        required=True,
        default=90,
        in_list=True,
        group=_SENDING,
    )
    lasts_days: Mapped[int] = column(
        Integer(minimum=1, maximum=365, additive=False),
        label=_("Link lasts, days"),
        required=True,
        default=30,
        group=_SENDING,
    )
    opens_case: Mapped[bool] = column(
        Boolean(), label=_("A low answer opens a case"), required=True, default=True, group=_LOW
    )
    low_at: Mapped[int | None] = column(
        Integer(minimum=0, maximum=10, additive=False),
        label=_("Low is, up to"),
        help=_("By the answer to the first question; where 7 means hard, from the other end"),
        group=_LOW,
    )
    case_priority: Mapped[str] = column(
        Choice(PRIORITIES), label=_("Priority of the case"), required=True, default="high", group=_LOW
    )
    intro_en: Mapped[str | None] = column(LongText(), label=_("Introduction"), help=_USUAL, group=_ENGLISH)
    question_en: Mapped[str | None] = column(Text(300), label=_("Question"), help=_USUAL, group=_ENGLISH)
    question2_en: Mapped[str | None] = column(
        Text(300), label=_("Second question"), help=_USUAL, visible_when=_OF_THREE, group=_ENGLISH
    )
    question3_en: Mapped[str | None] = column(
        Text(300), label=_("Third question"), help=_USUAL, visible_when=_OF_THREE, group=_ENGLISH
    )
    thanks_en: Mapped[str | None] = column(LongText(), label=_("Thanks"), help=_USUAL, group=_ENGLISH)
    intro_ru: Mapped[str | None] = column(LongText(), label=_("Introduction"), help=_USUAL, group=_RUSSIAN)
    question_ru: Mapped[str | None] = column(Text(300), label=_("Question"), help=_USUAL, group=_RUSSIAN)
    question2_ru: Mapped[str | None] = column(
        Text(300), label=_("Second question"), help=_USUAL, visible_when=_OF_THREE, group=_RUSSIAN
    )
    question3_ru: Mapped[str | None] = column(
        Text(300), label=_("Third question"), help=_USUAL, visible_when=_OF_THREE, group=_RUSSIAN
    )
    thanks_ru: Mapped[str | None] = column(LongText(), label=_("Thanks"), help=_USUAL, group=_RUSSIAN)


class SurveyInvitation(Entity):
    """One customer who is asked in one survey. Its link is known by ``digest`` alone; ``job_id`` is who sends it."""

    __tablename__ = "survey_invitation"
    __entity__ = EntityInfo(
        name="survey_invitation",
        title=_("Invitation"),
        plural=_("Invitations"),
        new=_("New invitation"),
        icon="mail-question-mark",
        direction="customers",
        level="tactics",
        row="CU6",
        title_field="customer",
        subtitle_field="survey",
        parent="survey",
        sort="-created_at",
        date_field="sent_at",
        timeline=True,
    )
    __table_args__ = (
        sa.Index("ix_survey_invitation_survey_state", "survey_id", "state", "id"),
        sa.Index("ix_survey_invitation_customer_survey", "customer_id", "survey_id", "created_at"),
    )

    survey_id: Mapped[int] = column(
        Reference("survey", "CASCADE"), label=_("Survey"), required=True, in_list=True
    )
    customer_id: Mapped[int] = column(
        Reference("customer", "CASCADE"), label=_("Customer"), required=True, in_list=True
    )
    email: Mapped[str | None] = column(
        Email(),
        label=_("E-mail"),
        help=_("That of the customer when left empty"),
        searchable=True,
        in_list=True,
        personal=True,
    )
    language: Mapped[str | None] = column(
        Choice(LANGUAGES), label=_("Language"), help=_("That of the customer when left empty"), in_list=True
    )
    state: Mapped[str] = column(
        Choice(STATES), label=_("State"), required=True, default=WAITING, read_only=True, in_list=True
    )
    sent_at: Mapped[datetime | None] = column(DateTime(), label=_("Sent"), read_only=True, in_list=True)
    answered_at: Mapped[datetime | None] = column(
        DateTime(), label=_("Answered"), read_only=True, in_list=True
    )
    expires_at: Mapped[datetime | None] = column(DateTime(), label=_("Link lasts until"), read_only=True)
    problem: Mapped[str | None] = column(
        Text(300, names=REASON), label=_("Why it was not sent"), read_only=True
    )
    digest: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    job_id: Mapped[int | None] = mapped_column(BigId)
