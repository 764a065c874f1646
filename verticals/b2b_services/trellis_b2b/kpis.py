"""What a service firm measures: time and its value, milestones, contracts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import trellis
from trellis import Behind, Kpi, KpiQuery, Unit, average, ratio
from trellis.crm.sales.entities import Opportunity

from trellis_b2b.entities import Consultant, Milestone, TimeEntry
from trellis_b2b.lifecycles import CONTRACTS
from trellis_b2b.model import CONTROL, FUNNEL, SALES

_ = trellis.translator("trellis_b2b")

_BY = {"consultant": TimeEntry.consultant_id, "engagement": TimeEntry.engagement_id}
_BILLABLE = sa.case((TimeEntry.billable, TimeEntry.hours))


def _time(q: KpiQuery, value: Any) -> sa.Select[Any]:
    return sa.select(value).where(q.during(TimeEntry.worked_on), q.visible(TimeEntry))


def _capacity(q: KpiQuery) -> Any:
    """Hours that all consultants have in the period; of one that still runs, in the days that are gone."""
    weeks = q.period.elapsed(q.today).days / 7
    hours = (
        sa.select(sa.func.sum(Consultant.hours_a_week))
        .where(Consultant.deleted_at.is_(None))
        .scalar_subquery()
    )
    return hours * sa.literal(weeks)


def _utilisation(q: KpiQuery) -> sa.Select[Any]:
    return _time(q, ratio(sa.func.sum(_BILLABLE), _capacity(q)))


def _billable_share(q: KpiQuery) -> sa.Select[Any]:
    return _time(q, ratio(sa.func.sum(_BILLABLE), sa.func.sum(TimeEntry.hours)))


def _value(q: KpiQuery) -> sa.Select[Any]:
    return _time(q, q.total(TimeEntry.value, TimeEntry.currency))


def _margin(q: KpiQuery) -> sa.Select[Any]:
    value = q.total(TimeEntry.value, TimeEntry.currency)
    return _time(q, ratio(value - q.total(TimeEntry.cost, TimeEntry.currency), value))


def _rate(q: KpiQuery) -> sa.Select[Any]:
    return _time(q, average(q.total(TimeEntry.value, TimeEntry.currency), sa.func.sum(TimeEntry.hours)))


def _due(q: KpiQuery, value: Any) -> sa.Select[Any]:
    return sa.select(value).where(
        q.during(Milestone.due_on), Milestone.due_on <= q.today, q.visible(Milestone)
    )


def _on_time(q: KpiQuery) -> sa.Select[Any]:
    kept = sa.func.count().filter(Milestone.accepted_on <= Milestone.due_on)
    return _due(q, ratio(kept, sa.func.count()))


def _milestones(q: KpiQuery) -> sa.Select[Any]:
    return sa.select(q.total(Milestone.amount, Milestone.currency)).where(
        q.during(Milestone.accepted_on), q.visible(Milestone)
    )


def _contracts_won(q: KpiQuery) -> sa.Select[Any]:
    return sa.select(q.total(Opportunity.amount, Opportunity.currency)).where(
        q.during(Opportunity.closed_at),
        Opportunity.funnel == CONTRACTS,
        Opportunity.outcome == "won",
        q.visible(Opportunity),
    )


KPIS = [
    Kpi(
        name="b2b.utilisation",
        title=_("Utilisation"),
        unit=Unit.PERCENT,
        cell=CONTROL,
        select=_utilisation,
        behind=Behind(entity="b2b.time_entry", select=lambda q: _time(q, TimeEntry.id)),
        formula=_("Billable hours through the hours that all consultants have in the period"),
    ),
    Kpi(
        name="b2b.billable_share",
        title=_("Billable share"),
        unit=Unit.PERCENT,
        cell=CONTROL,
        entity=TimeEntry,
        date=TimeEntry.worked_on,
        breakdowns=_BY,
        select=_billable_share,
        formula=_("Billable hours through all hours worked"),
    ),
    Kpi(
        name="b2b.time_value",
        title=_("Value of time"),
        unit=Unit.MONEY,
        cell=SALES,
        entity=TimeEntry,
        date=TimeEntry.worked_on,
        breakdowns=_BY,
        select=_value,
        formula=_("Billable hours times the rate of the consultant"),
    ),
    Kpi(
        name="b2b.project_margin",
        title=_("Project margin"),
        unit=Unit.PERCENT,
        cell=SALES,
        entity=TimeEntry,
        date=TimeEntry.worked_on,
        breakdowns=_BY,
        select=_margin,
        formula=_("Value of time less its cost, through the value"),
    ),
    Kpi(
        name="b2b.effective_rate",
        title=_("Effective rate"),
        unit=Unit.MONEY,
        cell=SALES,
        entity=TimeEntry,
        date=TimeEntry.worked_on,
        breakdowns=_BY,
        select=_rate,
        formula=_("Value of time through all hours worked"),
    ),
    Kpi(
        name="b2b.milestones_on_time",
        title=_("Milestones on time"),
        unit=Unit.PERCENT,
        cell=CONTROL,
        select=_on_time,
        behind=Behind(entity="b2b.milestone", select=lambda q: _due(q, Milestone.id)),
        formula=_("Milestones accepted by their due day, of those due in the period up to today"),
    ),
    Kpi(
        name="b2b.milestones_accepted",
        title=_("Milestones accepted"),
        unit=Unit.MONEY,
        cell=SALES,
        entity=Milestone,
        date=Milestone.accepted_on,
        select=_milestones,
        formula=_("Amounts of the milestones accepted in the period"),
    ),
    Kpi(
        name="b2b.contracts_won",
        title=_("Contracts won"),
        unit=Unit.MONEY,
        cell=FUNNEL,
        entity=Opportunity,
        date=Opportunity.closed_at,
        select=_contracts_won,
        rule={
            "all": [
                {"field": "funnel", "op": "eq", "value": CONTRACTS},
                {"field": "outcome", "op": "eq", "value": "won"},
            ]
        },
        formula=_("Amounts of the service contracts won in the period"),
    ),
]
