"""Times as diagrams write them: ``P3D``, ``2026-12-31T09:00:00Z``, or an expression that gives a day, a moment or a span."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition

from trellis.i18n import current_timezone, translator
from trellis.process.expressions import Facts, compile_expression, is_moment
from trellis.process.notation import expression
from trellis.records.expressions import ExpressionFailed

_ = translator("trellis")


def for_timer(text: str, value: Any) -> str:
    """The time that an expression gives, as the library reads it. Raises ExpressionFailed for what is none."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return _midnight(value).isoformat()
    if isinstance(value, timedelta):
        return f"PT{max(0, int(value.total_seconds()))}S"
    if isinstance(value, str) and is_moment(value):
        return value
    raise ExpressionFailed(_("“%(text)s” gives no time", text=text))


def moment(text: str, facts: Facts, now: datetime) -> datetime | None:
    """When something is due that begins ``now``; None where nothing is said. Raises ExpressionFailed."""
    value = text.strip() if is_moment(text) else compile_expression(expression(text))(facts) if text else None
    if value is None:
        return None
    if isinstance(value, timedelta):
        return now + value
    if isinstance(value, datetime):
        return value
    return _midnight(value) if isinstance(value, date) else _read(for_timer(text, value), now)


def _read(text: str, now: datetime) -> datetime:
    try:
        if text.startswith("P"):
            parsed = TimerEventDefinition.parse_iso_duration(text)
            span: timedelta = TimerEventDefinition.get_timedelta_from_start(parsed, now)
            return now + span
        found = datetime.fromisoformat(text)
    except Exception as error:  # the library raises anything for what is no duration
        raise ExpressionFailed(str(error)) from None
    return found if found.tzinfo else found.replace(tzinfo=current_timezone())


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=current_timezone()).astimezone(UTC)
