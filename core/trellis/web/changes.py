"""What entries of the log changed, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from flask import g

from trellis import naming
from trellis.edition import EntityView
from trellis.i18n import format_date, format_datetime, format_number, format_percent, translator
from trellis.records import types
from trellis.records.entity import Field
from trellis.records.mass import titles_of
from trellis.web.vocabularies import choices, words

_ = translator("trellis")

Names = Mapping[tuple[str, int], str]
"""What records are called, by entity and id."""


def names_in(entries: Iterable[tuple[EntityView, Mapping[str, Any]]]) -> Names:
    """What the records are called to which entries of the log refer; only those that the reader may see."""
    referred: dict[str, set[int]] = {}
    for view, event in entries:
        for name, values in event["changes"].items():
            declared = view.fields.get(name)
            if declared is not None and isinstance(declared.type, types.Reference):
                ids = referred.setdefault(declared.type.entity, set())
                ids |= {value for value in values if isinstance(value, int)}
    return {
        (entity, one): title
        for entity, ids in referred.items()
        if entity in g.edition.entities and g.actor.may(entity, "read")
        for one, title in titles_of(g.records, entity, sorted(ids)).items()
    }


def field_changes(view: EntityView, event: Mapping[str, Any], names: Names) -> list[dict[str, str]]:
    """What an entry changed; fields that are not there for the reader are left out."""
    return [
        {
            "label": str(view.fields[name].label),
            "before": word_of(view.fields[name], old, names),
            "after": word_of(view.fields[name], new, names)
            if (old, new) != (None, None)
            else str(_("erased")),
        }
        for name, (old, new) in event["changes"].items()
        if name in view.fields
    ]


def word_of(declared: Field, value: Any, names: Names | None = None) -> str:
    """A value of the log, or of REST, in words: labels of choices, titles of stages, dates by locale, references by name where it is known."""
    if value is None:
        return ""
    if isinstance(declared.type, types.Boolean):
        return str(_("Yes") if value else _("No"))
    if isinstance(declared.type, types.Json):
        return "…"
    if isinstance(declared.type, types.DateTime):
        return format_datetime(datetime.fromisoformat(value))
    if isinstance(declared.type, types.Date):
        return format_date(date.fromisoformat(value))
    if isinstance(declared.type, types.Reference):
        return (names or {}).get((declared.type.entity, value)) or f"#{value}"
    if isinstance(declared.type, types.Percent):
        return format_percent(declared.type.check(value))
    if isinstance(declared.type, types.Decimal):
        return format_number(
            declared.type.check(value), 2 if isinstance(declared.type, types.Money) else None
        )
    return _titled(declared, value)


def _titled(declared: Field, value: Any) -> str:
    """The title of a stage, of a lifecycle, or of what a text names."""
    if isinstance(declared.type, types.Text) and declared.type.names:
        return words(declared.type, str(value), dict(choices(declared.type, {})))
    return str(naming.titles(g.edition, declared).get(value, value))
