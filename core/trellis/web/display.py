"""Values as templates show them: ready to read, in the reader's language. The shapes are those of ``components/``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from trellis.contributions import Kpi, Unit
from trellis.crm.sales.reports.definition import names_in
from trellis.edition import OWN, Edition, EntityView
from trellis.i18n import (
    Text,
    currency_symbol,
    current_timezone,
    format_date,
    format_datetime,
    format_moment,
    format_money,
    format_number,
    format_percent,
    translator,
)
from trellis.kpi.words import exact_figure
from trellis.plugins import CORE
from trellis.records import types
from trellis.records.entity import Field
from trellis.records.query import Record
from trellis.web import ruled
from trellis.web.figures import kpi_of
from trellis.web.vocabularies import choices, words

_ = translator("trellis")

Shown = Mapping[str, Any]
_Tell = Callable[[Record, Any], Shown]

NOTHING: Shown = MappingProxyType({"kind": "text", "text": ""})
"""No value."""

TONES = 6


def origin(edition: Edition, owner: str) -> dict[str, Any] | None:
    """The mark of the plugin that brought something; None for the core."""
    if owner == CORE:
        return None
    if owner == OWN:
        return {"title": str(_("Own")), "tone": "good", "own": True}
    manifest = edition.plugin(owner)
    return {
        "title": str(manifest.title) if manifest else owner,
        "tone": manifest.tone if manifest else "info",
        "own": False,
    }


def person(name: str, key: int | None = None) -> dict[str, Any]:
    """Somebody as an avatar: initials on a ground that is always the same for the same person."""
    parts = [part for part in name.split() if part[0].isalnum()] or [name or "?"]
    letters = [one for one in parts[0] if one.isalnum()] or ["?"]
    initials = letters[0] + (parts[-1][0] if len(parts) > 1 else "".join(letters[1:2]))
    return {"name": name, "initials": initials.upper(), "tone": (key or sum(map(ord, name))) % TONES}


def title_of(view: EntityView, record: Record) -> str:
    """What a record is called."""
    name = view.info.title_field
    value = record.values.get(name)
    if name in record.titles:
        return record.titles[name]
    if value is None:
        return f"#{record.id}"
    field = view.fields.get(name)
    if field is not None and (titles := known_words(view, field, record.values)):
        return str(titles.get(value, value))
    return format_date(value) if isinstance(value, date) else str(value)


def new_title(view: EntityView) -> str:
    """The words of the button that makes a record of this entity."""
    return str(view.info.new or _("New: %(entity)s", entity=str(view.info.title).lower()))


def currency_of(edition: Edition, field: Field, values: Mapping[str, Any]) -> str:
    """The currency of a money field: the record's, or the workspace's."""
    named = field.type.currency if isinstance(field.type, types.Money) else ""
    return str(values.get(named) or edition.settings.currency)


def is_shown(field: Field) -> bool:
    """Whether people read and write its values: documents in JSON are for programs, but for rules."""
    return field.type.kind != "json" or isinstance(field.type, types.Rule)


def shown(edition: Edition, base: str, field: Field, record: Record, *, bare: bool = False) -> Shown:
    """One value of a record. ``bare`` leaves out the currency, which then stands in the head of the column."""
    return teller(edition, base, record.entity, field, bare=bare)(record)


def second_line(edition: Edition, base: str, view: EntityView, record: Record) -> str:
    """What tells records of one name apart: the field under their title, as it is shown; empty where there is none."""
    field = view.fields.get(view.info.subtitle_field or "")
    return str(shown(edition, base, field, record)["text"]) if field else ""


def teller(
    edition: Edition, base: str, entity: str, field: Field, *, bare: bool = False
) -> Callable[[Record], Shown]:
    """What :func:`shown` does with a field of an entity, decided once for many records."""
    name, tell = field.name, _teller(edition, base, entity, field, bare=bare)

    def told(record: Record) -> Shown:
        value = record.values.get(name)
        return NOTHING if value is None else tell(record, value)

    return told


def _teller(edition: Edition, base: str, entity: str, field: Field, *, bare: bool) -> _Tell:
    match field.type:
        case types.Reference() as target:
            return lambda record, value: _reference(base, target, record.titles.get(field.name), value)
        case types.Money():
            return lambda record, value: _money(edition, field, record, value, bare=bare)
        case types.Choice() as choice:
            return lambda record, value: _choice(choice, str(value))
        case types.Decimal(kpi=beside) if beside:
            return lambda record, value: _measured(edition, field, record.values, value)
        case types.Rule():
            return lambda record, value: {"kind": "text", "text": ruled.words(field, value, record.values)}
    plain = _plain(field.type)
    if isinstance(field.type, types.Text) and field.type.names:
        named, known = field.type, dict(choices(field.type, {}))
        return lambda record, value: {
            "kind": "text",
            "text": words(named, str(value), known or dict(choices(named, record.values))),
        }
    view = edition.entity(entity)
    if any(one.field == field.name for one in view.lifecycles):
        return lambda record, value: _stage(view, field, record) or plain(value)
    if titles := known_words(view, field, {}):
        return lambda record, value: {"kind": "text", "text": str(titles.get(value, value))}
    return lambda record, value: plain(value)


def known_words(view: EntityView, field: Field, values: Mapping[str, Any]) -> Mapping[str, Text | str]:
    """The titles of a text that names something, which may depend on what else is there, or says which lifecycle is followed."""
    if not isinstance(field.type, types.Text):
        return {}
    if field.type.names:
        return dict(choices(field.type, values))
    return {str(one.when[1]): one.title for one in view.lifecycles if one.when and one.when[0] == field.name}


def _reference(base: str, target: types.Reference, known: str | None, value: int) -> Shown:
    title = f"#{value}" if known is None else known
    if target.entity == "user":
        return {"kind": "person", "text": title, "person": person(title, value)}
    return {"kind": "reference", "text": title, "url": f"{base}/{target.entity}/{value}"}


def _measured(edition: Edition, field: Field, values: Mapping[str, Any], value: Decimal) -> Shown:
    kpi = kpi_of(edition, field, values)
    text = exact_figure(kpi, value, edition.settings.currency) if kpi else format_number(value)
    return {"kind": "number", "text": text}


def _money(edition: Edition, field: Field, record: Record, value: Any, *, bare: bool) -> Shown:
    currency = currency_of(edition, field, record.values)
    usual = bare and currency == edition.settings.currency
    return {"kind": "money", "text": format_number(value, 2) if usual else format_money(value, currency)}


def _choice(field_type: types.Choice, value: str) -> Shown:
    option = field_type.option(value)
    if option is None:
        return {"kind": "text", "text": value}
    kind = "text" if option.tone == "neutral" else "badge"
    return {"kind": kind, "text": str(option.label), "tone": option.tone}


def _stage(view: EntityView, field: Field, record: Record) -> Shown | None:
    lifecycle = view.lifecycle(record.values)
    if lifecycle is None or lifecycle.field != field.name:
        return None
    value = record.values.get(field.name)
    stage = next((one for one in lifecycle.stages if one.value == value), None)
    if stage is None:
        return None
    tone = stage.tone if stage.tone != "neutral" or stage.kind != "open" else "info"
    return {"kind": "badge", "text": str(stage.title), "tone": tone}


def _boolean(value: bool) -> Shown:
    text = str(_("Yes") if value else _("No"))
    return {"kind": "boolean", "text": text, "tone": "good" if value else "neutral"}


def _phone(value: str) -> Shown:
    """A number that can be dialled; its extension is for the one who answers."""
    dialled, *extension = [
        "".join(c for c in part if c in "+0123456789") for part in _EXTENSION.split(value, 1)
    ]
    return {
        "kind": "phone",
        "text": value,
        "url": f"tel:{dialled}" + "".join(f";ext={one}" for one in extension),
    }


def _plain(field_type: types.FieldType) -> Callable[[Any], Shown]:
    """How the values of a type are shown, whatever record they belong to."""
    match field_type:
        case types.Percent():
            return lambda value: {"kind": "percent", "text": format_percent(value)}
        case types.Integer() | types.Decimal():
            return lambda value: {"kind": "number", "text": format_number(value)}
        case types.Boolean():
            return _boolean
        case types.DateTime():
            return lambda value: {
                "kind": "datetime",
                "text": format_datetime(value),
                "title": format_moment(value),
            }
        case types.Date():
            return lambda value: {"kind": "date", "text": format_date(value)}
        case types.Email():
            return lambda value: {"kind": "email", "text": value, "url": f"mailto:{value}"}
        case types.Phone():
            return _phone
        case types.Url():
            return lambda value: {"kind": "url", "text": value.removeprefix("https://"), "url": value}
        case types.LongText():
            return lambda value: {"kind": "long", "text": value}
    return lambda value: {"kind": "text", "text": str(value)}


_EXTENSION = re.compile(types.EXTENSION, re.IGNORECASE)
_NUMERIC = (types.Integer, types.Decimal)


def column(edition: Edition, view: EntityView, field: Field) -> dict[str, Any]:
    """The head of a field's column: its label (with the currency), alignment and origin; the amount stands out.

    Fields that came with their entity have no mark of their own.
    """
    label = str(field.label)
    if isinstance(field.type, types.Money):
        label = f"{label}, {currency_symbol(edition.settings.currency)}"
    align = "end" if isinstance(field.type, _NUMERIC) else "start"
    css = ["num"] if align == "end" else []
    if field.name == view.info.amount_field:
        css.append("figure")
    return {
        "name": field.name,
        "label": label,
        "align": align,
        "css": " ".join(css),
        "origin": None if field.owner == view.owner else origin(edition, field.owner),
    }


CONTROLS: Mapping[type[types.FieldType], str] = {
    types.LongText: "long",
    types.Email: "email",
    types.Phone: "phone",
    types.Url: "url",
    types.Integer: "number",
    types.Decimal: "number",
    types.Money: "money",
    types.Percent: "percent",
    types.Boolean: "boolean",
    types.Date: "date",
    types.DateTime: "datetime",
    types.Choice: "choice",
    types.Reference: "reference",
    types.Rule: "rule",
}
"""The control of each type of field; text for the others."""


def control(
    edition: Edition,
    base: str,
    field: Field,
    value: Any,
    *,
    title: str = "",
    errors: list[str] | None = None,
    values: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """A field of a form, with its present value (a Python value, or the text that was typed).

    ``values`` are what else the record holds, which some choices depend on.
    """
    kind = CONTROLS.get(type(field.type), "text")
    given: dict[str, Any] = {
        "id": field.name.replace(".", "-"),
        "name": field.name,
        "label": str(field.label),
        "kind": kind,
        "value": _typed(field.type, value, kpi_of(edition, field, values)),
        "required": field.required,
        "help": str(field.help) if field.help else "",
        "errors": errors or [],
        "origin": origin(edition, field.owner),
        "options": [],
    }
    names = choices(field.type, values) if isinstance(field.type, types.Text) else []
    stages = _stage_options(edition, field, values)
    known = value in (None, "") or any(one["value"] == value for one in stages)
    if isinstance(field.type, types.Text) and names:
        given |= _named_choices(field.type, names, value)
    elif stages and known and kind == "text":
        given |= {"kind": "choice", "options": [{**one, "selected": one["value"] == value} for one in stages]}
    elif isinstance(field.type, types.Choice):
        given["options"] = [
            {"value": option.value, "title": str(option.label), "selected": option.value == value}
            for option in field.type.options
        ]
    elif isinstance(field.type, types.Reference):
        given["search_url"] = f"{base}/{field.type.entity}/options"
        if value is not None and value != "":
            given["options"] = [{"value": value, "title": title or f"#{value}", "selected": True}]
    elif isinstance(field.type, types.Money):
        given["addon"] = currency_symbol(edition.settings.currency)
    elif isinstance(field.type, types.Percent):
        given["addon"] = "%"
    elif isinstance(field.type, types.Rule):
        given["editor"] = ruled.editor(base, field, value, values)
    elif isinstance(field.type, types.Text):
        given |= {"maxlength": field.type.length, "offers": field.type.offers}
    elif field.mentions:
        given["people_url"] = f"{base}/user/options"
    return given


def _named_choices(declared: types.Text, names: Sequence[tuple[str, str]], value: Any) -> dict[str, Any]:
    """Names to choose from by their titles: those chosen first, in their order, what is unknown among them too."""
    known = dict(names)
    chosen = names_in(str(value or "")) if declared.many else [str(value)] if value else []
    rest = [name for name in known if name not in chosen] if declared.many else []
    shown = [*chosen, *rest] if declared.many else [*(one for one in chosen if one not in known), *known]
    options = [{"value": one, "title": known.get(one, one), "selected": one in chosen} for one in shown]
    return {"kind": "choices" if declared.many else "choice", "options": options, "several": declared.many}


def typed(field: Field, form: MultiDict[str, str]) -> str:
    """The text of a control in a form that was sent; of several choices the names by commas."""
    texts = form.getlist(field.name)
    if isinstance(field.type, types.Text) and field.type.many:
        return ", ".join(one for one in texts if one)
    return texts[-1] if texts else ""


def _stage_options(edition: Edition, field: Field, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The stages of the lifecycle that a record with these values follows, or of all of them; else the words of a text."""
    view = edition.entities.get(field.entity)  # a field of a task is of no entity
    if view is None:
        return []
    followed = view.lifecycle(values)
    lifecycles = [one for one in view.lifecycles if one.field == field.name and followed in (None, one)]
    found = {stage.value: stage.title for one in reversed(lifecycles) for stage in one.stages}
    known = (found or known_words(view, field, {})).items()
    return [{"value": value, "title": str(title)} for value, title in known]


