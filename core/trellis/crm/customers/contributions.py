"""What the core brings to customers."""

from __future__ import annotations

from trellis.contributions import Kpi, Lifecycle, Panel, StageRule
from trellis.crm.customers import (
    agreeing,
    agreement_kpis,
    inviting,
    panels,
    questions,
    stage_kpis,
    stages,
    standing,
)
from trellis.crm.customers.agreements import LIFECYCLE, Agreement
from trellis.crm.customers.entities import Contact, Customer
from trellis.crm.customers.invitations import Survey, SurveyInvitation
from trellis.crm.customers.kpis import KPIS
from trellis.crm.customers.programme import Programme, check_programme
from trellis.crm.customers.relations import CustomerRelation, check_relation
from trellis.crm.customers.surveys import SatisfactionBenchmark, SurveyAnswer
from trellis.errors import RecordInvalid
from trellis.hookspecs import concerns, hookimpl
from trellis.i18n import known_timezone, translator
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave

_ = translator("trellis")


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [
        Customer,
        Contact,
        CustomerRelation,
        Agreement,
        Survey,
        SurveyInvitation,
        SurveyAnswer,
        SatisfactionBenchmark,
        Programme,
    ]


@hookimpl
@concerns("customer", "customer_relation", "programme", "survey", "survey_invitation", "agreement")
def trellis_before_save(event: BeforeSave) -> None:
    if event.entity == "customer":
        _check_zone(event)
        standing.hold(event)
    elif event.entity == "customer_relation":
        check_relation(event)
    elif event.entity == "programme":
        check_programme(event)
    elif event.entity == "survey":
        questions.complete(event)
    elif event.entity == "agreement":
        agreeing.follow(event)
    else:
        inviting.complete(event)


def _check_zone(event: BeforeSave) -> None:
    zone = event.values.get("time_zone")
    if zone and known_timezone(zone) is None:
        raise RecordInvalid({"time_zone": [_("Use a time zone name such as Europe/Prague")]})


@hookimpl
def trellis_lifecycles() -> list[Lifecycle]:
    return [stages.LIFECYCLE, LIFECYCLE]


@hookimpl
def trellis_stage_rules() -> list[StageRule]:
    return stages.RULES


@hookimpl
def trellis_panels() -> list[Panel]:
    return panels.PANELS


@hookimpl
def trellis_kpis() -> list[Kpi]:
    return [*KPIS, *stage_kpis.KPIS, *agreement_kpis.KPIS]
