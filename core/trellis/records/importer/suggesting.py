"""What a file seems to hold: the kinds of its columns, and which field each of them may be meant for."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from trellis.contributions import ImportMapping
from trellis.edition import Edition, EntityView
from trellis.i18n import LANGUAGES, use_locale
from trellis.records.entity import Field
from trellis.records.importer.conventions import Days
from trellis.records.importer.elsewhere import COMPANY, ELSEWHERE, FIRST, LAST, MIDDLE, TITLES, WAYS
from trellis.records.importer.headings import numbered_columns
from trellis.records.importer.plans import BY_ID, BY_NAME, ID, filled_by, is_computed
from trellis.records.importer.readers import OURS, Source
from trellis.records.importer.several import Several, parted
from trellis.records.importer.stages import funnels
from trellis.records.numbers import NumberUnclear, read_number
from trellis.records.schema import EXTERNAL
from trellis.records.types import Email, FieldType, Phone, Reference, Text, ValueInvalid

LOOKED_AT = 200
EXAMPLES = 3
ALIKE = 0.82
"""How alike two names must be to be taken for the same."""

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?")
_HEADING = re.compile(r"^.*(\s-|:)\s")
"""Before the name of a column, that of what it belongs to: ``Deal - Owner``."""
_WAY = re.compile(rf"\s(-\s|\()({'|'.join(WAYS)})\)?$", re.IGNORECASE)
_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a file: some of its values, and what they are: text, number, date, email, phone, or empty."""

    name: str
    kind: str
    examples: Sequence[str]


def columns_of_file(source: Source) -> list[Column]:
    """The columns of a file, told by its first rows."""
    values: dict[str, list[Any]] = {name: [] for name in source.columns if name not in OURS}
    for row in islice(source.rows(), LOOKED_AT):
        for name, found in values.items():
            value = row.cells.get(name)
            if value is not None and str(value).strip():
                found.append(value)
    return [
        Column(
            name=name,
            kind=_kind(found),
            examples=[str(one)[:40] for one in dict.fromkeys(map(str, found))][:EXAMPLES],
        )
        for name, found in values.items()
        if name
    ]


def _kind(values: Sequence[Any]) -> str:
    if not values:
        return "empty"
    for kind, fits in (("date", _is_date), ("number", _is_number), ("email", _is_mail), ("phone", _is_phone)):
        if all(fits(value) for value in values):
            return kind
    return "text"


def _is_date(value: Any) -> bool:
    if isinstance(value, date | datetime):
        return True
    text = str(value).strip()
    return bool(_ISO.fullmatch(text) or Days.looks_like(text))


def _is_number(value: Any) -> bool:
    text = str(value).strip()
    if text.startswith("+") or (text.startswith("0") and text.isdigit() and len(text) > 1):
        return False
    try:
        return read_number(text, ",") is not None
    except NumberUnclear:
        pass
    try:
        return read_number(text, ".") is not None
    except NumberUnclear:
        return False


def _is_mail(value: Any) -> bool:
    return _is_a(Email(), str(value).strip())


def _is_phone(value: Any) -> bool:
    text = str(value).strip()
    return len(text) > 6 and _is_a(Phone(), text)


def _is_a(declared: FieldType, text: str) -> bool:
    """One value of a type, or several."""
    if isinstance(parted(declared, text), Several):
        return True
    try:
        return bool(declared.check(text))
    except ValueInvalid:
        return False


def suggested(edition: Edition, view: EntityView, columns: Sequence[Column]) -> dict[str, str]:
    """A column for each field that one seems meant for: by name or label in any language, as in the mappings of
    plugins, by a similar name, by the kind of its values. A column is used once."""
    fields = {name: field for name, field in view.fields.items() if not field.read_only}
    names = _names(edition, view, fields)
    every = _names_elsewhere(fields) | names
    found: dict[str, str] = {}
    taken: set[str] = set()

    def take(field: str, column: str) -> None:
        if field not in found and column not in taken:
            found[field] = column
            taken.add(column)

    kinds = {one.name: one.kind for one in columns}
    worded = {one.name for one in columns if any(" " in text for text in one.examples)}
    parts = _parts_of_name(view, columns, names)
    taken.update(parts)
    for known in (names, every):
        for one in columns:
            if (exact := _exact(known, one.name)) is not None and not (
                parts and exact == view.info.title_field
            ):
                take(exact, one.name)
    for one in columns:
        likeness, field = max(
            ((SequenceMatcher(None, _plain(one.name), name).ratio(), field) for name, field in names.items()),
            default=(0.0, ""),
        )
        if likeness >= ALIKE:
            take(field, one.name)
    for one in columns:
        if one.kind in ("email", "phone"):
            same = next((name for name, field in fields.items() if field.type.name == one.kind), None)
            if same is not None:
                take(same, one.name)
    found |= _own_numbers(view, kinds, found)
    if "external_id" in fields and "ID" in kinds:  # the numbers of another program; ours are called “id”
        take("external_id", "ID")
    _leave_other_funnels(view, columns, found)
    told = {
        f"{name}{BY_NAME}" if _is_named(fields.get(name), column, kinds[column], worded) else name: column
        for name, column in found.items()
    }
    return told | ({view.info.title_field: _put_together(parts, found.get("email"))} if parts else {})