def _typed(field_type: types.FieldType, value: Any, kpi: Kpi | None) -> Any:
    """A value as a control holds it; that of a KPI in percent with its sign, by which :func:`read_form` knows it."""
    if value is None or isinstance(value, str | bool):
        return value
    if kpi is not None and kpi.unit is Unit.PERCENT:
        return exact_figure(kpi, value, "")
    if isinstance(field_type, types.Percent):
        return format_number(Decimal(value) * 100)
    if isinstance(field_type, types.Decimal):
        return format_number(value, 2 if isinstance(field_type, types.Money) else None)
    if isinstance(field_type, types.DateTime):
        return value.astimezone(current_timezone()).strftime("%Y-%m-%dT%H:%M")
    if isinstance(field_type, types.Date):
        return value.isoformat()
    return value


def read_form(field: Field, text: str) -> Any:
    """The value of a control as the door takes it; empty text is no value.

    Percent typed by people becomes a ratio (of a KPI, where the sign is typed), a moment is read in the reader's time zone.
    """
    if text.strip() == "":
        return None
    if isinstance(field.type, types.Rule):
        return ruled.given(text)
    of_kpi = isinstance(field.type, types.Decimal) and field.type.kpi
    if isinstance(field.type, types.Percent) or (of_kpi and text.rstrip().endswith("%")):
        try:
            return types.Decimal().parse(text.rstrip("% \u00a0")) / 100
        except types.ValueInvalid:
            return text
    if isinstance(field.type, types.DateTime):
        try:
            return datetime.fromisoformat(text).replace(tzinfo=current_timezone())
        except ValueError:
            return text
    return text
