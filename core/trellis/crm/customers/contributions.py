"""What the core brings to customers."""

from __future__ import annotations

from trellis.contributions import Kpi
from trellis.crm.customers.entities import Contact, Customer
from trellis.crm.customers.kpis import KPIS
from trellis.hookspecs import hookimpl
from trellis.records.entity import Entity


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Customer, Contact]


@hookimpl
def trellis_kpis() -> list[Kpi]:
    return KPIS
