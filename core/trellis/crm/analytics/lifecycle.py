"""The customer lifecycle in figures (CU5): who stands where, how customers went on, and how long they stay in a stage.

Conversion goes by cohorts: of those who entered a stage in a period, the share that went on from it to each other stage,
by now. The median time in a stage is that of Kaplan and Meier, so that those who are still in it count as far as they are
known. Stays whose beginning nobody knows are left out. Two statements, however many customers there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.survival import Durations, kaplan_meier, median
from trellis.crm.analytics.window import Window, customers_of
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.stages import FIELD, TITLES
from trellis.crm.customers.stays import STAY
from trellis.edition import Edition
from trellis.errors import PermissionRefused
from trellis.kpi.arithmetic import days_between
from trellis.kpi.periods import midnight
from trellis.records.days import local_day
from trellis.records.types import UtcDateTime
from trellis.security.actor import Actor
from trellis.settings.stages import rules_of

_stay = STAY.c
ORDER = tuple(TITLES)


@dataclass
class Passing:
    """A stage: the ``customers`` in it now, those who ``entered`` it in the period, and where they ``went`` since.

    ``held`` customers are kept in it by hand. ``left`` and ``here`` count those who entered by whole days in the stage.
    """

    stage: str
    customers: int = 0
    held: int = 0
    entered: int = 0
    went: dict[str, int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    here: dict[int, int] = field(default_factory=dict)

    @property
    def gone(self) -> int:
        """Those who entered in the period and left since."""
        return sum(self.left.values())

    @property
    def days(self) -> int | None:
        """The days after which half of those who entered have left; None while more are in it."""
        return median(kaplan_meier(Durations(lost=self.left, here=self.here)))

    def share(self, stage: str) -> float | None:
        """Of those who entered, the part that went on to ``stage``."""
        return round(self.went.get(stage, 0) / self.entered, 6) if self.entered else None


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """The stages in their order, for a window; ``without`` are customers that have no stage yet."""

    window: Window
    stages: Mapping[str, Passing]
    without: int
    rules: Mapping[str, tuple[str, Mapping[str, Any]]]

    @property
    def customers(self) -> int:
        """All customers that have a stage."""
        return sum(one.customers for one in self.stages.values())

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics lifecycle``."""
        whole = self.customers
        return {
            "from": self.window.first.isoformat(),
            "to": self.window.last.isoformat(),
            "customers": whole,
            "without": self.without,
            "stages": [
                {
                    "stage": one.stage,
                    "title": str(TITLES[one.stage]),
                    "customers": one.customers,
                    "share": round(one.customers / whole, 6) if whole else None,
                    "held": one.held,
                    "entered": one.entered,
                    "left": one.gone,
                    "median_days": one.days,
                    "rule": self.rules[one.stage][1],
                    "rule_of": self.rules[one.stage][0],
                }
                for one in self.stages.values()
            ],
            "moves": [
                {"from": one.stage, "to": stage, "customers": number, "share": one.share(stage)}
                for one in self.stages.values()
                for stage, number in one.went.items()
            ],
        }


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A customer that entered ``stage`` in the period, and where it went from there; ``left_on`` is empty while it stays."""

    id: int
    external_id: str | None
    name: str
    stage: str
    entered_on: date
    left_on: date | None
    went_to: str | None

    def to_json(self) -> dict[str, Any]:
        """One line of ``analytics lifecycle --customers``."""
        return {
            "id": self.id,
            "external_id": self.external_id,
            "name": self.name,
            "stage": self.stage,
            "entered_on": self.entered_on.isoformat(),
            "left_on": self.left_on.isoformat() if self.left_on else None,
            "went_to": self.went_to,
        }


def require(edition: Edition, actor: Actor) -> None:
    """Raises PermissionRefused for a reader who may not know the stages of customers."""
    actor.require("customer", "read")
    known = actor.sees(edition).entity("customer").fields
    if any(name not in known for name in (FIELD, "stage_held", "stage_since")):
        raise PermissionRefused()


def lifecycle(session: Session, edition: Edition, actor: Actor, window: Window) -> Lifecycle:
    """Of the customers that the reader may see. Raises PermissionRefused."""
    require(edition, actor)
    stages = {stage: Passing(stage) for stage in ORDER}
    present = Customer.relationship_stage
    held = sa.func.count().filter(Customer.stage_held.is_(sa.true()))
    now = sa.select(present, sa.func.count(), held).where(customers_of(actor)).group_by(present)
    without = 0
    for stage, number, by_hand in session.execute(now):
        if stage in stages:
            stages[stage].customers, stages[stage].held = number, by_hand
        else:
            without += number
    for stage, went_to, days, number in session.execute(_stays(edition, actor, window)):
        if stage in stages:
            _count(stages[stage], went_to, days, number)
    rules = {stage: (one.owner, one.rule) for stage, one in rules_of(edition).items()}
    return Lifecycle(window=window, stages=stages, without=without, rules=rules)


def _count(one: Passing, went_to: str | None, days: float, number: int) -> None:
    one.entered += number
    length = round(days)
    ended = one.here if went_to is None else one.left
    ended[length] = ended.get(length, 0) + number
    if went_to is not None:
        one.went[went_to] = one.went.get(went_to, 0) + number


def _entered(edition: Edition, window: Window) -> sa.ColumnElement[bool]:
    zone = ZoneInfo(edition.settings.timezone)
    start, end = midnight(window.first, zone), midnight(window.end, zone)
    return sa.and_(_stay.entered_at >= start, _stay.entered_at < end)


def _stays(edition: Edition, actor: Actor, window: Window) -> sa.Select[Any]:
    """Stays that began in the window, by stage, next stage and whole days."""
    zone = edition.settings.timezone
    now = sa.literal(datetime.now(UTC), UtcDateTime())
    until = local_day(sa.func.coalesce(_stay.left_at, now, type_=UtcDateTime()), zone)
    days = days_between(local_day(_stay.entered_at, zone), until).label("days")
    query = sa.select(_stay.stage, _stay.went_to, days, sa.func.count())
    return query.where(_entered(edition, window), *_seen(actor)).group_by(_stay.stage, _stay.went_to, "days")


def _seen(actor: Actor) -> list[sa.ColumnElement[bool]]:
    return [Customer.id == _stay.customer_id, customers_of(actor)]


def moved(
    session: Session,
    edition: Edition,
    actor: Actor,
    window: Window,
    stage: str | None = None,
    went_to: str | None = None,
    most: int | None = None,
) -> Iterator[Moved]:
    """The customers behind the figures, those who entered last first. Raises PermissionRefused."""
    require(edition, actor)
    zone = edition.settings.timezone
    query = sa.select(
        Customer.id,
        Customer.external_id,
        Customer.name,
        _stay.stage,
        local_day(_stay.entered_at, zone).label("entered_on"),
        local_day(_stay.left_at, zone).label("left_on"),
        _stay.went_to,
    ).where(_entered(edition, window), *_seen(actor))
    for column, wanted in ((_stay.stage, stage), (_stay.went_to, went_to)):
        query = query.where(column == wanted) if wanted is not None else query
    query = query.order_by(_stay.entered_at.desc(), _stay.id.desc()).limit(most)
    for row in session.execute(query, execution_options={"yield_per": 2000}):
        yield Moved(**row._mapping)
