"""The actor: who asks, and what their roles allow. Checked in the one door and in every query."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import sqlalchemy as sa

from trellis.contributions import FieldRight, Grant, Role, Scope
from trellis.edition import Edition
from trellis.errors import PermissionRefused
from trellis.i18n import translator
from trellis.records.entity import Entity
from trellis.records.prepared import ME
from trellis.security.field_rights import (
    INCOME,
    SEGMENT,
    TOTALS,
    FieldRule,
    deciding,
    income_entities,
    restricted,
    sources_of,
)

_ = translator("trellis")

Act = Literal["read", "create", "update", "delete"]
_ORDER = {Scope.NONE: 0, Scope.OWN: 1, Scope.UNIT: 2, Scope.ALL: 3}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts in a workspace.

    ``user_id`` is None for the system itself (jobs, migrations, the command line of the server's operator). ``units`` are
    the ids of the user's unit and all units below it. ``administrator`` reaches everything in this workspace;
    ``personal_data`` is the right to take out and to erase what is kept about a person. ``within`` are the units whose
    records alone are looked at, whatever else the actor may see: figures of one branch, the unit at its head first.
    ``confidential`` are entities that a right on all kinds of records does not open; no figures are made of them.
    ``reached`` are the entities of the token that opened the workspace; without any it reaches all.
    """

    user_id: int | None = None
    name: str = ""
    roles: tuple[str, ...] = ()
    units: tuple[int, ...] = ()
    administrator: bool = False
    personal_data: bool = False
    grants: Mapping[str, Grant] = field(default_factory=lambda: MappingProxyType({}))
    fields: frozenset[FieldRule] = frozenset()
    within: tuple[int, ...] = ()
    confidential: frozenset[str] = frozenset()
    reached: tuple[str, ...] = ()
    source: str = "system"

    @cached_property
    def reading(self) -> Hashable:
        """What decides, beside who they are, which records people read."""
        if self.administrator:
            return self.within
        scopes = frozenset((name, grant.read) for name, grant in self.grants.items())
        return self.user_id is None, self.units, self.within, scopes

    @cached_property
    def rights(self) -> Hashable:
        """What the actor may do with which kinds of records and fields, whoever it is."""
        grants = frozenset(
            (name, one.read, one.create, one.update, one.delete) for name, one in self.grants.items()
        )
        return self.administrator, self.personal_data, self.fields, grants

    def sees(self, edition: Edition) -> Edition:
        """``edition`` without what this actor may not read: fields, income, segments; fields it may not write are read only."""
        if self.administrator:
            return edition.whole
        rules: frozenset[FieldRule] = edition.whole.cached(
            ("withheld", self.rights), lambda: self._withheld(edition)
        )
        return restricted(edition, rules) if rules else edition.whole

    def _withheld(self, edition: Edition) -> frozenset[FieldRule]:
        rules = self.fields | self._closed_segments(edition)
        if not self._opens_income(edition):
            return rules | {INCOME}
        return rules if self._opens_totals(edition) else rules | {TOTALS}

    def _closed_segments(self, edition: Edition) -> frozenset[FieldRule]:
        """The rules for segments whose members tell of records that are less open to this actor than the members are."""
        return frozenset(
            FieldRule(SEGMENT, name, FieldRight.NONE)
            for name, (entity, others) in deciding(edition.whole).items()
            if any(not self._as_open(one, entity) for one in others)
        )

    def _as_open(self, entity: str, other: str) -> bool:
        return _ORDER[self.scope(entity, "read")] >= _ORDER[self.scope(other, "read")]

    def _opens_income(self, edition: Edition) -> bool:
        """Whether income can be counted from the sales that this actor sees, of each source; of no customers it is nothing.

        Other records that a source reads have to be as open as the sale: the rollup keeps whose the sale is, not whose they are.
        """
        if not self.may("customer", "read"):
            return True
        for sale, entities in sources_of(edition.whole).values():
            least = 1 if sale is None else max(1, _ORDER[self.scope(sale, "read")])
            if any(_ORDER[self.scope(name, "read")] < least for name in entities):
                return False
        return True

    def _opens_totals(self, edition: Edition) -> bool:
        """Whether what income is computed from is as open to this actor as the customers, on whom it is added up."""
        return all(self._as_open(name, "customer") for name in income_entities(edition.whole))

    def sees_income(self, edition: Edition) -> bool:
        """Whether no record that income is computed from is out of sight."""
        return all(self.sees_all(name) for name in income_entities(edition.whole))

    def scope(self, entity: str, act: Act) -> Scope:
        """Which records of ``entity`` this actor may ``act`` on."""
        if self.administrator:
            return Scope.ALL
        grant = self.grants.get(entity) or self.grants.get("*")
        if act == "create":
            return Scope.ALL if grant is not None and grant.create else Scope.NONE
        scope = Scope.NONE if grant is None else Scope(getattr(grant, act))
        if scope is Scope.NONE and (entity, act) == ("user", "read"):
            return Scope.OWN  # people know themselves: “owner is me” works under every role
        return scope

    def may(self, entity: str, act: Act) -> bool:
        """Whether there can be any record of ``entity`` to ``act`` on."""
        return self.scope(entity, act) is not Scope.NONE

    def sees_all(self, entity: str) -> bool:
        """Whether no record of ``entity`` is out of sight."""
        return self.scope(entity, "read") is Scope.ALL and not self.within

    @property
    def sees_everything(self) -> bool:
        """Whether no record is out of sight of any entity that figures are made of."""
        scopes = {grant.read for name, grant in self.grants.items() if name not in self.confidential}
        return not self.within and (self.administrator or ("*" in self.grants and scopes == {Scope.ALL}))

    def require(self, entity: str, act: Act) -> None:
        """Raises PermissionRefused unless :meth:`may`."""
        if self.may(entity, act):
            return
        if self.reached and entity not in self.reached:
            names = {"entity": entity, "reached": ", ".join(self.reached)}
            raise PermissionRefused(_("This token does not reach “%(entity)s”, only %(reached)s", **names))
        raise PermissionRefused()

    def require_administrator(self) -> None:
        """Raises PermissionRefused unless the actor administers the workspace."""
        if not self.administrator:
            raise PermissionRefused()

    def require_personal_data(self) -> None:
        """Raises PermissionRefused unless the actor may take out and erase what is kept about a person."""
        if not (self.administrator or self.personal_data):
            raise PermissionRefused()

    def visible(self, entity: type[Entity], act: Act = "read") -> sa.ColumnElement[bool]:
        """The SQL condition that limits ``entity`` (or an alias of it) to the actor's scope."""
        name = entity.__entity__.name
        owner = entity.id if name == "user" else entity.owner_id
        unit = entity.id if name == "unit" else entity.unit_id
        return self.held(owner, unit, self.scope(name, act))

    def held(self, owner: Any, unit: Any, scope: Scope) -> sa.ColumnElement[bool]:
        """The SQL condition that limits what has these columns of owner and unit to ``scope``, seen from this actor."""
        seen = self._in_scope(owner, unit, scope)
        return sa.and_(seen, unit.in_(self.within)) if self.within else seen

    def _in_scope(self, owner: Any, unit: Any, scope: Scope) -> sa.ColumnElement[bool]:
        if scope is Scope.ALL:
            return sa.true()
        if scope is Scope.NONE or self.user_id is None:
            return sa.false()
        own: sa.ColumnElement[bool] = owner == sa.bindparam(ME, self.user_id, sa.BigInteger())
        return sa.or_(own, unit.in_(self.units)) if scope is Scope.UNIT and self.units else own

    def reaches(self, entity: str, act: Act, values: Mapping[str, Any]) -> bool:
        """Whether one record with these values (``owner``, ``unit``) is in scope: the Python twin of :meth:`visible`."""
        scope = self.scope(entity, act)
        if scope is Scope.ALL:
            return True
        if scope is Scope.NONE or self.user_id is None:
            return False
        owner = values.get("id") if entity == "user" else values.get("owner")
        return owner == self.user_id or (scope is Scope.UNIT and values.get("unit") in self.units)


