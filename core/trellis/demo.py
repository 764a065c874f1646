"""What a demo of an edition is given to write its records with."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers import demo as people
from trellis.crm.market import demo as talks
from trellis.crm.marketing.journeys import demo as journeys
from trellis.crm.sales.bonuses import demo as bonuses
from trellis.crm.sales.history import STAY
from trellis.i18n import Text, translator, use_locale
from trellis.kpi.periods import parse
from trellis.kpi.targets import set_target
from trellis.process.engine import Engine
from trellis.process.tables import ProcessInstance, ProcessStep
from trellis.process.tasks import Tasks
from trellis.records.door import Records, Write
from trellis.security.actor import Actor

_ = translator("trellis")

_YEAR = 365
_ASKED_ABOUT = 5
"""Products that answers to surveys are about."""

SIZES: Mapping[str, int] = {"small": 300, "medium": 3_000, "large": 30_000}
"""Customers in a demo workspace of each size."""


@dataclass(frozen=True, kw_only=True)
class DemoContext:
    """Given to ``Demo.load``: the door, a seeded random source (the same data each time), the size, and today.

    ``customers`` is how many customers to make; all other numbers follow from it. ``users`` are the ids of the demo
    users by role: administrator, manager, agent; ``language`` is that of names and texts.
    """

    records: Records
    random: random.Random
    today: date
    customers: int
    users: Mapping[str, int]
    language: str = "en"
    ids: dict[str, list[int]] = field(default_factory=dict)

    def create(self, entity: str, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Writes many records through the door and returns their ids; ``ids[entity]`` gathers them."""
        made: list[int] = []
        remaining = iter(rows)
        while part := [Write(values=row) for row in islice(remaining, 500)]:
            made += self.records.save(entity, part)
        self.ids.setdefault(entity, []).extend(made)
        return made

    def moment(self, day: date, hour: int | None = None) -> datetime:
        """A moment on ``day`` in shop hours, as UTC."""
        at = time(hour if hour is not None else self.random.randint(8, 18), self.random.randint(0, 59))
        return datetime.combine(day, at, UTC)

    def text(self, label: Text) -> str:
        """``label`` in the language of the demo: for names that are stored."""
        with use_locale(self.language):
            return str(label)

    def backdate(self, entity: str, field: str, moments: Mapping[int, datetime] | Mapping[int, date]) -> None:
        """Moves what Trellis keeps itself (``created_at``, ``stage_since``) into the past, by id of the record.

        The door knows only now, and a demo needs a history.
        """
        table = cast(sa.Table, self.records.edition.entity(entity).entity.__table__)
        rows = [{"record_id": record_id, "moment": moment} for record_id, moment in moments.items()]
        if rows:
            update = sa.update(table).where(table.c.id == sa.bindparam("record_id"))
            self.records.session.execute(
                update.values({field: sa.bindparam("moment", type_=table.c[field].type)}), rows
            )

    def survey(self, customers: Sequence[int]) -> None:
        """Writes a year of answers of these customers to satisfaction surveys, and benchmarks to hold them against."""
        names = {"acsi": _("Satisfaction of the year"), "nps": _("After a purchase")}
        yearly, after = self.create(
            "survey", ({"name": self.text(name), "kind": kind} for kind, name in names.items())
        )
        self.create("survey_answer", self._answers(customers, yearly))
        people.agree(self, customers)
        people.relate(self, customers)
        people.invite(self, after, customers)
        held = {
            "name": self.text(_("Industry")),
            "source": self.text(_("Made up for the demo")),
            "since": self.today - timedelta(days=_YEAR),
        }
        benchmarks = (("index", 76), ("nps", 32))
        self.create(
            "satisfaction_benchmark",
            ({**held, "measure": measure, "value": value} for measure, value in benchmarks),
        )

    def _answers(self, customers: Sequence[int], survey: int) -> Iterator[Mapping[str, Any]]:
        dice, about = random.Random("survey"), random.Random("products")
        products = self.ids.get("product", [])[:_ASKED_ABOUT]
        for customer in customers:
            for _number in range(dice.choice((0, 1, 1, 2))):
                mood = min(10, max(1, round(dice.gauss(7.9, 1.5))))
                near = [min(10, max(1, mood + dice.choice((-2, -1, 0, 0, 1)))) for _place in range(5)]
                day = self.today - timedelta(days=dice.randrange(1, _YEAR))
                yield {
                    "customer": customer,
                    "asked_in": survey,
                    "product": about.choice(products) if products and about.random() < 0.6 else None,
                    "answered_at": datetime.combine(day, time(dice.randint(8, 18)), UTC),
                    "channel": dice.choice(("mail", "phone", "web")),
                    "q1": mood,
                    "q2": near[0],
                    "q3": near[1] if dice.random() < 0.95 else None,
                    "image": near[2],
                    "quality": near[3],
                    "value": near[4],
                    "nps": min(10, mood + dice.choice((0, 1, 1))),
                    "csat": max(1, round(mood / 2)),
                }

    def agreements(self, customers: Sequence[int], subjects: Sequence[Text], value: int) -> None:
        """Writes agreements with these customers, each about one of the ``subjects``; ``value`` is usual for a year."""
        people.bind(self, customers, subjects, value)

    def cases(
        self,
        customers: Sequence[int],
        subjects: Sequence[tuple[str, Text]],
        known: Sequence[tuple[Text, Text]] = (),
    ) -> None:
        """Writes a year of cases of these customers, each of a kind and with one of the ``subjects``, and service levels.

        ``known`` are solutions: a subject, and what is to be done then.
        """
        zone = self.records.edition.settings.timezone
        (calendar,) = self.create(
            "business_calendar", [{"name": self.text(_("Office hours")), "timezone": zone}]
        )
        levels = (("critical", 1, 8), ("high", 2, 24), (None, 4, 45))
        policies = self.create(
            "sla_policy",
            (
                {
                    "name": self.text(
                        _("Critical cases")
                        if hours == 1
                        else _("Urgent cases")
                        if priority
                        else _("All cases")
                    ),
                    "calendar": calendar,
                    "priority": priority,
                    "first_response_minutes": hours * 60,
                    "resolution_minutes": days * 60,
                }
                for priority, hours, days in levels
            ),
        )
        steps = (
            (_("A fifth of the time is left"), 80, "notify_owner"),
            (_("The time is over"), 100, "notify_head"),
        )
        self.create(
            "sla_escalation",
            (
                {"name": self.text(name), "policy": policy, "percent": percent, "act": act}
                for policy in policies
                for name, percent, act in steps
            ),
        )
        kinds = {str(subject): kind for kind, subject in subjects}
        made = self.create(
            "solution",
            (
                {"name": self.text(name), "kind": kinds.get(str(name)), "body": self.text(body)}
                for name, body in known
            ),
        )
        solutions = dict(zip((self.text(name) for name, _body in known), made, strict=True))
        self.create("case", self._cases(customers, subjects, solutions))

    def _cases(
        self, customers: Sequence[int], subjects: Sequence[tuple[str, Text]], solutions: Mapping[str, int]
    ) -> Iterator[Mapping[str, Any]]:
        dice = random.Random("cases")
        staff, agent = list(self.users.values()), self.users["agent"]
        near = self._near(agent, customers) or customers
        for number in range(max(40, len(customers) // 6)):
            kind, subject = dice.choice(subjects)
            ago = dice.randrange(4, _YEAR) if number % 10 else dice.randrange(1, 4)
            opened = datetime.combine(
                self.today - timedelta(days=ago), time(dice.randint(8, 16), dice.randrange(60)), UTC
            )
            answered = opened + timedelta(minutes=dice.randint(5, 240))
            solved = answered + timedelta(hours=dice.choice((1, 3, 6, 20, 30, 50, 120)))
            owner = dice.choice(staff)
            case: dict[str, Any] = {
                "subject": self.text(subject),
                "kind": kind,
                "customer": dice.choice(near if owner == agent else customers),
                "channel": dice.choice(("mail", "phone", "web")),
                "impact": dice.choice(("high", "medium", "medium", "low", "low")),
                "urgency": dice.choice(("high", "medium", "medium", "low")),
                "owner": owner,
                "opened_at": opened,
            }
            if ago < 4:
                case["state"] = dice.choice(("new", "open", "open", "waiting"))
                case["first_response_at"] = None if case["state"] == "new" else answered
            else:
                solved = min(solved, datetime.combine(self.today, time(7), UTC))
                case |= {"state": "closed", "first_response_at": answered, "resolved_at": solved}
                case["solution"] = solutions.get(case["subject"])
            yield case

    def _near(self, user: int, customers: Sequence[int]) -> list[int]:
        """The customers whom a user looks after, alone or with the unit: whose case it is, is seen by who works on it."""
        customer, person = (
            cast(sa.Table, self.records.edition.entity(name).entity.__table__).c
            for name in ("customer", "user")
        )
        unit = sa.select(person.unit_id).where(person.id == user).scalar_subquery()
        query = sa.select(customer.id).where(sa.or_(customer.owner_id == user, customer.unit_id == unit))
        found = set(self.records.session.scalars(query))
        return [one for one in customers if one in found]

    def run(
        self, process: str, record: int, rests: float, *steps: tuple[str, float, Mapping[str, Any]]
    ) -> int:
        """Starts a process as the agent and has people do some of its tasks, the last of them ``rests`` hours ago.

        A step is who completes the open task (administrator, manager, agent), after how many hours, and the answers.
        """
        began = datetime.now(UTC) - timedelta(hours=rests + sum(hours for _role, hours, _answers in steps))
        session = self.records.session
        number = Engine(self._as("agent")).start(process, record) or 0
        at, lasted = began, {}
        for role, hours, answers in steps:
            task = next(iter(Tasks(self._as("administrator")).of_instance(number)))
            Engine(self._as(role)).complete(task, answers)
            lasted[task.id] = (at, at + timedelta(hours=hours))
            at += timedelta(hours=hours)
        _backdate(session, number, began, at, lasted)
        return number

    def _as(self, role: str) -> Records:
        """The door as one of the demo users, with every right: a demo does what its story tells."""
        edition, user = self.records.edition, self.users[role]
        actor = Actor(user_id=user, name=role.title(), roles=(role,), administrator=True, source="system")
        return Records(self.records.session, edition, actor)

    def plan(self, kpi: str, period: str, value: Decimal | int, person: int | None = None) -> None:
        """Sets the target of a KPI of this edition in a period (``2026-11``, ``2026``), of all or of a person."""
        set_target(
            self.records.session,
            self.records.edition,
            kpi,
            parse(period, self.records.edition.settings.fiscal_month),
            Decimal(value),
            person=person,
        )

    def bonuses(self, scheme: str, periods: Sequence[str]) -> None:
        """Makes a bonus scheme of the edition the organisation's own and reckons it; of the periods all but the last are closed."""
        bonuses.reckon(self.records, scheme, periods)

    def talk(self, script: str, entity: str, number: int) -> None:
        """Writes so many conversations by a script beside records of an entity that were made, in the last 90 days."""
        talks.talk(self, script, entity, number)

    def journey(self, name: str, customers: Sequence[int], reached: tuple[float, float]) -> int:
        """Makes a journey of the edition the organisation's own and has customers be on it for six weeks.

        ``reached`` are the shares that reach its goal: of those who got it, and of the control group.
        """
        owner = self.users["manager"]
        return journeys.travel(self._as("administrator"), name, customers, reached, owner)

    def stages(self, spans: Mapping[int, tuple[datetime, datetime]]) -> None:
        """Gives opportunities a past: from when each began it went through its funnel to where it is since the second moment.

        Lost ones went some of the way.
        """
        dice = random.Random("stages")
        view = self.records.edition.entity("opportunity")
        table, stay = cast(sa.Table, view.entity.__table__), STAY.c
        query = sa.select(table.c.id, table.c.funnel, table.c.stage).where(table.c.id.in_(list(spans)))
        rows: list[dict[str, Any]] = []
        for record_id, funnel, stage in self.records.session.execute(query.order_by(table.c.id)):
            lifecycle = view.lifecycle({"funnel": funnel})
            known = [one.value for one in lifecycle.stages if one.kind == "open"] if lifecycle else []
            way = known[: known.index(stage)] if stage in known else known
            if lifecycle and next(one.kind for one in lifecycle.stages if one.value == stage) == "lost":
                way = known[: dice.randint(1, len(known))]
            rows += _stays(record_id, [*way, stage], *spans[record_id])
        session = self.records.session
        session.execute(sa.delete(STAY).where(stay.opportunity_id.in_(list(spans))))
        session.execute(sa.insert(STAY), rows)
        self.backdate("opportunity", "begun_on", {one: began.date() for one, (began, _at) in spans.items()})
        self.backdate("opportunity", "created_at", {one: began for one, (began, _at) in spans.items()})
        self.backdate("opportunity", "stage_since", {one: at for one, (_began, at) in spans.items()})


def _stays(record_id: int, stages: Sequence[str], began: datetime, at: datetime) -> Iterator[dict[str, Any]]:
    """The stays in these stages, alike long; the last one lasts."""
    part = (at - began) / max(len(stages) - 1, 1)
    for place, stage in enumerate(stages):
        entered = began + part * place
        left = entered + part if place + 1 < len(stages) else None
        yield {"opportunity_id": record_id, "stage": stage, "entered_at": entered, "left_at": left}


def _backdate(
    session: Session,
    number: int,
    began: datetime,
    at: datetime,
    lasted: Mapping[int, tuple[datetime, datetime]],
) -> None:
    """Moves an instance and its steps to the moments that they are told to have happened at."""
    step = ProcessStep.__table__.c
    changed = {"synchronize_session": False}
    session.execute(
        sa.update(ProcessInstance)
        .where(ProcessInstance.id == number)
        .values(started_at=began, ended_at=sa.case((ProcessInstance.ended_at.is_not(None), at)))
        .execution_options(**changed)
    )
    mine = sa.update(ProcessStep).where(step.instance_id == number).execution_options(**changed)
    now = datetime.now(UTC)
    rows = sa.select(step.id, step.due_at, step.left_at).where(step.instance_id == number)
    for one, due, left_at in session.execute(rows).all():
        entered, left = lasted.get(one, (at, at if left_at is not None else None))
        due = entered + (due - now) if due is not None else None
        session.execute(mine.where(step.id == one).values(entered_at=entered, left_at=left, due_at=due))
