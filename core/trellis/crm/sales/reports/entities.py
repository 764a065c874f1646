"""Reports, who gets them, and when that was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped

from trellis.crm.sales.reports.definition import FIGURES
from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import (
    Boolean,
    Choice,
    DateTime,
    Integer,
    LongText,
    Option,
    Reference,
    Rule,
    Text,
)

_ = translator("trellis")

_CONTENT = _("What it shows")
_DELIVERY = _("When it is sent")

_ON_RECORDS = {"field": "of_entity", "op": "ne", "value": FIGURES}
_ON_FIGURES = {"field": "of_entity", "op": "eq", "value": FIGURES}

FORMATS = (Option("xlsx", _("Excel (XLSX)")), Option("pdf", _("PDF")), Option("csv", _("CSV")))
GRAINS = (
    Option("day", _("Days")),
    Option("week", _("Weeks")),
    Option("month", _("Months")),
    Option("quarter", _("Quarters")),
    Option("year", _("Years")),
)
RHYTHMS = (
    Option("never", _("Only when asked for")),
    Option("daily", _("Every day")),
    Option("weekly", _("Every week")),
    Option("monthly", _("Every month")),
)
WEEKDAYS = (
    Option("monday", _("Monday")),
    Option("tuesday", _("Tuesday")),
    Option("wednesday", _("Wednesday")),
    Option("thursday", _("Thursday")),
    Option("friday", _("Friday")),
    Option("saturday", _("Saturday")),
    Option("sunday", _("Sunday")),
)
STATES = (
    Option("waiting", _("Waiting"), "info"),
    Option("sent", _("Sent"), "good"),
    Option("failed", _("Failed"), "danger"),
)


class Report(Entity):
    """A list with groups and totals, or KPIs over periods, and when it is sent to whom. Names are those of REST, by commas."""

    __tablename__ = "report"
    __entity__ = EntityInfo(
        name="report",
        title=_("Report"),
        plural=_("Reports"),
        about=_(
            "A report is a list or figures that come to people by mail, at their hour. Begin here, "
            "or with “Report from this list” in the export menu of a list"
        ),
        new=_("New report"),
        icon="file-chart-column",
        direction="sales",
        level="operations",
        row="SA6",
        subtitle_field="of_entity",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    about: Mapped[str | None] = column(LongText(), label=_("Description"))
    of_entity: Mapped[str] = column(
        Text(80, names="subject"),
        label=_("About"),
        help=_("Records, or KPIs"),
        required=True,
        in_list=True,
        group=_CONTENT,
    )
    rule: Mapped[dict[str, Any] | None] = column(
        Rule(by="of_entity"),
        label=_("Rule"),
        help=_("As in filters; “Report from this list” brings that of a list"),
        group=_CONTENT,
        visible_when=_ON_RECORDS,
    )
    columns: Mapped[str | None] = column(
        Text(1000, names="field", many=True),
        label=_("Columns"),
        help=_("In this order; when empty those of the list"),
        group=_CONTENT,
        visible_when=_ON_RECORDS,
    )
    sort_by: Mapped[str | None] = column(
        Text(300, names="sort", many=True), label=_("Sorted by"), group=_CONTENT, visible_when=_ON_RECORDS
    )
    group_by: Mapped[str | None] = column(
        Text(100, names="group"), label=_("Grouped by"), group=_CONTENT, visible_when=_ON_RECORDS
    )
    totals: Mapped[str | None] = column(
        Text(300, names="total", many=True), label=_("Totals of"), group=_CONTENT, visible_when=_ON_RECORDS
    )
    kpis: Mapped[str | None] = column(
        Text(1000, names="kpi", many=True), label=_("KPIs"), group=_CONTENT, visible_when=_ON_FIGURES
    )
    grain: Mapped[str | None] = column(
        Choice(GRAINS),
        label=_("Periods"),
        default="month",
        group=_CONTENT,
        visible_when=_ON_FIGURES,
    )
    periods: Mapped[int | None] = column(
        Integer(minimum=1, maximum=60),
        label=_("How many periods"),
        help=_("The last ones"),
        default=3,
        group=_CONTENT,
        visible_when=_ON_FIGURES,
    )
    running: Mapped[bool | None] = column(
        Boolean(),
        label=_("With the running period"),
        default=False,
        group=_CONTENT,
        visible_when=_ON_FIGURES,
    )
    breakdown: Mapped[str | None] = column(
        Text(100, names="breakdown"),
        label=_("Broken down by"),
        help=_("By what all of its KPIs can be"),
        group=_CONTENT,
        visible_when=_ON_FIGURES,
    )
    format: Mapped[str] = column(
        Choice(FORMATS), label=_("Format"), required=True, default="xlsx", in_list=True, group=_DELIVERY
    )
    rhythm: Mapped[str] = column(
        Choice(RHYTHMS), label=_("How often"), required=True, default="never", in_list=True, group=_DELIVERY
    )
    weekday: Mapped[str] = column(
        Choice(WEEKDAYS), label=_("On the weekday"), required=True, default="monday", group=_DELIVERY
    )
    month_day: Mapped[int] = column(
        Integer(minimum=1, maximum=31),
        label=_("On the day of the month"),
        help=_("The last one where a month has fewer"),
        required=True,
        default=1,
        group=_DELIVERY,
    )
    hour: Mapped[int] = column(
        Integer(minimum=0, maximum=23),
        label=_("From this hour on"),
        help=_("In the time zone of the workspace"),
        required=True,
        default=7,
        group=_DELIVERY,
    )
    active: Mapped[bool] = column(Boolean(), label=_("In use"), default=True, group=_DELIVERY)


class ReportRecipient(Entity):
    """Somebody who gets a report, with the records that they may see."""

    __tablename__ = "report_recipient"
    __entity__ = EntityInfo(
        name="report_recipient",
        title=_("Recipient"),
        plural=_("Recipients"),
        new=_("New recipient"),
        icon="user",
        direction="sales",
        level="operations",
        row="SA6",
        title_field="person",
        parent="report",
    )

    report_id: Mapped[int] = column(
        Reference("report", "CASCADE"), label=_("Report"), required=True, in_list=True
    )
    person_id: Mapped[int] = column(
        Reference("user", "CASCADE"), label=_("Employee"), required=True, in_list=True
    )


class ReportRun(Entity):
    """One delivery of a report to one person; kept by the system alone."""

    __tablename__ = "report_run"
    __entity__ = EntityInfo(
        name="report_run",
        title=_("Delivery"),
        plural=_("Deliveries"),
        about=_("A delivery appears when a report is sent"),
        by_hand=False,
        new=_("New delivery"),
        icon="send",
        direction="sales",
        level="operations",
        row="SA6",
        title_field="report",
        subtitle_field="person",
        sort="-due_at",
        date_field="due_at",
        parent="report",
    )

    report_id: Mapped[int] = column(
        Reference("report", "CASCADE"), label=_("Report"), required=True, in_list=True
    )
    person_id: Mapped[int | None] = column(Reference("user"), label=_("Employee"), in_list=True)
    due_at: Mapped[datetime] = column(DateTime(), label=_("Due"), required=True, in_list=True)
    sent_at: Mapped[datetime | None] = column(DateTime(), label=_("Sent on"), in_list=True)
    state: Mapped[str] = column(
        Choice(STATES), label=_("State"), required=True, default="waiting", in_list=True
    )
    rows: Mapped[int | None] = column(Integer(minimum=0), label=_("Rows"), in_list=True)
    problem: Mapped[str | None] = column(LongText(), label=_("Problem"), in_list=True)
