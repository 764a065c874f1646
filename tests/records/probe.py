"""Two entities with a field of every type, as columns and as extension fields, and the edition that knows them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped
from trellis.contributions import Segment
from trellis.edition import Edition, EntityView, Settings
from trellis.i18n import translator
from trellis.plugins import Hooks
from trellis.records import types as kinds
from trellis.records.entity import Base, Entity, EntityInfo, Field, column, declared_fields
from trellis.records.types import Option
from trellis.security.people import Unit, User

_ = translator("trellis")

TODAY = date(2026, 11, 23)
COLOURS = kinds.Choice((Option("red", _("Red")), Option("green", _("Green")), Option("blue", _("Blue"))))


class Company(Entity):
    __tablename__ = "probe_company"
    __entity__ = EntityInfo(name="probe_company", title=_("Company"), plural=_("Companies"), sort="name")

    name: Mapped[str] = column(kinds.Text(), label=_("Name"), required=True, searchable=True)
    city: Mapped[str | None] = column(kinds.Text(), label=_("City"))
    founded: Mapped[date | None] = column(kinds.Date(), label=_("Founded"))


class Sample(Entity):
    __tablename__ = "probe_sample"
    __entity__ = EntityInfo(name="probe_sample", title=_("Sample"), plural=_("Samples"), sort="-moment,name")

    name: Mapped[str] = column(kinds.Text(), label=_("Name"), required=True, searchable=True)
    note: Mapped[str | None] = column(kinds.LongText(), label=_("Note"), searchable=True)
    email: Mapped[str | None] = column(kinds.Email(), label=_("E-mail"))
    size: Mapped[int | None] = column(kinds.Integer(), label=_("Size"), indexed=True)
    weight: Mapped[Decimal | None] = column(kinds.Decimal(minimum=0), label=_("Weight"))
    price: Mapped[Decimal | None] = column(kinds.Money(), label=_("Price"))
    share: Mapped[Decimal | None] = column(kinds.Percent(), label=_("Share"))
    active: Mapped[bool | None] = column(kinds.Boolean(), label=_("Active"))
    counted: Mapped[int] = column(kinds.Integer(), label=_("Counted"), required=True, indexed=True)
    day: Mapped[date | None] = column(kinds.Date(), label=_("Day"))
    moment: Mapped[datetime | None] = column(kinds.DateTime(), label=_("Moment"), indexed=True)
    colour: Mapped[str | None] = column(COLOURS, label=_("Colour"))
    company_id: Mapped[int | None] = column(kinds.Reference("probe_company"), label=_("Company"))
    keeper_id: Mapped[int | None] = column(kinds.Reference("user"), label=_("Keeper"))
    paper: Mapped[Any | None] = column(kinds.Json(), label=_("Paper"))


def _extension(name: str, entity: str, kind: kinds.FieldType, **options: Any) -> Field:
    return Field(
        name=f"probe.{name}", entity=entity, type=kind, label=_(name.title()), owner="probe", **options
    )


EXTENSIONS = {
    "probe_company": [_extension("region", "probe_company", kinds.Text(), searchable=True)],
    "probe_sample": [
        _extension("code", "probe_sample", kinds.Text(40), searchable=True, indexed=True),
        _extension("points", "probe_sample", kinds.Integer(), indexed=True),
        _extension("fee", "probe_sample", kinds.Money(), indexed=True),
        _extension("vip", "probe_sample", kinds.Boolean(), indexed=True),
        _extension("since", "probe_sample", kinds.Date(), indexed=True),
        _extension("seen", "probe_sample", kinds.DateTime(), indexed=True),
        _extension("shade", "probe_sample", COLOURS),
        _extension("partner", "probe_sample", kinds.Reference("probe_company"), indexed=True),
    ],
}

SEGMENTS = [
    Segment(name="probe.vip", title=_("Important"), entity="probe_company", rule={"all": []}, owner="probe"),
    Segment(name="probe.new", title=_("New"), entity="probe_company", rule={"any": []}, owner="probe"),
    Segment(name="probe.small", title=_("Small"), entity="probe_sample", rule={"any": []}, owner="probe"),
]
MEMBERS = {"probe.vip": {1, 3, 5}, "probe.new": set[int](), "probe.small": {2, 4, 6, 7}}

ENTITIES: tuple[type[Entity], ...] = (Unit, User, Company, Sample)
TABLES = [cast(sa.Table, entity.__table__) for entity in ENTITIES]

for _table in TABLES[2:]:  # other tests compare the metadata with the migrations: leave no trace in it
    assert all(key.column is not None for key in _table.foreign_keys)
for _table in TABLES[2:]:
    Base.metadata.remove(_table)


def make_edition(timezone: str = "Europe/Stockholm") -> Edition:
    """An edition of the four entities."""
    views = {}
    for entity in ENTITIES:
        name = entity.__entity__.name
        extensions = {field.name: field for field in EXTENSIONS.get(name, ())}
        views[name] = EntityView(entity, "core", declared_fields(entity) | extensions)
    return Edition(
        workspace="probe",
        revision=1,
        settings=Settings(timezone=timezone),
        plugins=(),
        hooks=cast(Hooks, None),
        entities=MappingProxyType(views),
        contributions=MappingProxyType({Segment: {one.name: one for one in SEGMENTS}}),
    )


def row(edition: Edition, entity: type[Entity], values: dict[str, Any]) -> dict[str, Any]:
    """The columns that hold these values (by field name; ``id`` and ``deleted_at`` too)."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    fields = edition.entity(entity.__entity__.name).fields
    columns: dict[str, Any] = {"created_at": moment, "updated_at": moment, "deleted_at": None, "extra": {}}
    columns |= {field.column: None for field in fields.values() if field.column and field.name not in columns}
    for name, value in values.items():
        field = fields.get(name)
        if field is None:
            columns[name] = value
        elif field.column is not None:
            columns[field.column] = value
        elif value is not None:
            columns["extra"][name] = field.type.to_extra(value)
    return columns
