"""marshmallow schemas made from the edition: one for each entity, used at the door, by REST and by OpenAPI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import marshmallow as ma

from trellis.edition import Edition, EntityView
from trellis.errors import Message, RecordInvalid
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.types import MAIL_ADDRESS, Choice, Email, Reference, Text, ValueInvalid

_ = translator("trellis")

EXTERNAL = "external_id"


class TypedField(ma.fields.Field[Any]):
    """A marshmallow field that follows a Trellis field type."""

    def __init__(self, declared: Field, **options: Any) -> None:
        super().__init__(allow_none=not declared.always_required, data_key=declared.name, **options)
        self.declared = declared

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        try:
            checked = _check_of(self.declared)(value)
        except ValueInvalid as error:
            raise ma.ValidationError(str(error.message)) from None
        if checked is None and self.declared.always_required:
            raise ma.ValidationError(str(_("This field needs a value")))
        return checked

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return self.declared.type.to_json(value)


class ExternalReference(str):
    """A reference by the external id of its target, until the door has found the record."""

    __slots__ = ()


Check = Callable[[Any], Any]


def _check_of(field: Field) -> Check:
    """What makes a checked value of one that was given; raises ValueInvalid."""
    return _check_reference(field.type) if isinstance(field.type, Reference) else field.type.check


def _check_reference(reference: Reference) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return reference.check(value)
        if set(value) == {EXTERNAL} and isinstance(value[EXTERNAL], str):
            return ExternalReference(value[EXTERNAL])
        raise ValueInvalid(_('Give an id, or {"external_id": "..."}'))

    return check


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
    if not values:
        return {}
    accepted = accept(edition, view, values)
    return load_by_schema(edition, view, values) if accepted is None else accepted


def accept(edition: Edition, view: EntityView, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """What :func:`load_by_schema` makes of values that are all in order; None when one is not.

    It asks each field by itself, which for a row of an import takes a fifth of the time.
    """
    checks = edition.cached(("checks", view.name), lambda: _checks(view))
    accepted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in checks:
            return None
        check, required = checks[name]
        try:
            checked = accepted[name] = check(value)
        except ValueInvalid:
            return None
        if checked is None and required:
            return None
    return accepted


def _checks(view: EntityView) -> dict[str, tuple[Check, bool]]:
    return {field.name: (_quick(_check_of(field), field), field.always_required) for field in _writable(view)}


def _quick(check: Check, field: Field) -> Check:
    """``check``, spared for what is plainly in order: most of what imports bring is text of ordinary letters."""
    made = {Text: _quick_text, Email: _quick_email, Choice: _quick_choice}.get(type(field.type))
    return check if made is None else made(check, field.type)


def _quick_text(check: Check, declared: Any) -> Check:
    length = declared.length

    def quick(value: Any) -> Any:
        if type(value) is str and len(value) <= length and value.isprintable():
            return value.strip() or None
        return check(value)

    return quick


def _quick_email(check: Check, declared: Any) -> Check:
    length, is_address = declared.length, MAIL_ADDRESS.fullmatch

    def quick(value: Any) -> Any:
        if type(value) is str and len(value) <= length and value.isprintable() and is_address(value):
            return value.lower()
        return check(value)

    return quick


def _quick_choice(check: Check, declared: Any) -> Check:
    known = {option.value: option.value for option in declared.options}

    def quick(value: Any) -> Any:
        return known.get(value) or check(value) if type(value) is str else check(value)

    return quick


def load_by_schema(edition: Edition, view: EntityView, values: Mapping[str, Any]) -> dict[str, Any]:
    """What marshmallow makes of the values; RecordInvalid names all fields that are wrong."""
    schema = schema_of(edition, view)
    try:  # fields are numbered inside: marshmallow would take the dot of ``plugin.field`` for a path
        loaded = schema.load(values, partial=True)
        return {str(schema.fields[key].data_key): value for key, value in loaded.items()}
    except ma.ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise RecordInvalid(
            {name: _messages(edition, view, name, found) for name, found in messages.items()}
        ) from None


def _messages(edition: Edition, view: EntityView, name: str, found: Any) -> list[Message]:
    known = view.fields.get(name)
    if name in ("id", "version"):
        return [_("This field is kept by Trellis and cannot be written")]
    if known is not None and known.read_only:
        if not edition.whole.entity(view.name).fields[name].read_only:
            return [_("Your role may read this field, not change it")]
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
    if known is not None and known.always_required and found == ["Field may not be null."]:
        return [_("This field needs a value")]
    return [str(message) for message in found] if isinstance(found, list) else [str(found)]
