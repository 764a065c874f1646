"""Making the file of a report for one person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.sales.reports.definition import Definition
from trellis.crm.sales.reports.entities import Report
from trellis.crm.sales.reports.figures import FigureLines
from trellis.crm.sales.reports.lines import Lines
from trellis.crm.sales.reports.writing import write_report
from trellis.edition import Edition
from trellis.i18n import format_date, translator
from trellis.kpi.periods import today_in
from trellis.records.rules import describe, parse
from trellis.security.actor import Actor

_ = translator("trellis")

TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""The media types of the formats."""

LONGEST_NAME = 100
"""Bytes of the name of a file, which no system finds too long."""
_TABLE = cast(sa.Table, Report.__table__)


def kept(session: Session, report_id: int) -> Mapping[str, Any] | None:
    """A report by its fields, as the system sees it; None for one that is gone or in the bin."""
    query = sa.select(_TABLE).where(_TABLE.c.id == report_id, _TABLE.c.deleted_at.is_(None))
    row = session.execute(query).mappings().first()
    return None if row is None else dict(row)


def make_file(
    folder: Path,
    session: Session,
    edition: Edition,
    actor: Actor,
    name: str,
    definition: Definition,
    ending: str,
) -> tuple[Path, int]:
    """The file of a report with what ``actor`` may see, and how many records it has.

    Raises PermissionRefused, RuleInvalid, TableRefused.
    """
    path = folder / f"{_plain(name)}.{ending}"
    day = format_date(today_in(ZoneInfo(edition.settings.timezone)))
    if definition.is_figures:
        figures = FigureLines(session, edition, actor, definition)
        return path, write_report(path, name, f"{_about(figures)}, {day}", figures)
    lines = Lines(session, edition, actor, definition)
    rule = (
        describe(parse(definition.rule, lines.view, edition, listed=True))
        if definition.rule
        else str(lines.view.info.plural)
    )
    return path, write_report(path, name, f"{rule}, {day}", lines)


def _about(figures: FigureLines) -> str:
    """The span of a report on KPIs."""
    periods = figures.periods
    first, last = periods[0].label, periods[-1].label
    return first if first == last else f"{first} – {last}"


def _plain(name: str) -> str:
    """The name of a report as that of a file anywhere."""
    plain = re.sub(r"[^\w -]+", "", name).strip().encode()[:LONGEST_NAME].decode(errors="ignore")
    return plain.strip() or "report"
