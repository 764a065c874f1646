"""Extension fields that administrators add, without code."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import OWN, Edition, EntityView
from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import Text as Label
from trellis.i18n import as_written, translator
from trellis.records import setup, types
from trellis.records.entity import Field
from trellis.records.indexes import create_extension_indexes, drop_extension_indexes
from trellis.search import index as search
from trellis.security.actor import SYSTEM, Actor
from trellis.system import OwnField
from trellis.workspace_state import raise_revision

_ = translator("trellis")

TYPES: Mapping[str, type[types.FieldType]] = {
    kind.name: kind
    for kind in (
        types.Text,
        types.LongText,
        types.Integer,
        types.Decimal,
        types.Money,
        types.Percent,
        types.Boolean,
        types.Date,
        types.DateTime,
        types.Choice,
        types.Reference,
        types.Email,
        types.Phone,
        types.Url,
    )
}
"""The types an administrator can choose from, by name."""


def own_fields(session: Session) -> list[Field]:
    """The fields kept in the workspace."""
    rows = session.scalars(sa.select(OwnField).order_by(OwnField.entity, OwnField.position, OwnField.name))
    return [from_json(row.name, row.entity, row.declaration) for row in rows]


def from_json(name: str, entity: str, declaration: Mapping[str, Any]) -> Field:
    """A field as kept: ``{"type": "choice", "label": "Size", "options": ["S", "M"], "indexed": true, ...}``."""
    kind = declaration["type"]
    if kind == "choice":
        options = tuple(types.Option(value, as_written(value)) for value in declaration.get("options", ()))
        field_type: types.FieldType = types.Choice(options)
    elif kind == "reference":
        field_type = types.Reference(declaration["refers_to"])
    else:
        field_type = TYPES[kind]()
    return Field(
        name=name,
        entity=entity,
        type=field_type,
        label=as_written(declaration["label"]),
        help=as_written(declaration["help"]) if declaration.get("help") else None,
        group=Label(declaration["group"]) if declaration.get("group") else None,
        required=bool(declaration.get("required")),
        indexed=bool(declaration.get("indexed")),
        in_list=bool(declaration.get("in_list")),
        searchable=bool(declaration.get("searchable")),
        personal=bool(declaration.get("personal")),
        owner=OWN,
    )


def add_field(
    session: Session,
    edition: Edition,
    entity: str,
    name: str,
    declaration: Mapping[str, Any],
    actor: Actor = SYSTEM,
) -> Field:
    """Adds a field named ``own.<name>`` to an entity, with its index. Raises RecordInvalid or Conflict."""
    view = edition.entity(entity)
    full_name = f"{OWN}.{name.strip().lower()}"
    errors = _problems(edition, full_name, declaration)
    if errors:
        raise RecordInvalid(errors)
    if full_name in view.fields:
        raise Conflict(_("The field “%(name)s” exists already", name=full_name))
    added = from_json(full_name, entity, declaration)
    row = OwnField(name=full_name, entity=entity, declaration=dict(declaration), position=len(view.fields))
    session.add(row)
    session.flush()
    setup.note(session, actor, setup.FIELD, None, _about(row))
    create_extension_indexes(session.connection(), view.entity, [added])
    _keep_search(session, view, {**view.fields, full_name: added})
    raise_revision(session.connection())
    return added


def change_field(
    session: Session,
    edition: Edition,
    entity: str,
    name: str,
    declaration: Mapping[str, Any],
    position: int,
    actor: Actor = SYSTEM,
) -> Field:
    """Changes how a field is shown, asked for and found; its name, type and values stay. Raises RecordInvalid, Conflict.

    ``position`` orders the organisation's own fields of an entity, the smallest first.
    """
    row = _row(session, entity, name)
    kept = {one: row.declaration.get(one) for one in ("type", "refers_to")}
    changed = {**declaration, **kept}
    errors = _problems(edition, name, changed)
    if errors:
        raise RecordInvalid(errors)
    view = edition.entity(entity)
    field = from_json(name, entity, changed)
    before = _about(row)
    row.declaration, row.position = changed, position
    session.flush()
    setup.note(session, actor, setup.FIELD, before, _about(row))
    if field.indexed != view.fields[name].indexed:
        drop_extension_indexes(session.connection(), view.entity.__tablename__, [name])
        create_extension_indexes(session.connection(), view.entity, [field])
    _keep_search(session, view, {**view.fields, name: field})
    raise_revision(session.connection())
    return field


def position_of(session: Session, entity: str, name: str) -> int:
    """Where a field stands among the organisation's own. Raises Conflict when it is none of them."""
    return _row(session, entity, name).position


def _row(session: Session, entity: str, name: str) -> OwnField:
    row = session.get(OwnField, (name, entity))
    if row is None:
        raise Conflict(_("“%(name)s” is not a field of this organisation", name=name))
    return row


def remove_field(session: Session, edition: Edition, entity: str, name: str, actor: Actor = SYSTEM) -> None:
    """Stops showing a field; the values stay in the records and come back when it is added again."""
    row = _row(session, entity, name)
    drop_extension_indexes(session.connection(), edition.entity(entity).entity.__tablename__, [name])
    setup.note(session, actor, setup.FIELD, _about(row), None)
    session.delete(row)
    session.flush()
    view = edition.entity(entity)
    _keep_search(session, view, {key: one for key, one in view.fields.items() if key != name})
    raise_revision(session.connection())


def _about(row: OwnField) -> dict[str, Any]:
    """A field as the log has it."""
    declared = {name: value for name, value in row.declaration.items() if name != "label"}
    title = row.declaration["label"]
    return {"title": title, "name": row.name, "entity": row.entity, **declared, "position": row.position}


def _keep_search(session: Session, view: EntityView, fields: Mapping[str, Field]) -> None:
    search.keep_entity(session.connection(), dataclasses.replace(view, fields=fields))


def _problems(edition: Edition, name: str, declaration: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    errors: dict[str, Sequence[Any]] = {}
    if not re.fullmatch(r"own\.[a-z][a-z0-9_]{0,59}", name):
        errors["name"] = [_("Use small latin letters, digits and _, starting with a letter")]
    if not str(declaration.get("label") or "").strip():
        errors["label"] = [_("Give the field a label")]
    kind = declaration.get("type")
    if kind not in TYPES:
        errors["type"] = [_("Choose one of: %(known)s", known=", ".join(TYPES))]
    if kind == "choice" and not declaration.get("options"):
        errors["options"] = [_("Give at least one option")]
    if kind == "long_text" and declaration.get("indexed"):
        errors["indexed"] = [_("Text of several lines cannot have an index")]
    if kind == "reference" and declaration.get("refers_to") not in edition.entities:
        errors["refers_to"] = [_("Choose the entity it refers to")]
    return errors