def _own_numbers(view: EntityView, kinds: Mapping[str, str], found: dict[str, str]) -> dict[str, str]:
    """The columns in which an export from here has the numbers of its records, and of those that they refer to."""
    own = numbered_columns(view, list(kinds))
    if ID not in own:
        return {}
    for name in [
        name
        for name, column in found.items()
        if kinds[column] == "empty" and (name == EXTERNAL or name in view.references)
    ]:
        del found[name]
    numbers = {name: column for name, column in own.items() if name == ID or kinds[column] == "number"}
    for name in [
        name for name, column in found.items() if f"{name}{BY_ID}" in numbers or column in own.values()
    ]:
        del found[name]
    return {
        name: column
        for name, column in numbers.items()
        if name == ID or not view.fields[filled_by(name)].read_only
    }


def _exact(names: Mapping[str, str], column: str) -> str | None:
    """The field that a column is called after, also where its name begins with what it belongs to."""
    bare = _WAY.sub("", column)
    spellings = (column, _HEADING.sub("", column), bare, _HEADING.sub("", bare))
    return next((names[plain] for one in spellings if (plain := _plain(one)) in names), None)


def _parts_of_name(view: EntityView, columns: Sequence[Column], names: Mapping[str, str]) -> list[str]:
    """The columns of the first and last name of a person, where none has the whole name: in the order in which they are said."""
    title = view.fields.get(view.info.title_field)
    if title is None or title.read_only or not isinstance(title.type, Text):
        return []
    by_word = {_plain(_HEADING.sub("", one.name)): one.name for one in reversed(columns)}
    first, middle, last = (
        next((by_word[plain] for word in words if (plain := _plain(word)) in by_word), "")
        for words in (FIRST, MIDDLE, LAST)
    )
    whole = {**{_plain(word): title.name for word in ELSEWHERE["name"] if word not in COMPANY}, **names}
    if (
        not first
        or not last
        or any(_exact(whole, one.name) == title.name for one in columns if one.name != first)
    ):
        return []
    if middle and _plain(MIDDLE[1]) in _plain(
        middle
    ):  # a patronymic stands behind the first name, and both behind the last
        return [last, first, middle]
    return [one for one in (first, middle, last) if one]


def _put_together(parts: Sequence[str], mail: str | None) -> str:
    """A name of its parts; of whom no name is known the mail address stands for it."""
    cells = [f"row[{json.dumps(one, ensure_ascii=False)}]" for one in parts]
    otherwise = f" or row[{json.dumps(mail, ensure_ascii=False)}]" if mail else ""
    return f"=words({', '.join(cells)}){otherwise}"


def _leave_other_funnels(view: EntityView, columns: Sequence[Column], found: dict[str, str]) -> None:
    """Leaves out a column of funnels none of which is here: the rows would all be refused, and the usual one may do."""
    which = next((one.when[0] for one in view.lifecycles if one.when), "")
    known = funnels(view.lifecycles)
    named = [text for one in columns if one.name == found.get(which) for text in one.examples]
    if named and not any(text.casefold() in known for text in named):
        del found[which]


def named_by_number(view: EntityView, columns: Mapping[str, str]) -> dict[str, str]:
    """What records are called that need a name where the file has no column for it: by their key, else by their row."""
    title = view.fields.get(view.info.title_field)
    given = title is not None and title.name in columns
    if title is None or given or title.read_only or not title.required or not isinstance(title.type, Text):
        return {}
    if view.info.numbered and title.name == "number":
        return {}
    number = f"row[{json.dumps(columns[EXTERNAL], ensure_ascii=False)}]" if EXTERNAL in columns else "_row"
    return {title.name: f"=concat({json.dumps(f'{view.info.title} ', ensure_ascii=False)}, {number})"}


def _is_named(field: Field | None, column: str, kind: str, worded: Container[str]) -> bool:
    """Whether a column calls the records of a reference by name, as people's files do, and not by their keys.

    A column that is called as the field is in programs has keys, unless they are ``worded``: of several words.
    """
    if field is None or not isinstance(field.type, Reference) or kind not in ("text", "email"):
        return False
    return column != field.name or column in worded or kind == "email"


def _names(edition: Edition, view: EntityView, fields: Mapping[str, Field]) -> dict[str, str]:
    """What a column for a field may be called here, without marks and capitals."""
    names = {word: view.info.title_field for word in TITLES if view.info.title_field in fields}
    for mapping in edition.all(ImportMapping).values():
        if mapping.entity == view.name:
            for name, origin in mapping.columns.items():
                if name in fields and not is_computed(origin):
                    names[_plain(origin)] = name
    for language in LANGUAGES:
        with use_locale(language):
            names |= {_plain(str(field.label)): name for name, field in fields.items()}
    return names | {_plain(name): name for name in fields}


def _names_elsewhere(fields: Mapping[str, Field]) -> dict[str, str]:
    """What other programs call the fields."""
    return {_plain(word): name for name, words in ELSEWHERE.items() if name in fields for word in words}


def _plain(name: str) -> str:
    return _WORDS.sub("", name.casefold())
