"""The sales plan: plan and fact of whom it is for and of those it is handed down to, run-rate and weighted pipeline (SA2).

The plan is that of the targets of KPIs. A period that runs is carried on by its working days; what is open adds what it is
likely to bring before the period ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Direction, Kpi
from trellis.contributions import Unit as Measure
from trellis.crm.sales.counting import funnel_named
from trellis.crm.sales.entities import Opportunity
from trellis.crm.sales.pipeline import Pipeline, pipelines_by
from trellis.crm.sales.working_days import working_days
from trellis.edition import Edition
from trellis.errors import RecordNotFound, TrellisError
from trellis.i18n import translator
from trellis.kpi import engine
from trellis.kpi.below import EVERYBODY, Below, Whom, ways
from trellis.kpi.periods import Period
from trellis.kpi.results import Forecast, Value, number, number_json
from trellis.kpi.splits import PERSON
from trellis.kpi.targets import Targets, targets
from trellis.records.entity import Entity
from trellis.security.actor import Actor

_ = translator("trellis")

USUAL = "sales_won"


class PlanUnknown(TrellisError):
    """Sales are not planned by what was asked for."""

    code = "plan_unknown"


def planned_kpis(edition: Edition) -> dict[str, Kpi]:
    """The KPIs of sales that can be planned and handed down: sums that are told apart by unit or person."""
    return {
        name: kpi
        for name, kpi in edition.all(Kpi).items()
        if kpi.cell is not None
        and kpi.cell.direction is Direction.SALES
        and kpi.higher_is_better
        and kpi.date is not Opportunity.expected_close  # what is open is no fact
        and isinstance(kpi.entity, type)
        and issubclass(kpi.entity, Entity)
        and ways(edition, kpi, EVERYBODY)
    }


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Plan, fact and outlook of one row. ``pipeline`` is None where it is not of this kind of figure, or is withheld."""

    plan: Decimal | None
    fact: Value | None
    run_rate: Decimal | None = None
    pipeline: Pipeline | None = None

    @property
    def deviation(self) -> Decimal | None:
        """Fact minus plan."""
        return None if self.plan is None or self.fact is None else _exact(self.fact) - self.plan

    @property
    def attainment(self) -> float | None:
        """Fact by plan; none where nothing is planned."""
        return float(_exact(self.fact or 0) / self.plan) if self.plan else None

    @property
    def expected(self) -> Decimal | None:
        """Fact and what the pipeline is likely to add; overdue opportunities are left out."""
        return None if self.pipeline is None else _exact(self.fact or 0) + self.pipeline.weighted


@dataclass(frozen=True, kw_only=True)
class Row:
    """A part of the plan; ``key`` is None for what belongs to no part."""

    key: int | None
    title: str
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class SalesPlan:
    """The plan of ``whom`` above, and those below by ``by``. ``forecast`` is from how past periods went on."""

    kpi: Kpi
    period: Period
    whom: Whom
    title: str
    by: str
    whole: Figures
    rows: Sequence[Row]
    days: tuple[int, int]
    """Working days that are gone, and of the whole period."""
    partial: bool
    currency: str = ""
    forecast: Forecast | None = None
    visible_only: bool = False

    @property
    def below(self) -> Decimal | None:
        """The plans below together; None where there are none."""
        plans = [row.figures.plan for row in self.rows if row.figures.plan is not None]
        return sum(plans, Decimal(0)) if plans else None

    @property
    def difference(self) -> Decimal | None:
        """What is planned above and not below; negative where more is planned below."""
        return None if self.whole.plan is None or self.below is None else self.whole.plan - self.below

    def to_json(self) -> dict[str, Any]:
        """The answer of the command line and REST."""
        unit = self.kpi.unit
        gone, all_days = self.days
        return {
            "kpi": self.kpi.name,
            "title": str(self.kpi.title),
            "unit": unit.value,
            "currency": self.currency or None,
            "period": self.period.code,
            "partial": self.partial,
            "whom": self.whom.text or None,
            "whom_title": self.title or None,
            "by": self.by,
            "visible_only": self.visible_only,
            "working_days": {"gone": gone, "all": all_days},
            **_figures_json(unit, self.whole),
            "forecast": self.forecast.to_json(unit) if self.forecast else None,
            "planned_below": _json(unit, self.below),
            "difference": _json(unit, self.difference),
            "rows": [
                {"key": row.key, "title": row.title, **_figures_json(unit, row.figures)} for row in self.rows
            ],
        }


