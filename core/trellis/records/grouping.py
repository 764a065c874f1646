"""Groups of a list: its records by the value of one field, with how many there are in each, and their first ones.

Groups stand in the order people expect: choices and stages as declared, yes before no, days from the latest, texts and
names by the alphabet; records without a value come last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.days import FromIso, PeriodStart, local_day
from trellis.records.rules.context import begin
from trellis.records.rules.nodes import Unit
from trellis.records.types import Choice, LongText, Reference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from trellis.edition import EntityView
    from trellis.records.entity import Field
    from trellis.records.joins import Joins
    from trellis.records.query import ListQuery

_ = translator("trellis")

SEPARATOR = ":"
_DATED = ("date", "datetime")
_KINDS = ("text", "boolean", "reference", *_DATED)


@dataclass(frozen=True)
class Grouping:
    """What a list is grouped by: a field, and for days and moments the ``unit`` of the calendar they fall into."""

    view: EntityView
    field: Field
    unit: Unit | None = None

    @property
    def name(self) -> str:
        """As written in addresses and views: ``city``, ``expected_close:quarter``."""
        return self.field.name if self.unit is None else f"{self.field.name}{SEPARATOR}{self.unit}"

    @property
    def declared(self) -> Sequence[str]:
        """The values of a choice or the stages of a lifecycle, as declared."""
        if isinstance(self.field.type, Choice):
            return [option.value for option in self.field.type.options]
        stages = [one.stages for one in self.view.lifecycles if one.field == self.field.name]
        return list(dict.fromkeys(stage.value for found in stages for stage in found))

    def rule(self, key: Any) -> dict[str, Any]:
        """The rule that the records of a group fulfil."""
        name = self.field.name
        if key is None:
            return {"field": name, "op": "is_empty"}
        if self.unit is None:
            return {"field": name, "op": "eq", "value": key}
        last = begin(key, self.unit, 1) - timedelta(days=1)
        return {"field": name, "op": "between", "value": [key.isoformat(), last.isoformat()]}


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its value (of a date its first day; None for the empty one), the name of a record referred to, its size."""

    key: Any
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Groups:
    """Some groups of a list, and how many it has in all."""

    items: Sequence[Group]
    total: int


def may_group(field: Field) -> bool:
    """Whether lists can be grouped by a field."""
    return field.type.kind in _KINDS and not isinstance(field.type, LongText)


def grouping(text: str, view: EntityView) -> Grouping:
    """Reads what a list is grouped by; RuleInvalid says what is wrong with it."""
    name, _separator, unit = text.partition(SEPARATOR)
    field = view.fields.get(name)
    if field is None:
        message = _("%(entity)s has no field “%(name)s”", entity=view.info.title, name=name[:80])
        raise RuleInvalid(message, "group")
    if not may_group(field):
        raise RuleInvalid(_("A list cannot be grouped by %(field)s", field=field.label), "group")
    if field.type.kind not in _DATED:
        if unit:
            raise RuleInvalid(
                _("Only days have a unit of the calendar, not %(field)s", field=field.label), "group"
            )
        return Grouping(view, field)
    if unit and unit not in list(Unit):
        raise RuleInvalid(_("Days are grouped by one of: %(known)s", known=", ".join(Unit)), "group")
    return Grouping(view, field, Unit(unit) if unit else Unit.MONTH)


def known_grouping(text: str, view: EntityView) -> Grouping | None:
    """:func:`grouping` of what was once in order; None when there is nothing, or the field is gone."""
    try:
        return grouping(text, view) if text else None
    except RuleInvalid:
        return None


def groups(session: Session, query: ListQuery, by: Grouping, limit: int, offset: int = 0) -> Groups:
    """The groups of a list from ``offset``: one statement, which reads each record that the list finds once."""
    found = query.selecting(lambda joins: [key_of(joins, by), title_of(joins, by)]).subquery()
    key, title = found.c.key, found.c.title
    size = sa.func.count().label("size")
    statement = (
        sa.select(key, title, size, sa.func.count().over())
        .group_by(key, title)
        .order_by(*_order(by, key, title))
        .limit(limit)
        .offset(offset)
    )
    rows = session.execute(statement).all()
    items = [Group(row[0], "" if row[1] is None else str(row[1]), row[2]) for row in rows]
    return Groups(items, rows[0][3] if rows else 0)


def first_ids(
    session: Session, query: ListQuery, by: Grouping, keys: Sequence[Any], each: int
) -> dict[Any, list[int]]:
    """The first ids of each of these groups, in the order of the list: one statement."""

    def numbered(joins: Joins) -> list[sa.ColumnElement[Any]]:
        key = key_of(joins, by)
        place = sa.func.row_number().over(partition_by=key, order_by=query.order(joins))
        return [key, joins.root.id.label("id"), place.label("place")]

    found = query.selecting(numbered).subquery()
    statement = sa.select(found.c.key, found.c.id).where(found.c.place <= each, among(found.c.key, keys))
    ids: dict[Any, list[int]] = {key: [] for key in keys}
    for key, record_id in session.execute(statement.order_by(found.c.place)):
        ids[key].append(record_id)
    return ids


def among(key: sa.ColumnElement[Any], keys: Sequence[Any]) -> sa.ColumnElement[bool]:
    """``key`` is that of one of these groups."""
    known = [one for one in keys if one is not None]
    return sa.or_(key.in_(known) if known else sa.false(), key.is_(None) if None in keys else sa.false())


def key_of(joins: Joins, by: Grouping) -> sa.ColumnElement[Any]:
    """The value by which records are grouped."""
    if isinstance(
        by.field.type, Reference
    ):  # a record that the actor may not read, or in the bin, is no value
        return joins.source((by.field,)).id.label("key")
    value = by.field.of(joins.root)
    if by.unit is not None:
        value = PeriodStart(_day(value, by.field, joins.edition.settings.timezone), by.unit)
    return Scanned(value).label("key")


class Scanned(FunctionElement[Any]):
    """A value to group by, such that SQLite reads the table in one go: by the order of an index it takes five times as long."""

    inherit_cache = True

    def __init__(self, value: sa.ColumnElement[Any]) -> None:
        super().__init__(value)
        self.type = value.type


@compiles(Scanned)
def _as_it_is(element: Scanned, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(Scanned, "sqlite")
def _off_the_index(element: Scanned, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


def title_of(joins: Joins, by: Grouping) -> sa.ColumnElement[Any]:
    """The name of the record referred to; NULL for other groups."""
    name = joins.title((by.field,)) if isinstance(by.field.type, Reference) else sa.null()
    return name.label("title")


def _day(value: Any, field: Field, zone: str) -> Any:
    """The day of a value in the workspace's time zone."""
    known = FromIso(value, field.type.sql()) if field.is_extension else value
    return local_day(known, zone)


def _order(by: Grouping, key: Any, title: Any) -> list[sa.ColumnElement[Any]]:
    empty_last = key.is_(None)
    if isinstance(by.field.type, Reference):
        return [empty_last, title, key]
    if by.unit is not None or by.field.type.kind == "boolean":
        return [empty_last, key.desc()]
    declared: Mapping[str, int] = {value: place for place, value in enumerate(by.declared)}
    placed = [sa.case(declared, value=key, else_=len(declared))] if declared else []
    return [empty_last, *placed, key]
