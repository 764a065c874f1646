"""Which fields of customers the profile of a segment looks at."""

from __future__ import annotations

from typing import Any

from trellis.records.entity import Field
from trellis.records.grouping import may_group
from trellis.records.types import Choice, Reference

_MADE = ("external_id", "created_at", "updated_at")


def is_number(field: Field) -> bool:
    """Whether the values of a field are numbers."""
    return field.type.kind == "number"


def telling_fields(fields: Any) -> list[Field]:
    """The fields whose values say something about customers: choices, yes and no, whom they belong to, short texts."""
    return [
        one
        for one in fields
        if may_group(one)
        and not one.unique
        and not one.personal
        and one.name not in _MADE
        and (isinstance(one.type, Choice | Reference) or one.type.name in ("boolean", "text"))
    ]


def spread_fields(fields: Any) -> list[Field]:
    """The fields whose distribution can be looked at: those that tell something, and days and numbers."""
    fields = list(fields)
    telling = [one.name for one in telling_fields(fields)]
    return [
        one
        for one in fields
        if one.name in telling
        or (not one.personal and not one.unique and (is_number(one) or one.type.kind in ("date", "datetime")))
    ]
