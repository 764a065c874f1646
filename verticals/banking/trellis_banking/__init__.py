"""Trellis for banks: accounts, deposits, loans, applications and KYC, and what a bank measures."""

from __future__ import annotations

import trellis

from trellis_banking import lifecycles
from trellis_banking.dashboards import DASHBOARDS
from trellis_banking.demo import DEMOS
from trellis_banking.entities import Account, AccountMonth, Application, Branch, Deposit, KycReview, Loan
from trellis_banking.fields import FIELDS
from trellis_banking.flows import PROCESS_LIST
from trellis_banking.imports import MAPPINGS
from trellis_banking.income import SOURCES
from trellis_banking.journeys import JOURNEYS
from trellis_banking.kpis import KPIS
from trellis_banking.panels import PANELS
from trellis_banking.reports import REPORT_LIST
from trellis_banking.roles import ROLES
from trellis_banking.schedule import CALLS
from trellis_banking.scripts import SCRIPT_LIST
from trellis_banking.segments import SEGMENTS
from trellis_banking.work import CHANNEL_LIST, INSTRUCTION_LIST, MENU, TEMPLATE_LIST

_ = trellis.translator("trellis_banking")

manifest = trellis.Manifest(
    name="banking",
    title=_("Banking"),
    version="0.1.0",
    package="trellis_banking",
    summary=_("Accounts, deposits, loans and applications, margin per customer, KYC reviews."),
    vendor="Trellis",
    core=">=0.1,<1",
    icon="landmark",
    tone="violet",
)


@trellis.hookimpl
def trellis_entities() -> list[type[trellis.Entity]]:
    return [Branch, Account, Deposit, Application, Loan, KycReview, AccountMonth]


@trellis.hookimpl
def trellis_fields() -> list[trellis.Field]:
    return FIELDS


@trellis.hookimpl
def trellis_lifecycles() -> list[trellis.Lifecycle]:
    return lifecycles.LIFECYCLES


@trellis.hookimpl
@trellis.concerns(lifecycles.APPLICATION, lifecycles.REVIEW)
def trellis_before_save(event: trellis.BeforeSave) -> None:
    lifecycles.follow(event)


@trellis.hookimpl
def trellis_income() -> list[trellis.IncomeSource]:
    return SOURCES


@trellis.hookimpl
def trellis_segments() -> list[trellis.Segment]:
    return SEGMENTS


@trellis.hookimpl
def trellis_kpis() -> list[trellis.Kpi]:
    return KPIS


@trellis.hookimpl
def trellis_dashboards() -> list[trellis.Dashboard]:
    return DASHBOARDS


@trellis.hookimpl
def trellis_reports() -> list[trellis.Report]:
    return REPORT_LIST


@trellis.hookimpl
def trellis_roles() -> list[trellis.Role]:
    return ROLES


@trellis.hookimpl
def trellis_panels() -> list[trellis.Panel]:
    return PANELS


@trellis.hookimpl
def trellis_rest() -> list[trellis.RestEndpoint]:
    return CALLS


@trellis.hookimpl
def trellis_menu() -> list[trellis.MenuItem]:
    return MENU


@trellis.hookimpl
def trellis_processes() -> list[trellis.Process]:
    return PROCESS_LIST


@trellis.hookimpl
def trellis_journeys() -> list[trellis.Journey]:
    return JOURNEYS


@trellis.hookimpl
def trellis_instructions() -> list[trellis.Instruction]:
    return INSTRUCTION_LIST


@trellis.hookimpl
def trellis_scripts() -> list[trellis.Script]:
    return SCRIPT_LIST


@trellis.hookimpl
def trellis_templates() -> list[trellis.Template]:
    return TEMPLATE_LIST


@trellis.hookimpl
def trellis_channels() -> list[trellis.Channel]:
    return CHANNEL_LIST


@trellis.hookimpl
def trellis_import_mappings() -> list[trellis.ImportMapping]:
    return MAPPINGS


@trellis.hookimpl
def trellis_demo() -> list[trellis.Demo]:
    return DEMOS
