"""Rights on single fields: whoever may not read a field works with an edition in which it does not exist.

Lists, filters, sorts, counts, forms, REST, OpenAPI, exports, history and messages all go by the fields of their edition, so
that nothing has to ask. Contributions that compute with such a field (KPIs, segments, income) are left out with it.

Income goes the same way where it is computed from a field or from records that are withheld: with its sources go the fields of
records that add it up. Where some of the records are open it is counted from those; the fields that add all of it up go
from whom the records are less open than the customers who brought it, with what is made of these fields.

Who is in a segment tells of all that its rule reads. A segment goes where the records that decide it are less open than its
own, with the KPIs and segments that ask for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import ORMExecuteState, Session

from trellis.contributions import (
    Contribution,
    FieldRight,
    IncomeSource,
    Kpi,
    Lifecycle,
    Role,
    Scope,
    Segment,
    Stage,
)
from trellis.edition import OWN, Edition, EntityView
from trellis.errors import PermissionRefused
from trellis.records.entity import EntityInfo, ExtraValue, Field


class FieldRule(NamedTuple):
    """``right`` is all that is allowed on a field."""

    entity: str
    field: str
    right: FieldRight


def merge_field_rules(roles: Sequence[Role]) -> frozenset[FieldRule]:
    """The rules of several roles together: a field is withheld where each role that opens its entity withholds it."""
    opening = [
        {grant.entity: grant for grant in role.grants}
        for role in roles
        if any(grant.read is not Scope.NONE or grant.create for grant in role.grants)
    ]
    ruled = {(grant.entity, name) for grants in opening for grant in grants.values() for name in grant.fields}
    found = set()
    for entity, name in ruled:
        rights = [
            grant.fields.get(name, FieldRight.WRITE)
            for grants in opening
            if (grant := grants.get(entity) or grants.get("*")) is not None
            and (grant.read is not Scope.NONE or grant.create)
        ]
        right = max(rights, key=_ORDER.__getitem__, default=FieldRight.WRITE)
        if right is not FieldRight.WRITE:
            found.add(FieldRule(entity, name, right))
    return frozenset(found)


INCOME = FieldRule("income", "", FieldRight.NONE)
"""Withholds income itself, and all that :data:`TOTALS` does."""
TOTALS = FieldRule("income", "totals", FieldRight.NONE)
"""Withholds what adds up all income, whoever asks: fields of records, and segments that are counted from the rollup."""

SEGMENT = "segment"
"""A rule of this entity withholds the segment that it names as its field."""

_READING = "withheld columns"
_CLOSED = "segments of records less open"
_ROLLUP = "income_day"
_KEPT = ("external_id", "owner", "unit", "created_at")
_PRESENCE = frozenset({"id", "deleted_at"})
_ORDER = {FieldRight.NONE: 0, FieldRight.READ: 1, FieldRight.WRITE: 2}


def always_readable(view: EntityView) -> frozenset[str]:
    """The fields without which a record has no name and no place: their rule can be READ, not NONE."""
    fixed = {view.info.title_field, view.info.parent, view.info.date_field, *_KEPT}
    fixed |= {one.field for one in view.lifecycles} | {one.when[0] for one in view.lifecycles if one.when}
    return frozenset(name for name in fixed if name)


def income_entities(whole: Edition) -> frozenset[str]:
    """The entities whose records income is computed from."""
    return frozenset().union(*(entities for _sale, entities in sources_of(whole).values()))


def sources_of(whole: Edition) -> Mapping[str, tuple[str | None, frozenset[str]]]:
    """For each source of income the entity whose records are its sales, if it names one, and all entities that it reads."""
    return whole.cached("sources of income", lambda: _sources_of(whole))  # type: ignore[no-any-return]


def _sources_of(whole: Edition) -> Mapping[str, tuple[str | None, frozenset[str]]]:
    entities = _by_table(whole)
    found: dict[str, tuple[str | None, frozenset[str]]] = {}
    for source in whole.all(IncomeSource).values():
        read = [columns_of(statement) for statement in whole.reads[IncomeSource](whole, source)]
        names = {entities[table] for columns in read for table, _column in columns if table in entities}
        sale = None if source.entity is None else source.entity.__entity__.name
        found[source.name] = sale, frozenset(names | {sale} if sale else names)
    return MappingProxyType(found)


def deciding(whole: Edition) -> Mapping[str, tuple[str, frozenset[str]]]:
    """For each segment that is decided by records of other entities, its own entity and these."""
    return whole.cached("what decides segments", lambda: _deciding(whole))  # type: ignore[no-any-return]


def _deciding(whole: Edition) -> Mapping[str, tuple[str, frozenset[str]]]:
    entities = _by_table(whole)
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for segment in whole.all(Segment).values():
        try:
            statements = list(whole.reads[Segment](whole, segment))
        except Exception:  # code of a plugin: what cannot be looked at may read anything
            found[segment.name] = segment.entity, frozenset(whole.entities)
            continue
        # that a record referred to is there is seen from the reference itself
        columns = {one for each in statements for one in columns_of(each) if one[1] not in _PRESENCE}
        others = {entities[table] for table, _column in columns if table in entities} - {segment.entity}
        if others:
            found[segment.name] = segment.entity, frozenset(others)
    return MappingProxyType(found)


def closed_segments(edition: Edition) -> Mapping[str, frozenset[str]]:
    """The segments that are withheld because of what decides them, each with the entities of these records."""
    return edition.cached(_CLOSED, lambda: MappingProxyType({}))  # type: ignore[no-any-return]


def restricted(edition: Edition, rules: frozenset[FieldRule]) -> Edition:
    """``edition`` without what the rules withhold; made once for each set of rules."""
    whole = edition.whole
    return whole.cached(("restricted", rules), lambda: _restricted(whole, rules))  # type: ignore[no-any-return]


def _restricted(whole: Edition, rules: frozenset[FieldRule]) -> Edition:
    by_entity: dict[str, dict[str, FieldRight]] = {}
    for rule in rules:
        by_entity.setdefault(rule.entity, {})[rule.field] = rule.right
    entities = {
        name: _view(view, by_entity[name]) if name in by_entity else view
        for name, view in whole.entities.items()
    }
    seen = dataclasses.replace(
        whole, entities=MappingProxyType(entities), faults=(), restricts=whole, _cache={}
    )
    hidden = {
        (_table(view), field.column or name)
        for view in whole.entities.values()
        for name, field in view.fields.items()
        if name not in entities[view.name].fields
    }
    closed = by_entity.get(SEGMENT, {}).keys()
    if not hidden and not closed and not rules & {INCOME, TOTALS}:
        return seen
    segments = {name: one for name, one in whole.all(Segment).items() if name not in closed}
    known = {**whole.contributions, Segment: MappingProxyType(segments)}
    without = (
        dataclasses.replace(whole, contributions=MappingProxyType(known), _cache={}) if closed else whole
    )
    reading = _Reading(without, frozenset(hidden), income=INCOME in rules, totals=TOTALS in rules)
    more = reading.withheld
    if more and not rules >= (figures := more | _fields_of_income(whole)):
        named = {(one.entity, one.field) for one in figures}
        return restricted(whole, figures | {one for one in rules if (one.entity, one.field) not in named})
    contributions = {
        kind: MappingProxyType({name: one for name, one in named.items() if not reading.withholds(kind, one)})
        for kind, named in without.contributions.items()
    }
    lifecycles = {one.name: one for view in entities.values() for one in view.lifecycles}
    contributions[Lifecycle] = MappingProxyType(lifecycles)
    seen = dataclasses.replace(seen, contributions=MappingProxyType(contributions), _cache={})
    seen.cached(_READING, lambda: reading)
    seen.cached(_CLOSED, lambda: MappingProxyType({name: deciding(whole)[name][1] for name in closed}))
    return seen


def _fields_of_income(whole: Edition) -> frozenset[FieldRule]:
    """The rules that withhold the fields that add income up."""
    return frozenset(
        FieldRule(view.name, name, FieldRight.NONE)
        for view in whole.entities.values()
        for name, field in view.fields.items()
        if field.of_income
    )


@contextmanager
def only_seen(session: Session, edition: Edition) -> Iterator[None]:
    """While a plugin's own code reads: PermissionRefused for a statement that touches what ``edition`` withholds."""
    reading = edition.cached(_READING, lambda: None)
    if reading is None:
        yield
        return

    def check(execution: ORMExecuteState) -> None:
        if reading.names(execution.statement):
            raise PermissionRefused()

    sa.event.listen(session, "do_orm_execute", check)
    try:
        yield
    finally:
        sa.event.remove(session, "do_orm_execute", check)


