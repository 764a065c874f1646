"""What reports bring to sales."""

from __future__ import annotations

from trellis.contributions import Panel
from trellis.crm.sales.reports import panels, sending
from trellis.crm.sales.reports.definition import check_report, keep_runs
from trellis.crm.sales.reports.entities import Report, ReportRecipient, ReportRun
from trellis.hookspecs import concerns, hookimpl
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave, Saved


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Report, ReportRecipient, ReportRun]


@hookimpl
@concerns("report", "report_run")
def trellis_before_save(event: BeforeSave) -> None:
    check_report(event) if event.entity == "report" else keep_runs(event)


@hookimpl
@concerns("report")
def trellis_after_save(event: Saved) -> None:
    sending.follow(event)


@hookimpl
def trellis_panels() -> list[Panel]:
    return panels.PANELS
