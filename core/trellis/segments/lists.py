"""Members of lists: put in and taken out by hand, from what a list of records finds, or by a key such as a customer number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Rule, Segment
from trellis.edition import OWN, Edition, EntityView
from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import translator
from trellis.process import listening
from trellis.records.query import ListQuery
from trellis.security.actor import Actor
from trellis.segments import engine, telling
from trellis.segments.own import asking_for
from trellis.segments.tables import SEGMENT_LISTED

_ = translator("trellis")

MOST_KEYS = 10_000
AT_ONCE = 1_000
_listed = SEGMENT_LISTED.c


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Records of a list: those of ``ids``, or all that a rule and a text find."""

    ids: Sequence[int] | None = None
    rule: Rule | None = None
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Added:
    """How many records were put in, and the keys under which there was none."""

    number: int
    missing: Sequence[str] = ()


def lists_of(edition: Edition, entity: str) -> list[Segment]:
    """The lists that records of an entity can be put into."""
    return [
        one
        for one in edition.all(Segment).values()
        if one.listed and one.entity == entity and one.owner == OWN
    ]


def add(session: Session, edition: Edition, actor: Actor, name: str, chosen: Chosen) -> int:
    """Puts records that the actor may see into a list; how many were not in it. Raises PermissionRefused, Conflict."""
    segment = _list(edition, actor, name)
    number = _add(session, edition, actor, segment, chosen)
    _recount(session, edition, actor, name)
    return number


def add_by_key(
    session: Session, edition: Edition, actor: Actor, name: str, field: str, keys: Sequence[str]
) -> Added:
    """Puts those into a list whose ``field`` is one of the keys; a key names one record, or all that share it."""
    segment = _list(edition, actor, name)
    view = edition.entity(segment.entity)
    known = key_fields(view)
    if field not in known:
        raise RecordInvalid({"field": [_("Choose one of: %(known)s", known=", ".join(known))]})
    keys = list(dict.fromkeys(key.strip() for key in keys if key.strip()))
    if not keys:
        raise RecordInvalid({"values": [_("Give at least one key")]})
    if len(keys) > MOST_KEYS:
        raise RecordInvalid({"values": [_("At most %(most)s keys at once", most=MOST_KEYS)]})
    number, found = 0, set[str]()
    for start in range(0, len(keys), AT_ONCE):
        chosen = Chosen(rule={"field": field, "op": "in", "value": keys[start : start + AT_ONCE]})
        query = ListQuery(view, edition, actor, rule=chosen.rule)
        column = query.selecting(lambda joins: [view.fields[field].of(joins.root)])
        found.update(str(value) for value in session.scalars(column))
        number += _add(session, edition, actor, segment, chosen)
    _recount(session, edition, actor, name)
    return Added(number=number, missing=[key for key in keys if key not in found])


def take_out(session: Session, edition: Edition, actor: Actor, name: str, ids: Sequence[int]) -> int:
    """Takes records out of a list; how many were in it. Raises PermissionRefused, Conflict."""
    _list(edition, actor, name)
    inside = sa.and_(_listed.segment == name, _listed.record_id.in_(ids))
    gone = session.scalars(sa.delete(SEGMENT_LISTED).where(inside).returning(_listed.record_id)).all()
    _recount(session, edition, actor, name)
    return len(gone)


def key_fields(view: EntityView) -> list[str]:
    """The fields by which members can be named: short texts, those that no two records share first."""
    texts = [one for one in view.fields.values() if one.type.kind == "text" and one.type.name in _KEYS]
    return [one.name for one in sorted(texts, key=lambda one: not one.unique)]


_KEYS = ("text", "email", "phone")


def _list(edition: Edition, actor: Actor, name: str) -> Segment:
    actor.require_administrator()
    segment = engine.find(edition, name)
    if not segment.listed:
        raise Conflict(
            _("“%(title)s” finds its members by a rule; nobody is put in by hand", title=segment.title)
        )
    return segment


def _add(session: Session, edition: Edition, actor: Actor, segment: Segment, chosen: Chosen) -> int:
    view = edition.entity(segment.entity)
    ids = None if chosen.ids is None else list(chosen.ids)
    query = ListQuery(view, edition, actor, rule=chosen.rule, text=chosen.text, ids=ids)
    now = sa.literal(datetime.now(UTC), _listed.added_at.type)

    def columns(joins: Any) -> list[sa.ColumnElement[Any]]:
        return [sa.literal(segment.name), joins.root.id, now]

    rows = query.selecting(columns)
    there = sa.select(_listed.record_id).where(_listed.segment == segment.name)
    rows = rows.where(list(rows.selected_columns)[1].not_in(there))
    number = session.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0
    session.execute(sa.insert(SEGMENT_LISTED).from_select(["segment", "record_id", "added_at"], rows))
    return number


def _recount(session: Session, edition: Edition, actor: Actor, name: str) -> None:
    """The list by the hand of the actor, segments that ask for it as their rules say."""
    at = datetime.now(UTC)
    engine.refresh(session, edition.whole, [name], now=at, by=actor)
    engine.refresh(session, edition.whole, asking_for(edition.whole, name)[1:], now=at)
    listening.note_entries(session, edition.whole, at)
    telling.tell_entries(session, edition.whole, at)
