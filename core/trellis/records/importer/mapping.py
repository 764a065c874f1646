"""How the columns of a file become the fields of an entity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Table
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from trellis.contributions import Lifecycle
from trellis.edition import Edition, EntityView
from trellis.errors import Message, RecordInvalid
from trellis.i18n import LANGUAGES, translator, use_locale
from trellis.records.entity import Field
from trellis.records.expressions import Expression, compile_expression, names_of
from trellis.records.importer import several
from trellis.records.importer.amounts import settle
from trellis.records.importer.conventions import NONE, Convention, conventions_of
from trellis.records.importer.headings import numbered_columns
from trellis.records.importer.making import obstacle
from trellis.records.importer.named import Named
from trellis.records.importer.plain_text import plain_text
from trellis.records.importer.plans import BY_ID, BY_NAME, ID, MappingInvalid, Plan, filled_by, is_computed
from trellis.records.importer.readers import OURS, Row, Source
from trellis.records.importer.stages import namer
from trellis.records.schema import EXTERNAL
from trellis.records.types import Choice, DateTime, Integer, LongText, Reference, Text, ValueInvalid
from trellis.security.actor import Actor

_ = translator("trellis")

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Same:
    """A source that is the same in all rows."""

    value: Any

    def __call__(self, _names: Table[str, Any]) -> Any:
        return self.value


@dataclass(frozen=True)
class _Target:
    """One field to fill: its name in the record, where its value comes from, and how a cell becomes its value."""

    name: str
    source: str | Expression | _Same
    convert: Convert


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """A mapping ready to use on a file. ``unused`` are columns of the file that lead nowhere; ``log`` is what an event log replays.

    ``make`` are references whose records are made where there is none of the name, ``blank`` those that stay empty then.
    ``keyless`` says that rows may lack the key; not where the file has the numbers of records here, and another key.
    ``totals`` are rows at the end of the file that are no records, by number.
    """

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
    make: Sequence[str] = ()
    blank: Sequence[str] = ()
    states: Table[str, str] = field(default_factory=dict)
    keyless: bool = True
    totals: Table[int, Row] = field(default_factory=dict)

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
                converted = target.convert(value)
            except ValueInvalid as error:
                errors[target.name] = [error.message]
            else:
                if converted is not None:
                    found[target.name] = converted
        errors |= settle(self.view, self.currency, found)
        several.settle(self.view, found)
        if errors:
            raise RecordInvalid(errors | _wrong_beside(self.view, found))
        if self.name_stages is not None:
            self.name_stages(found)
        return found

    @property
    def computes(self) -> bool:
        """It has expressions."""
        return self.skip is not None or any(isinstance(one.source, Expression) for one in self.targets)


def _wrong_beside(view: EntityView, found: Table[str, Any]) -> dict[str, list[Message]]:
    """What else the door would refuse in a row that it will not get: all is to be mended at once."""
    errors: dict[str, list[Message]] = {}
    for name, value in found.items():
        field = view.fields.get(name)
        if field is not None and isinstance(
            field.type, Text
        ):  # what is wrong in others is seen when they are read
            try:
                field.type.check(value)
            except ValueInvalid as error:
                errors[name] = [error.message]
    return errors


def compiled(edition: Edition, actor: Actor, view: EntityView, plan: Plan, source: Source) -> Mapping:
    """A mapping of the fields of ``view`` made ready for a file. Raises MappingInvalid, ExpressionInvalid."""
    _check_making(edition, actor, view, plan)
    known = conventions_of(view, plan.columns, source, plan.decimal, plan.dates)
    _check_values(view, plan)
    targets = [
        _target(view, name, origin, source.typed, known, plan.values.get(name, {}))
        for name, origin in plan.columns.items()
    ]
    if not source.typed:
        zone = ZoneInfo(edition.settings.timezone)
        targets = [_in_zone(view, one, zone) for one in targets]
    targets += [_fixed(view, name, value, plan) for name, value in plan.fixed.items()]
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
    key = (EXTERNAL if EXTERNAL in plan.columns else None) if plan.key is None else plan.key or None
    return Mapping(
        view=view,
        key=key,
        key_field=_key_field(view, key, plan.columns),
        targets=targets,
        skip=skip,
        create_only=plan.create_only,
        unused=[name for name in source.columns if name and name not in {*read, *OURS}],
        currency=edition.settings.currency,
        name_stages=None if plan.log else namer(view, plan.states),
        alike=plan.alike,
        log=_replayed(view, plan, key) if plan.log else None,
        make=plan.make,
        blank=plan.blank,
        states=plan.states,
        keyless=not plan.log and (key == ID or ID not in numbered_columns(view, source.columns)),
        totals=source.totals,
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
        if name not in plan.columns and name not in plan.fixed:
            label = view.fields[name].label
            raise MappingInvalid(_("An event log needs a column for “%(field)s”", field=label))
    return found


def _check_making(edition: Edition, actor: Actor, view: EntityView, plan: Plan) -> None:
    """Raises MappingInvalid for records to be made that no column names, or that cannot be made of a name alone."""
    for name in (*plan.make, *plan.blank):
        column = f"{name}{BY_NAME}"
        if name not in view.references or column not in {*plan.columns, *plan.fixed}:
            words = {"name": name, "column": column}
            raise MappingInvalid(
                _(
                    "Unknown names of “%(name)s” can be made or left out only where “%(column)s” is one of the columns",
                    **words,
                )
            )
    for name in plan.make:
        field = view.references[name]
        assert isinstance(field.type, Reference)
        if (reason := obstacle(edition, actor, field.type.entity)) is not None:
            words = {"field": str(field.label), "reason": str(reason)}
            raise MappingInvalid(_("“%(field)s” cannot be made where it is unknown: %(reason)s", **words))


def _check_states(view: EntityView, plan: Plan) -> None:
    """Raises MappingInvalid for a name that is to mean a stage that there is not."""
    there = dict.fromkeys(stage.value for one in view.lifecycles for stage in one.stages)
    unknown = sorted(set(plan.states.values()) - there.keys())
    if unknown:
        words = {"name": unknown[0], "known": ", ".join(there)}
        raise MappingInvalid(_("There is no stage “%(name)s”; there are: %(known)s", **words))


def _check_values(view: EntityView, plan: Plan) -> None:
    """Raises MappingInvalid for what is to mean a choice that there is not."""
    for name, meant in plan.values.items():
        declared = view.fields[name].type if name in view.fields else None
        if not isinstance(declared, Choice):
            raise MappingInvalid(_("“%(name)s” is no choice whose values could be meant", name=name))
        known = ["", *(one.value for one in declared.options)]
        unknown = next((one for one in meant.values() if one not in known), None)
        if unknown is not None:
            words = {"value": unknown, "field": view.fields[name].label, "known": ", ".join(known[1:])}
            raise MappingInvalid(_("“%(field)s” has no choice “%(value)s”; there are: %(known)s", **words))


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


def _target(
    view: EntityView,
    name: str,
    origin: str,
    typed: bool,
    known: Table[str, Convention],
    meant: Table[str, str],
) -> _Target:
    source = compile_expression(origin[1:]) if is_computed(origin) else origin
    if name == ID:
        return _Target(name, source, _as_is)
    if name in view.fields:
        convert = (
            _or_none(known[name]) if name in known else _conversion(view, view.fields[name], typed, meant)
        )
        return _Target(name, source, convert)
    if name.removesuffix(BY_ID) in view.references:
        return _Target(name.removesuffix(BY_ID), source, _as_is)
    if name.removesuffix(BY_NAME) in view.references:
        return _Target(name.removesuffix(BY_NAME), source, _named)
    raise MappingInvalid(_("%(entity)s has no field “%(name)s”", entity=view.info.title, name=name))


def _fixed(view: EntityView, name: str, value: Any, plan: Plan) -> _Target:
    """What fills a field with the same value in all rows. Raises MappingInvalid for what the field does not take."""
    target = _target(view, name, "", True, {}, {})
    label = view.fields[target.name].label if target.name in view.fields else name
    if target.name in map(filled_by, plan.columns):
        raise MappingInvalid(
            _("“%(field)s” has a column; it cannot be the same in all rows as well", field=label)
        )
    is_stage = any(one.field == name for one in view.lifecycles)
    if name in view.fields and name not in view.references and not is_stage:
        try:
            view.fields[name].type.check(target.convert(value))
        except ValueInvalid as error:
            words = {"field": label, "problem": str(error.message)}
            raise MappingInvalid(_("“%(field)s”, the same in all rows: %(problem)s", **words)) from None
    return _Target(target.name, _Same(value), target.convert)


def _conversion(view: EntityView, field: Field, typed: bool, meant: Table[str, str]) -> Convert:
    if isinstance(field.type, Reference):
        return _reference_in_json if typed else _reference
    if isinstance(field.type, Choice):
        return _option(field.type, meant)
    if isinstance(field.type, several.KINDS) and several.takes_notes(view):
        return lambda value: several.parted(field.type, str(_text(value)))
    if isinstance(field.type, LongText) and not field.type.markup:
        return lambda value: plain_text(str(_text(value)))
    if isinstance(field.type, Text | LongText):
        return _text
    return _as_is


def _in_zone(view: EntityView, target: _Target, zone: ZoneInfo) -> _Target:
    """A moment that a file writes without its zone is one of the workspace, and so is the beginning of a day."""
    field = view.fields.get(target.name)
    if field is None or not isinstance(field.type, DateTime):
        return target
    declared = field.type

    def convert(value: Any) -> Any:
        found = target.convert(value)
        if isinstance(found, str):
            with suppress(ValueError):  # what is none the field refuses, with its reason
                found = datetime.fromisoformat(found)
        elif isinstance(found, date) and not isinstance(found, datetime):
            found = datetime.combine(found, time())
        naive = isinstance(found, datetime) and found.tzinfo is None
        return declared.check(found.replace(tzinfo=zone)) if naive else found

    return replace(target, convert=convert)


def _or_none(convention: Convention) -> Convert:
    return lambda value: None if str(value).lower() in NONE else convention.read(value)


def _as_is(value: Any) -> Any:
    return value


def _text(value: Any) -> Any:
    """Codes made of digits are numbers in spreadsheets and JSON, and days are dates."""
    if isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, date) else _plain(value)


def options_by_text(choice: Choice) -> dict[str, str]:
    """The options of a choice by their labels in any language and their values, without capitals."""
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with use_locale(language):
            known |= {str(one.label).casefold(): one.value for one in choice.options}
    return known | {one.value.casefold(): one.value for one in choice.options}


def _option(choice: Choice, meant: Table[str, str]) -> Convert:
    """The options of a choice as the mapping says what is ``meant``, or as they are called here; what is none of these is
    refused with the labels of the reader."""
    known: dict[str, str | None] = {
        **options_by_text(choice),
        **{text.strip().casefold(): one or None for text, one in meant.items()},
    }
    missing = object()

    def convert(value: Any) -> Any:
        text = str(_text(value))
        if (option := known.get(text.casefold(), missing)) is missing:
            labels = ", ".join(str(one.label) for one in choice.options)
            raise ValueInvalid(_("“%(value)s” is not one of: %(known)s", value=text[:60], known=labels))
        return option

    return convert


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