def _view(view: EntityView, rights: Mapping[str, FieldRight]) -> EntityView:
    kept = always_readable(view)
    fields: dict[str, Field] = {}
    for name, field in view.fields.items():
        right = rights.get(name, FieldRight.WRITE)
        if right is FieldRight.NONE and name not in kept:
            continue
        fields[name] = field if right is FieldRight.WRITE else dataclasses.replace(field, read_only=True)
    return dataclasses.replace(
        view,
        fields=fields,
        lifecycles=tuple(_lifecycle(one, fields) for one in view.lifecycles),
        seen_info=_info(view.info, fields),
    )


def _info(info: EntityInfo, fields: Mapping[str, Field]) -> EntityInfo:
    def known(name: str | None) -> str | None:
        return name if name in fields else None

    return dataclasses.replace(
        info,
        subtitle_field=known(info.subtitle_field),
        amount_field=known(info.amount_field),
        sort=info.sort if info.sort.removeprefix("-") in fields else "",
    )


def _lifecycle(lifecycle: Lifecycle, fields: Mapping[str, Field]) -> Lifecycle:
    def stage(one: Stage) -> Stage:
        return dataclasses.replace(one, requires=tuple(name for name in one.requires if name in fields))

    return dataclasses.replace(lifecycle, stages=tuple(stage(one) for one in lifecycle.stages))


