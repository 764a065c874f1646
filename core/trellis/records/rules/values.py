"""Which operators fit which fields, and reading the values of leaves from JSON."""

from __future__ import annotations

import dataclasses
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.rules.nodes import Me, Operator, Period, Relative, Unit
from trellis.records.trees import tree_of
from trellis.records.types import Choice, Date, Decimal, FieldType, Integer, Reference, ValueInvalid

if TYPE_CHECKING:
    from trellis.edition import Edition

_ = translator("trellis")

LONGEST_LIST = 1000
LONGEST_TEXT = 1000
MOST_DAYS = 200_000
MOST_MONTHS = 6_000
MOST_UNITS = {
    Unit.DAY: MOST_DAYS,
    Unit.WEEK: 28_000,
    Unit.MONTH: MOST_MONTHS,
    Unit.QUARTER: 2_000,
    Unit.YEAR: 500,
}

_EMPTINESS = (Operator.IS_EMPTY, Operator.IS_NOT_EMPTY)
_EQUALITY = (Operator.EQ, Operator.NE)
_MEMBERSHIP = (Operator.IN, Operator.NOT_IN)
_ORDER = (Operator.LT, Operator.LTE, Operator.GT, Operator.GTE, Operator.BETWEEN)
_SEARCH = (Operator.CONTAINS, Operator.STARTS_WITH)

_OPERATORS: dict[str, tuple[Operator, ...]] = {
    "text": (*_EQUALITY, *_MEMBERSHIP, *_SEARCH, *_ORDER, *_EMPTINESS),
    "number": (*_EQUALITY, *_ORDER, *_MEMBERSHIP, *_EMPTINESS),
    "date": (*_EQUALITY, *_ORDER, *_MEMBERSHIP, *_EMPTINESS),
    "datetime": (*_EQUALITY, *_ORDER, *_EMPTINESS),
    "boolean": (*_EQUALITY, *_EMPTINESS),
    "reference": (*_EQUALITY, *_MEMBERSHIP, *_EMPTINESS),
    "json": (),
}
ON_CHOICES = (*_EQUALITY, *_MEMBERSHIP, *_EMPTINESS)
"""The operators that fit what is one of a few values."""


def operators(field: Field, edition: Edition) -> tuple[Operator, ...]:
    """The operators that fit ``field``, the usual ones first."""
    if tree_of(edition, field) is not None:
        return (*_EQUALITY, Operator.WITHIN, *_MEMBERSHIP, *_EMPTINESS)
    return ON_CHOICES if isinstance(field.type, Choice) else _OPERATORS[field.type.kind]


def read_value(field: Field, operator: Operator, value: Any) -> Any:
    """The typed value of a leaf from its JSON; ValueInvalid says what is wrong with it."""
    if operator in _EMPTINESS:
        if value is not None:
            raise ValueInvalid(_("Takes no value"))
        return None
    if operator in _SEARCH:
        return _search_text(value)
    if operator in _MEMBERSHIP:
        if not isinstance(value, list | tuple):
            raise ValueInvalid(_("Must be a list"))
        if len(value) > LONGEST_LIST:
            raise ValueInvalid(
                _("At most %(most)s values; this has %(given)s", most=LONGEST_LIST, given=len(value))
            )
        return tuple(_read_one(field, item) for item in value)
    if operator is Operator.BETWEEN:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueInvalid(_("Must be a list of two values, the lowest and the highest"))
        return tuple(_read_one(field, item) for item in value)
    if isinstance(value, dict) and "period" in value:
        return _read_period(field, value)
    return _read_one(field, value)


def _read_period(field: Field, value: dict[str, Any]) -> Period:
    """``{"period": "month", "from": -1, "to": -1}``; without ``from`` and ``to`` it is the present one."""
    if field.type.kind not in ("date", "datetime") or not value.keys() <= {"period", "from", "to"}:
        raise ValueInvalid(_('A period is {"period": "month", "from": -1, "to": -1} and fits dates'))
    if value["period"] not in list(Unit):
        raise ValueInvalid(_("“period” is one of: %(known)s", known=", ".join(Unit)))
    unit = Unit(value["period"])
    most = MOST_UNITS[unit]
    for key in ("from", "to"):
        number = value.get(key, 0)
        if isinstance(number, bool) or not isinstance(number, int) or abs(number) > most:
            raise ValueInvalid(
                _("“%(key)s” must be a whole number from -%(most)s to %(most)s", key=key, most=most)
            )
    if value.get("from", 0) > value.get("to", 0):
        raise ValueInvalid(_("A period must not end before it begins"))
    return Period(unit, value.get("from", 0), value.get("to", 0))


def _read_one(field: Field, value: Any) -> Any:
    if isinstance(value, dict):
        return _read_spoken(field, value)
    if isinstance(value, list):
        raise ValueInvalid(_("Must be one value, not a list"))
    if field.type.kind == "datetime" and _is_day(value):
        return Date().check(value)
    checked = _lenient(field.type).check(value)
    if checked is None:
        raise ValueInvalid(_("Needs a value; to find empty fields use is_empty"))
    return checked


def _read_spoken(field: Field, value: dict[str, Any]) -> Relative | Me:
    """``{"days": -90}``, ``{"months": -1}``, ``{"me": true}``."""
    if value == {"me": True}:
        if not isinstance(field.type, Reference) or field.type.entity != "user":
            raise ValueInvalid(_("“me” fits only fields that refer to a user"))
        return Me()
    if field.type.kind not in ("date", "datetime") or value.keys() not in ({"days"}, {"months"}):
        raise ValueInvalid(
            _('Must be a value; {"days": -90} or {"months": -1} fit dates, {"me": true} people')
        )
    (key, number) = next(iter(value.items()))
    most = MOST_DAYS if key == "days" else MOST_MONTHS
    if isinstance(number, bool) or not isinstance(number, int) or abs(number) > most:
        raise ValueInvalid(
            _("“%(key)s” must be a whole number from -%(most)s to %(most)s", key=key, most=most)
        )
    return Relative(**{key: number})


def _is_day(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()) is not None
    return isinstance(value, date) and not isinstance(value, datetime)


def _lenient(field_type: FieldType) -> FieldType:
    """The type without its lower bound: ``quantity > -1`` asks for nothing impossible."""
    if isinstance(field_type, Integer | Decimal):
        return dataclasses.replace(field_type, minimum=None)
    return field_type


def _search_text(value: Any) -> str:
    FieldType().check(value)
    if not value:
        raise ValueInvalid(_("Needs a value; to find empty fields use is_empty"))
    if len(value) > LONGEST_TEXT:
        given = len(value)
        raise ValueInvalid(
            _("At most %(length)s characters; this has %(given)s", length=LONGEST_TEXT, given=given)
        )
    return str(value)  # with its spaces: “ Inc” may be what is meant
