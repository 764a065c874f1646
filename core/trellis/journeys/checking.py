"""Whether a plan fits an edition: every fault by the name of what is wrong, as forms name it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from trellis.contributions import Journey, Process, Rule, Segment, Template
from trellis.contributions import Role as RoleOf
from trellis.edition import Edition
from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.journeys.brought import plan_of
from trellis.journeys.plan import NUMBERS, Plan, shaped
from trellis.journeys.program import Step, walk
from trellis.journeys.times import clock, day
from trellis.process import events
from trellis.process.assignment import OWNER, PERSON, ROLE
from trellis.records.rules import parse
from trellis.records.types import ValueInvalid

_ = translator("trellis")

CONSENTS = ("not_refused", "granted")
ACTS = ("task", "call")
Fault = tuple[str, Any]
"""What is wrong, as the name of a field of a form, and why."""


def check_journey(edition: Edition, journey: Journey) -> None:
    """A journey of a plugin can be used as it is. Raises ValueError."""
    wrong = faults(edition, shaped(plan_of(journey)), contributed(edition))
    if wrong:
        told = "; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in wrong.items())
        raise ValueError(f"{journey.name}: {told}")


def contributed(edition: Edition) -> set[str]:
    """The mail templates over customers that plugins bring."""
    return {
        one.name
        for one in edition.all(Template).values()
        if one.subject is not None and one.entity == "customer"
    }


def faults(edition: Edition, plan: Plan, templates: Collection[str]) -> dict[str, list[Any]]:
    """All that keeps a plan from running, by name: that of a term, or ``<step>:<attribute>``; empty when it can run."""
    found: dict[str, list[Any]] = {}
    for name, text in _all(edition, plan, templates):
        found.setdefault(name, []).append(text)
    return found


def customer_field(edition: Edition, entity: str) -> str | None:
    """The field by which records of an entity lead to a customer: ``id`` for customers themselves."""
    if entity == "customer":
        return "id"
    reference = edition.entity(entity).references.get("customer")
    return "customer" if reference is not None and reference.type.entity == "customer" else None  # type: ignore[attr-defined]


def _all(edition: Edition, plan: Plan, templates: Collection[str]) -> Iterator[Fault]:
    yield from _terms(edition, plan)
    if not plan["steps"]:
        yield "steps", _("Give the journey at least one step")
    for key, step in walk(plan["steps"]):
        for name, text in _step(edition, step, templates):
            yield f"{key}:{name}", text


def _terms(edition: Edition, plan: Plan) -> Iterator[Fault]:
    if plan["entry"]:
        yield from _occasion(edition, "entry", plan["entry"])
    goal = plan["goal"]
    if isinstance(goal, Mapping):
        yield from _rule(edition, "goal", goal)
    elif goal:
        yield from _occasion(edition, "goal", goal)
    if plan["control"] and not goal:
        yield "control", _("A control group is compared by a goal; give the journey one")
    if plan["goal_days"] < 1:
        yield "goal_days", _("At least 1")
    if plan["again"] is not None and plan["again"] < 1:
        yield "again", _("At least 1")
    if plan["consent"] not in CONSENTS:
        yield "consent", _("Choose one of: %(known)s", known=", ".join(CONSENTS))
    yield from sending_faults(plan)


def sending_faults(plan: Plan) -> Iterator[Fault]:
    """What is wrong with the terms that say when messages leave, and how many."""
    for name in ("limit", "limit_days"):
        if not 1 <= plan[name] <= NUMBERS[name]:
            yield name, _("A whole number from 1 to %(most)s", most=NUMBERS[name])
    for name in ("quiet_from", "quiet_to"):
        if plan[name] and clock(plan[name]) is None:
            yield name, _("Give a time such as 21:00")
    if bool(plan["quiet_from"]) is not bool(plan["quiet_to"]):
        yield "quiet_to", _("Give both ends of the quiet hours, or none")
    if len(plan["quiet_days"]) == 7:
        yield "quiet_days", _("One day of the week must be open")


def _occasion(edition: Edition, name: str, text: str) -> Iterator[Fault]:
    if text.startswith(events.SEGMENT):
        segment = edition.all(Segment).get(text.removeprefix(events.SEGMENT))
        if segment is None or segment.entity != "customer":
            yield (
                name,
                _("There is no segment of customers “%(name)s”", name=text.removeprefix(events.SEGMENT)),
            )
        return
    try:
        occasion = events.parse(edition, text)
    except ValueError as error:
        yield name, str(error)
        return
    if customer_field(edition, occasion.entity) is None:
        yield name, _("Records “%(entity)s” lead to no customer", entity=occasion.entity)


def _rule(edition: Edition, name: str, rule: Rule | None) -> Iterator[Fault]:
    if not rule or rule in ({"all": []}, {"any": []}):
        yield name, _("Give at least one condition")
        return
    try:
        parse(rule, edition.entity("customer"), edition)
    except RuleInvalid as error:
        yield name, str(error)


def _step(edition: Edition, step: Step, templates: Collection[str]) -> Iterator[Fault]:
    match step["kind"]:
        case "message":
            yield from _message(step, templates)
        case "wait":
            yield from _wait(step)
        case "split" | "random":
            yield from _split(edition, step)
        case "task":
            yield from _task(edition, step)
        case "change":
            yield from _change(edition, step)
        case "process":
            process = edition.all(Process).get(step["process"])
            if process is None or process.entity not in ("customer", None):
                yield "process", _("Choose a process about customers")


def _message(step: Step, templates: Collection[str]) -> Iterator[Fault]:
    if step["template"] not in templates:
        yield "template", _("Choose a mail template over customers")
    if step["other"] and step["other"] not in templates:
        yield "other", _("Choose a mail template over customers")


def _wait(step: Step) -> Iterator[Fault]:
    if not (step["days"] or step["hours"] or step["until"] or step["at"] or step["weekdays"]):
        yield "days", _("Say how long to wait, or until when")
    if step["until"] and day(step["until"]) is None:
        yield "until", _("Give a day such as 2026-12-24")
    if step["at"] and clock(step["at"]) is None:
        yield "at", _("Give a time such as 10:00")


def _split(edition: Edition, step: Step) -> Iterator[Fault]:
    branches = step["branches"]
    for place, branch in enumerate(branches):
        if step["kind"] == "split":
            yield from _rule(edition, f"{place}.rule", branch["rule"])
    if step["kind"] == "split" and not branches:
        yield "branches", _("Give the split at least one branch")
    if step["kind"] == "random":
        whole = sum(one["share"] for one in branches)
        if len(branches) < 2 or whole != 100:
            yield "branches", _("Give two branches or more, whose shares make 100 %")


def _task(edition: Edition, step: Step) -> Iterator[Fault]:
    to = step["to"]
    if not step["subject"]:
        yield "subject", _("Say what is to be done")
    if step["act"] not in ACTS:
        yield "act", _("Choose one of: %(known)s", known=", ".join(ACTS))
    role = to.removeprefix(ROLE) if to.startswith(ROLE) else None
    if (role is None and to != OWNER and not to.startswith(PERSON)) or (
        role is not None and role not in edition.all(RoleOf)
    ):
        yield "to", _("Choose who does it")


def _change(edition: Edition, step: Step) -> Iterator[Fault]:
    field = edition.entity("customer").fields.get(step["field"])
    if field is None or field.read_only:
        yield "field", _("Choose a field of customers that can be changed")
        return
    try:
        field.type.check(step["value"] if step["value"] != "" else None)
    except ValueInvalid as error:
        yield "value", error.message
