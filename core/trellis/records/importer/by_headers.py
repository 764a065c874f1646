"""A mapping that the headers of a file tell by themselves."""

from __future__ import annotations

from collections.abc import Sequence

from trellis.edition import EntityView
from trellis.i18n import LANGUAGES, translator, use_locale
from trellis.records.importer.headings import numbered_columns
from trellis.records.importer.plans import BY_ID, BY_NAME, ID, MappingInvalid, Plan

_ = translator("trellis")


def plan_by_headers(view: EntityView, columns: Sequence[str], key: str | None = None) -> Plan:
    """A mapping by headers: names of fields, or their labels in any language."""
    writable = {name: field for name, field in view.fields.items() if not field.read_only}
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with use_locale(language):
            known |= {str(field.label).casefold(): name for name, field in writable.items()}
    for mark in (BY_ID, BY_NAME):
        known |= {f"{name}{mark}".casefold(): f"{name}{mark}" for name in view.references if name in writable}
    known |= {name.casefold(): name for name in writable}
    own = {column: name for name, column in numbered_columns(view, columns).items()}
    if key == ID:
        known[ID] = ID
    fields: dict[str, str] = {}
    for column in columns:
        name = own.get(column) or known.get(column.strip().casefold())
        if name is not None and (name != ID or key == ID):
            fields.setdefault(name, column)
    for name in view.references:  # beside its number the label of a reference is over the names of records
        if f"{name}{BY_ID}" in fields and fields.get(name, name).casefold() != name:
            del fields[name]
    if not fields:
        raise MappingInvalid(
            _("No column is named like a field of %(entity)s; give a mapping", entity=view.info.title)
        )
    return Plan(columns=fields, key=key)
