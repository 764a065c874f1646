"""Answers of customers to surveys, and the benchmarks that they are held against (AN2, CU6)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as Number

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import Choice, Date, DateTime, Decimal, Integer, LongText, Option, Reference, Text

_ = translator("trellis")

SATISFACTION = _("Satisfaction index")
DRIVERS = _("What it may depend on")
ORIGIN = _("Where it comes from")

SURVEYS = (
    Option("acsi", _("Satisfaction index")),
    Option("nps", _("NPS")),
    Option("csat", _("CSAT")),
    Option("ces", _("CES")),
)
MEASURES = (Option("index", _("Satisfaction index")), *SURVEYS[1:])


class SurveyAnswer(Entity):
    """One answer to a survey. Scores that were not asked, or not given, are empty."""

    __tablename__ = "survey_answer"
    __entity__ = EntityInfo(
        name="survey_answer",
        title=_("Survey answer"),
        plural=_("Survey answers"),
        new=_("New survey answer"),
        icon="message-circle",
        direction="customers",
        level="tactics",
        row="CU6",
        title_field="customer",
        subtitle_field="survey",
        sort="-answered_at",
        date_field="answered_at",
        timeline=True,
    )
    __table_args__ = (
        sa.Index("ix_survey_answer_answered_at", "answered_at", "id"),
        sa.Index("ix_survey_answer_customer_answered_at", "customer_id", "answered_at"),
    )

    customer_id: Mapped[int | None] = column(
        Reference("customer", "CASCADE"), label=_("Customer"), in_list=True
    )
    survey: Mapped[str] = column(Choice(SURVEYS), label=_("Kind of survey"), required=True, default="acsi")
    answered_at: Mapped[datetime] = column(DateTime(), label=_("Answered"), required=True, in_list=True)
    channel: Mapped[str | None] = column(Text(60, names="channel"), label=_("Channel"), in_list=True)
    q1: Mapped[int | None] = column(
        Integer(minimum=1, maximum=10, additive=False),
        label=_("Overall satisfaction"),
        help=_("1 to 10, 10 the most satisfied"),
        in_list=True,
        group=SATISFACTION,
    )
    q2: Mapped[int | None] = column(
        Integer(minimum=1, maximum=10, additive=False),
        label=_("Expectations met"),
        help=_("1 to 10, 10 better than expected"),
        in_list=True,
        group=SATISFACTION,
    )
    q3: Mapped[int | None] = column(
        Integer(minimum=1, maximum=10, additive=False),
        label=_("Close to the ideal"),
        help=_("1 to 10, 10 the ideal"),
        in_list=True,
        group=SATISFACTION,
    )
    nps: Mapped[int | None] = column(
        Integer(minimum=0, maximum=10, additive=False),
        label=_("Would recommend"),
        help=_("0 to 10, for NPS"),
        in_list=True,
    )
    csat: Mapped[int | None] = column(
        Integer(minimum=1, maximum=5, additive=False),
        label=_("Satisfied"),
        help=_("1 to 5, for CSAT"),
        in_list=True,
    )
    ces: Mapped[int | None] = column(
        Integer(minimum=1, maximum=7, additive=False),
        label=_("Effort"),
        help=_("1 to 7, for CES"),
        in_list=True,
    )
    image: Mapped[int | None] = column(
        Integer(minimum=1, maximum=10, additive=False), label=_("Image"), group=DRIVERS
    )
    expectation: Mapped[int | None] = column(
        Integer(minimum=1, maximum=10, additive=False), label=_("Expectation"), group=DRIVERS
    )
    quality: Mapped[int | None] = column(
        Integer(minimum=1, maximum=10, additive=False), label=_("Quality"), group=DRIVERS
    )
    value: Mapped[int | None] = column(
        Integer(minimum=1, maximum=10, additive=False), label=_("Value for money"), group=DRIVERS
    )
    comment: Mapped[str | None] = column(LongText(), label=_("Comment"), searchable=True, personal=True)
    product_id: Mapped[int | None] = column(
        Reference("product"), label=_("Product"), help=_("What the answer is about"), group=ORIGIN
    )
    asked_in_id: Mapped[int | None] = column(
        Reference("survey"), label=_("Asked in"), help=_("The survey that it answers"), group=ORIGIN
    )
    invitation_id: Mapped[int | None] = column(
        Reference("survey_invitation"), label=_("Invitation"), group=ORIGIN
    )
    case_id: Mapped[int | None] = column(
        Reference("case"), label=_("Case"), help=_("The case that a low answer opened"), group=ORIGIN
    )


class SatisfactionBenchmark(Entity):
    """A published figure of the industry or the nation that one's own is held against."""

    __tablename__ = "satisfaction_benchmark"
    __entity__ = EntityInfo(
        name="satisfaction_benchmark",
        title=_("Benchmark of satisfaction"),
        plural=_("Benchmarks of satisfaction"),
        new=_("New benchmark"),
        icon="ruler",
        direction="customers",
        level="tactics",
        row="CU6",
        subtitle_field="measure",
        sort="-since",
    )

    name: Mapped[str] = column(Text(), label=_("Name"), required=True, searchable=True, in_list=True)
    measure: Mapped[str] = column(
        Choice(MEASURES), label=_("Measure"), required=True, default="index", in_list=True
    )
    value: Mapped[Number] = column(
        Decimal(minimum=-100, maximum=100, additive=False),
        label=_("Figure"),
        help=_("Index and CSAT 0 to 100, NPS -100 to 100, CES 1 to 7"),
        required=True,
        in_list=True,
    )
    source: Mapped[str] = column(Text(), label=_("Source"), required=True, in_list=True)
    since: Mapped[date] = column(
        Date(),
        label=_("Holds from"),
        help=_("Periods that end later are held against it, until there is a newer one"),
        required=True,
        in_list=True,
    )
    period: Mapped[str | None] = column(
        Text(60), label=_("Period of the survey"), help=_("As published: 2026, second quarter of 2026")
    )
