"""What the door knows of an entity before a record comes; made once for an edition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trellis.edition import Edition, EntityView
from trellis.records.entity import Field
from trellis.records.types import FieldType
from trellis.search.index import is_spoken
from trellis.search.matching import searchable


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What every record of an entity is completed with, must have, and is checked for.

    ``spoken`` are the fields whose words the search learns; ``forms`` are the ways to write values as JSON that are not
    what they are already.
    """

    defaults: tuple[Field, ...]
    required: tuple[str, ...]
    references: tuple[Field, ...]
    unique: tuple[Field, ...]
    spoken: tuple[str, ...]
    forms: Mapping[str, Callable[[Any], Any]]


def plan_of(edition: Edition, view: EntityView) -> Plan:
    """The plan for an entity."""
    return edition.cached(("plan", view.name), lambda: _made(view))  # type: ignore[no-any-return]


def _made(view: EntityView) -> Plan:
    fields = view.fields.values()
    return Plan(
        defaults=tuple(field for field in fields if field.default is not None),
        required=tuple(field.name for field in fields if field.always_required and not field.read_only),
        references=tuple(view.references.values()),
        unique=tuple(field for field in fields if field.unique),
        spoken=tuple(field.name for field in searchable(view) if is_spoken(field)),
        forms={
            field.name: field.type.to_json
            for field in fields
            if type(field.type).to_json is not FieldType.to_json
        },
    )
