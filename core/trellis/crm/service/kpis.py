"""KPIs of service and of daily work."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from trellis.contributions import Cell, Direction, Kpi, Level
from trellis.crm.service.entities import Activity
from trellis.i18n import translator
from trellis.kpi.query import KpiQuery

_ = translator("trellis")

WORK = Cell(Direction.SERVICE, Level.OPERATIONS, "SE3")


def _done(q: KpiQuery) -> sa.Select[Any]:
    return sa.select(sa.func.count()).where(q.during(Activity.done_at), q.visible(Activity))


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
]
