"""The analysis of a funnel: conversion from stage to stage, velocity, ageing, and why opportunities were lost.

All is counted by the database, in nine statements whatever the number of opportunities. Formulas: metrics 33 to 37.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Stage
from trellis.crm.sales.counting import Closed, Scope, closed_columns, closed_of
from trellis.crm.sales.entities import Opportunity
from trellis.crm.sales.history import STAY
from trellis.crm.sales.lost_reasons import LostReason
from trellis.kpi.arithmetic import days_between, product
from trellis.records.text import Folded, fold
from trellis.records.types import Money, UtcDateTime

LATE, VERY_LATE = 1.5, 2.0
"""From these multiples of its usual days on an opportunity is late in a stage, as on the board."""
MOST_REASONS = 50
OLDEST = 10


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A stage: those that entered it in the period, those of them that went on, and the mean days of the stays that ended."""

    stage: Stage
    entered: int
    passed: int
    days: float | None

    @property
    def conversion(self) -> float | None:
        """Those that went on by those that entered."""
        return self.passed / self.entered if self.entered else None


@dataclass(frozen=True, kw_only=True)
class Ageing:
    """What is open in a stage now, by how long it is there."""

    stage: Stage
    number: int
    amount: Decimal
    usual: int
    late: int
    very_late: int
    days: float | None


