"""What the core brings to customers."""

from __future__ import annotations

from trellis.contributions import Kpi
from trellis.crm.customers.entities import Contact, Customer
from trellis.crm.customers.kpis import KPIS
from trellis.crm.customers.programme import Programme, check_programme
from trellis.crm.customers.surveys import SatisfactionBenchmark, SurveyAnswer
from trellis.hookspecs import hookimpl
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Customer, Contact, SurveyAnswer, SatisfactionBenchmark, Programme]


@hookimpl
def trellis_before_save(event: BeforeSave) -> None:
    if event.entity == "programme":
        check_programme(event)


@hookimpl
def trellis_kpis() -> list[Kpi]:
    return KPIS
