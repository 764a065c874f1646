"""Assumptions of the analytics that the organisation decides: thresholds, weights, rules.

Each of the analytics declares its own, as fields with a default. What the organisation decided otherwise stands in its
settings and so in the edition: a change makes figures stale, like any other change of the edition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import Text, translator
from trellis.records.entity import Field, default_value
from trellis.records.types import ValueInvalid

_ = translator("trellis")

Values = Mapping[str, Any]
Errors = dict[str, list[Text]]


def _nothing(_edition: Edition) -> Sequence[Field]:
    return ()


def _consistent(_values: Values) -> Errors:
    return {}


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What one of the analytics assumes.

    ``more`` are fields that depend on the edition; ``check`` finds values that contradict each other, by field.
    """

    name: str
    title: Text
    about: Text
    fields: tuple[Field, ...]
    more: Callable[[Edition], Sequence[Field]] = _nothing
    check: Callable[[Values], Errors] = _consistent

    def declared(self, edition: Edition) -> tuple[Field, ...]:
        """Its fields in this edition; those that it alone has stand first, beside the fields of their kind."""
        return (*self.more(edition), *self.fields)

    def of(self, edition: Edition) -> dict[str, Any]:
        """The values that hold in this edition: what the organisation decided, else the defaults."""
        decided = edition.settings.analytics.get(self.name, {})
        return {one.name: self._value(one, decided) for one in self.declared(edition)}

    def to_json(self, edition: Edition) -> dict[str, Any]:
        """The values as REST and the command line show them."""
        values = self.of(edition)
        return {one.name: one.type.to_json(values[one.name]) for one in self.declared(edition)}

    def checked(self, edition: Edition, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is given, over what holds, as it is kept. Raises RecordInvalid."""
        values, errors = self.of(edition), Errors()
        for one in self.declared(edition):
            if one.name not in given:
                continue
            try:
                values[one.name] = one.type.check(given[one.name])
            except ValueInvalid as error:
                errors[one.name] = [error.message]
            else:
                if one.required and values[one.name] is None:
                    errors[one.name] = [_("Give a value")]
        errors = errors or self.check(values)
        if errors:
            raise RecordInvalid(errors)
        return {one.name: one.type.to_json(values[one.name]) for one in self.declared(edition)}

    def _value(self, field: Field, decided: Mapping[str, Any]) -> Any:
        if field.name not in decided:
            return field.type.check(default_value(field))
        try:
            return field.type.check(decided[field.name])
        except ValueInvalid:  # the edition of that day allowed it
            return field.type.check(default_value(field))


def assumption(name: str, field_type: Any, label: Text, default: Any, help: Text | None = None) -> Field:
    """One number or choice that must have a value."""
    return Field(
        name=name,
        entity="customer",
        type=field_type,
        label=label,
        default=default,
        help=help,
        required=True,
    )


def rising(values: Values, *names: str) -> Errors:
    """The error of the first of ``names`` whose value is not above the one before it."""
    for lower, higher in pairwise(names):
        if values[higher] <= values[lower]:
            return {higher: [_("Must be more than the threshold before it")]}
    return {}
