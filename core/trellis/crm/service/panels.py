"""Beside a case: how its clocks stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.crm.service.levels import Levels
from trellis.crm.service.options import PAUSED
from trellis.crm.service.working_time import ALWAYS
from trellis.i18n import Text, format_datetime, format_number, translator
from trellis.records.door import Records

_ = translator("trellis")

_CLOCKS = (
    ("first_response", _("First response"), "first_response_at"),
    ("resolution", _("Solution"), "resolved_at"),
)


def clocks(records: Records, case: int) -> Mapping[str, Any]:
    """Each clock with how it stands; none where no service level holds for the case."""
    values = records.get("case", case).values
    level = Levels.of(records.session).named(values.get("policy"))
    now = datetime.now(UTC)
    shown = []
    for name, title, at in _CLOCKS:
        due = values.get(f"{name}_due")
        if due is not None:
            shown.append(_clock(str(title), values, due, values.get(at), now))
    waited = values.get("paused_seconds") or 0
    if values.get("paused_since") is not None:
        waited += (level.time if level else ALWAYS).between(values["paused_since"], now)
    return {
        "clocks": shown,
        "waited": str(_duration(waited)) if waited >= 60 else "",
        "escalates": format_datetime(values["escalates_at"]) if values.get("escalates_at") else "",
        "escalation": values.get("escalation") or "",
    }


def _clock(
    title: str, case: Mapping[str, Any], due: datetime, at: datetime | None, now: datetime
) -> Mapping[str, Any]:
    state, tone = _state(case, due, at, now)
    return {
        "title": title,
        "state": str(state),
        "tone": tone,
        "due": format_datetime(due, inside=True),
        "at": format_datetime(at) if at is not None else "",
    }


def _state(case: Mapping[str, Any], due: datetime, at: datetime | None, now: datetime) -> tuple[Text, str]:
    if case.get("state") == "cancelled":
        return _("Cancelled"), "neutral"
    if at is not None:
        return (_("In time"), "good") if at <= due else (_("Late"), "danger")
    if case.get("state") in PAUSED:
        return _("Stands still"), "info"
    left = (due - now).total_seconds()
    if left < 0:
        return _("Overdue by %(time)s", time=_duration(-left)), "danger"
    return _("%(time)s left", time=_duration(left)), "warn" if left < 3600 else "info"


def _duration(seconds: float) -> Text:
    """Days, hours and minutes, the two largest of them."""
    minutes = int(seconds // 60)
    days, hours, left = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _("%(days)s d %(hours)s h", days=format_number(days), hours=hours)
    if hours:
        return _("%(hours)s h %(minutes)s min", hours=hours, minutes=left)
    return _("%(minutes)s min", minutes=left)


PANELS = [
    Panel(
        name="clocks",
        title=_("Service level"),
        cell=Cell(Direction.SERVICE, Level.STRATEGY, "SE1"),
        entity="case",
        load=clocks,
        template="service/clocks.html",
    ),
]
