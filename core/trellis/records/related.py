"""What belongs to a record: short lists of the records that refer to it, and its timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.edition import Edition, EntityView
from trellis.records.entity import Field
from trellis.records.events import ENTERED, LEFT
from trellis.records.query import ListQuery, Record
from trellis.records.types import Reference
from trellis.security.actor import Actor
from trellis.system import Event

SHORT, LONG = 3, 50
"""How many records stand in a list beside a record, and in one that has been opened."""


@dataclass(frozen=True)
class RelatedList:
    """The records of another entity that refer to this one: how many, and the first few; ``rule`` finds them all.

    ``key`` is its name among the lists of a record: of several of one entity, all but the first name their field.
    """

    key: str
    view: EntityView
    field: Field
    rule: Mapping[str, Any]
    count: int
    items: Sequence[Record]


@dataclass(frozen=True)
class Entry:
    """Something on a timeline: a record (an order, a call), a change of the record itself, or what an engine tells of it."""

    at: datetime
    kind: str
    record: Record | None = None
    view: EntityView | None = None
    event: Mapping[str, Any] | None = None
    told: Any = None


def related_lists(
    session: Session, edition: Edition, actor: Actor, entity: str, record_id: int, opened: str = ""
) -> list[RelatedList]:
    """One short list for each entity that refers to this one; two queries each, whatever the number of rows.

    The list whose key is ``opened`` is a long one.
    """
    found: dict[str, RelatedList] = {}
    for view, field in _referring(edition, actor, entity):
        mutual = view.info.mutual or ()
        if view.name == "user" or field.name in mutual[1:]:
            continue
        rules = [_refers(name, record_id) for name in (mutual if field.name in mutual else (field.name,))]
        rule = {"any": rules} if rules[1:] else rules[0]
        key = f"{view.name}.{field.name}" if view.name in found else view.name
        limit = LONG if key == opened else SHORT
        query = ListQuery(view, edition, actor, rule=rule, sort=_newest(view), limit=limit)
        page = query.page(session)
        count = len(page.items) if page.next is None else session.scalar(query.count_statement()) or 0
        found[key] = RelatedList(key, view, field, rule, count, page.items)
    return list(found.values())


def timeline(
    session: Session, edition: Edition, actor: Actor, entity: str, record_id: int, limit: int = 50
) -> list[Entry]:
    """The newest entries of a record's timeline: records of timeline entities that refer to it, and its own changes."""
    entries = _changes(session, edition, entity, record_id, limit)
    for view, rule in _on_timeline(edition, actor, entity, record_id):
        query = ListQuery(view, edition, actor, rule=rule, sort=("-created_at",), limit=limit)
        entries += [
            Entry(_moment(view, record), _kind(view, record), record, view)
            for record in query.page(session).items
        ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


def history(
    session: Session, edition: Edition, entity: str, record_id: int, limit: int = 100
) -> list[Mapping[str, Any]]:
    """What was changed on a record, and which segments of the edition it entered and left; newest first."""
    query = sa.select(Event.__table__).where(Event.entity == entity, Event.record_id == record_id)
    rows = session.execute(query.order_by(Event.id.desc()).limit(limit)).mappings()
    return [
        dict(row)
        for row in rows
        if row["action"] not in (ENTERED, LEFT) or _is_known(edition, row["changes"])
    ]


def _referring(edition: Edition, actor: Actor, entity: str) -> Iterator[tuple[EntityView, Field]]:
    """The references by which records belong to those of ``entity``, as far as the actor reads them.

    One that Trellis keeps stands back where people set another to the same entity: it leads to the same records.
    """
    for view, field in edition.referring(entity):
        if field.name in ("owner", "unit") or not actor.may(view.name, "read"):
            continue
        others = (
            one for one in view.references.values() if not one.read_only and one.name not in ("owner", "unit")
        )
        if not field.read_only or all(cast(Reference, one.type).entity != entity for one in others):
            yield view, field


def _on_timeline(
    edition: Edition, actor: Actor, entity: str, record_id: int
) -> Iterator[tuple[EntityView, dict[str, Any]]]:
    """The entities whose records stand on the timeline of a record, with the rule for those that do."""
    referring = set()
    for view, field in _referring(edition, actor, entity):
        if view.info.timeline:
            referring.add(view.name)
            yield view, _refers(field.name, record_id)
    for view in actor.sees(edition).entities.values():
        beside = view.info.beside
        if not beside or not view.info.timeline or not set(beside) <= view.fields.keys():
            continue  # what is withheld does not say beside which record it stands
        if view.name not in referring and actor.may(view.name, "read"):
            kind = {"field": beside[0], "op": "eq", "value": entity}
            yield view, {"all": [kind, {"field": beside[1], "op": "eq", "value": record_id}]}


def _is_known(edition: Edition, changes: Mapping[str, Any]) -> bool:
    return any(name in edition.all(Segment) for name in changes["segment"])


def _changes(session: Session, edition: Edition, entity: str, record_id: int, limit: int) -> list[Entry]:
    events = history(session, edition, entity, record_id, limit)
    return [Entry(event["at"], "change", event=event) for event in events]


def _refers(field: str, record_id: int) -> dict[str, Any]:
    return {"field": field, "op": "eq", "value": record_id}


def _newest(view: EntityView) -> tuple[str, ...]:
    return (
        (f"-{view.info.date_field}",) if view.info.date_field else (view.info.sort,) if view.info.sort else ()
    )


def _kind(view: EntityView, record: Record) -> str:
    return str(record.values.get("kind") or "activity") if view.name == "activity" else view.name


def _moment(view: EntityView, record: Record) -> datetime:
    """When a record happened: done or due for things to do, its own date otherwise; what is planned, when it was made."""
    made: datetime = record.values["created_at"]
    if "done_at" in view.fields:
        return (
            record.values.get("done_at") or _as_moment(record.values.get(view.info.date_field or "")) or made
        )
    dated = _as_moment(record.values.get(view.info.date_field or ""))
    return dated if dated is not None and dated <= datetime.now(UTC) else made


def _as_moment(value: date | datetime | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day, tzinfo=UTC)
