"""Cases of customers, the problems behind them, and solutions that are known (SE2)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.crm.service.options import KINDS, LEVELS, PRIORITIES
from trellis.i18n import translator
from trellis.records.entity import Base, Entity, EntityInfo, column
from trellis.records.types import (
    BigId,
    Boolean,
    Choice,
    DateTime,
    Integer,
    LongText,
    Reference,
    Text,
    UtcDateTime,
)

_ = translator("trellis")

_CLOCKS = _("Service level")
_ABOUT = _("What it is about")


class Case(Entity):
    """What a customer wants solved. Its clocks run in the working time of its service level, and stand still while it waits.

    ``first_response_due`` and ``resolution_due`` follow from ``opened_at``, the service level and the time that it waited;
    ``first_response_met`` and ``resolution_met`` say whether they were kept, once that is known. ``escalates_at`` is when its
    service level has something done next, ``escalation`` what was done last.
    """

    __tablename__ = "case"
    __entity__ = EntityInfo(
        name="case",
        title=_("Case"),
        plural=_("Cases"),
        new=_("New case"),
        icon="life-buoy",
        direction="service",
        level="tactics",
        row="SE2",
        title_field="subject",
        subtitle_field="customer",
        sort="-opened_at",
        date_field="opened_at",
        due_field="resolution_due",
        line_fields=("state", "priority"),
        timeline=True,
        numbered="C",
    )
    __table_args__ = (
        sa.Index(
            "ix_case_board",
            *("state", "resolution_due", "id"),
            postgresql_ops={"resolution_due": "NULLS FIRST"},
        ),
        sa.Index(
            "ix_case_owner_board",
            *("owner_id", "state", "resolution_due", "id"),
            postgresql_ops={"resolution_due": "NULLS FIRST"},
        ),
        sa.Index("ix_case_opened_at", "opened_at", "id"),
        sa.Index("ix_case_customer_opened_at", "customer_id", "opened_at"),
    )

    number: Mapped[str] = column(
        Text(60),
        label=_("Number"),
        help=_("Given by itself when left empty"),
        searchable=True,
        in_list=True,
        indexed=True,
        unique=True,
    )
    subject: Mapped[str] = column(
        Text(), label=_("Subject"), required=True, searchable=True, in_list=True, personal=True
    )
    description: Mapped[str | None] = column(
        LongText(), label=_("Description"), searchable=True, personal=True
    )
    state: Mapped[str] = column(
        Text(60), label=_("State"), required=True, default="new", in_list=True, indexed=True
    )
    customer_id: Mapped[int | None] = column(Reference("customer"), label=_("Customer"), in_list=True)
    contact_id: Mapped[int | None] = column(Reference("contact"), label=_("Contact"))
    kind: Mapped[str] = column(Choice(KINDS), label=_("Kind"), required=True, default="request")
    impact: Mapped[str | None] = column(
        Choice(LEVELS), label=_("Impact"), help=_("How many it concerns, and how much")
    )
    urgency: Mapped[str | None] = column(Choice(LEVELS), label=_("Urgency"), help=_("How long it can wait"))
    priority: Mapped[str] = column(
        Choice(PRIORITIES),
        label=_("Priority"),
        help=_("Follows from impact and urgency when left empty"),
        in_list=True,
        indexed=True,
    )
    channel: Mapped[str | None] = column(Text(60, names="channel"), label=_("Channel"))
    product_id: Mapped[int | None] = column(Reference("product"), label=_("Product"), group=_ABOUT)
    order_id: Mapped[int | None] = column(Reference("order"), label=_("Order"), group=_ABOUT)
    problem_id: Mapped[int | None] = column(Reference("problem"), label=_("Problem"), group=_ABOUT)
    solution_id: Mapped[int | None] = column(
        Reference("solution"),
        label=_("Known solution"),
        help=_("Where nothing stands under “What was done”, it is taken over"),
        group=_ABOUT,
    )
    answer: Mapped[str | None] = column(
        LongText(), label=_("What was done"), searchable=True, personal=True, group=_ABOUT
    )
    opened_at: Mapped[datetime] = column(DateTime(), label=_("Opened"), in_list=True, group=_CLOCKS)
    first_response_at: Mapped[datetime | None] = column(DateTime(), label=_("First response"), group=_CLOCKS)
    resolved_at: Mapped[datetime | None] = column(DateTime(), label=_("Solved"), indexed=True, group=_CLOCKS)
    policy_id: Mapped[int | None] = column(
        Reference("sla_policy"),
        label=_("Service level"),
        help=_("Found by itself when left empty"),
        group=_CLOCKS,
    )
    first_response_due: Mapped[datetime | None] = column(
        DateTime(), label=_("First response due"), read_only=True, group=_CLOCKS
    )
    resolution_due: Mapped[datetime | None] = column(
        DateTime(), label=_("Due"), read_only=True, in_list=True, indexed=True, group=_CLOCKS
    )
    first_response_met: Mapped[bool | None] = column(
        Boolean(), label=_("Answered in time"), read_only=True, group=_CLOCKS
    )
    resolution_met: Mapped[bool | None] = column(
        Boolean(), label=_("Solved in time"), read_only=True, group=_CLOCKS
    )
    paused_since: Mapped[datetime | None] = column(
        DateTime(), label=_("Waits since"), read_only=True, group=_CLOCKS
    )
    paused_seconds: Mapped[int] = column(
        Integer(minimum=0),
        label=_("Waited, seconds of working time"),
        read_only=True,
        default=0,
        group=_CLOCKS,
    )
    escalates_at: Mapped[datetime | None] = column(
        DateTime(), label=_("Escalates at"), read_only=True, group=_CLOCKS
    )
    escalation: Mapped[str | None] = column(Text(), label=_("Escalation"), read_only=True, group=_CLOCKS)
    reopened: Mapped[int] = column(
        Integer(minimum=0), label=_("Times reopened"), read_only=True, default=0, group=_CLOCKS
    )


class CaseEscalation(Base):
    """A step of its service level that a case has taken: it takes each once."""

    __tablename__ = "case_escalation"

    case_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("case.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    step_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("sla_escalation.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Problem(Entity):
    """The cause behind cases, and how to do without until it is gone."""

    __tablename__ = "problem"
    __entity__ = EntityInfo(
        name="problem",
        title=_("Problem"),
        plural=_("Problems"),
        new=_("New problem"),
        icon="bug",
        direction="service",
        level="tactics",
        row="SE2",
        subtitle_field="state",
        sort="-created_at",
        timeline=True,
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    state: Mapped[str] = column(
        Text(60), label=_("State"), required=True, default="open", in_list=True, indexed=True
    )
    product_id: Mapped[int | None] = column(Reference("product"), label=_("Product"), in_list=True)
    cause: Mapped[str | None] = column(LongText(), label=_("Cause"), searchable=True)
    workaround: Mapped[str | None] = column(LongText(), label=_("Workaround"), searchable=True)


class Solution(Entity):
    """What is known to help: an article for those who answer cases."""

    __tablename__ = "solution"
    __entity__ = EntityInfo(
        name="solution",
        title=_("Known solution"),
        plural=_("Known solutions"),
        new=_("New known solution"),
        icon="book-open",
        direction="service",
        level="tactics",
        row="SE2",
        subtitle_field="kind",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Question or symptom"), required=True, searchable=True, in_list=True, indexed=True
    )
    kind: Mapped[str | None] = column(Choice(KINDS), label=_("Kind"), in_list=True)
    product_id: Mapped[int | None] = column(Reference("product"), label=_("Product"), in_list=True)
    problem_id: Mapped[int | None] = column(Reference("problem"), label=_("Problem"))
    body: Mapped[str] = column(LongText(), label=_("What to do"), required=True, searchable=True)
