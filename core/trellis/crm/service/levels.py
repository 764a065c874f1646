"""Which service level holds for a case, and the working time of its calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.agreements import IN_FORCE, Agreement
from trellis.crm.customers.entities import Customer
from trellis.crm.service.calendars import WEEK, BusinessCalendar, Holiday, SlaEscalation, SlaPolicy
from trellis.crm.service.working_time import ALWAYS, WorkingTime, read_hours

_KEPT = "trellis_service_levels"
"""Where a session keeps what it has read: many cases are written in one transaction."""


@dataclass(frozen=True)
class Step:
    """An escalation: at ``percent`` of the time of a ``clock``."""

    id: int
    name: str
    clock: str
    percent: int
    act: str
    position: int | None
    created_at: datetime


@dataclass(frozen=True)
class Level:
    """A service level: minutes of working time until a case is to be answered and solved."""

    id: int
    first_response: int | None
    resolution: int | None
    time: WorkingTime
    wanted: Mapping[str, Any]
    """What a case must have, by field."""
    only_agreed: bool = False
    steps: tuple[Step, ...] = ()
    """What is done when its time goes by."""

    def weight(self, case: Mapping[str, Any]) -> int:
        """How much of the case it names; -1 where it does not hold for it."""
        if any(case.get(name) != value for name, value in self.wanted.items()):
            return -1
        return len(self.wanted) + ("customer" in self.wanted) * len(_WANTED)


_WANTED = {"priority": "priority", "kind": "kind", "significance": "significance", "customer": "customer_id"}


class Levels:
    """The service levels of a workspace."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._by_id = {one.id: one for one in _read(session)}
        self._customers: dict[int, tuple[str | None, set[int]]] = {}

    @classmethod
    def of(cls, session: Session) -> Levels:
        """Those that this transaction sees, read once."""
        kept: Levels | None = session.info.get(_KEPT)
        if kept is None:
            kept = session.info[_KEPT] = cls(session)
        return kept

    def named(self, number: int | None) -> Level | None:
        """The one with this id, in force or not."""
        return self._by_id.get(number) if number is not None else None

    def find(self, case: Mapping[str, Any]) -> Level | None:
        """The one in force that names most of a case; of several, the oldest.

        One that an agreement of the customer names goes before all others, then one that is for this customer alone.
        """
        significance, agreed = self._of_customer(case.get("customer"))
        known = {**case, "significance": significance}
        weighed = [
            (one.id in agreed and one.weight(known) >= 0, one.weight(known), -one.id, one)
            for one in self._by_id.values()
            if one.wanted is not _OFF and (one.id in agreed or not one.only_agreed)
        ]
        _agreed, weight, _id, best = max(weighed, key=lambda one: one[:3], default=(False, -1, 0, None))
        return best if weight >= 0 else None

    def _of_customer(self, customer: int | None) -> tuple[str | None, set[int]]:
        """The significance of a customer, and the service levels of the agreements in force; asked once."""
        if customer is None:
            return None, set()
        if customer not in self._customers:
            agreement = sa.and_(
                Agreement.customer_id == Customer.id,
                Agreement.stage.in_(IN_FORCE),
                Agreement.deleted_at.is_(None),
            )
            told = sa.select(Customer.significance_class, Agreement.sla_policy_id)
            wanted = told.select_from(Customer).outerjoin(Agreement, agreement)
            rows = self._session.execute(wanted.where(Customer.id == customer)).all()
            agreed = {row[1] for row in rows if row[1] is not None}
            self._customers[customer] = (rows[0][0] if rows else None), agreed
        return self._customers[customer]


_OFF: Mapping[str, Any] = {"active": True}
"""Wanted by a level that is not in force: no case has it."""


def forget(session: Session) -> None:
    """What was read holds no more: a calendar or a service level was written."""
    session.info.pop(_KEPT, None)


def _read(session: Session) -> list[Level]:
    holidays = _holidays(session)
    times = {
        one.id: WorkingTime(
            ZoneInfo(one.timezone),
            [read_hours(getattr(one, day) or "") for day in WEEK],
            holidays.get(one.id, {}),
        )
        for one in session.scalars(sa.select(BusinessCalendar))
    }
    steps = _steps(session)
    policies = session.scalars(sa.select(SlaPolicy).order_by(SlaPolicy.id))
    return [
        Level(
            one.id,
            one.first_response_minutes,
            one.resolution_minutes,
            times.get(one.calendar_id, ALWAYS),
            _wanted(one) if one.active and one.deleted_at is None else _OFF,
            bool(one.only_agreed),
            tuple(steps.get(one.id, ())),
        )
        for one in policies
    ]


def _steps(session: Session) -> dict[int, list[Step]]:
    """The escalations of each service level, the earliest first."""
    found: dict[int, list[Step]] = {}
    known = sa.select(SlaEscalation).where(SlaEscalation.deleted_at.is_(None))
    for one in session.scalars(known.order_by(SlaEscalation.percent, SlaEscalation.id)):
        step = Step(one.id, one.name, one.clock, one.percent, one.act, one.position_id, one.created_at)
        found.setdefault(one.policy_id, []).append(step)
    return found


def _wanted(policy: SlaPolicy) -> dict[str, Any]:
    named = {name: getattr(policy, attribute) for name, attribute in _WANTED.items()}
    return {name: value for name, value in named.items() if value is not None}


def _holidays(session: Session) -> dict[int, dict[Any, Any]]:
    found: dict[int, dict[Any, Any]] = {}
    for one in session.scalars(sa.select(Holiday).where(Holiday.deleted_at.is_(None))):
        found.setdefault(one.calendar_id, {})[one.day] = read_hours(one.hours or "")
    return found
