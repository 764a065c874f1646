"""What the core brings to service."""

from __future__ import annotations

from trellis.contributions import Kpi
from trellis.crm.service.entities import Activity
from trellis.crm.service.kpis import KPIS
from trellis.hookspecs import hookimpl
from trellis.records.entity import Entity


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Activity]


@hookimpl
def trellis_kpis() -> list[Kpi]:
    return KPIS
