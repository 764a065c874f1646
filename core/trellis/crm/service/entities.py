"""Activities: what staff do for customers each day, and the timeline it makes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from trellis.i18n import plural_translator, translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import Choice, DateTime, Email, LongText, Option, Reference, Text

_ = translator("trellis")
_n = plural_translator("trellis")

_REMINDER = _("Reminder")
BEFORE = (
    Option("0", _("When it is due")),
    *(Option(str(one), _n("%(num)s minute before", "%(num)s minutes before", one)) for one in (5, 15, 30)),
    *(Option(str(60 * one), _n("%(num)s hour before", "%(num)s hours before", one)) for one in (1, 2)),
    *(Option(str(1440 * one), _n("%(num)s day before", "%(num)s days before", one)) for one in (1, 2, 7)),
)
"""How long before an activity is due somebody is reminded: minutes, and what they are called."""


class Activity(Entity):
    """A task, call, mail, meeting or note; done when ``done_at`` has a value.

    Its owner is reminded at ``remind_at``, which follows ``due_at`` where ``remind_before`` has a value.
    """

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
        Text(),
        label=_("Subject"),
        required=True,
        searchable=True,
        in_list=True,
        personal=True,
        mentions=True,
    )
    body: Mapped[str | None] = column(
        LongText(),
        label=_("Text"),
        help=_("@ and a name tells somebody of it"),
        searchable=True,
        personal=True,
        mentions=True,
    )
    mail_to: Mapped[str | None] = column(
        Email(), label=_("Sent to"), help=_("Of a mail that was written here"), personal=True
    )
    mail_files: Mapped[str | None] = column(
        LongText(),
        label=_("Sent files"),
        help=_("The names of what was attached"),
        read_only=True,
        personal=True,
    )
    due_at: Mapped[datetime | None] = column(DateTime(), label=_("Due"), in_list=True, indexed=True)
    done_at: Mapped[datetime | None] = column(DateTime(), label=_("Done"), in_list=True, indexed=True)
    remind_before: Mapped[str | None] = column(
        Choice(BEFORE), label=_("Remind before it is due"), group=_REMINDER
    )
    remind_at: Mapped[datetime | None] = column(
        DateTime(),
        label=_("Remind at"),
        help=_("Follows the due date where it is to be before that"),
        group=_REMINDER,
    )
    customer_id: Mapped[int | None] = column(Reference("customer"), label=_("Customer"), in_list=True)
    contact_id: Mapped[int | None] = column(Reference("contact"), label=_("Contact"))
    lead_id: Mapped[int | None] = column(Reference("lead"), label=_("Lead"))
    opportunity_id: Mapped[int | None] = column(Reference("opportunity"), label=_("Opportunity"))
    order_id: Mapped[int | None] = column(Reference("order"), label=_("Order"))
    agreement_id: Mapped[int | None] = column(Reference("agreement"), label=_("Agreement"))
    case_id: Mapped[int | None] = column(Reference("case"), label=_("Case"))
