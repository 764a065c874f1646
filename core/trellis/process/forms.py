"""The form of a task of people: fields of the record, and fields of the task alone, as the diagram states them.

Extension properties of the task:

- ``fields``: fields of the record to fill in, by commas; ``!`` after a name makes it required (``amount!, comment``)
- ``show``: fields of the record to look at
- ``form.<variable>``: a field of the task, kept as a variable: ``type[!] Label``; a choice names its options after a
  colon (``choice! Decision: approve=Approve, refuse=Refuse``)
- ``help``: what to know while doing the task
- ``require.<variable>``: an expression over the answers; when it is true, the field needs a value
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trellis.edition import EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import Text, translator
from trellis.process.diagram import Element
from trellis.process.expressions import Expression, Path, compile_expression
from trellis.records import types
from trellis.records.entity import Field
from trellis.records.expressions import ExpressionFailed

_ = translator("trellis")

Words = Callable[[str], Text]
"""Translates a text of the diagram."""

TYPES: Mapping[str, Callable[[], types.FieldType]] = {
    "text": types.Text,
    "longtext": types.LongText,
    "number": types.Decimal,
    "integer": types.Integer,
    "money": types.Money,
    "date": types.Date,
    "datetime": types.DateTime,
    "boolean": types.Boolean,
    "email": types.Email,
    "person": lambda: types.Reference("user"),
}
"""The types of fields that a task may state, beside ``choice``."""

DECLARED = re.compile(r"(?P<type>[a-z]+)(?P<required>!?)\s+(?P<label>[^:]+?)\s*(?::\s*(?P<options>.+))?")
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,59}")
RESERVED = frozenset({"record", "starter", "loop", "true", "false", "none"})
FORM, REQUIRE = "form.", "require."


def is_variable(name: str) -> bool:
    """Whether a step may set a variable of that name."""
    return name.isidentifier() and not name.startswith("_") and name not in RESERVED


class FormInvalid(ValueError):
    """A task states a form that cannot be made."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a task asks for: ``fields`` of the record and ``own`` ones; ``shown`` are fields to look at."""

    fields: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    shown: tuple[str, ...] = ()
    own: Mapping[str, Field] = field(default_factory=dict)
    conditions: Mapping[str, Expression] = field(default_factory=dict)


def form_of(element: Element, words: Words = Text) -> Form:
    """The form that an element states. Raises FormInvalid, and ExpressionInvalid for a condition."""
    own, conditions = {}, {}
    for name, text in element.properties.items():
        if name.startswith(FORM):
            variable = name.removeprefix(FORM)
            own[variable] = _declared(variable, text, words)
        elif name.startswith(REQUIRE):
            conditions[name.removeprefix(REQUIRE)] = compile_expression(text.removeprefix("="))
    unknown = conditions.keys() - own.keys()
    if unknown:
        raise FormInvalid(_("“require.%(name)s” names no field of this form", name=min(unknown)))
    asked = _names(element.properties.get("fields", ""))
    return Form(
        fields=tuple(name.rstrip("!") for name in asked),
        required=frozenset(name.rstrip("!") for name in asked if name.endswith("!")),
        shown=tuple(_names(element.properties.get("show", ""))),
        own=own,
        conditions=conditions,
    )


def _names(text: str) -> list[str]:
    return [one for one in (part.strip() for part in text.split(",")) if one]


def _declared(name: str, text: str, words: Words) -> Field:
    found = DECLARED.fullmatch(text)
    if not _VARIABLE.fullmatch(name) or name in RESERVED:
        raise FormInvalid(
            _("“%(name)s” is no name for a variable: small latin letters, digits, _", name=name)
        )
    if found is None or (found["type"] not in TYPES and found["type"] != "choice"):
        known = ", ".join([*TYPES, "choice"])
        raise FormInvalid(
            _("form.%(name)s: write “type Label”, where type is one of: %(known)s", name=name, known=known)
        )
    if (found["type"] == "choice") != bool(found["options"]):
        raise FormInvalid(_("form.%(name)s: a choice, and only a choice, names options", name=name))
    kind = (
        types.Choice(_options(name, found["options"], words)) if found["options"] else TYPES[found["type"]]()
    )
    return Field(name=name, type=kind, label=words(found["label"]), required=bool(found["required"]))


def _options(name: str, text: str, words: Words) -> tuple[types.Option, ...]:
    options = []
    for part in _names(text):
        value, _mark, label = (one.strip() for one in part.partition("="))
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", value):
            raise FormInvalid(
                _(
                    "form.%(name)s: write options as value=Label; “%(value)s” is no value",
                    name=name,
                    value=value,
                )
            )
        options.append(types.Option(value, words(label or value)))
    return tuple(options)


def texts(element: Element) -> list[str]:
    """The texts of an element that people read, to be translated."""
    found = [text for text in (element.name, element.properties.get("help", "")) if text]
    for name, text in element.properties.items():
        declared = DECLARED.fullmatch(text) if name.startswith(FORM) else None
        if declared is not None:
            found.append(declared["label"])
            options = (part.partition("=") for part in _names(declared["options"] or ""))
            found += [(label or value).strip() for value, _mark, label in options]
    return found


class _Answers:
    """The answers of a form, as the facts of its conditions."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def look_up(self, path: Path) -> Any:
        return self._values[".".join(path)]


def answers(
    form: Form, view: EntityView | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values for the record and the variables in what was ``given``. Raises RecordInvalid that names each wrong one."""
    errors: dict[str, list[Any]] = {}
    ours: dict[str, Any] = {name: None for name in form.own}
    record: dict[str, Any] = {}
    for name, value in given.items():
        if name in form.own:
            try:
                ours[name] = form.own[name].type.check(value)
            except types.ValueInvalid as error:
                errors[name] = [error.message]
        elif name in form.fields and view is not None:
            record[name] = value
        else:
            errors[name] = [_("This task does not ask for this")]
    for name, declared in form.own.items():
        if ours[name] is None and name not in errors and (declared.required or _needed(form, name, ours)):
            errors[name] = [_("This field needs a value")]
    if errors:
        raise RecordInvalid(errors)
    return record, ours


def _needed(form: Form, name: str, ours: Mapping[str, Any]) -> bool:
    condition = form.conditions.get(name)
    try:
        return condition is not None and bool(condition(_Answers(ours)))
    except ExpressionFailed:  # it compares what is not answered yet
        return False