@dataclass(frozen=True, kw_only=True)
class Old:
    """An open opportunity that is longer in its stage than usual."""

    id: int
    name: str
    stage: Stage
    days: float


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why opportunities were lost; ``title`` is empty where nobody told."""

    title: str
    number: int
    share: float
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """The analysis of a funnel in a period."""

    scope: Scope
    passages: Sequence[Passage]
    won_of_entered: int
    closed: Closed
    median_cycle: float | None
    open: int
    pipeline: Decimal
    weighted: Decimal
    ageing: Sequence[Ageing]
    oldest: Sequence[Old]
    reasons: Sequence[Reason]

    @property
    def entered(self) -> int:
        """Those that entered the first stage."""
        return self.passages[0].entered if self.passages else 0

    @property
    def velocity(self) -> Decimal | None:
        """What the funnel brings a day."""
        return self.closed.velocity(self.open)

    @property
    def is_empty(self) -> bool:
        """Nothing was counted."""
        return not (self.entered or self.open or self.closed.won or self.closed.lost)

    def to_json(self) -> dict[str, Any]:
        """The answer of the command line and REST."""
        money = Money().to_json
        return {
            "funnel": self.scope.lifecycle.name,
            "period": self.scope.period.code,
            "currency": self.scope.edition.settings.currency,
            "visible_only": not self.scope.whole,
            "stages": [
                {
                    "stage": one.stage.value,
                    "entered": one.entered,
                    "passed": one.passed,
                    "conversion": _rounded(one.conversion),
                    "days": _rounded(one.days, 2),
                }
                for one in self.passages
            ],
            "overall": {"entered": self.entered, "won": self.won_of_entered},
            **closed_json(self.closed),
            "median_cycle_days": _rounded(self.median_cycle, 2),
            "open": self.open,
            "pipeline": money(self.pipeline),
            "pipeline_weighted": money(self.weighted),
            "velocity": money(_cents(self.velocity)),
            "ageing": [
                {
                    "stage": one.stage.value,
                    "open": one.number,
                    "amount": money(one.amount),
                    "usual": one.usual,
                    "late": one.late,
                    "very_late": one.very_late,
                    "days": _rounded(one.days, 2),
                    "allowed": one.stage.days,
                }
                for one in self.ageing
            ],
            "lost_reasons": [
                {
                    "reason": one.title or None,
                    "lost": one.number,
                    "share": _rounded(one.share),
                    "amount": money(one.amount),
                }
                for one in self.reasons
            ],
        }


def closed_json(closed: Closed) -> dict[str, Any]:
    """What was closed, as the answers have it."""
    money = Money().to_json
    return {
        "won": closed.won,
        "lost": closed.lost,
        "win_rate": _rounded(closed.win_rate),
        "won_amount": money(closed.amount),
        "average_deal": money(_cents(closed.average)),
        "cycle_days": _rounded(closed.cycle, 2),
    }


def _rounded(number: float | None, digits: int = 4) -> float | None:
    return None if number is None else round(number, digits)


def _cents(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else round(amount, 2)


def funnel(scope: Scope) -> Funnel:
    """The analysis. Raises PermissionRefused where a field that it is made of is withheld."""
    scope.require()
    passages, won = _passages(scope)
    number, pipeline, weighted = _open(scope)
    closed = closed_of(scope.session.execute(sa.select(*closed_columns(scope)).where(scope.closed())).one())
    return Funnel(
        scope=scope,
        passages=passages,
        won_of_entered=won,
        closed=closed,
        median_cycle=_median_cycle(scope),
        open=number,
        pipeline=pipeline,
        weighted=weighted,
        ageing=_ageing(scope),
        oldest=list(_oldest(scope)),
        reasons=list(_reasons(scope, closed.lost)),
    )


def _passages(scope: Scope) -> tuple[list[Passage], int]:
    """Conversion by cohorts: a stage counts as entered by those that went past it without a stop."""
    stages = scope.stages
    entries = _entries(scope, stages).subquery()
    reached = [entries.c[f"entry_{place}"] for place in range(len(stages) + 1)]
    start = sa.case(
        (entries.c.begun_on.is_not(None), _day_in(scope, entries.c.begun_on)), else_=scope.during(reached[0])
    )
    cohorts = [start, *(scope.during(one) for one in reached[1:-1])]
    counted: list[Any] = []
    for cohort, following in zip(cohorts, reached[1:], strict=True):
        counted += [sa.func.count().filter(cohort), sa.func.count(following).filter(cohort)]
    row = list(scope.session.execute(sa.select(*counted, sa.func.count(reached[-1]).filter(start))).one())
    days = _days_in_stages(scope)
    passages = [
        Passage(stage=stage, entered=row[2 * place], passed=row[2 * place + 1], days=days.get(stage.value))
        for place, stage in enumerate(stages)
    ]
    return passages, row[-1]


def _entries(scope: Scope, stages: Sequence[Stage]) -> sa.Select[Any]:
    """When each opportunity first came as far as each open stage, and as far as it being won."""
    places = {one.value: place for place, one in enumerate(stages)}
    places |= {one.value: len(stages) for one in scope.lifecycle.stages if one.kind in ("won", "done")}
    went, stands = sa.case(places, value=STAY.c.stage), sa.case(places, value=Opportunity.stage)
    since = sa.func.coalesce(Opportunity.stage_since, Opportunity.closed_at, Opportunity.created_at)
    entries = [
        sa.func.coalesce(
            sa.func.min(sa.case((went >= place, STAY.c.entered_at))), sa.case((stands >= place, since))
        ).label(f"entry_{place}")
        for place in range(len(stages) + 1)
    ]
    return (
        sa.select(Opportunity.begun_on, *entries)
        .outerjoin_from(Opportunity, STAY, STAY.c.opportunity_id == Opportunity.id)
        .where(scope.mine)
        .group_by(Opportunity.id)
    )


def _day_in(scope: Scope, day: Any) -> sa.ColumnElement[bool]:
    return sa.and_(day >= scope.period.first, day < scope.period.end)


def _days_in_stages(scope: Scope) -> dict[str, float]:
    """The mean days of the stays that ended in the period, by stage."""
    query = (
        sa.select(STAY.c.stage, sa.func.avg(days_between(STAY.c.entered_at, STAY.c.left_at)))
        .join_from(STAY, Opportunity, STAY.c.opportunity_id == Opportunity.id)
        .where(scope.mine, scope.during(STAY.c.left_at))
        .group_by(STAY.c.stage)
    )
    return {stage: float(days) for stage, days in scope.session.execute(query) if days is not None}


def _median_cycle(scope: Scope) -> float | None:
    cycle = scope.cycle
    ranked = (
        sa.select(
            cycle.label("days"),
            sa.func.row_number().over(order_by=cycle).label("place"),
            sa.func.count().over().label("number"),
        )
        .where(scope.closed(), Opportunity.outcome == "won", cycle.is_not(None))
        .subquery()
    )
    middle = ranked.c.place.between((ranked.c.number + 1) // 2, (ranked.c.number + 2) // 2)
    found = scope.session.scalar(sa.select(sa.func.avg(ranked.c.days)).where(middle))
    return None if found is None else float(found)


def _open(scope: Scope) -> tuple[int, Decimal, Decimal]:
    """How many were open at the end of the period, what they come to, and that times their probability."""
    amount = scope.amount(sa.literal(scope.today, sa.Date()))
    weighted = product(amount, sa.func.coalesce(Opportunity.probability, 0))
    query = sa.select(sa.func.count(), sa.func.sum(amount), sa.func.sum(weighted)).where(scope.open_at_end())
    number, pipeline, expected = scope.session.execute(query).one()
    return number, pipeline or Decimal(0), expected or Decimal(0)


def _age() -> sa.ColumnElement[float]:
    """The days that an open opportunity is in its stage by now."""
    return days_between(Opportunity.stage_since, sa.literal(datetime.now(UTC), UtcDateTime()))


def _allowed(scope: Scope) -> sa.ColumnElement[Any]:
    """The usual days of the stage that an opportunity is in; NULL where none are told."""
    days = {one.value: one.days for one in scope.stages if one.days}
    return sa.case(days, value=Opportunity.stage) if days else sa.null()


def _ageing(scope: Scope) -> list[Ageing]:
    age, allowed = _age(), _allowed(scope)
    late, very_late = age > allowed * LATE, age > allowed * VERY_LATE
    query = (
        sa.select(
            Opportunity.stage,
            sa.func.count(),
            sa.func.sum(scope.amount(sa.literal(scope.today, sa.Date()))),
            sa.func.count().filter(late),
            sa.func.count().filter(very_late),
            sa.func.avg(age),
        )
        .where(scope.mine, Opportunity.outcome == "open")
        .group_by(Opportunity.stage)
    )
    rows = {row[0]: row for row in scope.session.execute(query)}
    found = []
    for stage in scope.stages:
        _stage, number, amount, over, far_over, days = rows.get(
            stage.value, (stage.value, 0, None, 0, 0, None)
        )
        found.append(
            Ageing(
                stage=stage,
                number=number,
                amount=amount or Decimal(0),
                usual=number - over,
                late=over - far_over,
                very_late=far_over,
                days=None if days is None else float(days),
            )
        )
    return found


def _oldest(scope: Scope) -> Iterator[Old]:
    """Those that are late, by how much longer than usual they are in their stage."""
    stages = {one.value: one for one in scope.stages}
    if (
        not any(one.days for one in scope.stages)
        or "name" not in scope.actor.sees(scope.edition).entity("opportunity").fields
    ):
        return
    age, allowed = _age(), _allowed(scope)
    query = sa.select(Opportunity.id, Opportunity.name, Opportunity.stage, age).where(
        scope.mine, Opportunity.outcome == "open", age > allowed * LATE
    )
    for row in scope.session.execute(query.order_by((age / allowed).desc(), Opportunity.id).limit(OLDEST)):
        yield Old(id=row[0], name=row[1], stage=stages[row[2]], days=row[3])


def _reasons(scope: Scope, lost: int) -> Iterator[Reason]:
    """Reasons by how many they are of; words that differ in case only are one, spelled as the list of reasons does."""
    key = sa.func.coalesce(Folded(sa.func.trim(Opportunity.lost_reason)), "")
    number = sa.func.count()
    query = (
        sa.select(
            key, sa.func.min(Opportunity.lost_reason), number, sa.func.sum(scope.amount(scope.closing_day))
        )
        .where(scope.closed(), Opportunity.outcome == "lost")
        .group_by(key)
        .order_by(number.desc(), key)
        .limit(MOST_REASONS)
    )
    rows = scope.session.execute(query).all()
    listed = sa.select(LostReason.name).where(LostReason.deleted_at.is_(None))
    spelled = {fold(name.strip()): name for name in scope.session.scalars(listed)} if rows else {}
    for words, some, count, amount in rows:
        title = spelled.get(words, (some or "").strip()) if words else ""
        yield Reason(title=title, number=count, share=count / lost, amount=amount or Decimal(0))