def _table(view: EntityView) -> str:
    return cast(sa.Table, view.entity.__table__).name


def _by_table(whole: Edition) -> dict[str, str]:
    return {_table(view): name for name, view in whole.entities.items()}


def check_role(edition: Edition, role: Any) -> None:
    """The fields that a plugin's role limits exist: a name with a slip in it would leave a field open."""
    for grant in () if role.owner == OWN else role.grants:
        view = edition.entities.get(grant.entity)
        for name in grant.fields:
            if view is not None and "." not in name and name not in view.fields:
                raise ValueError(f"{role.name}: {grant.entity} has no field “{name}”")


class _Reading:
    """Finds the contributions that compute with hidden columns, from the SQL that they make."""

    def __init__(
        self, whole: Edition, hidden: frozenset[tuple[str, str]], *, income: bool, totals: bool
    ) -> None:
        self._whole = whole
        self._hidden = hidden
        self._extended = {
            _table(view)
            for view in whole.entities.values()
            for name, field in view.fields.items()
            if field.is_extension and (_table(view), name) in hidden
        }
        self._income = self._totals = False
        self._income = income or any(
            self._touches(one, IncomeSource) for one in whole.all(IncomeSource).values()
        )
        self._totals = totals or self._income

    @property
    def withheld(self) -> frozenset[FieldRule]:
        """The rules for what is withheld of income."""
        rules = ((INCOME, self._income), (TOTALS, self._totals))
        return frozenset(rule for rule, holds in rules if holds)

    def withholds(self, kind: type[Contribution], one: Contribution) -> bool:
        return kind in self._whole.reads and (
            self._touches(one, kind) or (kind is IncomeSource and self._income)
        )

    def _touches(self, one: Contribution, kind: type[Contribution]) -> bool:
        reads = self._whole.reads.get(kind)
        if reads is None:
            return False
        try:
            rollup = self._income if kind is Kpi else self._totals  # a KPI limits the rows to its reader's
            return any(self._in(statement, rollup=rollup) for statement in reads(self._whole, one))
        except Exception:  # code of a plugin: what cannot be looked at is not shown
            return True

    def _in(self, statement: Any, *, rollup: bool) -> bool:
        whole_extra = any(
            column == "extra" and table in self._extended for table, column in columns_of(statement)
        )
        return whole_extra or self._named(statement, rollup=rollup)

    def names(self, statement: Any) -> bool:
        """Whether a statement names a hidden column, or income of which some is hidden."""
        return self._named(statement, rollup=self._totals)

    def _named(self, statement: Any, *, rollup: bool) -> bool:
        return any(
            (table, column) in self._hidden or (table == _ROLLUP and rollup)
            for table, column in columns_of(statement)
        )


def columns_of(statement: sa.ClauseElement) -> Iterator[tuple[str, str]]:
    """(table, column) of all that a statement reads; an extension field's column is its name."""
    waiting: list[Any] = [statement]
    known: set[int] = set()
    while waiting:
        element = waiting.pop()
        if id(element) in known:
            continue
        known.add(id(element))
        if isinstance(element, ExtraValue):
            yield from ((table, element.key) for table, _column in _bases(element.extra))
            continue
        yield from _bases(element)
        if isinstance(element, sa.Select):  # the columns of a whole entity are not among its children
            waiting.extend(element.selected_columns)
        waiting.extend(_children(element))


def _children(element: Any) -> Iterable[Any]:
    return element.get_children() if hasattr(element, "get_children") else ()


def _bases(element: Any) -> Iterator[tuple[str, str]]:
    if isinstance(element, sa.ColumnClause):
        for base in element.base_columns:
            table = getattr(base, "table", None)
            if isinstance(table, sa.Table):
                yield table.name, base.key or base.name
