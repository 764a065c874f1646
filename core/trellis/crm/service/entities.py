"""Activities: what staff do for customers each day, and the timeline it makes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import Choice, DateTime, LongText, Option, Reference, Text

_ = translator("trellis")


class Activity(Entity):
    """A task, call, mail, meeting or note; done when ``done_at`` has a value."""

    __tablename__ = "activity"
    __entity__ = EntityInfo(
        name="activity",
        title=_("Activity"),
        plural=_("Activities"),
        new=_("New activity"),
        icon="calendar-check",
        direction="service",
        level="operations",
        title_field="subject",
        subtitle_field="customer",
        sort="due_at",
        date_field="due_at",
        timeline=True,
    )
    __table_args__ = (sa.Index("ix_activity_owner_due", "owner_id", "done_at", "due_at"),)

    kind: Mapped[str] = column(
        Choice(
            (
                Option("task", _("Task")),
                Option("call", _("Call")),
                Option("mail", _("Mail")),
                Option("meeting", _("Meeting")),
                Option("note", _("Note")),
            )
        ),
        label=_("Kind"),
        required=True,
        default="task",
        in_list=True,
    )
    subject: Mapped[str] = column(
        Text(), label=_("Subject"), required=True, searchable=True, in_list=True, personal=True
    )
    body: Mapped[str | None] = column(LongText(), label=_("Text"), searchable=True, personal=True)
    due_at: Mapped[datetime | None] = column(DateTime(), label=_("Due"), in_list=True, indexed=True)
    done_at: Mapped[datetime | None] = column(DateTime(), label=_("Done"), in_list=True, indexed=True)
    customer_id: Mapped[int | None] = column(Reference("customer"), label=_("Customer"), in_list=True)
    contact_id: Mapped[int | None] = column(Reference("contact"), label=_("Contact"))
    lead_id: Mapped[int | None] = column(Reference("lead"), label=_("Lead"))
    opportunity_id: Mapped[int | None] = column(Reference("opportunity"), label=_("Opportunity"))
    order_id: Mapped[int | None] = column(Reference("order"), label=_("Order"))
    agreement_id: Mapped[int | None] = column(Reference("agreement"), label=_("Agreement"))
