"""Agreements with customers: what was promised, to whom and until when, and how they are renewed (CU2)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as Number

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.contributions import Cell, Direction, Level, Lifecycle, Stage
from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import (
    Boolean,
    Choice,
    Currency,
    Date,
    DateTime,
    Integer,
    LongText,
    Money,
    Option,
    Reference,
    Text,
)

_ = translator("trellis")

_TERM = _("Dates")
_RENEWAL = _("Renewal")

KINDS = (
    Option("supply", _("Supply")),
    Option("service", _("Service")),
    Option("framework", _("Framework")),
    Option("rental", _("Rental")),
    Option("licence", _("Licence")),
    Option("other", _("Other")),
)
DRAFT, APPROVAL, SIGNED = "draft", "approval", "signed"
ACTIVE, RENEWAL, CLOSED = "active", "renewal", "closed"
IN_FORCE = (ACTIVE, RENEWAL)
"""The stages in which both sides are bound."""


class Agreement(Entity):
    """What was agreed with a customer. It goes from stage to stage by its days, and by people before it is signed.

    ``notice_on`` is the first day on which it can be ended or renewed: ``notice_days`` before ``ends``. One that renews by
    itself is carried on by ``term_months``; ``renews`` is the agreement that it follows.
    """

    __tablename__ = "agreement"
    __entity__ = EntityInfo(
        name="agreement",
        title=_("Agreement"),
        plural=_("Agreements"),
        new=_("New agreement"),
        icon="file-pen-line",
        direction="customers",
        level="tactics",
        row="CU2",
        title_field="title",
        subtitle_field="customer",
        sort="-starts",
        date_field="ends",
        timeline=True,
        amount_field="value",
        numbered="A",
    )
    __table_args__ = (
        sa.Index("ix_agreement_customer_stage", "customer_id", "stage", "starts"),
        sa.Index("ix_agreement_stage_notice", "stage", "notice_on"),
        sa.Index("ix_agreement_stage_ends", "stage", "ends"),
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
    title: Mapped[str] = column(
        Text(), label=_("Subject"), required=True, searchable=True, in_list=True, personal=True
    )
    customer_id: Mapped[int] = column(
        Reference("customer", "CASCADE"), label=_("Customer"), required=True, in_list=True
    )
    kind: Mapped[str | None] = column(Choice(KINDS), label=_("Kind"), in_list=True)
    stage: Mapped[str] = column(
        Text(60), label=_("Stage"), required=True, default=DRAFT, in_list=True, indexed=True
    )
    stage_since: Mapped[datetime | None] = column(DateTime(), label=_("In this stage since"), read_only=True)
    value: Mapped[Number | None] = column(
        Money(minimum=0), label=_("Amount"), help=_("For the whole term"), in_list=True, indexed=True
    )
    currency: Mapped[str | None] = column(Currency(), label=_("Currency"))
    document_version: Mapped[int] = column(
        Integer(minimum=1, additive=False),
        label=_("Version of the document"),
        help=_("Rises by one with each renewal"),
        required=True,
        default=1,
    )
    sla_policy_id: Mapped[int | None] = column(
        Reference("sla_policy"),
        label=_("Service level"),
        help=_("Holds for cases of the customer while the agreement is in force"),
    )
    signed_on: Mapped[date | None] = column(Date(), label=_("Signed on"), group=_TERM)
    starts: Mapped[date | None] = column(Date(), label=_("Starts"), in_list=True, indexed=True, group=_TERM)
    ends: Mapped[date | None] = column(
        Date(),
        label=_("Ends"),
        help=_("The last day; empty for one without an end"),
        in_list=True,
        group=_TERM,
    )
    notice_days: Mapped[int | None] = column(
        Integer(minimum=0, maximum=3650, additive=False),
        label=_("Notice, days"),
        help=_("So many days before the end its owner is asked to renew it; 30 when left empty"),
        group=_RENEWAL,
    )
    notice_on: Mapped[date | None] = column(Date(), label=_("Notice from"), read_only=True, group=_RENEWAL)
    auto_renew: Mapped[bool | None] = column(Boolean(), label=_("Renews by itself"), group=_RENEWAL)
    term_months: Mapped[int | None] = column(
        Integer(minimum=1, maximum=1200, additive=False),
        label=_("Renewed by, months"),
        required_when={"field": "auto_renew", "op": "eq", "value": True},
        group=_RENEWAL,
    )
    renews_id: Mapped[int | None] = column(
        Reference("agreement"),
        label=_("Follows"),
        help=_("The agreement that this one renews; what is left empty is taken from it"),
        group=_RENEWAL,
    )
    renewed_on: Mapped[date | None] = column(Date(), label=_("Renewed last"), read_only=True, group=_RENEWAL)
    renewals: Mapped[int] = column(
        Integer(minimum=0), label=_("Times renewed"), read_only=True, default=0, group=_RENEWAL
    )
    closed_on: Mapped[date | None] = column(Date(), label=_("Closed on"), group=_TERM)
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"), searchable=True, personal=True)


AGREEMENTS = Cell(Direction.CUSTOMERS, Level.TACTICS, "CU2")

LIFECYCLE = Lifecycle(
    name="agreement",
    title=_("Agreements"),
    cell=AGREEMENTS,
    entity="agreement",
    stages=(
        Stage(value=DRAFT, title=_("Draft"), moves=(APPROVAL, CLOSED), days=7),
        Stage(
            value=APPROVAL,
            title=_("In approval"),
            moves=(DRAFT, SIGNED, CLOSED),
            requires=("value", "starts"),
            days=7,
        ),
        Stage(
            value=SIGNED,
            title=_("Signed"),
            moves=(ACTIVE, CLOSED),
            requires=("value", "starts", "signed_on"),
            tone="info",
        ),
        Stage(
            value=ACTIVE,
            title=_("In force"),
            moves=(RENEWAL, CLOSED),
            requires=("value", "starts", "signed_on"),
            tone="good",
        ),
        Stage(
            value=RENEWAL, title=_("To be renewed"), moves=(ACTIVE, CLOSED), requires=("ends",), tone="warn"
        ),
        Stage(value=CLOSED, title=_("Ended"), kind="done", moves=(DRAFT,)),
    ),
)
