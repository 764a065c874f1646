"""What a template may say of a record: its fields, those of the records it refers to, and the lists that refer to it.

All of it is what the actor may read. It goes to the program that fills the template as JSON, each value with how it is
written in the language of the document beside what it is, so that a template can print it and compare it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from trellis.documents import images
from trellis.edition import Edition, EntityView
from trellis.i18n import format_date, translator
from trellis.letters.facts import worded
from trellis.records import types
from trellis.records.door import Records
from trellis.records.entity import SYSTEM_FIELDS, Field
from trellis.records.query import Record
from trellis.records.rules import today_in
from trellis.records.types import Reference
from trellis.security.actor import Actor

_ = translator("trellis")

Value = Any
MOST = 500
"""Rows of a list."""
_LONG_AGO = date(1, 1, 1)
"""Days are written with their year, as seen from any other one."""


def data_of(records: Records, entity: str, record_id: int, *, pictures: bool = True) -> dict[str, Value]:
    """All that a template about a record may name, its pictures only where these are asked for. Raises RecordNotFound."""
    settings = records.edition.settings
    view = records.edition.entity(entity)
    record = records.get(entity, record_id)
    related = {}
    for name, other, rows in _related(records, view, record_id):
        related[name] = _several(records, other, rows)
    return {
        "record": _several(records, view, [record])[0],
        "related": related,
        "today": _day(today_in(records.edition)),
        "organisation": {
            "name": settings.title,
            "currency": settings.currency,
            "logo": images.logo(records.session) if pictures else None,
        },
        "images": images.of_record(records, entity, record_id) if pictures else {},
        "me": records.actor.name,
    }


@dataclass(frozen=True)
class Named:
    """Marks that a template may hold, each with what people call it."""

    title: str
    marks: Sequence[tuple[str, str]]


def names_of(edition: Edition, actor: Actor, view: EntityView) -> Iterator[Named]:
    """What may stand in a template about records of an entity: its fields, those of what it refers to, loops over its lists."""
    yield Named(str(view.info.title), _marks(view, "record"))
    for reference in view.references.values():
        target = edition.entities.get(cast(Reference, reference.type).entity)
        if target is not None and actor.may(target.name, "read"):
            yield Named(str(reference.label), _marks(target, f"record{_item(reference)}"))
    for name, other, _field in _referring(edition, actor, view):
        related = f"related.{name}" if name.isidentifier() else f'related["{name}"]'
        loop = f"{{% for one in {related} %}}{{{{ one }}}}{{% endfor %}}"
        yield Named(str(other.info.plural), [(str(_("All of them")), loop), *_marks(other, "one")])
    yield Named(str(_("Document and pictures")), _beside())


def _beside() -> list[tuple[str, str]]:
    """What a template may name beside the record."""
    return [
        (str(_("Number")), "{{ document.number }}"),
        (str(_("Version")), "{{ document.version }}"),
        (str(_("Day")), "{{ today }}"),
        (str(_("Organisation")), "{{ organisation.name }}"),
        (str(_("Logo")), '{{ organisation.logo | image("4cm") }}'),
        (
            str(_("Pictures among the files")),
            '{% for one in images.values() %}{{ one | image("8cm") }}{% endfor %}',
        ),
    ]


def _marks(view: EntityView, start: str) -> list[tuple[str, str]]:
    fields = (one for one in view.fields.values() if one.name not in SYSTEM_FIELDS)
    return [(str(one.label), f"{{{{ {start}{_item(one)} }}}}") for one in fields if one.type.kind != "json"]


def _item(field: Field) -> str:
    return f".{field.name}" if field.name.isidentifier() else f'["{field.name}"]'


def _referring(edition: Edition, actor: Actor, view: EntityView) -> Iterator[tuple[str, EntityView, Field]]:
    """The lists of a record by the names of their entities; the field too where one entity refers to it twice."""
    known = set()
    for other, field in edition.referring(view.name):
        if field.name in ("owner", "unit") or not actor.may(other.name, "read"):
            continue
        name = other.name if other.name not in known else f"{other.name}.{field.name}"
        known.add(other.name)
        yield name, other, field


def _related(
    records: Records, view: EntityView, record_id: int
) -> Iterator[tuple[str, EntityView, Sequence[Record]]]:
    for name, other, field in _referring(records.edition, records.actor, view):
        rule = {"field": field.name, "op": "eq", "value": record_id}
        sort = ["position"] if "position" in other.fields else ["id"]
        yield name, other, records.list(other.name, rule=rule, sort=sort, limit=MOST).items


def _several(records: Records, view: EntityView, rows: Sequence[Record]) -> list[dict[str, Value]]:
    """Records with the fields of the records that they refer to: a query for each of these references."""
    linked = {}
    for name, field in view.references.items():
        target = cast(Reference, field.type).entity
        ids = sorted({one.values[name] for one in rows if one.values.get(name) is not None})
        if ids and target in records.edition.entities and records.actor.may(target, "read"):
            found = records.list(target, ids=ids, limit=len(ids)).items
            other = records.edition.entity(target)
            linked[name] = {one.id: _one(records.edition, other, one, {}) for one in found}
    return [_one(records.edition, view, one, linked) for one in rows]


def _one(
    edition: Edition, view: EntityView, record: Record, linked: Mapping[str, Mapping[int, Value]]
) -> dict[str, Value]:
    fields: dict[str, Value] = {"id": record.id}
    for name, field in view.fields.items():
        if name not in record.values or field.type.kind == "json":
            continue
        value = record.values[name]
        known = linked[name].get(value) if name in linked else None
        fields[name] = known or _told(edition, field, record, value)
    title = record.titles.get(view.info.title_field) or record.values.get(view.info.title_field)
    return {"kind": "record", "text": str(title or f"#{record.id}"), "fields": fields}


def _told(edition: Edition, field: Field, record: Record, value: Any) -> Value:
    """A value beside its text, which is that of mails."""
    if value is None:
        return None
    text = worded(edition, record, field)
    match field.type, value:
        case types.Reference(), _:
            return {"kind": "record", "text": text, "fields": {"id": value, "name": text}}
        case types.Integer() | types.Decimal(), _:
            return {"kind": "figure", "value": str(value), "text": text}
        case types.Boolean(), _:
            return {"kind": "flag", "value": value, "text": text}
        case _, datetime():
            return {"kind": "moment", "value": value.isoformat(), "text": text}
        case _, date():
            return {"kind": "day", "value": value.isoformat(), "text": text}
    return text if text == value else {"kind": "choice", "value": str(value), "text": text}


def _day(value: date) -> Value:
    return {"kind": "day", "value": value.isoformat(), "text": format_date(value, _LONG_AGO)}