def limited(actor: Actor, *, read_only: bool, entities: Sequence[str]) -> Actor:
    """``actor`` with no more rights than a limited token has: it administers nothing, and reaches ``entities`` if any."""
    everything = Grant("*", create=True, update=Scope.ALL, delete=Scope.ALL)
    grants = {"*": everything} if actor.administrator else dict(actor.grants)
    if entities:
        known = {name: grants.get(name) or grants.get("*") for name in entities}
        grants = {name: grant for name, grant in known.items() if grant is not None}
    if read_only:
        grants = {
            name: replace(grant, create=False, update=Scope.NONE, delete=Scope.NONE)
            for name, grant in grants.items()
        }
    return replace(
        actor,
        administrator=False,
        personal_data=False,
        grants=MappingProxyType(grants),
        reached=tuple(entities),
    )


SYSTEM = Actor(name="Trellis", administrator=True)
"""The server itself: demo data, imports by the operator, maintenance."""

OPERATOR = Actor(name="Trellis", administrator=True, source="cli")
"""Who runs the server, at its command line."""


def merge_grants(roles: Sequence[Role], confidential: Collection[str] = ()) -> Mapping[str, Grant]:
    """The rights of several roles together: for each entity the widest of each right.

    Of ``confidential`` entities a right on all kinds of records gives no more than the own ones to read.
    """
    named = {grant.entity for role in roles for grant in role.grants}
    if "*" in named:
        named |= set(confidential)
    merged: dict[str, Grant] = {}
    for entity in named:
        secret = entity in confidential
        grants = [found for role in roles if (found := _grant(role, entity, secret=secret)) is not None]
        merged[entity] = Grant(
            entity,
            read=max((grant.read for grant in grants), key=_ORDER.__getitem__),
            create=any(grant.create for grant in grants),
            update=max((grant.update for grant in grants), key=_ORDER.__getitem__),
            delete=max((grant.delete for grant in grants), key=_ORDER.__getitem__),
        )
    return MappingProxyType(merged)


def _grant(role: Role, entity: str, *, secret: bool) -> Grant | None:
    by_entity = {grant.entity: grant for grant in role.grants}
    found, everything = by_entity.get(entity), by_entity.get("*")
    if found is not None or everything is None or not secret:
        return found or everything
    return Grant(entity, read=min(everything.read, Scope.OWN, key=_ORDER.__getitem__))
