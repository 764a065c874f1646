"""Beside a survey: what came of it. Beside a customer: which surveys they were asked in (CU6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.crm.analytics.satisfaction import survey_scores
from trellis.crm.analytics.survey_scores import Scores
from trellis.crm.analytics.window import Window
from trellis.crm.customers.invitations import (
    ANSWERED,
    FAILED,
    SENT,
    STATES,
    UNCLEAR,
    WAITING,
    Survey,
    SurveyInvitation,
)
from trellis.errors import PermissionRefused
from trellis.i18n import format_day, format_number, format_percent, translator
from trellis.kpi.periods import today_in
from trellis.records.door import Records

_ = translator("trellis")

SHOWN = 3
_STATES = {one.value: one for one in STATES}


def results(records: Records, survey: int) -> Mapping[str, Any]:
    """How many were invited and answered, and the figure of the last twelve months."""
    kind = records.get("survey", survey).values["kind"]
    base = f"/{records.edition.workspace}"
    counts = _counts(records, survey)
    sent = sum(counts.get(name, 0) for name in (SENT, UNCLEAR, ANSWERED))
    facts = [
        (_("Invited"), format_number(sum(counts.values()))),
        (_("Sent"), format_number(sent)),
        (_("Answered"), format_number(counts.get(ANSWERED, 0))),
        (_("Response rate"), format_percent(counts.get(ANSWERED, 0) / sent) if sent else "–"),
    ]
    rest = ((WAITING, _("Waits to be sent")), (UNCLEAR, _("May have been sent")), (FAILED, _("Not sent")))
    facts += [(title, format_number(counts[name])) for name, title in rest if counts.get(name)]
    return {
        "facts": [(str(label), text) for label, text in facts],
        "figure": _figure(records, survey, kind),
        "satisfaction_url": f"{base}/analytics/satisfaction?survey={survey}",
    }


def _counts(records: Records, survey: int) -> dict[str, int]:
    records.actor.require("survey_invitation", "read")
    found = SurveyInvitation
    seen = (found.survey_id == survey, found.deleted_at.is_(None), records.actor.visible(found))
    rows = records.session.execute(sa.select(found.state, sa.func.count()).where(*seen).group_by(found.state))
    return {row[0]: row[1] for row in rows}


def _figure(records: Records, survey: int, kind: str) -> dict[str, str] | None:
    """The figure that a survey is for; None where the reader may not see the answers."""
    window = Window.until(today_in(ZoneInfo(records.edition.settings.timezone)))
    try:
        scores = survey_scores(records.session, records.edition, records.actor, window, survey)
    except PermissionRefused:
        return None
    title, text, n = _told(scores, kind)
    return {"title": str(title), "text": text or "–", "answers": format_number(n)}


def _told(scores: Scores, kind: str) -> tuple[Any, str, int]:
    match kind:
        case "nps":
            return _("NPS"), _number(scores.nps.value, 1), scores.nps.n
        case "csat":
            return _("CSAT"), format_percent(scores.csat.value), scores.csat.n
        case "ces":
            return _("CES"), _number(scores.ces.value, 2), scores.ces.n
    return _("Satisfaction index"), _number(scores.index.value, 1), scores.index.n


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else format_number(round(value, decimals), decimals)


def asked(records: Records, customer: int) -> Mapping[str, Any]:
    """The last invitations of a customer, and the surveys to which they can be invited."""
    base = f"/{records.edition.workspace}"
    session, actor, found = records.session, records.actor, SurveyInvitation
    actor.require("survey", "read")
    shown = []
    if actor.may("survey_invitation", "read"):
        seen = (found.customer_id == customer, found.deleted_at.is_(None), actor.visible(found))
        rows = sa.select(found.id, found.state, found.created_at, Survey.name).join(
            Survey, Survey.id == found.survey_id
        )
        latest = rows.where(*seen, actor.visible(Survey)).order_by(found.id.desc()).limit(SHOWN)
        shown = [
            {
                "title": row.name,
                "url": f"{base}/survey_invitation/{row.id}",
                "when": format_day(row.created_at),
                "state": str(_STATES[row.state].label),
                "tone": _STATES[row.state].tone,
            }
            for row in session.execute(latest)
        ]
    surveys: list[dict[str, str]] = []
    if actor.may("survey_invitation", "create"):
        there = (Survey.active, Survey.deleted_at.is_(None), actor.visible(Survey))
        known = sa.select(Survey.id, Survey.name).where(*there).order_by(Survey.name).limit(SHOWN)
        surveys = [
            {"title": row.name, "url": f"{base}/survey/{row.id}/invite?customer={customer}"}
            for row in session.execute(known)
        ]
    return {"shown": shown, "surveys": surveys}


_SATISFACTION = Cell(Direction.CUSTOMERS, Level.TACTICS, "CU6")

PANELS = [
    Panel(
        name="survey_results",
        title=_("What came of it"),
        cell=_SATISFACTION,
        entity="survey",
        load=results,
        template="surveys/results.html",
    ),
]
OF_CUSTOMERS = [
    Panel(
        name="surveys_of_customer",
        title=_("Surveys"),
        cell=_SATISFACTION,
        entity="customer",
        load=asked,
        template="surveys/asked.html",
    ),
]
