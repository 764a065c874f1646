"""Rules under which fields are required and shown, as the organisation decides for any field that can be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.errors import RecordInvalid, RuleInvalid
from trellis.i18n import translator
from trellis.records import setup
from trellis.records.conditions import ATTRIBUTES, FieldConditions, check_rule
from trellis.security.actor import SYSTEM, Actor
from trellis.system import FieldCondition
from trellis.workspace_state import raise_revision

_ = translator("trellis")


def field_conditions(session: Session) -> list[FieldConditions]:
    """The rules kept in the workspace."""
    return [
        FieldConditions(
            entity=row.entity,
            field=row.field,
            required_when=row.required_when,
            visible_when=row.visible_when,
        )
        for row in session.scalars(sa.select(FieldCondition))
    ]


def decided(session: Session, entity: str, name: str) -> bool:
    """Whether the organisation has rules of its own for a field, in place of those it came with."""
    return session.get(FieldCondition, (entity, name)) is not None


def decide(
    session: Session,
    edition: Edition,
    entity: str,
    name: str,
    rules: Mapping[str, Mapping[str, Any] | None],
    actor: Actor = SYSTEM,
) -> None:
    """Keeps ``required_when`` and ``visible_when`` of a field. Raises RecordInvalid that names the wrong one."""
    view = edition.entity(entity)
    declared = view.fields[name].under(**rules)
    errors: dict[str, Sequence[Any]] = {}
    for attribute in ATTRIBUTES:
        try:
            check_rule(edition, view, declared, attribute)
        except RuleInvalid as error:
            errors[attribute] = [str(error)]
    if errors:
        raise RecordInvalid(errors)
    setup.note(
        session, actor, setup.FIELD, _about(session, entity, name), {"name": name, "entity": entity, **rules}
    )
    session.merge(FieldCondition(entity=entity, field=name, **rules))
    session.flush()
    raise_revision(session.connection())


def forget(session: Session, entity: str, name: str, actor: Actor = SYSTEM) -> None:
    """Gives a field the rules back that it came with."""
    setup.note(session, actor, setup.FIELD, _about(session, entity, name), {"name": name, "entity": entity})
    session.execute(
        sa.delete(FieldCondition).where(FieldCondition.entity == entity, FieldCondition.field == name)
    )
    raise_revision(session.connection())


def _about(session: Session, entity: str, name: str) -> dict[str, Any]:
    """The rules of a field as the log has them."""
    row = session.get(FieldCondition, (entity, name))
    rules = {one: getattr(row, one) for one in ATTRIBUTES} if row is not None else {}
    return {"name": name, "entity": entity, **rules}
