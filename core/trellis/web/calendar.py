"""The calendar of a list: a month or a week of days, each with its first records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates
from flask import g

from trellis.crm.service.feed import LENGTHS, USUAL
from trellis.edition import EntityView
from trellis.i18n import (
    current_language,
    format_day_range,
    format_number,
    format_time,
    format_weekday,
    plural_translator,
    translator,
)
from trellis.records.calendar import Day, day_rule, days
from trellis.records.query import Record
from trellis.records.rules import today_in
from trellis.records.types import DateTime
from trellis.web.display import new_title, shown, title_of
from trellis.web.grouping import narrowed
from trellis.web.list_bar import bar_context, shapes
from trellis.web.listing import Listing, full_rule
from trellis.web.week import STEP, Place, minute_of, places

_ = translator("trellis")
_n = plural_translator("trellis")

WEEK = timedelta(days=7)
EACH = {"month": 4, "week": 40}
"""Records shown of a day."""
MORNING = "T09:00"
DONE = "done_at"
"""The field of what is to be done that has a value when it is."""
_YEARS = (1900, 2200)


@dataclass(frozen=True)
class Span:
    """The days that a calendar shows: the ``month`` or the ``week`` around a day, in whole weeks."""

    kind: str
    at: date
    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def moved(self, step: int) -> date:
        """A day of the span before or after."""
        if self.kind == "week":
            return self.at + WEEK * step
        middle = self.at.replace(day=15) + timedelta(days=30) * step
        return middle.replace(day=1)


def read_span(kind: str, at: str, today: date, first_weekday: int) -> Span:
    """What an address asks for; the present month where it asks for none that there is."""
    try:
        day = date.fromisoformat(at)
    except ValueError:
        day = today
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        day = today
    if kind == "week":
        first = _week_of(day, first_weekday)
        return Span("week", day, first, first + timedelta(days=6))
    start = day.replace(day=1)
    end = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Span(
        "month", day, _week_of(start, first_weekday), _week_of(end, first_weekday) + timedelta(days=6)
    )


def _week_of(day: date, first_weekday: int) -> date:
    return day - timedelta(days=(day.weekday() - first_weekday) % 7)


def calendar_context(listing: Listing, base: str, kind: str, at: str) -> dict[str, Any]:
    """Everything ``calendar.html`` shows: three queries, whatever the number of records."""
    view = listing.view
    today = today_in(g.edition)
    span = read_span(kind, at, today, g.edition.settings.first_weekday)
    listing = replace(listing, shape="calendar", kept=(("span", span.kind), ("at", span.at.isoformat())))
    needed = {view.info.title_field, view.info.date_field, view.info.subtitle_field, "kind", DONE}
    needed |= {one.field for one in view.lifecycles} | {one.when[0] for one in view.lifecycles if one.when}
    found = days(
        g.session,
        g.edition,
        g.actor,
        view,
        span.first,
        span.last,
        EACH[span.kind],
        rule=full_rule(listing),
        text=listing.query,
        fields=[name for name in view.fields if name in needed],
    )
    field = g.actor.sees(g.edition).entity(view.name).fields[view.info.date_field or ""]
    writable = not field.read_only
    hours = span.kind == "week" and isinstance(field.type, DateTime)
    movable = writable and g.actor.may(view.name, "update")
    may_create = g.actor.may(view.name, "create")
    return {
        **_steps(listing, base, span, today),
        "bar": bar_context(listing, base),
        "shapes": shapes(listing, base),
        "span": span.kind,
        "hours": [f"{hour:02}:00" for hour in range(24)] if hours else [],
        "title": _title(span),
        "total": format_number(sum(one.count for day, one in found.items() if _inside(span, day))),
        "date_label": str(field.label),
        "may_create": may_create,
        "new_url": f"{base}/{view.name}/new",
        "new_title": new_title(view),
        "movable": movable,
        "tasks": DONE in view.fields,
        "move_url": f"{base}/{view.name}/{{id}}/day",
        "weekdays": [_named(day, "EEE") for day in span.days[:7]],
        "days": [
            _day(
                listing, base, span, day, today, found.get(day), creates=may_create and writable, hours=hours
            )
            for day in span.days
        ],
    }


def _steps(listing: Listing, base: str, span: Span, today: date) -> dict[str, Any]:
    """The ways to other days, and to the other length."""

    def around(day: date, kind: str = span.kind) -> str:
        return replace(listing, kept=(("span", kind), ("at", day.isoformat()))).url(base)

    return {
        "spans": [
            {"title": str(title), "url": around(span.at, name), "current": name == span.kind}
            for name, title in (("month", _("Month")), ("week", _("Week")))
        ],
        "before_url": around(span.moved(-1)),
        "today_url": around(today),
        "after_url": around(span.moved(1)),
    }


def _inside(span: Span, day: date) -> bool:
    return span.kind == "week" or (day.year, day.month) == (span.at.year, span.at.month)


def _named(day: date, pattern: str) -> str:
    name = dates.format_date(day, pattern, locale=current_language())
    return name[:1].upper() + name[1:]


def _title(span: Span) -> str:
    if span.kind == "week":
        return format_day_range(span.first, span.last)
    return _named(span.at, "LLLL y")


def _day(
    listing: Listing,
    base: str,
    span: Span,
    day: date,
    today: date,
    found: Day | None,
    *,
    creates: bool,
    hours: bool,
) -> dict[str, Any]:
    view = listing.view
    records = found.records if found else ()
    more = (found.count if found else 0) - len(records)
    moment = MORNING if isinstance(view.fields[view.info.date_field or ""].type, DateTime) else ""
    table = replace(listing, shape="", kept=())
    return {
        "date": day.isoformat(),
        "number": str(day.day),
        "name": format_weekday(day),
        "short": _named(day, "EEE"),
        "today": day == today,
        "outside": not _inside(span, day),
        "new_url": f"{base}/{view.name}/new?{view.info.date_field}={day.isoformat()}{moment}"
        if creates
        else "",
        **(
            _by_hours(view, base, records)
            if hours
            else {"items": [_item(view, base, one) for one in records]}
        ),
        "now": _now() if hours and day == today else "",
        "more": str(_n("+%(num)s more", "+%(num)s more", more)) if more > 0 else "",
        "more_url": table.url(base, filter=narrowed(table, day_rule(view, day, day)), group=""),
    }


def _zone() -> ZoneInfo:
    return ZoneInfo(g.edition.settings.timezone)


def _by_hours(view: EntityView, base: str, records: Sequence[Record]) -> dict[str, Any]:
    """The records of a day: those that have no time, and the others with their places among the hours."""
    name, zone = view.info.date_field or "", _zone()
    starts = [minute_of(one.values[name], zone) for one in records]
    items = [
        {**_item(view, base, one), "time": f"{at // 60:02}:{at % 60:02}" if at else ""}
        for one, at in zip(records, starts, strict=True)
    ]
    timed = [number for number, at in enumerate(starts) if at]
    lengths = [_length(view, records[number]) for number in timed]
    placed = places([(starts[number], length) for number, length in zip(timed, lengths, strict=True)])
    return {
        "items": [item for item, at in zip(items, starts, strict=True) if not at],
        "timed": [
            {**items[number], "place": place.classes} for number, place in zip(timed, placed, strict=True)
        ],
    }


def _length(view: EntityView, record: Record) -> timedelta:
    """How long something to be done takes, by its kind; of other records there is a moment only."""
    return LENGTHS.get(str(record.values.get("kind")), USUAL) if DONE in view.fields else USUAL


def _now() -> str:
    return Place(minute_of(datetime.now(UTC), _zone()) // STEP * STEP, 30).classes


def _item(view: EntityView, base: str, record: Record) -> dict[str, Any]:
    value: Any = record.values.get(view.info.date_field or "")
    info = view.info
    subtitle = (
        shown(g.edition, base, view.fields[info.subtitle_field], record)["text"]
        if info.subtitle_field
        else ""
    )
    return {
        "id": record.id,
        "version": record.version,
        "title": title_of(view, record),
        "sub": subtitle,
        "time": format_time(value) if isinstance(view.fields[info.date_field or ""].type, DateTime) else "",
        "done": record.values.get(DONE) is not None,
        "tone": _tone(view, record.values),
        "url": f"{base}/{view.name}/{record.id}",
    }


def _tone(view: EntityView, values: Mapping[str, Any]) -> str:
    """The tone of the record's stage; of what is to be done, whether it is, or is late."""
    if DONE in view.fields and values.get("kind") != "note":
        due = values.get(view.info.date_field or "")
        late = isinstance(due, datetime) and due < datetime.now(UTC)
        return "good" if values.get(DONE) is not None else "danger" if late else "neutral"
    lifecycle = view.lifecycle(values)
    stages = lifecycle.stages if lifecycle else ()
    value = values.get(lifecycle.field) if lifecycle else None
    return next((stage.tone for stage in stages if stage.value == value), "neutral")
