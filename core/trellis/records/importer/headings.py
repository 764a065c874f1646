"""How columns are called for people: by labels, in their language, where fields of programs have names.

A file with such headings is imported again whatever the language of its reader was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from trellis.edition import EntityView
from trellis.i18n import LANGUAGES, Text, translator, use_locale
from trellis.records.entity import Field
from trellis.records.importer.plans import BY_ID, BY_NAME, ID
from trellis.records.schema import EXTERNAL

_ = translator("trellis")

NUMBER_HERE = _("Number here")


def by_number(field: Field) -> Text:
    """The column with the number of the record that a reference is to."""
    return _("%(field)s, by its number here", field=field.label)


def by_name(field: Field) -> Text:
    """The column with its name, where there are others for the same field."""
    return _("%(field)s, by name", field=field.label)


def headings(view: EntityView, columns: Sequence[str]) -> list[str]:
    """The columns of an export as people read them; a label that several fields have gives way to their names."""
    numbers = numbered(view)
    known = Counter(str(field.label).casefold() for field in view.fields.values())
    found = []
    for column in columns:
        field = view.fields.get(column.removesuffix(BY_NAME))
        if field is None:
            found.append(str(numbers[column]))
        else:
            found.append(column if known[str(field.label).casefold()] > 1 else str(field.label))
    return found


def numbered(view: EntityView) -> dict[str, Text]:
    """The columns with numbers of records: of the record itself, and of those that it refers to."""
    return {ID: NUMBER_HERE} | {f"{name}{BY_ID}": by_number(field) for name, field in view.references.items()}


def numbered_columns(view: EntityView, columns: Sequence[str]) -> dict[str, str]:
    """Which of the columns of a file have such numbers: by their headings in any language, or as programs are given them,
    with the external id beside."""
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with use_locale(language):
            known |= {str(text).casefold(): name for name, text in numbered(view).items()}
    if ID in columns and EXTERNAL in columns:
        known |= {name.casefold(): name for name in numbered(view)}
    return {known[one.casefold()]: one for one in reversed(columns) if one.casefold() in known}
