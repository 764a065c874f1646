"""KPIs of service and of daily work."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Cell, Direction, Kpi, Level, Unit
from trellis.crm.service.cases import Case
from trellis.crm.service.entities import Activity
from trellis.crm.service.options import PAUSED
from trellis.i18n import translator
from trellis.kpi.arithmetic import days_between, ratio
from trellis.kpi.query import KpiQuery

_ = translator("trellis")

WORK = Cell(Direction.SERVICE, Level.OPERATIONS, "SE3")
LEVELS = Cell(Direction.SERVICE, Level.STRATEGY, "SE1")
INCIDENTS = Cell(Direction.SERVICE, Level.TACTICS, "SE2")

_NOT_CANCELLED = {"field": "state", "op": "ne", "value": "cancelled"}
_BREAKDOWNS = {"priority": Case.priority, "kind": Case.kind, "channel": Case.channel}


def _done(q: KpiQuery) -> sa.Select[Any]:
    return sa.select(sa.func.count()).where(q.during(Activity.done_at), q.visible(Activity))


def _cases(q: KpiQuery, value: Any, moment: Any) -> sa.Select[Any]:
    return sa.select(value).where(q.during(moment), q.visible(Case), Case.state != "cancelled")


def _backlog(q: KpiQuery) -> sa.Select[Any]:
    unsolved = sa.or_(Case.resolved_at.is_(None), Case.resolved_at >= q.end)
    opened = q.before_end(Case.opened_at)
    return sa.select(sa.func.count()).where(q.visible(Case), opened, unsolved, Case.state != "cancelled")


def _kept(q: KpiQuery, met: Any, due: Any, at: Any) -> sa.Select[Any]:
    """Share of those that were due in the period; what is late counts, what waits for the customer or is not due does not."""
    late = sa.and_(at.is_(None), due < datetime.now(UTC), Case.state.not_in(PAUSED))
    return _cases(
        q, ratio(sa.func.count().filter(met), sa.func.count().filter(sa.or_(met.is_not(None), late))), due
    )


KPIS = [
    Kpi(
        name="activities_done",
        title=_("Activities done"),
        cell=WORK,
        formula=_("Tasks, calls, mails and meetings finished in the period"),
        entity=Activity,
        date=Activity.done_at,
        select=_done,
        breakdowns={"kind": Activity.kind},
    ),
    Kpi(
        name="cases_opened",
        title=_("Cases opened"),
        cell=INCIDENTS,
        formula=_("Cases opened in the period, without those that were cancelled"),
        entity=Case,
        date=Case.opened_at,
        higher_is_better=False,
        select=lambda q: _cases(q, sa.func.count(), Case.opened_at),
        rule=_NOT_CANCELLED,
        breakdowns=_BREAKDOWNS,
    ),
    Kpi(
        name="cases_solved",
        title=_("Cases solved"),
        cell=INCIDENTS,
        formula=_("Cases solved in the period"),
        entity=Case,
        date=Case.resolved_at,
        select=lambda q: _cases(q, sa.func.count(), Case.resolved_at),
        rule=_NOT_CANCELLED,
        breakdowns=_BREAKDOWNS,
    ),
    Kpi(
        name="cases_unsolved",
        title=_("Cases not solved"),
        cell=INCIDENTS,
        formula=_(
            "Cases opened before the end of the period and not solved by then, without those that were cancelled"
        ),
        entity=Case,
        higher_is_better=False,
        select=_backlog,
        breakdowns=_BREAKDOWNS,
    ),
    Kpi(
        name="resolution_attainment",
        title=_("Solved in time"),
        cell=LEVELS,
        formula=_(
            "Cases solved in time / cases that were due in the period; a case that is overdue counts as not in time, one that waits for the customer or was cancelled does not count"
        ),
        unit=Unit.PERCENT,
        entity=Case,
        date=Case.resolution_due,
        select=lambda q: _kept(q, Case.resolution_met, Case.resolution_due, Case.resolved_at),
        rule=_NOT_CANCELLED,
        breakdowns=_BREAKDOWNS,
    ),
    Kpi(
        name="response_attainment",
        title=_("Answered in time"),
        cell=LEVELS,
        formula=_(
            "Cases first answered in time / cases whose first answer was due in the period; one that is overdue counts as not in time"
        ),
        unit=Unit.PERCENT,
        entity=Case,
        date=Case.first_response_due,
        select=lambda q: _kept(q, Case.first_response_met, Case.first_response_due, Case.first_response_at),
        rule=_NOT_CANCELLED,
        breakdowns=_BREAKDOWNS,
    ),
    Kpi(
        name="resolution_days",
        title=_("Days to a solution"),
        cell=INCIDENTS,
        formula=_("Days of the calendar from opening to solution, mean of the cases solved in the period"),
        unit=Unit.DAYS,
        entity=Case,
        date=Case.resolved_at,
        higher_is_better=False,
        select=lambda q: _cases(
            q, sa.func.avg(days_between(Case.opened_at, Case.resolved_at)), Case.resolved_at
        ),
        rule=_NOT_CANCELLED,
        breakdowns=_BREAKDOWNS,
    ),
]
