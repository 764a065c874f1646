"""The figures that bonuses are reckoned from: of all people at once, in a few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import BonusKind, Kpi
from trellis.contributions import Unit as Measure
from trellis.crm.sales.bonuses.entities import BY_FIGURE
from trellis.crm.sales.bonuses.reckoning import Figures
from trellis.crm.sales.bonuses.terms import ATTAINMENT, PLAN, Part, Terms, kpi_in
from trellis.edition import Edition
from trellis.kpi import engine
from trellis.kpi.measuring import measure_keys
from trellis.kpi.periods import Period, today_in
from trellis.kpi.planning import rounded, spread
from trellis.kpi.splits import PERSON, UNIT, split_names
from trellis.kpi.sums import is_sum
from trellis.kpi.targets import Targets, targets
from trellis.security.actor import SYSTEM
from trellis.security.people import Unit

Rule = Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Measures:
    """The figures of the people of ``terms`` in a period; everything counts, whoever has them reckoned."""

    session: Session
    edition: Edition
    terms: Terms
    period: Period

    @cached_property
    def figures(self) -> dict[int, Figures]:
        """What each person's statement is made from."""
        parts = list(enumerate(self.terms.parts))
        of_kind = (BonusKind.PERCENT, BonusKind.TIERS)
        facts = {place: self.facts(part.kpi, part.rule) for place, part in parts if part.kind in of_kind}
        planned = [(place, part.kpi) for place, part in parts if part.kind == BonusKind.TIERS]
        shares = {place: self._shares(part) for place, part in parts if part.kind == BonusKind.TEAM}
        named = sorted({name for part in self.terms.parts for name in part.names})
        none = Decimal(0)
        return {
            person: Figures(
                facts={place: fact.get(person, none) for place, fact in facts.items()},
                plans={place: plan for place, kpi in planned if (plan := self.plan(kpi, person)) is not None},
                shares={place: shared[person] for place, shared in shares.items() if person in shared},
                named=self._named(named, person),
            )
            for person, _unit in self.terms.people
        }

    def facts(self, kpi: str, rule: Rule = None) -> Mapping[int, Decimal]:
        """A KPI of each person; of a KPI that is not told apart by person, the whole of it for everybody."""
        return self._by(PERSON, kpi, rule)

    def plan(self, kpi: str, person: int) -> Decimal | None:
        """The target of a person."""
        if self.terms.plans:
            return self.terms.plans.get(kpi, {}).get(person)
        known = self._kpi(kpi)
        return None if known is None else self._targets.of(known, self.period, person=person)

    def plans(self) -> dict[str, dict[int, Decimal]]:
        """All plans that the terms are reckoned by, to be kept with a run."""
        return {
            kpi: {
                person: plan
                for person, _unit in self.terms.people
                if (plan := self.plan(kpi, person)) is not None
            }
            for kpi in sorted(self.terms.kpis)
        }

    @cached_property
    def _targets(self) -> Targets:
        known = [kpi for name in sorted(self.terms.kpis) if (kpi := self._kpi(name)) is not None]
        return targets(self.session, self.edition, known, [self.period])

    def _kpi(self, name: str) -> Kpi | None:
        return self.edition.all(Kpi).get(name)

    @cached_property
    def _kept(self) -> dict[Any, dict[int, Decimal]]:
        return {}

    def _by(self, by: str, name: str, rule: Rule) -> Mapping[int, Decimal]:
        key = by, name, repr(rule)
        if key not in self._kept:
            self._kept[key] = self._measured(by, name, rule)
        return self._kept[key]

    def _measured(self, by: str, name: str, rule: Rule) -> dict[int, Decimal]:
        """A KPI by person or unit in one statement; nothing for one that the edition does not have any more."""
        kpi = self._kpi(name)
        if kpi is None:
            return {}
        who = self.session, self.edition, SYSTEM
        today = today_in(ZoneInfo(self.edition.settings.timezone))
        if by not in split_names(self.edition, kpi):
            value = engine.value(*who, name, self.period, today=today).value
            return (
                {} if value is None else {person: Decimal(str(value)) for person, _unit in self.terms.people}
            )
        found = measure_keys(*who, kpi, self.period, today, by, rule)
        return {
            key: Decimal(str(value)) for key, value in found.items() if key is not None and value is not None
        }

    def _named(self, names: Sequence[str], person: int) -> dict[str, Decimal]:
        """What the formulas name, as far as it is known of a person."""
        found = {}
        for name in names:
            kpi = self._kpi(kpi_in(name))
            if kpi is None:
                continue
            nothing = Decimal(0) if kpi.unit is Measure.COUNT or is_sum(self.edition, kpi) else None
            fact = self.facts(kpi.name).get(person, nothing)
            value = fact
            if name.startswith((PLAN, ATTAINMENT)):
                plan = self.plan(kpi.name, person)
                value = plan if name.startswith(PLAN) else fact / plan if plan and fact is not None else None
            if value is not None:
                found[name] = value
        return found

    def _shares(self, part: Part) -> dict[int, tuple[Decimal, Decimal, int]]:
        """What each person has of the bonus of their unit: to the cent all of it is shared."""
        teams: dict[int, list[int]] = {}
        for person, unit in self.terms.people:
            if unit is not None:
                teams.setdefault(unit, []).append(person)
        found: dict[int, tuple[Decimal, Decimal, int]] = {}
        mine = self.facts(part.kpi, part.rule)
        for unit, people in teams.items():
            figure = sum(
                (self._by(UNIT, part.kpi, part.rule).get(one, Decimal(0)) for one in self._branch(unit)),
                Decimal(0),
            )
            weights = [
                mine.get(person, Decimal(0)) if part.sharing == BY_FIGURE else Decimal(1) for person in people
            ]
            kpi = self._kpi(part.kpi)
            shared = (
                spread(kpi.unit, rounded(kpi.unit, figure * part.rate), weights)
                if kpi is not None
                else [Decimal(0)] * len(people)
            )
            found |= {
                person: (share, figure, len(people)) for person, share in zip(people, shared, strict=True)
            }
        return found

    @cached_property
    def _children(self) -> Mapping[int | None, Sequence[int]]:
        children: dict[int | None, list[int]] = {}
        for unit, parent in self.session.execute(sa.select(Unit.id, Unit.parent_id).order_by(Unit.id)):
            children.setdefault(parent, []).append(unit)
        return children

    def _branch(self, unit: int) -> list[int]:
        """A unit and all below it; once each, also where the tree runs in a circle."""
        found = dict.fromkeys([unit])
        waiting = [unit]
        while waiting:
            below = [one for one in self._children.get(waiting.pop(), ()) if one not in found]
            found |= dict.fromkeys(below)
            waiting += below
        return list(found)
