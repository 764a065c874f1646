"""Effectiveness of sales compared: win rate, cycle, average deal, activities per win, pipeline and plan (SA5).

By person, unit or channel, in six statements whatever the number of opportunities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Kpi
from trellis.crm.sales.channels import costs
from trellis.crm.sales.counting import Closed, Scope, closed_columns, closed_of
from trellis.crm.sales.entities import Opportunity
from trellis.crm.sales.funnel import closed_json
from trellis.crm.service.entities import Activity
from trellis.i18n import Text, translator
from trellis.kpi import engine
from trellis.kpi.arithmetic import product
from trellis.kpi.periods import Grain
from trellis.kpi.splits import CHANNEL, LABELS, NOT_SET, PERSON, UNIT, split_names
from trellis.kpi.targets import targets
from trellis.naming import names
from trellis.records.types import Money

_ = translator("trellis")

SPLITS: Mapping[str, Text] = {one: LABELS[one] for one in (PERSON, UNIT, CHANNEL)}
_COLUMNS: Mapping[str, Any] = {
    PERSON: Opportunity.owner_id,
    UNIT: Opportunity.unit_id,
    CHANNEL: Opportunity.channel,
}
_REFERRED = {PERSON: "user", UNIT: "unit"}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was planned for the period, and what came of it."""

    plan: Decimal | None = None
    fact: Decimal | None = None

    @property
    def attainment(self) -> float | None:
        """Fact by plan."""
        return float((self.fact or 0) / self.plan) if self.plan else None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A person, a unit or a channel; ``key`` is None where none is set."""

    key: Any
    title: str
    closed: Closed
    activities: int
    open: int
    weighted: Decimal
    planned: Plan
    share: float | None = None
    """Of what all of them won."""
    cost: Decimal | None = None
    """What a channel costs in the months of the period."""

    @property
    def activities_per_win(self) -> float | None:
        """Done activities of what was closed, lost ones too, by the won ones."""
        return self.activities / self.closed.won if self.closed.won else None

    @property
    def cost_share(self) -> float | None:
        """What it costs by what it won."""
        return (
            float(self.cost / self.closed.amount)
            if self.cost is not None and self.closed.amount > 0
            else None
        )

    @property
    def velocity(self) -> Decimal | None:
        """What it brings a day."""
        return self.closed.velocity(self.open)


@dataclass(frozen=True, kw_only=True)
class Effectiveness:
    """The rows of a comparison, the one with the largest won amount first. ``kpi`` is what is planned."""

    scope: Scope
    by: str
    rows: Sequence[Row]
    kpi: Kpi | None

    def to_json(self) -> dict[str, Any]:
        """The answer of the command line and REST."""
        money = Money().to_json
        return {
            "funnel": self.scope.lifecycle.name,
            "period": self.scope.period.code,
            "by": self.by,
            "currency": self.scope.edition.settings.currency,
            "visible_only": not self.scope.whole,
            "kpi": self.kpi.name if self.kpi else None,
            "rows": [
                {
                    "key": one.key,
                    "title": one.title,
                    **closed_json(one.closed),
                    "activities_per_win": _rounded(one.activities_per_win),
                    "open": one.open,
                    "pipeline_weighted": money(one.weighted),
                    "plan": money(one.planned.plan),
                    "fact": money(one.planned.fact),
                    "attainment": _rounded(one.planned.attainment),
                    "share": _rounded(one.share),
                    **({"cost": money(one.cost)} if self.by == CHANNEL else {}),
                }
                for one in self.rows
            ],
        }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)


def effectiveness(scope: Scope, by: str = PERSON) -> Effectiveness:
    """The comparison. Raises PermissionRefused where a field that it is made of is withheld."""
    scope.require()
    key = _COLUMNS[by]
    columns = closed_columns(scope)
    query = sa.select(key, *columns).where(scope.closed()).group_by(key)
    closed = {row[0]: closed_of(row[1:]) for row in scope.session.execute(query)}
    activities = _activities(scope, key)
    still_open = _open(scope, key)
    kpi = _planned_kpi(scope, by)
    plans = _plans(scope, by, kpi) if kpi else {}
    keys = list(dict.fromkeys([*closed, *still_open, *(one for one in plans if one is not None)]))
    spent = _costs(scope) if by == CHANNEL else {}
    keys += [one for one in spent if one not in keys]
    whole = sum((one.amount for one in closed.values()), Decimal(0))
    titles = _titles(scope, by, [one for one in keys if one is not None])
    rows = [
        Row(
            key=one,
            title=str(NOT_SET)
            if one is None
            else titles.get(one, f"#{one}" if by in _REFERRED else str(one)),
            closed=closed.get(one, Closed()),
            activities=activities.get(one, 0),
            open=still_open.get(one, (0, Decimal(0)))[0],
            weighted=still_open.get(one, (0, Decimal(0)))[1],
            planned=plans.get(one, Plan()),
            share=float(closed.get(one, Closed()).amount / whole) if whole > 0 else None,
            cost=spent.get(one),
        )
        for one in keys
    ]
    rows.sort(key=lambda one: (one.key is None, -one.closed.amount, one.title))
    return Effectiveness(scope=scope, by=by, rows=rows, kpi=kpi)


def _costs(scope: Scope) -> dict[Any, Decimal]:
    """What channels cost in the months of the period, for those who may read it."""
    seen = scope.actor.sees(scope.edition).entities.get("sales_channel")
    if seen is None or "cost" not in seen.fields or not scope.actor.sees_all("sales_channel"):
        return {}
    months = len(scope.period.split(Grain.MONTH))
    return {name: cost * months for name, cost in costs(scope.session).items()}


def _activities(scope: Scope, key: Any) -> dict[Any, int]:
    """Done activities of what was closed, as far as the actor sees them."""
    if not scope.actor.may("activity", "read"):
        return {}
    done = sa.and_(
        Activity.done_at.is_not(None), Activity.deleted_at.is_(None), scope.actor.visible(Activity)
    )
    query = (
        sa.select(key, sa.func.count())
        .join_from(Activity, Opportunity, Activity.opportunity_id == Opportunity.id)
        .where(done, scope.closed())
        .group_by(key)
    )
    return {one: number for one, number in scope.session.execute(query)}


def _open(scope: Scope, key: Any) -> dict[Any, tuple[int, Decimal]]:
    """How many were open at the end of the period, and their amounts weighted by probability."""
    amount = scope.amount(sa.literal(scope.today, sa.Date()))
    weighted = sa.func.sum(product(amount, sa.func.coalesce(Opportunity.probability, 0)))
    query = sa.select(key, sa.func.count(), weighted).where(scope.open_at_end()).group_by(key)
    return {one: (number, total or Decimal(0)) for one, number, total in scope.session.execute(query)}


def _planned_kpi(scope: Scope, by: str) -> Kpi | None:
    """The KPI that the funnel is planned by, where it can be told apart so."""
    kpi: Kpi | None = scope.edition.all(Kpi).get(scope.lifecycle.kpi or "")
    known = kpi is not None and by in _REFERRED and by in split_names(scope.edition, kpi)
    return kpi if known else None


def _plans(scope: Scope, by: str, kpi: Kpi) -> dict[Any, Plan]:
    """Plan and fact by key, as the board of KPIs has them."""
    known = targets(scope.session, scope.edition, [kpi], [scope.period], scope.actor)
    who = scope.session, scope.edition, scope.actor
    facts = {
        one.key: one.points[-1].value for one in engine.parts(*who, kpi.name, [scope.period], by, scope.today)
    }
    keys = {*facts, *(getattr(one, by) for one in known.values if not one.of_goods)}
    return {
        key: Plan(
            plan=known.of(kpi, scope.period, **{by: key}) if key is not None else None,
            fact=Decimal(str(facts[key])) if facts.get(key) is not None else None,
        )
        for key in keys
    }


def _titles(scope: Scope, by: str, keys: Sequence[Any]) -> dict[Any, str]:
    """The names of channels, and of people and units that the actor may see."""
    if by not in _REFERRED or not keys:
        return {key: str(title) for key, title in names(scope.edition, by).items()}
    target = scope.edition.entity(_REFERRED[by]).entity
    name = getattr(target, target.__entity__.title_field)
    query = sa.select(target.id, name).where(target.id.in_(keys), scope.actor.visible(target))
    return {record_id: title for record_id, title in scope.session.execute(query)}
