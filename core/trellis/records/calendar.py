"""Calendars: the records of an entity by the day of its date field, from one day to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from trellis.contributions import Rule
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.grouping import first_ids, grouping, groups
from trellis.records.query import ListQuery, Record
from trellis.records.types import DateTime

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from trellis.edition import Edition, EntityView
    from trellis.records.door import Records
    from trellis.security.actor import Actor

_ = translator("trellis")

MOST_DAYS = 62


@dataclass(frozen=True, slots=True)
class Day:
    """A day that has records: how many, and the first of them by time."""

    count: int
    records: Sequence[Record]


def day_rule(view: EntityView, first: date, last: date) -> dict[str, Any]:
    """The rule of the records from one day to another, with both, in the workspace's time zone."""
    return {"field": view.info.date_field, "op": "between", "value": [first.isoformat(), last.isoformat()]}


def days(
    session: Session,
    edition: Edition,
    actor: Actor,
    view: EntityView,
    first: date,
    last: date,
    each: int,
    *,
    rule: Rule | None = None,
    text: str | None = None,
    fields: Sequence[str] | None = None,
) -> dict[date, Day]:
    """The days that have records, with at most ``each`` records of every one: three statements."""
    during = day_rule(view, first, last)
    sort = [view.info.date_field or ""]
    both = {"all": [during, rule]} if rule else during
    query = ListQuery(view, edition, actor, rule=both, text=text, sort=sort)
    if text:
        query.count(session, 1)  # words that nothing has are taken loosely, as in the list
    by = grouping(f"{view.info.date_field}:day", query.view)
    counts = {one.key: one.count for one in groups(session, query, by, MOST_DAYS).items}
    ids = first_ids(session, query, by, list(counts), each)
    wanted = [one for found in ids.values() for one in found]
    page = ListQuery(view, edition, actor, ids=wanted, sort=sort, fields=fields, limit=len(wanted)).page(
        session
    )
    known = {record.id: record for record in page.items}
    return {
        day: Day(count, [known[one] for one in ids[day] if one in known]) for day, count in counts.items()
    }


def on_day(field: Field, value: Any, day: date, zone: ZoneInfo) -> Any:
    """A day or moment moved to another day; a moment keeps the time it shows in ``zone``, unless ``day`` has one of its own."""
    if not isinstance(field.type, DateTime):
        return day.date() if isinstance(day, datetime) else day
    return (
        day.replace(tzinfo=zone)
        if isinstance(day, datetime)
        else datetime.combine(day, value.astimezone(zone).time(), zone)
    )


def move_to_day(records: Records, entity: str, record_id: int, day: date, version: int | None = None) -> date:
    """Moves a record to another day, or to a time of a day on the clocks of the workspace, through the door.

    Returns the day that it had; its time too where it was given another. Raises what the door raises.
    """
    view = records.actor.sees(records.edition).entity(entity)
    zone = ZoneInfo(records.edition.settings.timezone)
    field = view.fields[view.info.date_field or ""]
    value: Any = records.get(entity, record_id).values.get(field.name)
    if value is None:
        raise RecordInvalid({field.name: [_("This field needs a value")]})
    before: date = value
    if isinstance(value, datetime):
        local = value.astimezone(zone).replace(tzinfo=None)
        before = local if isinstance(day, datetime) else local.date()
    records.update(entity, record_id, {field.name: on_day(field, value, day, zone)}, version)
    return before
