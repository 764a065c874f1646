"""Engagements and what they are made of: milestones, consultants, time and change requests."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as Number

import sqlalchemy as sa
import trellis
from sqlalchemy.orm import Mapped
from trellis import Entity, EntityInfo, column, types

_ = trellis.translator("trellis_b2b")


class Engagement(Entity):
    """A project or retainer for a customer."""

    __tablename__ = "b2b_engagement"
    __entity__ = EntityInfo(
        name="b2b.engagement",
        title=_("Engagement"),
        plural=_("Engagements"),
        new=_("New engagement"),
        icon="briefcase-business",
        direction="service",
        level="operations",
        subtitle_field="customer",
        sort="ends_on",
        date_field="starts_on",
        timeline=True,
        amount_field="budget",
    )

    name: Mapped[str] = column(types.Text(), label=_("Name"), required=True, searchable=True, in_list=True)
    customer_id: Mapped[int | None] = column(types.Reference("customer"), label=_("Customer"), in_list=True)
    kind: Mapped[str] = column(
        types.Choice(
            (
                types.Option("fixed", _("Fixed price")),
                types.Option("time", _("Time and material")),
                types.Option("retainer", _("Retainer")),
            )
        ),
        label=_("Kind"),
        required=True,
        default="time",
        in_list=True,
    )
    state: Mapped[str] = column(
        types.Text(60), label=_("State"), required=True, default="planned", in_list=True
    )
    budget: Mapped[Number | None] = column(types.Money(minimum=0), label=_("Budget"), in_list=True)
    currency: Mapped[str | None] = column(types.Currency(), label=_("Currency"))
    starts_on: Mapped[date | None] = column(types.Date(), label=_("Starts"), in_list=True)
    ends_on: Mapped[date | None] = column(types.Date(), label=_("Ends"), in_list=True, indexed=True)
    notes: Mapped[str | None] = column(types.LongText(), label=_("Notes"), personal=True)


class Milestone(Entity):
    """A part of an engagement that is accepted and invoiced as a whole."""

    __tablename__ = "b2b_milestone"
    __entity__ = EntityInfo(
        name="b2b.milestone",
        title=_("Milestone"),
        plural=_("Milestones"),
        new=_("New milestone"),
        icon="flag",
        direction="service",
        level="operations",
        subtitle_field="engagement",
        sort="due_on",
        date_field="due_on",
        amount_field="amount",
    )

    name: Mapped[str] = column(types.Text(), label=_("Name"), required=True, searchable=True, in_list=True)
    engagement_id: Mapped[int | None] = column(
        types.Reference("b2b.engagement", "CASCADE"), label=_("Engagement"), in_list=True
    )
    customer_id: Mapped[int | None] = column(types.Reference("customer"), label=_("Customer"), in_list=True)
    due_on: Mapped[date | None] = column(types.Date(), label=_("Due"), in_list=True, indexed=True)
    accepted_on: Mapped[date | None] = column(types.Date(), label=_("Accepted"), in_list=True, indexed=True)
    amount: Mapped[Number | None] = column(types.Money(minimum=0), label=_("Amount"), in_list=True)
    currency: Mapped[str | None] = column(types.Currency(), label=_("Currency"))


class Consultant(Entity):
    """Somebody whose time is sold."""

    __tablename__ = "b2b_consultant"
    __entity__ = EntityInfo(
        name="b2b.consultant",
        title=_("Consultant"),
        plural=_("Consultants"),
        new=_("New consultant"),
        icon="user-round-cog",
        direction="service",
        level="tactics",
        subtitle_field="grade",
        sort="name",
    )

    name: Mapped[str] = column(types.Text(), label=_("Name"), required=True, searchable=True, in_list=True)
    grade: Mapped[str | None] = column(types.Text(60), label=_("Grade"), in_list=True)
    rate: Mapped[Number | None] = column(
        types.Money(minimum=0, additive=False), label=_("Rate an hour"), in_list=True
    )
    cost_rate: Mapped[Number | None] = column(
        types.Money(minimum=0, additive=False), label=_("Cost an hour"), in_list=True
    )
    hours_a_week: Mapped[int] = column(
        types.Integer(minimum=0), label=_("Hours a week"), required=True, default=40, in_list=True
    )


class TimeEntry(Entity):
    """Hours of a consultant on an engagement; what they are worth and cost is kept with them."""

    __tablename__ = "b2b_time_entry"
    __entity__ = EntityInfo(
        name="b2b.time_entry",
        title=_("Time entry"),
        plural=_("Time entries"),
        new=_("New time entry"),
        icon="timer",
        direction="service",
        level="operations",
        title_field="task",
        subtitle_field="consultant",
        sort="-worked_on",
        date_field="worked_on",
        amount_field="value",
    )
    __table_args__ = (sa.Index("ix_b2b_time_entry_customer_day", "customer_id", "worked_on"),)

    task: Mapped[str] = column(types.Text(), label=_("Task"), required=True, in_list=True)
    consultant_id: Mapped[int | None] = column(
        types.Reference("b2b.consultant"), label=_("Consultant"), in_list=True
    )
    engagement_id: Mapped[int | None] = column(
        types.Reference("b2b.engagement"), label=_("Engagement"), in_list=True
    )
    customer_id: Mapped[int | None] = column(types.Reference("customer"), label=_("Customer"))
    worked_on: Mapped[date] = column(types.Date(), label=_("Day"), required=True, in_list=True, indexed=True)
    hours: Mapped[Number] = column(types.Decimal(minimum=0), label=_("Hours"), required=True, in_list=True)
    billable: Mapped[bool] = column(types.Boolean(), label=_("Billable"), default=True, in_list=True)
    approved: Mapped[bool] = column(types.Boolean(), label=_("Approved"), default=False, in_list=True)
    value: Mapped[Number | None] = column(types.Money(), label=_("Value"), read_only=True, in_list=True)
    cost: Mapped[Number | None] = column(types.Money(), label=_("Cost"), read_only=True)
    currency: Mapped[str | None] = column(types.Currency(), label=_("Currency"))


class ChangeRequest(Entity):
    """A wish of the customer beyond what was agreed."""

    __tablename__ = "b2b_change_request"
    __entity__ = EntityInfo(
        name="b2b.change_request",
        title=_("Change request"),
        plural=_("Change requests"),
        new=_("New change request"),
        icon="git-pull-request",
        direction="service",
        level="operations",
        subtitle_field="engagement",
        sort="-created_at",
        amount_field="price",
        timeline=True,
    )

    name: Mapped[str] = column(types.Text(), label=_("What"), required=True, searchable=True, in_list=True)
    engagement_id: Mapped[int | None] = column(
        types.Reference("b2b.engagement", "CASCADE"), label=_("Engagement"), in_list=True
    )
    customer_id: Mapped[int | None] = column(types.Reference("customer"), label=_("Customer"), in_list=True)
    stage: Mapped[str] = column(
        types.Text(60), label=_("Stage"), required=True, default="requested", in_list=True
    )
    hours: Mapped[Number | None] = column(types.Decimal(minimum=0), label=_("Hours"), in_list=True)
    price: Mapped[Number | None] = column(types.Money(minimum=0), label=_("Price"), in_list=True)
    currency: Mapped[str | None] = column(types.Currency(), label=_("Currency"))
