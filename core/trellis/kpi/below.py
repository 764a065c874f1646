"""What a plan is handed down to: the units and people below a unit, and the goods that each of them sells."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Kpi
from trellis.edition import Edition
from trellis.i18n import Text, translator
from trellis.kpi import engine
from trellis.kpi.periods import Period
from trellis.kpi.results import Value
from trellis.kpi.splits import LABELS, NOT_SET, PERSON, UNIT
from trellis.kpi.sums import is_sum
from trellis.kpi.targets import DIMENSIONS, Planned, Targets, plannable
from trellis.security.actor import Actor
from trellis.security.people import User
from trellis.security.roles import units_below

_ = translator("trellis")

LEVELS: Mapping[str, Text] = {
    UNIT: LABELS[UNIT],
    PERSON: LABELS[PERSON],
    "category": _("Category"),
    "product": _("Product"),
}
"""What a plan is handed down to, with titles."""
WHOM = "^((unit|person)-[1-9][0-9]{0,17})?$"
"""How people write whom a plan is for: ``unit-3``, ``person-5``; nothing for the whole organisation."""
_TREES = (UNIT, "category")


@dataclass(frozen=True, kw_only=True)
class Whom:
    """Whom a plan is for: a unit with those below it, a person, or the whole organisation."""

    unit: int | None = None
    person: int | None = None

    @classmethod
    def read(cls, text: str) -> Whom:
        """What a text in the form of ``WHOM`` says. Raises ValueError."""
        if not re.fullmatch(WHOM, text):
            raise ValueError(text)
        kind, _dash, number = text.partition("-")
        return cls(**{kind: int(number)}) if text else cls()

    @property
    def text(self) -> str:
        """The opposite of :meth:`read`."""
        if self.unit is not None:
            return f"{UNIT}-{self.unit}"
        return f"{PERSON}-{self.person}" if self.person is not None else ""


EVERYBODY = Whom()


def ways(edition: Edition, kpi: Kpi, whom: Whom) -> list[str]:
    """By what the plan of a KPI for ``whom`` can be handed down: that of a person by goods alone; none for what is no sum."""
    known = plannable(edition, kpi) if is_sum(edition, kpi) else []
    return [by for by in known if by not in (UNIT, PERSON)] if whom.person is not None else known


def people(
    session: Session, actor: Actor, units: Sequence[int] = (), also: Collection[int] = ()
) -> dict[int, str]:
    """The people who may sign in, of some units where they are given, as far as ``actor`` may see them, by name.

    ``also`` are people who need not be here any more: those with a plan of theirs.
    """
    if not actor.may("user", "read"):
        return {}
    here = sa.or_(sa.and_(User.deleted_at.is_(None), User.active), User.id.in_(also))
    query = sa.select(User.id, User.name).where(here, actor.visible(User))
    if units:
        query = query.where(User.unit_id.in_(units))
    return {row.id: row.name for row in session.execute(query.order_by(User.name, User.id))}


@dataclass(frozen=True, kw_only=True)
class Below:
    """The parts of the plan of a KPI for ``whom``, by one of ``DIMENSIONS``.

    Units and categories are those at the top: what is below them counts with them. A key of None holds what belongs to no
    part: records without a unit, or those of the unit itself whose units are the parts.
    """

    session: Session
    edition: Edition
    actor: Actor
    kpi: Kpi
    whom: Whom
    by: str

    @cached_property
    def units(self) -> tuple[int, ...]:
        """The unit whose plan it is, and those below it."""
        return units_below(self.session, self.whom.unit)

    @property
    def only(self) -> tuple[str, Sequence[int]] | None:
        """What alone counts in the facts, as a breakdown and its keys."""
        if self.whom.person is not None:
            return PERSON, [self.whom.person]
        return (UNIT, self.units) if self.units else None

    @cached_property
    def titles(self) -> dict[int, str]:
        """The parts that are there whether or not anything was sold, by id."""
        if self.by == PERSON:
            return people(self.session, self.actor, self.units)
        if self.by in _TREES:
            return {key: self._nodes[key][1] for key in self._nodes if self._top(key) == key}
        return {}

    def planned_in(self, known: Iterable[Planned]) -> set[int]:
        """The goods that anything is planned of, for whom this plan is, and people with a plan, though they have left.

        Others are parts without that.
        """
        if self.by == UNIT:
            return set()
        if self.by == PERSON:
            planned = {one.person for one in known if one.person is not None and not one.of_goods}
            return set(people(self.session, self.actor, self.units, planned))
        mine = (self.whom.unit, self.whom.person)
        keys = {getattr(one, self.by) for one in known if (one.unit, one.person) == mine}
        return keys - {None}

    def plan(self, known: Targets, period: Period, key: int) -> Decimal | None:
        """The target of a part in a period."""
        return known.of(self.kpi, period, **self.whose(key))

    def facts(self, periods: Sequence[Period], today: date) -> dict[int | None, list[Value | None]]:
        """What each part came to in each of ``periods``, in one statement."""
        found = engine.parts(
            self.session, self.edition, self.actor, self.kpi.name, periods, self.by, today, self.only
        )
        sums: dict[int | None, list[Value | None]] = {}
        for part in found:
            key = self.part_of(part.key)
            row = sums.setdefault(key, [None] * len(periods))
            sums[key] = [_added(one, point.value) for one, point in zip(row, part.points, strict=True)]
        return sums

    def part_of(self, key: int | None) -> int | None:
        """The part that records with this unit, person, category or product count with."""
        return self._top(key) if self.by in _TREES else key

    def named(self, keys: Sequence[int]) -> dict[int, str]:
        """The titles of parts: those of :attr:`titles`, and of further ones that the actor may see."""
        missing = [key for key in keys if key not in self.titles]
        entity = self.edition.entity(DIMENSIONS[self.by]).entity
        title = getattr(entity, entity.__entity__.title_field)
        query = sa.select(entity.id, title).where(entity.id.in_(missing), self.actor.visible(entity))
        further = {key: name for key, name in self.session.execute(query)} if missing else {}
        return {key: self.titles.get(key) or further.get(key) or f"#{key}" for key in keys}

    @property
    def rest(self) -> str:
        """What the part is called that belongs to none."""
        if self.by == UNIT and self.whom.unit is not None:
            return str(_("The unit itself"))
        return str(NOT_SET)

    def whose(self, key: int) -> dict[str, int | None]:
        """For whom, or for which goods, the target of a part is."""
        if self.by in (UNIT, PERSON):
            return {self.by: key}
        return {"unit": self.whom.unit, "person": self.whom.person, self.by: key}

    @cached_property
    def _nodes(self) -> Mapping[int, tuple[int | None, str]]:
        """Parent and name of what the actor may see of a tree, by name."""
        entity: Any = self.edition.entity(DIMENSIONS[self.by]).entity
        if not self.actor.may(entity.__entity__.name, "read"):
            return {}
        seen = (entity.deleted_at.is_(None), self.actor.visible(entity))
        rows = self.session.execute(sa.select(entity.id, entity.parent_id, entity.name).where(*seen))
        return {key: (parent, name) for key, parent, name in sorted(rows, key=lambda row: (row[2], row[0]))}

    @cached_property
    def _head(self) -> int | None:
        """What the parts are directly below in a tree: the unit, or the one category that all others belong to."""
        if self.by == UNIT:
            return self.whom.unit
        roots = [key for key, (parent, _name) in self._nodes.items() if parent not in self._nodes]
        return roots[0] if len(roots) == 1 and len(self._nodes) > 1 else None

    def _top(self, key: int | None) -> int | None:
        """The part that something in a tree counts with."""
        head = self._head
        passed: set[int] = set()
        while key is not None and key != head and key not in passed:
            passed.add(key)
            parent = self._nodes[key][0] if key in self._nodes else None
            if parent == head or parent not in self._nodes:
                return key if parent == head or head is None else None
            key = parent
        return None


def _added(one: Value | None, other: Value | None) -> Value | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other  # type: ignore[operator]
