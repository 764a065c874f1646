"""Business calendars and service levels: what time counts, and how soon a case is answered and solved (SE1)."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.crm.customers.entities import SIGNIFICANCE
from trellis.crm.service.options import ACTS, CLOCKS, KINDS, PRIORITIES
from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import Boolean, Choice, Date, Integer, Reference, Text

_ = translator("trellis")

_HOURS = _("Hours")
_WRITTEN = _("As 09:00-13:00, 14:00-18:00; empty for a day off")
_FOR = _("Holds for")


class BusinessCalendar(Entity):
    """The hours of a week in a time zone, in which the clocks of cases run."""

    __tablename__ = "business_calendar"
    __entity__ = EntityInfo(
        name="business_calendar",
        title=_("Business calendar"),
        plural=_("Business calendars"),
        new=_("New business calendar"),
        icon="calendar-clock",
        direction="service",
        level="strategy",
        row="SE1",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    timezone: Mapped[str] = column(
        Text(60), label=_("Time zone"), help=_("Such as Europe/Prague"), required=True, in_list=True
    )
    monday: Mapped[str | None] = column(
        Text(120), label=_("Monday"), help=_WRITTEN, group=_HOURS, default="09:00-18:00", in_list=True
    )
    tuesday: Mapped[str | None] = column(
        Text(120), label=_("Tuesday"), help=_WRITTEN, group=_HOURS, default="09:00-18:00"
    )
    wednesday: Mapped[str | None] = column(
        Text(120), label=_("Wednesday"), help=_WRITTEN, group=_HOURS, default="09:00-18:00"
    )
    thursday: Mapped[str | None] = column(
        Text(120), label=_("Thursday"), help=_WRITTEN, group=_HOURS, default="09:00-18:00"
    )
    friday: Mapped[str | None] = column(
        Text(120), label=_("Friday"), help=_WRITTEN, group=_HOURS, default="09:00-18:00"
    )
    saturday: Mapped[str | None] = column(
        Text(120), label=_("Saturday"), help=_WRITTEN, group=_HOURS, in_list=True
    )
    sunday: Mapped[str | None] = column(
        Text(120), label=_("Sunday"), help=_WRITTEN, group=_HOURS, in_list=True
    )


WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""The fields that hold the hours of a week."""


class Holiday(Entity):
    """A day of a calendar on which nobody works, or at other hours than usual."""

    __tablename__ = "holiday"
    __entity__ = EntityInfo(
        name="holiday",
        title=_("Holiday"),
        plural=_("Holidays"),
        new=_("New holiday"),
        icon="tree-palm",
        direction="service",
        level="strategy",
        row="SE1",
        parent="calendar",
        sort="day",
        date_field="day",
    )
    __table_args__ = (sa.Index("ix_holiday_calendar_day", "calendar_id", "day"),)

    name: Mapped[str] = column(Text(), label=_("Name"), required=True, searchable=True, in_list=True)
    calendar_id: Mapped[int] = column(
        Reference("business_calendar", "CASCADE"), label=_("Business calendar"), required=True, in_list=True
    )
    day: Mapped[date] = column(Date(), label=_("Day"), required=True, in_list=True)
    hours: Mapped[str | None] = column(
        Text(120), label=_("Hours"), help=_("Where somebody works: as 09:00-13:00"), in_list=True
    )


class SlaPolicy(Entity):
    """How soon a case is answered and solved. Of those that hold for a case the one that names most of it is taken."""

    __tablename__ = "sla_policy"
    __entity__ = EntityInfo(
        name="sla_policy",
        title=_("Service level"),
        plural=_("Service levels"),
        new=_("New service level"),
        icon="timer",
        direction="service",
        level="strategy",
        row="SE1",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    calendar_id: Mapped[int] = column(
        Reference("business_calendar", "CASCADE"), label=_("Business calendar"), required=True, in_list=True
    )
    first_response_minutes: Mapped[int | None] = column(
        Integer(minimum=1, maximum=525_600, additive=False),
        label=_("First response within, minutes"),
        help=_("Of working time"),
        in_list=True,
    )
    resolution_minutes: Mapped[int | None] = column(
        Integer(minimum=1, maximum=525_600, additive=False),
        label=_("Solved within, minutes"),
        help=_("Of working time"),
        in_list=True,
    )
    active: Mapped[bool] = column(Boolean(), label=_("In force"), required=True, default=True, in_list=True)
    only_agreed: Mapped[bool | None] = column(
        Boolean(),
        label=_("Only where agreed"),
        help=_("For customers with an agreement in force that names it, and for nobody else"),
        group=_FOR,
    )
    priority: Mapped[str | None] = column(
        Choice(PRIORITIES), label=_("Priority"), help=_("Empty for any"), group=_FOR, in_list=True
    )
    kind: Mapped[str | None] = column(
        Choice(KINDS), label=_("Kind"), help=_("Empty for any"), group=_FOR, in_list=True
    )
    significance: Mapped[str | None] = column(
        Choice(SIGNIFICANCE),
        label=_("Significance of the customer"),
        help=_("Empty for any"),
        group=_FOR,
        in_list=True,
    )
    customer_id: Mapped[int | None] = column(
        Reference("customer", "CASCADE"),
        label=_("Customer"),
        help=_("Where it was agreed with one customer"),
        group=_FOR,
        in_list=True,
    )


class SlaEscalation(Entity):
    """What is done when so much of the time of a service level has gone: 80 % as a warning, 100 % when it is missed."""

    __tablename__ = "sla_escalation"
    __entity__ = EntityInfo(
        name="sla_escalation",
        title=_("Escalation"),
        plural=_("Escalations"),
        new=_("New escalation"),
        icon="siren",
        direction="service",
        level="strategy",
        row="SE2",
        parent="policy",
        subtitle_field="policy",
        sort="percent",
    )

    name: Mapped[str] = column(
        Text(),
        label=_("Name"),
        help=_("What people are told: “An hour left”"),
        required=True,
        searchable=True,
        in_list=True,
    )
    policy_id: Mapped[int] = column(
        Reference("sla_policy", "CASCADE"), label=_("Service level"), required=True, in_list=True
    )
    clock: Mapped[str] = column(
        Choice(CLOCKS), label=_("Clock"), required=True, default="resolution", in_list=True
    )
    percent: Mapped[int] = column(
        Integer(minimum=1, maximum=1000, additive=False),
        label=_("At, % of the time"),
        help=_("100 is when it is missed; more is after that"),
        required=True,
        default=100,
        in_list=True,
    )
    act: Mapped[str] = column(
        Choice(ACTS), label=_("Act"), required=True, default="notify_owner", in_list=True
    )
    position_id: Mapped[int | None] = column(
        Reference("position"),
        label=_("Position"),
        help=_("Whose holder gets the case"),
        visible_when={"field": "act", "op": "eq", "value": "reassign"},
        required_when={"field": "act", "op": "eq", "value": "reassign"},
        in_list=True,
    )