def _figures_json(unit: Measure, one: Figures) -> dict[str, Any]:
    values = {
        "plan": one.plan,
        "fact": one.fact,
        "deviation": one.deviation,
        "run_rate": one.run_rate,
        "pipeline_weighted": one.pipeline.weighted if one.pipeline else None,
        "pipeline_overdue": one.pipeline.overdue if one.pipeline else None,
        "expected": one.expected,
    }
    attainment = None if one.attainment is None else round(one.attainment, 4)
    return {**{name: _json(unit, value) for name, value in values.items()}, "attainment": attainment}


def _json(unit: Measure, value: Value | None) -> Any:
    return number_json(unit, number(unit, value))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whose plan of which KPI is looked at, by whom, and by which parts it is handed down.

    Raises PlanUnknown for what cannot be planned so.
    """

    session: Session
    edition: Edition
    actor: Actor
    period: Period
    today: date
    whom: Whom = EVERYBODY
    wanted: str | None = None
    wanted_by: str | None = None

    @cached_property
    def kpi(self) -> Kpi:
        """The KPI that is asked for, by default that of the funnel with most opportunities, or won sales."""
        known = planned_kpis(self.edition)
        funnel = funnel_named(self.session, self.edition, self.actor, None)
        usual = [name for name in (funnel.kpi, USUAL, *known) if name in known]
        name = self.wanted or next(iter(usual), USUAL)
        if name not in known:
            told = {"name": name[:80], "known": ", ".join(known)}
            raise PlanUnknown(_("Sales are not planned by “%(name)s”; choose: %(known)s", **told))
        return known[name]

    @cached_property
    def title(self) -> str:
        """The name of the unit or the person; empty for the whole. Raises RecordNotFound for what the actor may not see."""
        given = {"unit": self.whom.unit, "user": self.whom.person}
        for name, key in given.items():
            if key is None:
                continue
            entity: Any = self.edition.entity(name).entity
            seen = (entity.id == key, entity.deleted_at.is_(None), self.actor.visible(entity))
            found = self.session.scalar(sa.select(entity.name).where(*seen))
            if found is None:
                raise RecordNotFound()
            return str(found)
        return ""

    @cached_property
    def ways(self) -> list[str]:
        """By what the plan of ``whom`` can be handed down."""
        return ways(self.edition, self.kpi, self.whom)

    @cached_property
    def by(self) -> str:
        """The way that is asked for, the first by default."""
        if self.wanted_by is not None and self.wanted_by not in self.ways:
            told = {"by": self.wanted_by, "known": ", ".join(self.ways)}
            raise PlanUnknown(_("This plan cannot be handed down by “%(by)s”; choose: %(known)s", **told))
        return self.wanted_by or next(iter(self.ways), "")

    @cached_property
    def below(self) -> Below:
        """The parts of the plan."""
        return Below(
            session=self.session,
            edition=self.edition,
            actor=self.actor,
            kpi=self.kpi,
            whom=self.whom,
            by=self.by or PERSON,
        )

    @cached_property
    def known(self) -> Targets:
        """The targets of the KPI in the period."""
        return targets(self.session, self.edition, [self.kpi], [self.period], self.actor)

    @cached_property
    def days(self) -> tuple[int, int]:
        """Working days that are gone, and of the whole period."""
        gone = self.period.elapsed(self.today)
        return (
            working_days(self.session, gone.first, gone.end),
            working_days(self.session, self.period.first, self.period.end),
        )

    def plan_of(self, **whom: int | None) -> Decimal | None:
        """A target of the period."""
        return self.known.of(self.kpi, self.period, **whom)


def sales_plan(asked: Asked) -> SalesPlan:
    """The plan with its facts and outlook, in a fixed number of statements."""
    asked.actor.require("kpi_target", "read")
    pipelines = pipelines_by(asked.below, asked.period, asked.today) if _is_money(asked.kpi) else None
    rows = _rows(asked, pipelines) if asked.by else []
    whole, ahead = _whole(asked)
    total = None
    if pipelines is not None:
        total = Pipeline()
        for one in pipelines.values():
            total = total.plus(one)
    return SalesPlan(
        kpi=asked.kpi,
        period=asked.period,
        whom=asked.whom,
        title=asked.title,
        by=asked.by,
        whole=_figures(asked, asked.plan_of(unit=asked.whom.unit, person=asked.whom.person), whole, total),
        rows=rows,
        days=asked.days,
        partial=asked.period.is_partial(asked.today),
        currency=asked.edition.settings.currency if asked.kpi.unit is Measure.MONEY else "",
        forecast=ahead,
        visible_only=not asked.actor.sees_all(_entity(asked.kpi)),
    )


def _whole(asked: Asked) -> tuple[Value | None, Forecast | None]:
    """The fact above, and for the whole organisation its forecast from how past periods went on."""
    who = asked.session, asked.edition, asked.actor, asked.kpi.name
    only = asked.below.only
    if only is None:
        found = engine.value(*who, asked.period, today=asked.today)
        return found.value, found.forecast
    parts = engine.parts(*who, [asked.period], only[0], asked.today, only)
    values = [_exact(one.points[-1].value) for one in parts if one.points[-1].value is not None]
    return number(asked.kpi.unit, sum(values, Decimal(0))) if values else None, None


def _rows(asked: Asked, pipelines: Mapping[int | None, Pipeline] | None) -> list[Row]:
    """The parts with anything planned, sold or open, and units, people and categories that could have."""
    below = asked.below
    facts = below.facts([asked.period], asked.today)
    keys = dict.fromkeys([*below.titles, *facts, *below.planned_in(asked.known.values), *(pipelines or {})])
    titles = below.named([key for key in keys if key is not None])
    rows = [
        Row(
            key=key,
            title=below.rest if key is None else titles[key],
            figures=_figures(
                asked,
                None if key is None else below.plan(asked.known, asked.period, key),
                facts.get(key, [0])[0],
                None if pipelines is None else pipelines.get(key, Pipeline()),
            ),
        )
        for key in keys
        if key is not None or _has_rest(facts, pipelines)
    ]
    return sorted(rows, key=lambda row: (row.key is None, -_exact(row.figures.fact or 0), row.title))


def _has_rest(
    facts: Mapping[int | None, Sequence[Value | None]], pipelines: Mapping[int | None, Pipeline] | None
) -> bool:
    open_rest = (pipelines or {}).get(None, Pipeline())
    return bool(facts.get(None, [None])[0] or open_rest.weighted or open_rest.overdue)


def _figures(asked: Asked, plan: Decimal | None, sold: Value | None, pipeline: Pipeline | None) -> Figures:
    """The figures of a row; where nothing was sold a sum is zero."""
    fact = number(asked.kpi.unit, sold or 0)
    gone, whole = asked.days
    run_rate = None
    if asked.period.end <= asked.today and fact is not None:
        run_rate = _exact(fact)
    elif asked.period.is_partial(asked.today) and gone and fact is not None:
        run_rate = (_exact(fact) * whole / gone).quantize(Decimal("0.01"))
    return Figures(plan=plan, fact=fact, run_rate=run_rate, pipeline=pipeline)


def _is_money(kpi: Kpi) -> bool:
    return kpi.unit is Measure.MONEY


def _entity(kpi: Kpi) -> str:
    assert kpi.entity is not None
    return cast(type[Entity], kpi.entity).__entity__.name


def _exact(value: Value) -> Decimal:
    return Decimal(str(value))
