"""Times as people choose them: after a span, at a moment, or by an expression; and schedules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trellis.i18n import Text, current_timezone, translator, weekday_names
from trellis.process.expressions import is_moment
from trellis.web.panel.fields import Model, Option, Part

_ = translator("trellis")

AFTER, AT, BY = "after", "at", "by"
UNITS: Mapping[str, tuple[str, Text]] = {
    "minutes": ("PT{}M", _("minutes")),
    "hours": ("PT{}H", _("hours")),
    "days": ("P{}D", _("days")),
    "weeks": ("P{}W", _("weeks")),
}
_SPANS = {name: re.compile(form.replace("{}", r"(\d+)")) for name, (form, _title) in UNITS.items()}


class TimePart(Part):
    """A part that says when."""

    def taken_apart(self, text: str) -> Model:
        """A time as the form holds it."""
        for unit, span in _SPANS.items():
            found = span.fullmatch(text.strip())
            if found is not None:
                return {"kind": AFTER, "number": found[1], "unit": unit}
        if is_moment(text) and not text.strip().startswith(("P", "R")):
            return {"kind": AT, "at": _local(text.strip())}
        return {"kind": BY if text else "", "told": text.removeprefix("=")}

    def put_together(self, model: Model) -> str:
        """The opposite of :meth:`taken_apart`; empty where nothing is said yet."""
        kind = model.get("kind")
        if kind == AFTER and model.get("number", "").isdecimal():
            return UNITS.get(model.get("unit", ""), UNITS["days"])[0].format(int(model["number"]))
        if kind == AT and model.get("at"):
            try:
                moment = datetime.fromisoformat(model["at"])
            except ValueError:
                return ""
            return (moment if moment.tzinfo else moment.replace(tzinfo=current_timezone())).isoformat()
        return str(model.get("told", "")).removeprefix("=") if kind == BY else ""

    def time_fields(self, model: Model, label: Any, never: Any = None) -> list[dict[str, Any]]:
        """The fields that say when; with a word for ``never`` it may be left open."""
        kinds = [(AFTER, _("After a time")), (AT, _("At a moment")), (BY, _("By an expression"))]
        kind = model.get("kind") or ("" if never else AFTER)
        options: list[Option] = [*([("", never)] if never else []), *kinds]
        made = [self.choice("kind", label, kind, options, blank=False)]
        if kind == AFTER:
            units = [(name, title) for name, (_form, title) in UNITS.items()]
            made.append(
                self.text("number", _("How many"), model.get("number", ""), kind="number", required=True)
            )
            made.append(self.choice("unit", _("Of what"), model.get("unit") or "days", units, blank=False))
        elif kind == AT:
            made.append(
                self.text("at", _("Day and time"), model.get("at", ""), kind="datetime", required=True)
            )
        elif kind == BY:
            about = _("It gives a day, a moment or a span: record.expected_close, today() + days(3)")
            made.append(self.text("told", _("Expression"), model.get("told", ""), help=about, required=True))
        return made


def _local(text: str) -> str:
    """A moment as a control holds it, where the reader is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment.astimezone(current_timezone()) if moment.tzinfo else moment).strftime("%Y-%m-%dT%H:%M")


HOURLY, DAILY, WORKING, WEEKLY, MONTHLY, CRON = "hourly", "daily", "working", "weekly", "monthly", "cron"
RHYTHMS = {
    HOURLY: _("Every hour"),
    DAILY: _("Every day"),
    WORKING: _("From Monday to Friday"),
    WEEKLY: _("Every week"),
    MONTHLY: _("Every month"),
    CRON: _("As in cron"),
}
_CRON = re.compile(r"(?P<minute>\d+) (?P<hour>\d+|\*) (?P<day>\d+|L|\*) \* (?P<weekday>[0-7]|1-5|\*)")


class SchedulePart(Part):
    """A part that says when something starts again and again."""

    def schedule_apart(self, text: str) -> Model:
        """A schedule as the form holds it."""
        found = _CRON.fullmatch(" ".join(text.split()))
        if found is None:
            return {"rhythm": CRON if text else "", "cron": text}
        hour, day, weekday = found["hour"], found["day"], found["weekday"]
        shape = (hour != "*", day != "*", weekday if weekday == "1-5" else weekday != "*")
        rhythm = {
            (False, False, False): HOURLY,
            (True, False, False): DAILY,
            (True, False, "1-5"): WORKING,
            (True, False, True): WEEKLY,
            (True, True, False): MONTHLY,
        }.get(shape)
        if rhythm is None:
            return {"rhythm": CRON, "cron": text}
        clock = f"{int(hour) if hour != '*' else 0:02}:{int(found['minute']):02}"
        return {
            "rhythm": rhythm,
            "time": clock,
            "weekday": str(int(weekday) % 7) if weekday.isdecimal() else "1",
            "day": day,
        }

    def schedule_together(self, model: Model) -> str:
        """The opposite of :meth:`schedule_apart`."""
        rhythm = model.get("rhythm", "")
        if rhythm == CRON:
            return str(model.get("cron", ""))
        clock = re.fullmatch(r"(\d{1,2}):(\d{2})", model.get("time") or "09:00")
        hour, minute = (int(clock[1]), int(clock[2])) if clock else (9, 0)
        weekday, day = model.get("weekday") or "1", model.get("day") or "1"
        return {
            HOURLY: f"{minute} * * * *",
            DAILY: f"{minute} {hour} * * *",
            WORKING: f"{minute} {hour} * * 1-5",
            WEEKLY: f"{minute} {hour} * * {weekday}",
            MONTHLY: f"{minute} {hour} {day if day != '*' else 1} * *",
        }.get(rhythm, "")

    def schedule_fields(self, model: Model, never: Any = None) -> list[dict[str, Any]]:
        """The fields that say how often; with a word for ``never`` it may be left open."""
        rhythm = model.get("rhythm") or ("" if never else DAILY)
        options = [*([("", never)] if never else []), *RHYTHMS.items()]
        made = [self.choice("rhythm", _("How often"), rhythm, options, blank=False)]
        if rhythm == WEEKLY:
            weekdays = [(str((number + 1) % 7), title) for number, title in enumerate(weekday_names())]
            made.append(self.choice("weekday", _("On"), model.get("weekday") or "1", weekdays, blank=False))
        if rhythm == MONTHLY:
            days: list[Option] = [*((str(day), str(day)) for day in range(1, 29)), ("L", _("the last day"))]
            made.append(self.choice("day", _("On day"), model.get("day") or "1", days, blank=False))
        if rhythm == CRON:
            about = _("Minute, hour, day, month and weekday: 0 9 * * 1-5")
            made.append(self.text("cron", _("Schedule"), model.get("cron", ""), help=about, required=True))
        elif rhythm:
            made.append(self.text("time", _("At"), model.get("time") or "09:00", kind="time", required=True))
        return made
