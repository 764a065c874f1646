"""Beside a report: what it shows, and when it is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from trellis.contributions import Cell, Direction, Kpi, Level, Panel
from trellis.crm.sales.reports.definition import Definition
from trellis.crm.sales.reports.lines import labels
from trellis.crm.sales.reports.making import kept
from trellis.crm.sales.reports.schedule import next_after
from trellis.i18n import format_datetime, translator
from trellis.records.door import Records
from trellis.records.saying import in_words

_ = translator("trellis")


def delivery(records: Records, report: int) -> Mapping[str, Any]:
    """What it shows in words, and when it is sent next, if at all."""
    record = records.get("report", report)
    values = kept(records.session, report) or record.values
    definition, edition = Definition.of(values), records.actor.sees(records.edition)
    view = edition.entities.get(definition.entity)
    known = edition.all(Kpi)
    zone = ZoneInfo(records.edition.settings.timezone)
    at = next_after(values, datetime.now(UTC), zone)
    return {
        "shows": "" if view is None else str(view.info.plural),
        "rule": in_words(records, view, definition.rule) if view and definition.rule else "",
        "columns": ", ".join(labels(definition.fields(view))) if view else "",
        "kpis": ", ".join(str(known[name].title) for name in definition.kpis if name in known),
        "next": format_datetime(at) if at is not None else "",
    }


PANELS = [
    Panel(
        name="report_delivery",
        title=_("Delivery"),
        cell=Cell(Direction.SALES, Level.OPERATIONS, "SA6"),
        entity="report",
        load=delivery,
        template="reports/delivery.html",
    )
]
