"""Live figures of a journey: who is where, what became of each step, and whether it brings more than doing nothing (MC5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.entities import Customer
from trellis.crm.marketing.journeys.tables import ACTIVE, DONE, FAILED, HELD, MEMBERS, PASSAGES
from trellis.security.actor import Actor

Z = 1.959964
"""95 % confidence."""

_member, _passage = MEMBERS.c, PASSAGES.c


@dataclass
class StepFigures:
    """A step in numbers: who waits there now, and those who have it behind them, by outcome, by reason, by way of a split."""

    waiting: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    ways: dict[str, int] = field(default_factory=dict)

    @property
    def entered(self) -> int:
        """All who ever came to it."""
        return self.waiting + sum(self.outcomes.values())

    @property
    def done(self) -> int:
        return self.outcomes.get(DONE, 0)

    @property
    def failed(self) -> int:
        """Those for whom it was left out or went wrong."""
        return self.outcomes.get(HELD, 0) + self.outcomes.get(FAILED, 0)

    @property
    def left(self) -> int:
        """Those whose journey ended there."""
        return sum(self.outcomes.values()) - self.done - self.failed

    def to_json(self) -> dict[str, Any]:
        """As REST tells it."""
        numbers = {name: getattr(self, name) for name in ("entered", "waiting", "done", "left", "failed")}
        return {**numbers, "reasons": self.reasons}


@dataclass(frozen=True, kw_only=True)
class Side:
    """The treated, or the control group: how many they are, and how many of them reached the goal in time."""

    members: int = 0
    reached: int = 0

    @property
    def rate(self) -> float | None:
        return self.reached / self.members if self.members else None

    def to_json(self) -> dict[str, Any]:
        rate = None if self.rate is None else round(self.rate, 6)
        return {"members": self.members, "reached": self.reached, "rate": rate}


@dataclass(frozen=True, kw_only=True)
class Effect:
    """By how much more of the treated reached the goal, with the bounds between which it lies with 95 % confidence."""

    treated: Side
    control: Side

    @property
    def difference(self) -> float | None:
        if self.treated.rate is None or self.control.rate is None:
            return None
        return self.treated.rate - self.control.rate

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Newcombe's interval of the difference of two shares, from Wilson's of each (Statistics in Medicine 1998, method 10)."""
        if self.difference is None:
            return None
        p1, low1, high1 = _wilson(self.treated)
        p2, low2, high2 = _wilson(self.control)
        low = self.difference - sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2)
        return low, self.difference + sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2)

    @property
    def certain(self) -> bool:
        """The difference is more than chance would bring."""
        bounds = self.bounds
        return bounds is not None and not bounds[0] <= 0 <= bounds[1]

    def to_json(self) -> dict[str, Any]:
        bounds = self.bounds
        difference = None if self.difference is None else round(self.difference, 6)
        return {
            "treated": self.treated.to_json(),
            "control": self.control.to_json(),
            "difference": difference,
            "low": None if bounds is None else round(bounds[0], 6),
            "high": None if bounds is None else round(bounds[1], 6),
            "certain": self.certain,
        }


def _wilson(side: Side) -> tuple[float, float, float]:
    """A share with Wilson's interval."""
    n, share = side.members, side.rate or 0.0
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return share, max(0.0, middle - half), min(1.0, middle + half)


def seen(actor: Actor, customer: Any) -> list[sa.ColumnElement[bool]]:
    """The members whom a reader may see: those whose customers they see."""
    if actor.sees_all("customer"):
        return []
    visible = sa.select(Customer.id).where(actor.visible(Customer), Customer.deleted_at.is_(None))
    return [customer.in_(visible)]


def steps_of(session: Session, actor: Actor, version: int) -> dict[str, StepFigures]:
    """The steps of a version that somebody came to, by key."""
    found: dict[str, StepFigures] = {}
    mine = seen(actor, _member.customer_id)
    standing = (
        sa.select(_member.step, sa.func.count())
        .where(_member.version_id == version, _member.state == ACTIVE, _member.step != "", *mine)
        .group_by(_member.step)
    )
    for step, number in session.execute(standing):
        found.setdefault(step, StepFigures()).waiting = number
    behind = sa.select(_passage.step, _passage.outcome, _passage.reason, sa.func.count())
    if mine:
        behind = behind.join(MEMBERS, _member.id == _passage.member_id).where(*mine)
    keys = (_passage.step, _passage.outcome, _passage.reason)
    rows = session.execute(behind.where(_passage.version_id == version).group_by(*keys))
    for step, outcome, reason, number in rows:
        one = found.setdefault(step, StepFigures())
        one.outcomes[outcome] = one.outcomes.get(outcome, 0) + number
        if outcome == DONE:
            one.ways[reason] = number
        elif reason:
            one.reasons[reason] = one.reasons.get(reason, 0) + number
    return found


def states_of(session: Session, actor: Actor, journey: int) -> dict[str, int]:
    """How many treated members of a journey are in each state, over all versions."""
    mine = (_member.journey_id == journey, _member.control.is_(False), *seen(actor, _member.customer_id))
    rows = session.execute(sa.select(_member.state, sa.func.count()).where(*mine).group_by(_member.state))
    return {row[0]: row[1] for row in rows}


def effect_of(session: Session, actor: Actor, journey: int) -> Effect:
    """Treated and control of a journey, over all versions; without those who were taken out."""
    mine = (_member.journey_id == journey, _member.state != "ended", *seen(actor, _member.customer_id))
    counted = sa.select(_member.control, sa.func.count(), sa.func.count(_member.reached_at)).where(*mine)
    sides = {
        row[0]: Side(members=row[1], reached=row[2])
        for row in session.execute(counted.group_by(_member.control))
    }
    return Effect(treated=sides.get(False, Side()), control=sides.get(True, Side()))


def totals(session: Session, actor: Actor, journeys: list[int]) -> Mapping[int, Mapping[str, int]]:
    """By journey: how many are on it, have ended it, and have reached the goal; of the treated."""
    mine = (_member.journey_id.in_(journeys), _member.control.is_(False), *seen(actor, _member.customer_id))
    counted = sa.select(
        _member.journey_id,
        sa.func.count().label("entered"),
        sa.func.sum(sa.case((_member.state == ACTIVE, 1), else_=0)).label("active"),
        sa.func.count(_member.reached_at).label("reached"),
    ).where(*mine)
    rows = session.execute(counted.group_by(_member.journey_id)).mappings()
    return {
        row["journey_id"]: {name: int(row[name]) for name in ("entered", "active", "reached")} for row in rows
    }
