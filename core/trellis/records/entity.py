"""Entities: the kinds of records, declared once as SQLAlchemy classes with typed fields."""

from __future__ import annotations

import builtins
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator

from trellis.i18n import Text as Label
from trellis.i18n import translator
from trellis.records.types import BigId, DateTime, FieldType, JsonData, Reference, Text, UtcDateTime

if TYPE_CHECKING:
    from trellis.records.events import Taken

_ = translator("trellis")


class Base(DeclarativeBase):
    """Declarative base of every table that lives in a workspace; entities and system tables alike."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


@dataclass(frozen=True, kw_only=True)
class Field:
    """One property of an entity, shown and checked alike everywhere.

    In ``trellis_fields`` it declares an *extension field*: ``name`` is ``plugin.field``, ``entity`` the entity it
    extends; its values live in the record's JSON column ``extra``. For a column, :func:`column` makes the Field.

    - ``label``, ``help``: what people read;  ``group``: heading of the field group on the record page
    - ``required``: must have a value;  ``default``: a value or a function without arguments
    - ``required_when``: a rule on the record's own fields under which it must have a value
    - ``visible_when``: a rule under which it is shown; while hidden its value is kept, and none is required
    - ``searchable``: found by text search;  ``in_list``: shown in lists from the start
    - ``indexed``: gets an index (for extension fields: an expression index in each workspace where it is enabled)
    - ``taken``: of a ``unique`` field that is made of what tells records apart (``EntityInfo.told_apart_by``) and not typed
      by people: what they are told, at the last of those fields that is required, where another record has its value
    - ``read_only``: kept by Trellis, refused from outside;  ``personal``: personal data of a person
    - ``mentions``: people who are named in it with an ``@`` are told
    - ``of_income``: adds up what customers brought; withheld from readers to whom the sales are less open than the customers
    - ``owner``: the plugin it comes from, filled in by the edition (``core``, a plugin's name, ``own``)
    """

    name: str
    entity: str = ""
    type: FieldType
    label: Label
    help: Label | None = None
    group: Label | None = None
    required: bool = False
    required_when: Mapping[str, Any] | None = dataclasses.field(default=None, hash=False)
    visible_when: Mapping[str, Any] | None = dataclasses.field(default=None, hash=False)
    default: Any = None
    searchable: bool = False
    in_list: bool = False
    indexed: bool = False
    unique: bool = False
    taken: Callable[[Taken], Label | str] | None = None
    read_only: bool = False
    personal: bool = False
    mentions: bool = False
    of_income: bool = False
    column: str | None = None
    owner: str = "core"

    @property
    def is_extension(self) -> bool:
        """Its values live in ``extra`` rather than in a column."""
        return self.column is None

    @property
    def always_required(self) -> bool:
        """Every record must have a value, whatever else it holds."""
        return self.required and self.visible_when is None

    def of(self, entity: builtins.type[Entity]) -> sa.ColumnElement[Any]:
        """The SQL expression of this field on ``entity`` (or an alias of it)."""
        if self.column is not None:
            return getattr(entity, self.column)  # type: ignore[no-any-return]
        return ExtraValue(entity.extra, self.name, self.type)

    def under(self, required_when: Mapping[str, Any] | None, visible_when: Mapping[str, Any] | None) -> Field:
        """A copy that follows these rules, in place of those it came with."""
        return dataclasses.replace(self, required_when=required_when, visible_when=visible_when)

    def with_owner(self, owner: str) -> Field:
        """A copy that says which plugin brought it."""
        return dataclasses.replace(self, owner=owner)


class IsoText(TypeDecorator[Any]):
    """Days and moments in ``extra``: ISO text of fixed width, whose order is time order (casts cannot be indexed)."""

    impl = sa.String
    cache_ok = True

    def __init__(self, field_type: FieldType) -> None:
        super().__init__()
        self.field_type = field_type

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return self.field_type.to_extra(self.field_type.check(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return self.field_type.from_extra(value)


class ExtraValue(sa.ColumnElement[Any]):
    """The value of an extension field as SQL. One spelling for queries and for the expression index."""

    inherit_cache = True
    _traverse_internals = [
        ("extra", sa.sql.visitors.InternalTraversal.dp_clauseelement),
        ("key", sa.sql.visitors.InternalTraversal.dp_string),
        ("type", sa.sql.visitors.InternalTraversal.dp_type),
        ("kind", sa.sql.visitors.InternalTraversal.dp_string),
    ]

    def __init__(self, extra: Any, key: str, field_type: FieldType) -> None:
        self.extra = (
            sa.inspection.inspect(extra).expression if not isinstance(extra, sa.ColumnElement) else extra
        )
        self.key: str = key
        self.type = IsoText(field_type) if field_type.kind in ("date", "datetime") else field_type.sql()
        self.kind = "scaled" if field_type.fixed_point else field_type.kind

    @property
    def _from_objects(self) -> Any:
        return self.extra._from_objects  # so that a select of this value alone knows its table


@compiles(ExtraValue)
def _extra_on_sqlite(element: ExtraValue, compiler: SQLCompiler, **kw: Any) -> str:
    path = element.key.replace("'", "''").replace('"', "")
    return f"json_extract({compiler.process(element.extra, **kw)}, '$.\"{path}\"')"


_ON_POSTGRESQL = {
    "scaled": "({}::numeric * 0.0001)",
    "number": "({}::bigint)",
    "boolean": "({}::boolean)",
    "reference": "({}::bigint)",
    "date": '({} COLLATE "C")',
    "datetime": '({} COLLATE "C")',
}


@compiles(ExtraValue, "postgresql")
def _extra_on_postgresql(element: ExtraValue, compiler: SQLCompiler, **kw: Any) -> str:
    path = element.key.replace("'", "''")
    text = f"({compiler.process(element.extra, **kw)} ->> '{path}')"
    return _ON_POSTGRESQL.get(element.kind, "{}").format(text)


@dataclass(frozen=True, kw_only=True)
class EntityInfo:
    """What people and faces need to know of an entity beyond its fields.

    - ``title``, ``plural``: singular and plural name;  ``icon``: Lucide name
    - ``about``: in one sentence what its records are for, which an empty list says
    - ``new``: the words of the button that makes one ("New customer"; languages decline differently)
    - ``direction``, ``level``: its place in the CRM model;  ``row``: id of its row in the model (``CU1``)
    - ``title_field``: the field that names a record;  ``subtitle_field``: the second line in lists and cards
    - ``line_fields``: what else stands in the second line of a list on a phone, as far as a record has it
    - ``parent``: field of the reference that contains it (lines of an order), so that it has no list in the menu
    - ``sort``: how lists are sorted at first (``-ordered_at``)
    - ``date_field``: the field that places a record in time on timelines and calendars
    - ``due_field``: the moment until which an open record is to be done; a list on a phone tells it in place of ``date_field``
    - ``timeline``: its records stand on the timeline of the records they refer to
    - ``tree``: the reference to another of its records that one is part of; none comes to be part of itself, and rules find
      what refers to a record or to any below it (``within``)
    - ``mutual``: its two references to one entity between which it makes no difference which is which, so that its records
      stand in one list at both ends
    - ``beside``: the two fields that say beside which record of any entity one was made: its entity, its id; with
      ``timeline`` it stands on that record's timeline
    - ``amount_field``: the figure summed on boards and in footers
    - ``numbered``: what the numbers begin with that new records get in their field ``number`` when none is given (``C``
      for C-000001)
    - ``told_apart_by``: the fields that tell its records apart, all of them together: an import that has no other key
      changes the record that has them
    - ``by_hand``: people make records of it themselves; otherwise Trellis does, by another act of theirs
    - ``made_at``: the page of that act (``bonuses``), to which an empty list leads
    - ``kept``: Trellis alone writes what is in them, whatever rights people have: no page offers to change or delete it
    - ``confidential``: a right on all kinds of records (``*``) opens no more of it than one's own records to read; more is
      given by its name
    """

    name: str
    title: Label
    plural: Label
    about: Label | None = None
    new: Label | None = None
    icon: str = "file"
    direction: str = ""
    level: str = ""
    row: str = ""
    title_field: str = "name"
    subtitle_field: str | None = None
    line_fields: tuple[str, ...] = ()
    parent: str | None = None
    sort: str = ""
    date_field: str | None = None
    due_field: str | None = None
    timeline: bool = False
    tree: str | None = None
    mutual: tuple[str, str] | None = None
    beside: tuple[str, str] | None = None
    amount_field: str | None = None
    numbered: str = ""
    told_apart_by: tuple[str, ...] = ()
    by_hand: bool = True
    made_at: str = ""
    kept: bool = False
    confidential: bool = False


def column(
    field_type: FieldType,
    *,
    label: Label,
    required: bool = False,
    default: Any = None,
    indexed: bool = False,
    unique: bool = False,
    **options: Any,
) -> Any:
    """A typed, labelled column of an entity: ``name: Mapped[str] = column(Text(), label=_("Name"))``.

    The options are those of :class:`Field`. A reference column is named ``<field>_id``; its field drops the ``_id``.
    """
    foreign_key: tuple[sa.ForeignKey, ...] = ()
    if isinstance(field_type, Reference) and field_type.on_delete:
        target = field_type.entity.replace(".", "_")
        foreign_key = (sa.ForeignKey(f"{target}.id", ondelete=field_type.on_delete),)
    declared = {
        "type": field_type,
        "label": label,
        "required": required,
        "default": default,
        "indexed": indexed,
        "unique": unique,
        **options,
    }
    return mapped_column(
        field_type.sql(),
        *foreign_key,
        nullable=not required,
        index=isinstance(field_type, Reference) and not unique,
        unique=unique,
        info={"field": declared},
    )


class Entity(Base):
    """Base of all entities. A subclass sets ``__tablename__``, ``__entity__`` and its columns.

    Every record has an id, an ``external_id`` (its key in the system it came from, unique in the entity), who made and
    changed it when, an owner and a unit (access scopes follow them), a version for optimistic locking, ``deleted_at``
    (it is in the recycle bin) and ``extra`` (values of extension fields).
    """

    __abstract__ = True
    __entity__: ClassVar[EntityInfo]

    id: Mapped[int] = mapped_column(BigId, primary_key=True, sort_order=-100)
    external_id: Mapped[str | None] = column(
        Text(120),
        label=_("External id"),
        unique=True,
        help=_("The key of this record in the system it came from"),
    )
    # Users and units are never deleted for good, so these need no constraint (which would tie the two tables in a knot).
    owner_id: Mapped[int | None] = column(Reference("user", ""), label=_("Owner"))
    unit_id: Mapped[int | None] = column(Reference("unit", ""), label=_("Unit"))
    created_at: Mapped[datetime] = column(DateTime(), label=_("Created"), read_only=True, required=True)
    created_by_id: Mapped[int | None] = mapped_column(BigId)
    updated_at: Mapped[datetime] = column(DateTime(), label=_("Changed"), read_only=True, required=True)
    updated_by_id: Mapped[int | None] = mapped_column(BigId)
    version: Mapped[int] = mapped_column(sa.Integer, default=1, server_default="1")
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    extra: Mapped[dict[str, Any]] = mapped_column(JsonData, default=dict, server_default="{}")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__table__" in vars(cls):
            _index_for_lists(cast(sa.Table, cls.__table__))


def _index_for_lists(table: sa.Table) -> None:
    """Indexes the columns that ask for it as lists sort them: empty values first, and the id last to break ties."""
    for indexed in table.columns:
        declared = indexed.info.get("field", {})
        if declared.get("indexed") and not indexed.index and not indexed.unique:
            order: dict[str, Any] = (
                {"postgresql_ops": {indexed.key: "NULLS FIRST"}} if indexed.nullable else {}
            )
            sa.Index(f"ix_{table.name}_{indexed.name}", indexed, table.c.id, **order)


SYSTEM_FIELDS = ("external_id", "owner", "unit", "created_at", "updated_at")


@cache
def declared_fields(entity: type[Entity]) -> Mapping[str, Field]:
    """The fields that an entity class declares by its columns, by name, in the order of declaration."""
    fields: dict[str, Field] = {}
    for attribute in sa.inspect(entity).column_attrs:
        source = attribute.columns[0]
        declared = source.info.get("field")
        if declared is None:
            continue
        key = attribute.key
        name = key.removesuffix("_id") if isinstance(declared["type"], Reference) else key
        fields[name] = Field(name=name, entity=entity.__entity__.name, column=key, **declared)
    own = {name: field for name, field in fields.items() if name not in SYSTEM_FIELDS}
    return MappingProxyType(own | {name: fields[name] for name in SYSTEM_FIELDS if name in fields})


def default_value(field: Field) -> Any:
    """The value a new record gets where none is given."""
    default: Callable[[], Any] | Any = field.default
    return default() if callable(default) else default
