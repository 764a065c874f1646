"""Journeys in words: their steps, terms and outcomes, as people read them (MC5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from trellis.contributions import Process, Role, Segment, Template
from trellis.crm.marketing.journeys.tables import (
    ACTIVE,
    DONE,
    ENDED,
    FAILED,
    HELD,
    LEFT,
    REACHED,
    SENDING,
    SENT,
    UNCLEAR,
    WAITING,
)
from trellis.edition import Edition
from trellis.errors import RuleInvalid
from trellis.i18n import Text, format_date, plural_translator, translator, weekday_names
from trellis.journeys.program import Step
from trellis.journeys.times import day
from trellis.process import events
from trellis.process.assignment import PERSON, ROLE
from trellis.records.rules import describe, parse

_ = translator("trellis")
_n = plural_translator("trellis")

Worded = tuple[Text, str]
"""What people read, and the tone of its badge."""

KINDS: Mapping[str, Worded] = {
    "message": (_("Message"), "mail"),
    "wait": (_("Wait"), "clock"),
    "split": (_("Split by rules"), "split"),
    "random": (_("Split at random"), "dices"),
    "task": (_("Task"), "circle-check"),
    "change": (_("Change of a field"), "pencil"),
    "process": (_("Process"), "workflow"),
    "leave": (_("Leave"), "log-out"),
}
"""The kinds of steps: what they are called, and their icon."""
MEMBER_STATES: Mapping[str, Worded] = {
    ACTIVE: (_("On the way"), "info"),
    DONE: (_("Went to the end"), "neutral"),
    REACHED: (_("Reached the goal"), "good"),
    LEFT: (_("Left on the way"), "neutral"),
    ENDED: (_("Taken out"), "warn"),
}
MESSAGE_STATES: Mapping[str, Worded] = {
    WAITING: (_("Waits to be sent"), "info"),
    SENDING: (_("Is being sent"), "info"),
    SENT: (_("Sent"), "good"),
    UNCLEAR: (_("May have been sent"), "warn"),
    FAILED: (_("Not sent"), "danger"),
}
OUTCOMES: Mapping[str, Worded] = {
    DONE: (_("Done"), "good"),
    HELD: (_("Held back"), "warn"),
    FAILED: (_("Failed"), "danger"),
    REACHED: (_("Reached the goal"), "good"),
    LEFT: (_("Left on the way"), "neutral"),
    ENDED: (_("Taken out"), "warn"),
}


def title_of(edition: Edition, step: Step, mails: Mapping[str, str]) -> str:
    """What a step is called: by its own title, else by what it does. ``mails`` are titles of templates by name."""
    return str(step["title"] or _done_by(edition, step, mails))


def detail_of(edition: Edition, step: Step, mails: Mapping[str, str]) -> str:
    """What a step with a title of its own does; empty for others."""
    told = step["title"] and step["kind"] not in ("split", "random", "leave")
    return str(_done_by(edition, step, mails)) if told else ""


def _done_by(edition: Edition, step: Step, mails: Mapping[str, str]) -> Text | str:
    match step["kind"]:
        case "message":
            known = edition.all(Template).get(step["template"])
            return mails.get(step["template"]) or (known.title if known else KINDS["message"][0])
        case "wait":
            return wait_of(step)
        case "task":
            return step["subject"] or KINDS["task"][0]
        case "change":
            field = edition.entity("customer").fields.get(step["field"])
            return (
                _("%(field)s: %(value)s", field=field.label, value=_value(field, step))
                if field
                else KINDS["change"][0]
            )
        case "process":
            process = edition.all(Process).get(step["process"])
            return process.title if process else KINDS["process"][0]
    return KINDS[step["kind"]][0]


def _value(field: Any, step: Step) -> str:
    option = field.type.option(str(step["value"])) if field.type.kind == "choice" else None
    return str(option.label) if option else str(step["value"] if step["value"] not in (None, "") else "–")


def wait_of(step: Step) -> str:
    """How long a wait lasts: “7 days, to 10:00, Monday”."""
    parts: list[Any] = []
    fixed = day(step["until"])
    if fixed is not None:
        parts.append(_("until %(day)s", day=format_date(fixed, date.min)))
    elif step["days"]:
        parts.append(_n("%(num)s day", "%(num)s days", step["days"]))
    if step["hours"]:
        parts.append(_n("%(num)s hour", "%(num)s hours", step["hours"]))
    if step["at"]:
        parts.append(_("to %(time)s", time=step["at"]))
    if step["weekdays"]:
        names = weekday_names()
        parts.append(", ".join(names[one] for one in step["weekdays"]))
    return ", ".join(map(str, parts)) or str(KINDS["wait"][0])


def occasion_of(edition: Edition, text: str) -> str:
    """What an entry or a goal listens to: “enters “At risk””, “Order: created”."""
    if text.startswith(events.SEGMENT):
        segment = edition.all(Segment).get(text.removeprefix(events.SEGMENT))
        title = segment.title if segment else text.removeprefix(events.SEGMENT)
        return str(_("comes into the segment “%(segment)s”", segment=title))
    try:
        occasion = events.parse(edition, text)
    except ValueError:
        return text
    entity = edition.entity(occasion.entity)
    if occasion.field:
        label = entity.fields[occasion.field].label
        return str(
            _(
                "%(entity)s: %(field)s becomes “%(value)s”",
                entity=entity.info.title,
                field=label,
                value=occasion.value,
            )
        )
    return str(_("%(entity)s: %(act)s", entity=entity.info.title, act=ACTIONS[occasion.action]))


ACTIONS: Mapping[str, Text] = {
    "created": _("made"),
    "updated": _("changed"),
    "deleted": _("moved to the bin"),
    "restored": _("brought back"),
}


def entry_of(edition: Edition, plan: Mapping[str, Any]) -> str:
    """What brings customers in."""
    return occasion_of(edition, plan["entry"]) if plan["entry"] else str(_("by hand"))


def goal_of(edition: Edition, plan: Mapping[str, Any]) -> str:
    """What ends it as a success; empty without a goal."""
    goal = plan["goal"]
    if isinstance(goal, str):
        return occasion_of(edition, goal) if goal else ""
    return rule_of(edition, goal)


def rule_of(edition: Edition, rule: Mapping[str, Any] | None) -> str:
    """A rule over customers in words; empty for one that is not whole."""
    if not rule:
        return ""
    try:
        return describe(parse(rule, edition.entity("customer"), edition), edition)
    except RuleInvalid:
        return ""


def terms_of(edition: Edition, plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The terms of a plan, each with its label."""
    again = plan["again"]
    told: list[tuple[Text, str]] = [
        (_("Entry"), entry_of(edition, plan)),
        (
            _("Again"),
            str(_n("after %(num)s day", "after %(num)s days", again)) if again else str(_("once only")),
        ),
    ]
    goal = goal_of(edition, plan)
    if goal:
        within = _n("within %(num)s day", "within %(num)s days", plan["goal_days"])
        told.append((_("Goal"), f"{goal}, {within}"))
    if plan["control"]:
        told.append((_("Control group"), f"{plan['control']}\u00a0%"))
    if plan["quiet_from"]:
        told.append((_("Quiet hours"), f"{plan['quiet_from']}–{plan['quiet_to']}"))
    if plan["quiet_days"]:
        names = weekday_names()
        told.append((_("Quiet days"), ", ".join(names[one] for one in plan["quiet_days"])))
    days = _n("in %(num)s day", "in %(num)s days", plan["limit_days"])
    messages = _n("at most %(num)s message", "at most %(num)s messages", plan["limit"])
    told.append((_("Limit"), f"{messages} {days}"))
    consent = _("only who granted it") if plan["consent"] == "granted" else _("all who did not refuse it")
    told.append((_("Consent"), str(consent)))
    return [(str(label), text) for label, text in told]


def doer_of(edition: Edition, to: str) -> str:
    """For whom a task is."""
    if to.startswith(ROLE):
        role = edition.all(Role).get(to.removeprefix(ROLE))
        return str(role.title) if role else to.removeprefix(ROLE)
    return to.removeprefix(PERSON) if to.startswith(PERSON) else str(_("The owner of the customer"))
