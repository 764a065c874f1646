"""What calendars must be before they are written."""

from __future__ import annotations

from zoneinfo import available_timezones

from trellis.crm.service.calendars import WEEK
from trellis.crm.service.working_time import read_hours
from trellis.errors import RecordInvalid
from trellis.i18n import Text, translator
from trellis.records.events import BeforeSave
from trellis.records.types import ValueInvalid

_ = translator("trellis")


def check_calendar(event: BeforeSave) -> None:
    """The zone exists, hours are written as they should be, and somebody works some time. Raises RecordInvalid."""
    calendar = {**event.before, **event.values}
    errors: dict[str, list[str | Text]] = {}
    if calendar.get("timezone") not in available_timezones():
        errors["timezone"] = [_("There is no such time zone; write it as Europe/Prague")]
    for day in WEEK:
        errors |= _hours(day, calendar.get(day))
    if not errors and not any(read_hours(calendar.get(day) or "") for day in WEEK):
        errors["monday"] = [_("A calendar needs hours on some day")]
    if errors:
        raise RecordInvalid(errors)


def check_holiday(event: BeforeSave) -> None:
    """The hours are written as they should be. Raises RecordInvalid."""
    errors = _hours("hours", {**event.before, **event.values}.get("hours"))
    if errors:
        raise RecordInvalid(errors)


def _hours(name: str, text: str | None) -> dict[str, list[str | Text]]:
    try:
        read_hours(text or "")
    except ValueInvalid as error:
        return {name: [error.message]}
    return {}
