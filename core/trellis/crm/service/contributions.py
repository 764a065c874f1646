"""What the core brings to service: cases with their service levels, and the daily work of staff."""

from __future__ import annotations

from trellis.contributions import Cell, Direction, Kpi, Level, Lifecycle, NotificationKind, Panel, Stage
from trellis.crm.service import (  # noqa: F401  the table of calendar feeds goes into backups
    calendar_feed,
    checking,
    clocks,
    escalating,
    levels,
    mail_templates,
    panels,
    reminding,
    solving,
)
from trellis.crm.service.calendars import BusinessCalendar, Holiday, SlaEscalation, SlaPolicy
from trellis.crm.service.cases import Case, Problem, Solution
from trellis.crm.service.entities import Activity
from trellis.crm.service.kpis import KPIS
from trellis.crm.service.mail_templates import MailTemplate
from trellis.hookspecs import concerns, hookimpl
from trellis.i18n import translator
from trellis.letters import writing
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave, Saved

_ = translator("trellis")

INCIDENTS = Cell(Direction.SERVICE, Level.TACTICS, "SE2")


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [
        Activity,
        Case,
        Problem,
        Solution,
        BusinessCalendar,
        Holiday,
        SlaPolicy,
        SlaEscalation,
        MailTemplate,
    ]


@hookimpl
def trellis_lifecycles() -> list[Lifecycle]:
    return [
        Lifecycle(
            name="case",
            title=_("Cases"),
            cell=INCIDENTS,
            entity="case",
            field="state",
            at="opened_at",
            replay=clocks.replay,
            stages=(
                Stage(value="new", title=_("Received"), tone="info"),
                Stage(value="open", title=_("In work"), tone="info"),
                Stage(value="waiting", title=_("Waits for the customer"), tone="warn", paused=True),
                Stage(value="resolved", title=_("Solved"), kind="won", tone="good"),
                Stage(value="closed", title=_("Finished"), kind="done"),
                Stage(value="cancelled", title=_("Cancelled"), kind="lost"),
            ),
        ),
        Lifecycle(
            name="problem",
            title=_("Problems"),
            cell=INCIDENTS,
            entity="problem",
            field="state",
            stages=(
                Stage(value="open", title=_("Cause is looked for"), tone="warn"),
                Stage(value="known", title=_("Cause is known"), tone="info"),
                Stage(value="solved", title=_("Solved"), kind="won", tone="good"),
            ),
        ),
    ]


@hookimpl
@concerns("activity", "case", "business_calendar", "holiday", "mail_template")
def trellis_before_save(event: BeforeSave) -> None:
    if event.entity == "case":
        clocks.follow(event)
        solving.take(event)
    elif event.entity == "activity":
        reminding.complete(event)
    elif event.entity == "mail_template":
        mail_templates.check(event)
    elif event.entity == "business_calendar":
        checking.check_calendar(event)
    elif event.entity == "holiday":
        checking.check_holiday(event)


@hookimpl
@concerns("activity", "agreement", "business_calendar", "case", "holiday", "sla_escalation", "sla_policy")
def trellis_after_save(event: Saved) -> None:
    if event.entity == "activity":
        reminding.follow(event)
    elif event.entity == "case":
        escalating.follow(event)
    else:
        levels.forget(event.session)
    if event.entity == "sla_escalation":
        escalating.follow_steps(event)


@hookimpl
def trellis_notifications() -> list[NotificationKind]:
    return [
        NotificationKind(
            name=reminding.REMINDER,
            title=_("A reminder of an activity"),
            text=_("Reminder: “%(title)s” %(due)s"),
            icon="alarm-clock",
            mail=True,
        ),
        escalating.NOTIFICATION,
        writing.NOT_SENT,
    ]


@hookimpl
def trellis_panels() -> list[Panel]:
    return panels.PANELS


@hookimpl
def trellis_kpis() -> list[Kpi]:
    return KPIS
