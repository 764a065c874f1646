"""What a mapping asks for: read from JSON, or taken from a plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trellis.contributions import ImportMapping
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.records.importer.conventions import DAY_FIRST, MARKS, MONTH_FIRST

_ = translator("trellis")

ID = "id"
BY_ID, BY_NAME = ".id", ".name"
KEYS = {
    "columns",
    "key",
    "skip",
    "delimiter",
    "header",
    "sheet",
    "create_only",
    "decimal",
    "dates",
    "alike",
    "log",
    "fixed",
    "make",
    "blank",
    "states",
    "values",
}
LEAVE, CHANGE = "leave", "update"
DECLARED = {"decimal": MARKS, "dates": (DAY_FIRST, MONTH_FIRST), "alike": (LEAVE, CHANGE)}


def filled_by(name: str) -> str:
    """The field that ``name`` in a mapping fills: ``owner`` of ``owner.name``."""
    return name.removesuffix(BY_ID).removesuffix(BY_NAME)


def is_computed(origin: str) -> bool:
    """Whether a value comes of an expression over the row instead of one column."""
    return origin.startswith("=")


def plain_columns(columns: Table[str, str]) -> list[str]:
    """The columns of a file that fields are filled from as they are."""
    return [origin for origin in columns.values() if not is_computed(origin)]


class MappingInvalid(TrellisError):
    """A mapping names a field, a column or a key that there is not."""

    status = 422
    code = "mapping_invalid"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a mapping asks for, before the file is known: a source for each field, the key, which rows to leave out.

    Without a ``key`` that is the external id where a column has it; ``""`` says that every row is a new record.

    With ``create_only`` the first row of a key counts, and records that exist stay as they are. ``delimiter``,
    ``header`` and ``sheet`` say what the file does not; ``decimal`` (``.`` or ``,``) and ``dates`` (``day_first``, ``month_first``) how
    it writes numbers and days, where its columns do not show it. ``alike`` says what becomes of a new record that looks
    like one there is: it is made all the same, left out (``leave``), or changes that one if it is the only one (``update``).
    ``states`` says which stage is meant by what the file calls it, ``values`` the same of choices by field, where an empty text
    leaves the field empty. With ``log`` the file is an event log: rows of one key are
    one record with its history. ``fixed`` are values of fields that are the same in all rows; ``make`` are the references by
    name of which a record is made where there is none, ``blank`` those that stay empty then.
    """

    columns: Table[str, str]
    key: str | None = None
    skip: str = ""
    delimiter: str | None = None
    header: Sequence[str] | None = None
    sheet: str | None = None
    create_only: bool = False
    decimal: str | None = None
    dates: str | None = None
    alike: str | None = None
    log: bool = False
    states: Table[str, str] = field(default_factory=dict)
    values: Table[str, Table[str, str]] = field(default_factory=dict)
    fixed: Table[str, Any] = field(default_factory=dict)
    make: Sequence[str] = ()
    blank: Sequence[str] = ()

    @property
    def reading(self) -> dict[str, Any]:
        """How its file is opened."""
        return {"delimiter": self.delimiter, "header": self.header, "sheet": self.sheet}


def plan_of(edition: Edition, entity: str, given: str | Path, key: str | None) -> Plan:
    """The mapping in a file (``.json``), or the one of that name that a plugin brings."""
    if str(given).endswith(".json"):
        try:
            data = json.loads(Path(given).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise MappingInvalid(
                _("The mapping %(path)s cannot be read: %(problem)s", path=str(given), problem=str(error))
            ) from None
        return plan_from_json(data, key)
    known = edition.all(ImportMapping)
    found = known.get(str(given))
    if found is None or found.entity != entity:
        names = ", ".join(name for name, one in known.items() if one.entity == entity) or "-"
        raise MappingInvalid(
            _(
                "There is no mapping “%(name)s” for %(entity)s; there are: %(known)s",
                name=str(given),
                entity=entity,
                known=names,
            )
        )
    return Plan(
        columns=found.columns,
        key=key or found.key,
        skip=found.skip,
        delimiter=found.delimiter,
        header=found.header,
        create_only=found.create_only,
        decimal=found.decimal,
        dates=found.dates,
    )


def plan_from_json(data: Any, key: str | None = None) -> Plan:
    """A mapping from JSON: ``{"columns": {"name": "Full name", "city": "=title(Town)"}, "key": ..., "skip": ...}``."""
    if not isinstance(data, dict) or set(data) - KEYS or not _is_table_of_texts(data.get("columns")):
        known = ", ".join(sorted(KEYS))
        raise MappingInvalid(
            _("A mapping is an object with “columns” and, if needed: %(known)s", known=known)
        )
    header = data.get("header")
    texts = [data.get(name) for name in ("key", "skip", "delimiter", "sheet")]
    if any(not isinstance(one, str | None) for one in texts) or not isinstance(header, list | None):
        raise MappingInvalid(
            _("In a mapping, key, skip, delimiter and sheet are texts, and header is a list of texts")
        )
    states = data.get("states") or {}
    if states and not _is_table_of_texts(states):
        raise MappingInvalid(_("In a mapping, states say which stage is meant: {“6”: “resolved”}"))
    choices = data.get("values") or {}
    if not isinstance(choices, dict) or not all(map(_is_table_of_texts, choices.values())):
        raise MappingInvalid(
            _("In a mapping, values say by field which choice is meant: {“tier”: {“VIP”: “gold”}}")
        )
    fixed = data.get("fixed") or {}
    if not isinstance(fixed, dict):
        raise MappingInvalid(
            _("In a mapping, fixed are fields with the value of all rows: {“channel”: “shop”}")
        )
    lists = {name: data.get(name) or [] for name in ("make", "blank")}
    for name, references in lists.items():
        if not isinstance(references, list | tuple) or not all(isinstance(one, str) for one in references):
            raise MappingInvalid(_("In a mapping, %(name)s is a list of references: [“customer”]", name=name))
    for name, values in DECLARED.items():
        if data.get(name) not in (None, *values):
            raise MappingInvalid(
                _("In a mapping, %(name)s is one of: %(known)s", name=name, known="  ".join(values))
            )
    return Plan(
        columns=data["columns"],
        key=data.get("key") if key is None else key,
        skip=(data.get("skip") or "").removeprefix("="),
        delimiter=data.get("delimiter"),
        header=[str(one) for one in header] if header else None,
        sheet=data.get("sheet"),
        create_only=data.get("create_only") is True,
        decimal=data.get("decimal"),
        dates=data.get("dates"),
        alike=data.get("alike"),
        log=data.get("log") is True,
        states=states,
        values=choices,
        fixed={name: value for name, value in fixed.items() if value is not None},
        make=tuple(lists["make"]),
        blank=tuple(lists["blank"]),
    )


def _is_table_of_texts(data: Any) -> bool:
    return isinstance(data, dict) and bool(data) and all(isinstance(one, str) for one in data.values())
