"""marshmallow schemas made from the edition: one for each entity, used at the door, by REST and by OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import marshmallow as ma

from trellis.edition import Edition, EntityView
from trellis.errors import Message, RecordInvalid
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.types import FieldType, Reference, ValueInvalid

_ = translator("trellis")

EXTERNAL = "external_id"


class TypedField(ma.fields.Field[Any]):
    """A marshmallow field that follows a Trellis field type."""

    def __init__(self, declared: Field, **options: Any) -> None:
        super().__init__(allow_none=not declared.required, data_key=declared.name, **options)
        self.declared = declared

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        field_type: FieldType = self.declared.type
        if isinstance(field_type, Reference) and isinstance(value, Mapping):
            if set(value) == {EXTERNAL} and isinstance(value[EXTERNAL], str):
                return ExternalReference(value[EXTERNAL])
            raise ma.ValidationError(str(_('Give an id, or {"external_id": "..."}')))
        try:
            checked = field_type.check(value)
        except ValueInvalid as error:
            raise ma.ValidationError(str(error.message)) from None
        if checked is None and self.declared.required:
            raise ma.ValidationError(str(_("This field needs a value")))
        return checked

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return self.declared.type.to_json(value)


class ExternalReference(str):
    """A reference by the external id of its target, until the door has found the record."""

    __slots__ = ()


def schema_of(edition: Edition, view: EntityView) -> ma.Schema:
    """The schema of an entity in this edition; what may be written, by REST names."""

    def make() -> ma.Schema:
        named = {f"f{index}": TypedField(field) for index, field in enumerate(_writable(view))}
        kind: type[ma.Schema] = type(f"{view.name.title()}Schema", (ma.Schema,), named)
        return kind(unknown=ma.RAISE)

    return edition.cached(("schema", view.name), make)  # type: ignore[no-any-return]


def _writable(view: EntityView) -> list[Field]:
    return [field for field in view.fields.values() if not field.read_only]


def load(edition: Edition, view: EntityView, values: Mapping[str, Any]) -> dict[str, Any]:
    """Checked Python values of what was given; RecordInvalid names each field that is wrong and the fix."""
    if not isinstance(values, Mapping):
        raise RecordInvalid({"_record": [_("A record is an object of fields and values")]})
    schema = schema_of(edition, view)
    try:  # fields are numbered inside: marshmallow would take the dot of ``plugin.field`` for a path
        loaded = schema.load(values, partial=True)
        return {str(schema.fields[key].data_key): value for key, value in loaded.items()}
    except ma.ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise RecordInvalid(
            {name: _messages(view, name, found) for name, found in messages.items()}
        ) from None


def _messages(view: EntityView, name: str, found: Any) -> list[Message]:
    known = view.fields.get(name)
    if known is not None and known.read_only:
        return [_("This field is kept by Trellis and cannot be written")]
    if known is None and name != "_schema":
        close = get_close_matches(name, view.fields, 1, 0.6)
        if close:
            return [
                _(
                    "%(entity)s has no such field; did you mean “%(close)s”?",
                    entity=view.info.title,
                    close=close[0],
                )
            ]
        return [_("%(entity)s has no such field", entity=view.info.title)]
    if known is not None and known.required and found == ["Field may not be null."]:
        return [_("This field needs a value")]
    return [str(message) for message in found] if isinstance(found, list) else [str(found)]
