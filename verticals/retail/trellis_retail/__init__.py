"""Retail: stores, receipts, loyalty cards, promotions and returns, and what a retailer measures.

A vertical of Trellis that uses only its public API. Each module holds one kind of contribution; this one hands them over.
"""

from __future__ import annotations

import trellis

from trellis_retail import (
    dashboards,
    demo,
    entities,
    fields,
    flows,
    habits,
    imports,
    journeys,
    kpis,
    lifecycles,
    receipts,
    roles,
    scripts,
    segments,
    till,
    work,
)

_ = trellis.translator("trellis_retail")

manifest = trellis.Manifest(
    name="retail",
    title=_("Retail"),
    version="0.1.0",
    package="trellis_retail",
    summary=_("Stores, receipts and loyalty cards: who buys, how often, for how much, and whom to win back"),
    vendor="Trellis",
    core=">=0.1,<1",
    icon="shopping-basket",
    tone="warn",
)


@trellis.hookimpl
def trellis_entities() -> list[type[trellis.Entity]]:
    return entities.ENTITIES


@trellis.hookimpl
def trellis_fields() -> list[trellis.Field]:
    return fields.FIELDS


@trellis.hookimpl
def trellis_lifecycles() -> list[trellis.Lifecycle]:
    return lifecycles.LIFECYCLES


@trellis.hookimpl
def trellis_stage_rules() -> list[trellis.StageRule]:
    return lifecycles.STAGE_RULES


@trellis.hookimpl
def trellis_segments() -> list[trellis.Segment]:
    return segments.SEGMENTS


@trellis.hookimpl
def trellis_kpis() -> list[trellis.Kpi]:
    return kpis.KPIS


@trellis.hookimpl
def trellis_dashboards() -> list[trellis.Dashboard]:
    return dashboards.DASHBOARDS


@trellis.hookimpl
def trellis_reports() -> list[trellis.Report]:
    return dashboards.REPORTS_LIST


@trellis.hookimpl
def trellis_menu() -> list[trellis.MenuItem]:
    return dashboards.MENU


@trellis.hookimpl
def trellis_roles() -> list[trellis.Role]:
    return roles.ROLES


@trellis.hookimpl
def trellis_instructions() -> list[trellis.Instruction]:
    return work.INSTRUCTION_LIST


@trellis.hookimpl
def trellis_processes() -> list[trellis.Process]:
    return flows.PROCESS_LIST


@trellis.hookimpl
def trellis_journeys() -> list[trellis.Journey]:
    return journeys.JOURNEYS


@trellis.hookimpl
def trellis_scripts() -> list[trellis.Script]:
    return scripts.SCRIPT_LIST


@trellis.hookimpl
def trellis_templates() -> list[trellis.Template]:
    return work.TEMPLATE_LIST


@trellis.hookimpl
def trellis_channels() -> list[trellis.Channel]:
    return work.CHANNEL_LIST


@trellis.hookimpl
def trellis_panels() -> list[trellis.Panel]:
    return habits.PANELS


@trellis.hookimpl
def trellis_rest() -> list[trellis.RestEndpoint]:
    return till.CALLS


@trellis.hookimpl
def trellis_import_mappings() -> list[trellis.ImportMapping]:
    return imports.MAPPINGS


@trellis.hookimpl
def trellis_demo() -> list[trellis.Demo]:
    return [demo.DEMO]


@trellis.hookimpl
@trellis.concerns("order", "retail.return")
def trellis_before_save(event: trellis.BeforeSave) -> None:
    if event.entity == "order":
        receipts.complete_receipt(event)
    elif event.entity == "retail.return":
        receipts.complete_return(event)
