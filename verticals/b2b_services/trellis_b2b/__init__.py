"""Trellis for B2B services: engagements, consultants, time and milestones, and what a service firm measures."""

from __future__ import annotations

import trellis

from trellis_b2b import lifecycles
from trellis_b2b.bonuses import BONUSES
from trellis_b2b.dashboards import DASHBOARDS
from trellis_b2b.demo import DEMOS
from trellis_b2b.entities import ChangeRequest, Consultant, Engagement, Milestone, TimeEntry
from trellis_b2b.fields import FIELDS
from trellis_b2b.flows import PROCESS_LIST
from trellis_b2b.imports import MAPPINGS
from trellis_b2b.income import SOURCES
from trellis_b2b.journeys import JOURNEYS
from trellis_b2b.kpis import KPIS
from trellis_b2b.letters import TEMPLATE_LIST
from trellis_b2b.roles import ROLES
from trellis_b2b.scripts import SCRIPT_LIST
from trellis_b2b.segments import SEGMENTS

_ = trellis.translator("trellis_b2b")

manifest = trellis.Manifest(
    name="b2b",
    title=_("B2B services"),
    version="0.1.0",
    package="trellis_b2b",
    summary=_("Engagements, milestones, time of consultants, and a funnel of service contracts."),
    vendor="Trellis",
    core=">=0.1,<1",
    icon="briefcase-business",
    tone="teal",
)


@trellis.hookimpl
def trellis_entities() -> list[type[trellis.Entity]]:
    return [Engagement, Milestone, Consultant, TimeEntry, ChangeRequest]


@trellis.hookimpl
def trellis_fields() -> list[trellis.Field]:
    return FIELDS


@trellis.hookimpl
def trellis_lifecycles() -> list[trellis.Lifecycle]:
    return lifecycles.LIFECYCLES


@trellis.hookimpl
@trellis.concerns("b2b.time_entry")
def trellis_before_save(event: trellis.BeforeSave) -> None:
    lifecycles.follow(event)


@trellis.hookimpl
def trellis_segments() -> list[trellis.Segment]:
    return SEGMENTS


@trellis.hookimpl
def trellis_kpis() -> list[trellis.Kpi]:
    return KPIS


@trellis.hookimpl
def trellis_income() -> list[trellis.IncomeSource]:
    return SOURCES


@trellis.hookimpl
def trellis_dashboards() -> list[trellis.Dashboard]:
    return DASHBOARDS


@trellis.hookimpl
def trellis_bonuses() -> list[trellis.BonusScheme]:
    return BONUSES


@trellis.hookimpl
def trellis_roles() -> list[trellis.Role]:
    return ROLES


@trellis.hookimpl
def trellis_import_mappings() -> list[trellis.ImportMapping]:
    return MAPPINGS


@trellis.hookimpl
def trellis_processes() -> list[trellis.Process]:
    return PROCESS_LIST


@trellis.hookimpl
def trellis_scripts() -> list[trellis.Script]:
    return SCRIPT_LIST


@trellis.hookimpl
def trellis_journeys() -> list[trellis.Journey]:
    return JOURNEYS


@trellis.hookimpl
def trellis_templates() -> list[trellis.Template]:
    return TEMPLATE_LIST


@trellis.hookimpl
def trellis_demo() -> list[trellis.Demo]:
    return DEMOS
