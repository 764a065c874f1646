"""What the core brings to customers."""

from __future__ import annotations

from trellis.contributions import Kpi, Panel
from trellis.crm.customers import inviting, panels, questions
from trellis.crm.customers.entities import Contact, Customer
from trellis.crm.customers.invitations import Survey, SurveyInvitation
from trellis.crm.customers.kpis import KPIS
from trellis.crm.customers.programme import Programme, check_programme
from trellis.crm.customers.surveys import SatisfactionBenchmark, SurveyAnswer
from trellis.hookspecs import concerns, hookimpl
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [
        Customer,
        Contact,
        Survey,
        SurveyInvitation,
        SurveyAnswer,
        SatisfactionBenchmark,
        Programme,
    ]


@hookimpl
@concerns("programme", "survey", "survey_invitation")
def trellis_before_save(event: BeforeSave) -> None:
    if event.entity == "programme":
        check_programme(event)
    elif event.entity == "survey":
        questions.complete(event)
    else:
        inviting.complete(event)


@hookimpl
def trellis_panels() -> list[Panel]:
    return panels.PANELS


@hookimpl
def trellis_kpis() -> list[Kpi]:
    return KPIS
