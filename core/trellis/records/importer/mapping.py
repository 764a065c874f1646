"""How the columns of a file become the fields of an entity."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from trellis.contributions import ImportMapping, Lifecycle
from trellis.edition import Edition, EntityView
from trellis.errors import Message, RecordInvalid, TrellisError
from trellis.i18n import LANGUAGES, translator, use_locale
from trellis.records.entity import Field
from trellis.records.expressions import Expression, compile_expression, names_of
from trellis.records.importer.amounts import settle
from trellis.records.importer.conventions import DAY_FIRST, MARKS, MONTH_FIRST, Convention, conventions_of
from trellis.records.importer.readers import NUMBER, PROBLEM, Source
from trellis.records.importer.stages import namer
from trellis.records.schema import EXTERNAL
from trellis.records.types import Choice, Integer, Reference, Text, ValueInvalid

_ = translator("trellis")

ID = "id"
BY_ID, BY_NAME = ".id", ".name"
KEYS = {
    "columns",
    "key",
    "skip",
    "delimiter",
    "header",
    "create_only",
    "decimal",
    "dates",
    "alike",
    "log",
    "states",
}
LEAVE, CHANGE = "leave", "update"
DECLARED = {"decimal": MARKS, "dates": (DAY_FIRST, MONTH_FIRST), "alike": (LEAVE, CHANGE)}
Convert = Callable[[Any], Any]


class MappingInvalid(TrellisError):
    """A mapping names a field, a column or a key that there is not."""

    status = 422
    code = "mapping_invalid"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a mapping asks for, before the file is known: a source for each field, the key, which rows to leave out.

    With ``create_only`` the first row of a key counts, and records that exist stay as they are. ``delimiter`` and
    ``header`` say what the file does not; ``decimal`` (``.`` or ``,``) and ``dates`` (``day_first``, ``month_first``) how
    it writes numbers and days, where its columns do not show it. ``alike`` says what becomes of a new record that looks
    like one there is: it is made all the same, left out (``leave``), or changes that one if it is the only one (``update``).
    ``states`` says which stage is meant by what the file calls it. With ``log`` the file is an event log: rows of one key are
    one record with its history.
    """

    columns: Table[str, str]
    key: str | None = None
    skip: str = ""
    delimiter: str | None = None
    header: Sequence[str] | None = None
    create_only: bool = False
    decimal: str | None = None
    dates: str | None = None
    alike: str | None = None
    log: bool = False
    states: Table[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Named:
    """A record that is meant by its name."""

    name: str


@dataclass(frozen=True)
class _Target:
    """One field to fill: its name in the record, where its value comes from, and how a cell becomes its value."""

    name: str
    source: str | Expression
    convert: Convert


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """A mapping ready to use on a file. ``unused`` are columns of the file that lead nowhere; ``log`` is what an event log replays."""

    view: EntityView
    key: str | None
    key_field: Field | None
    targets: Sequence[_Target]
    skip: Expression | None
    create_only: bool
    unused: Sequence[str]
    currency: str
    name_stages: Callable[[dict[str, Any]], None] | None = None
    alike: str | None = None
    log: Lifecycle | None = None
    states: Table[str, str] = field(default_factory=dict)

    def values(self, cells: Table[str, Any], number: int) -> dict[str, Any] | None:
        """The values of a record that a row gives; None for a row to leave out. Empty cells give nothing.

        Raises ExpressionFailed, RecordInvalid.
        """
        names = names_of(cells, number) if self.computes else {}
        if self.skip is not None and self.skip(names):
            return None
        found: dict[str, Any] = {}
        errors: dict[str, list[Message]] = {}
        for target in self.targets:
            source = target.source
            value = cells.get(source) if isinstance(source, str) else source(names)
            if isinstance(value, str):
                value = value.strip()
            if value is None or value == "" or target.name in found:
                continue
            try:
                found[target.name] = target.convert(value)
            except ValueInvalid as error:
                errors[target.name] = [error.message]
        errors |= settle(self.view, self.currency, found)
        if errors:
            raise RecordInvalid(errors)
        if self.name_stages is not None:
            self.name_stages(found)
        return found

    @property
    def computes(self) -> bool:
        """It has expressions."""
        return self.skip is not None or any(isinstance(one.source, Expression) for one in self.targets)


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
    texts = [data.get(name) for name in ("key", "skip", "delimiter")]
    if any(not isinstance(one, str | None) for one in texts) or not isinstance(header, list | None):
        raise MappingInvalid(
            _("In a mapping, key, skip and delimiter are texts, and header is a list of texts")
        )
    states = data.get("states") or {}
    if states and not _is_table_of_texts(states):
        raise MappingInvalid(_("In a mapping, states say which stage is meant: {“6”: “resolved”}"))
    for name, values in DECLARED.items():
        if data.get(name) not in (None, *values):
            raise MappingInvalid(
                _("In a mapping, %(name)s is one of: %(known)s", name=name, known="  ".join(values))
            )
    return Plan(
        columns=data["columns"],
        key=key or data.get("key"),
        skip=(data.get("skip") or "").removeprefix("="),
        delimiter=data.get("delimiter"),
        header=[str(one) for one in header] if header else None,
        create_only=data.get("create_only") is True,
        decimal=data.get("decimal"),
        dates=data.get("dates"),
        alike=data.get("alike"),
        log=data.get("log") is True,
        states=states,
    )


def _is_table_of_texts(data: Any) -> bool:
    return isinstance(data, dict) and bool(data) and all(isinstance(one, str) for one in data.values())


def plan_by_headers(view: EntityView, columns: Iterable[str], key: str | None = None) -> Plan:
    """A mapping by headers: names of fields, or their labels in any language."""
    writable = {name: field for name, field in view.fields.items() if not field.read_only}
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with use_locale(language):
            known |= {str(field.label).casefold(): name for name, field in writable.items()}
    for mark in (BY_ID, BY_NAME):
        known |= {f"{name}{mark}".casefold(): f"{name}{mark}" for name in view.references if name in writable}
    known |= {name.casefold(): name for name in writable}
    if key == ID:
        known[ID] = ID
    fields: dict[str, str] = {}
    for column in columns:
        name = known.get(column.strip().casefold())
        if name is not None:
            fields.setdefault(name, column)
    if not fields:
        raise MappingInvalid(
            _("No column is named like a field of %(entity)s; give a mapping", entity=view.info.title)
        )
    return Plan(columns=fields, key=key)


def compiled(edition: Edition, view: EntityView, plan: Plan, source: Source) -> Mapping:
    """A mapping of the fields of ``view`` made ready for a file. Raises MappingInvalid, ExpressionInvalid."""
    known = conventions_of(view, plan.columns, source, plan.decimal, plan.dates)
    targets = [_target(view, name, origin, source.typed, known) for name, origin in plan.columns.items()]
    skip = compile_expression(plan.skip) if plan.skip else None
    read = {one.source for one in targets if isinstance(one.source, str)}
    for expression in [skip, *(one.source for one in targets)]:
        read |= expression.columns if isinstance(expression, Expression) else set()
    missing = sorted(read - set(source.columns))
    if missing and not source.typed:
        raise MappingInvalid(
            _(
                "%(file)s has no column “%(name)s”; it has: %(known)s",
                file=source.path.name,
                name=missing[0],
                known=", ".join(source.columns),
            )
        )
    _check_states(view, plan)
    key = plan.key or (EXTERNAL if EXTERNAL in plan.columns else None)
    return Mapping(
        view=view,
        key=key,
        key_field=_key_field(view, key, plan.columns),
        targets=targets,
        skip=skip,
        create_only=plan.create_only,
        unused=[name for name in source.columns if name and name not in {*read, NUMBER, PROBLEM}],
        currency=edition.settings.currency,
        name_stages=None if plan.log else namer(view, plan.states),
        alike=plan.alike,
        log=_replayed(view, plan, key) if plan.log else None,
        states=plan.states,
    )


def _replayed(view: EntityView, plan: Plan, key: str | None) -> Lifecycle:
    """The lifecycle that an event log goes through. Raises MappingInvalid for a mapping that lacks what that takes."""
    found = next((one for one in view.lifecycles if one.replay is not None), None)
    if found is None:
        raise MappingInvalid(
            _("%(entity)s has no stages that an event log could tell of", entity=view.info.title)
        )
    if key is None:
        raise MappingInvalid(
            _("An event log needs a key: the column that says to which record a row belongs")
        )
    for name in (found.at, found.field):
        if name not in plan.columns:
            label = view.fields[name].label
            raise MappingInvalid(_("An event log needs a column for “%(field)s”", field=label))
    return found


def _check_states(view: EntityView, plan: Plan) -> None:
    """Raises MappingInvalid for a name that is to mean a stage that there is not."""
    there = dict.fromkeys(stage.value for one in view.lifecycles for stage in one.stages)
    unknown = sorted(set(plan.states.values()) - there.keys())
    if unknown:
        words = {"name": unknown[0], "known": ", ".join(there)}
        raise MappingInvalid(_("There is no stage “%(name)s”; there are: %(known)s", **words))


def _key_field(view: EntityView, key: str | None, columns: Table[str, str]) -> Field | None:
    if key is None:
        return None
    if key not in columns:
        raise MappingInvalid(_("The key “%(name)s” must be one of the columns that are imported", name=key))
    if key == ID:
        return Field(name=ID, entity=view.name, type=Integer(minimum=1), label=_("Number"), column=ID)
    if view.fields[key].type.kind not in ("text", "number", "date", "datetime"):
        raise MappingInvalid(_("The field “%(name)s” cannot be a key", name=key))
    return view.fields[key]


def _target(view: EntityView, name: str, origin: str, typed: bool, known: Table[str, Convention]) -> _Target:
    source = compile_expression(origin[1:]) if origin.startswith("=") else origin
    if name == ID:
        return _Target(name, source, _as_is)
    if name in view.fields:
        convert = known[name].read if name in known else _conversion(view.fields[name], typed)
        return _Target(name, source, convert)
    if name.removesuffix(BY_ID) in view.references:
        return _Target(name.removesuffix(BY_ID), source, _as_is)
    if name.removesuffix(BY_NAME) in view.references:
        return _Target(name.removesuffix(BY_NAME), source, _named)
    raise MappingInvalid(_("%(entity)s has no field “%(name)s”", entity=view.info.title, name=name))


def _conversion(field: Field, typed: bool) -> Convert:
    if isinstance(field.type, Reference):
        return _reference_in_json if typed else _reference
    if isinstance(field.type, Choice):
        return _option(field.type)
    if isinstance(field.type, Text) or field.type.name == "long_text":
        return _text
    return _as_is


def _as_is(value: Any) -> Any:
    return value


def _text(value: Any) -> Any:
    """Codes made of digits are numbers in spreadsheets and JSON, and days are dates."""
    if isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, date) else _plain(value)


def _option(choice: Choice) -> Convert:
    """The options of a choice by their labels in any language; what is none of these is left to the field."""
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with use_locale(language):
            known |= {str(one.label).casefold(): one.value for one in choice.options}
    known |= {one.value.casefold(): one.value for one in choice.options}
    return lambda value: known.get(str(_text(value)).casefold(), _text(value))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _named(value: Any) -> Any:
    return Named(str(_text(value)).strip())


def _reference(value: Any) -> Any:
    """References are looked up by external id."""
    return value if isinstance(value, dict) else {EXTERNAL: str(value)}


def _reference_in_json(value: Any) -> Any:
    """In JSON a number is the id of a record, a text its external id."""
    return {EXTERNAL: value} if isinstance(value, str) else value
