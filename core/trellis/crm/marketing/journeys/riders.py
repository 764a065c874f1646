"""Customers on their way through one transaction: where they stand, what is behind them, and what is to be written (MC5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.marketing.journeys.kept import Course, Version
from trellis.crm.marketing.journeys.reaching import fits
from trellis.crm.marketing.journeys.tables import ACTIVE, DONE, MEMBERS, MESSAGES, PASSAGES, WAITING
from trellis.edition import Edition
from trellis.journeys.program import Node
from trellis.records.bulk import among, insert_rows
from trellis.records.door import Records

_member = MEMBERS.c


@dataclass
class Rider:
    """One member while they are moved. ``waited``: they stood at their step before this transaction."""

    id: int
    customer: int
    round: int
    control: bool
    step: str
    since: datetime
    entered: datetime
    waited: bool = True
    state: str = ACTIVE
    due: datetime | None = None
    reached: bool = False


@dataclass
class Batch:
    """Members of one version that are moved together, and what comes of it."""

    door: Records
    course: Course
    version: Version
    now: datetime
    zone: ZoneInfo
    riders: list[Rider]
    standing: dict[str, list[Rider]] = field(default_factory=dict)
    passages: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def session(self) -> Session:
        return self.door.session

    @property
    def edition(self) -> Edition:
        return self.door.edition

    def arrive(self, rider: Rider, key: str) -> None:
        """A rider comes to a step; behind the last one the journey is done."""
        rider.step, rider.since, rider.waited = key, self.now, False
        if key:
            self.standing.setdefault(key, []).append(rider)
        else:
            self.end(rider, DONE)

    def passed(
        self, rider: Rider, node: Node, outcome: str = DONE, reason: str = "", to: str | None = None
    ) -> None:
        """A step is behind a rider, who comes to the next one, or to where a split leads."""
        self._note(rider, node.key, outcome, reason)
        self.arrive(rider, node.next if to is None else to)

    def stay(self, rider: Rider, due: datetime) -> None:
        """A rider stays where they stand until a moment."""
        rider.due = due

    def end(self, rider: Rider, state: str, reason: str = "", *, at_step: bool = False) -> None:
        """The journey of a rider ends; ``at_step``: at the step where they stand, which they do not finish."""
        if at_step and rider.step:
            self._note(rider, rider.step, state, reason)
        rider.state, rider.step, rider.due = state, "", None

    def send(self, rider: Rider, node: Node, template: str) -> None:
        """Lets a mail be sent once this is committed."""
        row = {"member_id": rider.id, "customer_id": rider.customer, "step": node.key, "template": template}
        self.messages.append(row)

    def _note(self, rider: Rider, key: str, outcome: str, reason: str) -> None:
        row = {"member_id": rider.id, "step": key, "entered_at": rider.since}
        self.passages.append({**row, "outcome": outcome, "reason": reason[:300]})

    def fitting(self, rule: Mapping[str, Any], customers: Iterable[int]) -> set[int]:
        """Those of the customers who fit a rule."""
        return fits(self.session, self.edition, rule, list(customers))

    def write(self) -> None:
        """Writes where everybody stands and what is behind them: a few statements, however many they are."""
        if self.passages:
            alike = {"version_id": self.version.id, "left_at": self.now}
            insert_rows(self.session, PASSAGES, alike, self.passages)
        if self.messages:
            alike = {"journey_id": self.course.id, "state": WAITING, "problem": "", "created_at": self.now}
            insert_rows(self.session, MESSAGES, alike, self.messages)
        groups: dict[tuple[Any, ...], list[int]] = {}
        for rider in self.riders:
            moved = not rider.waited or rider.state != ACTIVE
            key = (rider.state, rider.step, rider.due, rider.reached, moved)
            groups.setdefault(key, []).append(rider.id)
        for (state, step, due, reached, moved), ids in groups.items():
            values: dict[str, Any] = {"state": state, "step": step, "due_at": due}
            values |= {"since": self.now} if moved else {}
            values |= {"ended_at": self.now} if state != ACTIVE else {}
            values |= {"reached_at": self.now} if reached else {}
            self.session.execute(
                sa.update(MEMBERS).where(among(self.session, _member.id, ids)).values(**values)
            )
