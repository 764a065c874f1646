"""Checks that need the database, for many records at once: references exist, external ids resolve, keys are unique."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition, EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.quality.merged import known_as
from trellis.records.bulk import among, rows_by
from trellis.records.current import reaches_row, rows_of
from trellis.records.entity import Entity, Field
from trellis.records.events import Taken
from trellis.records.plan import Plan
from trellis.records.schema import ExternalReference
from trellis.records.values import decode
from trellis.security.actor import Actor

_ = translator("trellis")

Failures = dict[int, RecordInvalid]
Values = Mapping[int, dict[str, Any]]
Drafts = Mapping[int, tuple[int | None, Mapping[str, Any]]]
"""What is to be written, with the id of the record that it changes."""


def _target(edition: Edition, field: Field) -> type[Entity]:
    return edition.entity(field.type.entity).entity  # type: ignore[attr-defined]


def resolve_external(
    session: Session, edition: Edition, actor: Actor, plan: Plan, drafts: Values
) -> Failures:
    """Replaces references by external id with ids; one query a field. What the actor may not see is not found."""
    failures: Failures = {}
    for field in plan.references:
        name = field.name
        wanted = {
            values[name] for values in drafts.values() if isinstance(values.get(name), ExternalReference)
        }
        if not wanted:
            continue
        target = _target(edition, field)
        query = sa.select(target.external_id, target.id).where(
            among(session, target.external_id, [str(one) for one in wanted])
        )
        query = query.where(target.deleted_at.is_(None), actor.visible(target))
        found: dict[str | None, int] = dict(session.execute(query).all())
        found.update(_merged_into(session, actor, target, {str(one) for one in wanted} - found.keys()))
        for index, values in drafts.items():
            reference = values.get(name)
            if not isinstance(reference, ExternalReference):
                continue
            values[name] = found.get(str(reference))
            if values[name] is None:
                entity = target.__entity__.title
                message = _(
                    "There is no %(entity)s with the external id “%(id)s”", entity=entity, id=str(reference)
                )
                failures[index] = RecordInvalid({name: [message]})
    return failures


def _merged_into(
    session: Session, actor: Actor, target: type[Entity], external_ids: Collection[str]
) -> dict[str, int]:
    """Records that are meant by the external ids of others that were merged into them."""
    known = known_as(session, target.__entity__.name, external_ids) if external_ids else {}
    if not known:
        return {}
    query = sa.select(target.id).where(target.id.in_(known.values()), target.deleted_at.is_(None))
    seen = set(session.scalars(query.where(actor.visible(target))))
    return {external_id: survivor for external_id, survivor in known.items() if survivor in seen}


def check_references(
    session: Session, edition: Edition, actor: Actor, plan: Plan, drafts: Values
) -> Failures:
    """Reports references to records that do not exist, are in the bin, or are out of the actor's sight."""
    errors: dict[int, dict[str, list[Any]]] = {}
    for field in plan.references:
        name = field.name
        wanted = {values[name] for values in drafts.values() if values.get(name) is not None}
        if name == "owner":
            wanted.discard(actor.user_id)  # who asks is there: it was looked up in this transaction
        if not wanted:
            continue
        target = _target(edition, field)
        query = sa.select(target.id).where(among(session, target.id, wanted), target.deleted_at.is_(None))
        if name not in ("owner", "unit"):  # own values, filled in for the actor, are always in order
            query = query.where(actor.visible(target))
        missing = wanted - set(session.scalars(query))
        for index, values in drafts.items():
            if values.get(name) in missing:
                entity = target.__entity__.title
                message = _("There is no %(entity)s with the id %(id)s", entity=entity, id=values[name])
                errors.setdefault(index, {})[name] = [message]
    return {index: RecordInvalid(found) for index, found in errors.items()}


def check_unique(
    session: Session, seen: Edition, actor: Actor, plan: Plan, view: EntityView, drafts: Drafts
) -> Failures:
    """Reports values of unique fields that another record, or another write of the batch, has already; one query a field.

    Whose they are is not said: it may be a record in the bin, or out of the reader's sight. Only a field that has words
    for it (``Field.taken``) tells more, as far as the reader, whose edition is ``seen``, may see the other record.
    """
    failures: Failures = {}
    table = cast(sa.Table, view.entity.__table__)
    for field in plan.unique:
        name, column = field.name, str(field.column)
        wanted = {values[name] for _id, values in drafts.values() if values.get(name) is not None}
        if not wanted:
            continue
        taken: dict[Any, int] = dict(rows_by(session, (table.c[column], table.c.id), wanted))
        others: dict[int, int | None] = {}  # the record that has it, None for another write of the batch
        given: set[Any] = set()
        for index, (record_id, values) in drafts.items():
            value = values.get(name)
            if value is None:
                continue
            if taken.get(value, record_id) != record_id:
                others[index] = taken[value]
            elif value in given:
                others[index] = None
            given.add(value)
        if field.taken is None:
            for index in others:
                message = _("“%(value)s” is taken; choose another value", value=str(drafts[index][1][name]))
                failures[index] = RecordInvalid({name: [message]})
        elif others:
            apart = view.entity.__entity__.told_apart_by
            place = next((one for one in reversed(apart) if one in plan.required), name)
            known = _taken(session, seen, actor, view, {one for one in others.values() if one is not None})
            for index, other in others.items():
                told = (
                    _("This is given twice; leave one of them out")
                    if other is None
                    else field.taken(known[other])
                )
                failures[index] = RecordInvalid({place: [told]})
    return failures


def _taken(
    session: Session, seen: Edition, actor: Actor, view: EntityView, ids: Collection[int]
) -> dict[int, Taken]:
    """What is told of these records."""
    shown = seen.entity(view.name)
    return {
        row["id"]: Taken(
            edition=seen.whole,
            values=decode(shown, row) if reaches_row(actor, view, row, "read") else {},
            in_bin=row["deleted_at"] is not None,
        )
        for row in (rows_of(session, view, ids) if ids else [])
    }
