"""The terms of a scheme: its parts as they were agreed, kept with each run so that a closed one stays what it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import BonusKind, Kpi
from trellis.contributions import BonusScheme as Brought
from trellis.contributions import Unit as Measure
from trellis.crm.sales.bonuses.entities import BonusPart, BonusScheme
from trellis.crm.sales.bonuses.tiers import Tiers, read_tiers, written
from trellis.edition import Edition
from trellis.errors import Message, RecordInvalid, RuleInvalid
from trellis.i18n import translator
from trellis.kpi.composite import FormulaInvalid, compiled
from trellis.kpi.splits import PERSON, UNIT, split_names
from trellis.kpi.sums import is_sum
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave
from trellis.records.rules import parse
from trellis.records.types import ValueInvalid
from trellis.security.people import User

_ = translator("trellis")

ON_FIGURES = (BonusKind.PERCENT, BonusKind.TIERS, BonusKind.TEAM)
ON_FORMULAS = (BonusKind.FORMULA, BonusKind.MULTIPLIER)
PLAN, ATTAINMENT = "plan.", "attainment."
"""Before the name of a KPI in a formula: its plan, and fact by plan."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a scheme, as :class:`trellis.BonusPart` describes it."""

    name: str
    kind: str
    kpi: str = ""
    rate: Decimal = Decimal(0)
    tiers: Tiers = ()
    threshold: Decimal = Decimal(0)
    sharing: str = ""
    formula: str = ""
    amount: Decimal = Decimal(0)
    rule: Mapping[str, Any] | None = None

    @property
    def names(self) -> frozenset[str]:
        """What its formula names."""
        return compiled(self.formula)[1] if self.kind in ON_FORMULAS else frozenset()

    @property
    def kpis(self) -> set[str]:
        """The KPIs that it is reckoned from."""
        named = {kpi_in(name) for name in self.names}
        return named | {self.kpi} if self.kind in ON_FIGURES else named

    def to_json(self) -> dict[str, Any]:
        """Its form among the terms of a run."""
        numbers = {name: str(getattr(self, name)) for name in ("rate", "threshold", "amount")}
        texts = {name: getattr(self, name) for name in ("name", "kind", "kpi", "sharing", "formula")}
        return {**texts, **numbers, "tiers": written(self.tiers), "rule": self.rule}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Part:
        """The opposite of :meth:`to_json`; also the part that a record holds."""
        given: dict[str, Any] = {
            name: values.get(name) or "" for name in ("name", "kind", "kpi", "sharing", "formula")
        }
        given |= {name: Decimal(values.get(name) or 0) for name in ("rate", "threshold", "amount")}
        if given["kind"] == BonusKind.TIERS:
            given["tiers"] = read_tiers(values.get("tiers") or "")
        return cls(**given, rule=values.get("rule"))


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A scheme as a run is reckoned by it. Once the run is closed, ``plans`` are those of people by KPI.

    ``versions`` are those of the definitions of its KPIs.
    """

    parts: Sequence[Part]
    people: Sequence[tuple[int, int | None]] = ()
    """Who takes part, with the unit of each."""
    plans: Mapping[str, Mapping[int, Decimal]] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)

    @property
    def kpis(self) -> set[str]:
        """All KPIs that any part is reckoned from."""
        return {name for part in self.parts for name in part.kpis}

    def to_json(self) -> dict[str, Any]:
        """How a run keeps them."""
        return {
            "parts": [part.to_json() for part in self.parts],
            "people": [list(one) for one in self.people],
            "versions": dict(self.versions),
            "plans": {
                kpi: {str(person): str(value) for person, value in plans.items()}
                for kpi, plans in self.plans.items()
            },
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Terms:
        """The opposite of :meth:`to_json`."""
        return cls(
            parts=[Part.from_json(one) for one in values.get("parts", [])],
            people=[(person, unit) for person, unit in values.get("people", [])],
            versions=values.get("versions", {}),
            plans={
                kpi: {int(person): Decimal(value) for person, value in plans.items()}
                for kpi, plans in values.get("plans", {}).items()
            },
        )


def parts_of(session: Session, scheme: int) -> list[Part]:
    """The parts of a scheme as it stands now, in their order."""
    query = sa.select(BonusPart).where(BonusPart.scheme_id == scheme, BonusPart.deleted_at.is_(None))
    rows = session.scalars(query.order_by(BonusPart.place, BonusPart.id))
    names = ("name", "kind", "kpi", "rate", "tiers", "threshold", "sharing", "formula", "amount", "rule")
    return [Part.from_json({name: getattr(row, name) for name in names}) for row in rows]


def versions_of(edition: Edition, names: Iterable[str]) -> dict[str, int]:
    """The versions of the definitions of KPIs, as far as the edition has them."""
    known = edition.all(Kpi)
    return {name: known[name].version for name in sorted(names) if name in known}


def kpi_in(name: str) -> str:
    """The KPI that a name in a formula is about: ``plan.revenue`` is about ``revenue``."""
    return name.removeprefix(PLAN).removeprefix(ATTAINMENT)


def adopted(brought: Brought) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The fields of a scheme that an edition brings, and of its parts, as records of the organisation have them."""
    scheme = {
        "name": str(brought.title),
        "about": str(brought.description or "") or None,
        "rhythm": brought.rhythm,
    }
    parts = []
    for place, one in enumerate(brought.parts, 1):
        values: dict[str, Any] = {"place": place, "name": str(one.title), "kind": one.kind.value}
        for name in ("kpi", "rate", "threshold", "sharing", "formula", "amount", "rule"):
            values[name] = getattr(one, name) or None
        pairs = tuple((Decimal(start), Decimal(rate)) for start, rate in one.tiers)
        parts.append({**values, "tiers": written(pairs) or None})
    return scheme, parts


def check_scheme(event: BeforeSave) -> None:
    """The rule for people fits. Raises RecordInvalid."""
    if event.action not in ("created", "updated"):
        return
    scheme = {**event.before, **event.values}
    errors: dict[str, list[Message]] = {}
    first, last = scheme.get("valid_from"), scheme.get("valid_to")
    if first is not None and last is not None and last < first:
        errors["valid_to"] = [_("The end is before the beginning")]
    rule = scheme.get("people")
    if rule is not None:
        errors |= _rule_problem(event.edition, User, rule, "people")
    if errors:
        raise RecordInvalid(errors)


def check_part(event: BeforeSave) -> None:
    """A part has what its kind needs. Raises RecordInvalid that names the field."""
    if event.action not in ("created", "updated"):
        return
    part = {**event.before, **event.values}
    errors = problems(event.edition, part)
    if errors:
        raise RecordInvalid(errors)


def problems(edition: Edition, part: Mapping[str, Any]) -> dict[str, list[Message]]:
    """What is wrong with the values of a part, by field."""
    kind = part.get("kind")
    errors: dict[str, list[Message]] = {}
    needed = {
        BonusKind.PERCENT: "rate",
        BonusKind.TEAM: "rate",
        BonusKind.TIERS: "tiers",
        BonusKind.CAP: "amount",
    }
    if kind in needed and part.get(needed[BonusKind(kind)]) is None:
        errors[needed[BonusKind(kind)]] = [_("This field needs a value")]
    if kind == BonusKind.TIERS and part.get("tiers"):
        try:
            read_tiers(part["tiers"])
        except ValueInvalid as error:
            errors["tiers"] = [error.message]
    if kind in ON_FIGURES:
        errors |= _figure_problem(edition, part)
    if kind in ON_FORMULAS:
        errors |= _formula_problem(edition, part.get("formula") or "")
    return errors


def _figure_problem(edition: Edition, part: Mapping[str, Any]) -> dict[str, list[Message]]:
    """A figure is a sum of money that is told apart by person, and by unit where a team shares it."""
    known = figures_of(edition, [PERSON, UNIT] if part["kind"] == BonusKind.TEAM else [PERSON])
    if part.get("kpi") not in known:
        return {"kpi": [_("Choose one of: %(known)s", known=", ".join(known))]}
    if part.get("rule") is None:
        return {}
    entity = known[part["kpi"]].entity
    if entity is None or not issubclass(entity, Entity):
        return {"rule": [_("The records of this KPI cannot be told apart by a rule")]}
    return _rule_problem(edition, entity, part["rule"], "rule")


def figures_of(edition: Edition, splits: Iterable[str]) -> dict[str, Kpi]:
    """The KPIs that a percentage can be taken of: sums of money that are told apart by all ``splits``."""
    return {
        name: kpi
        for name, kpi in edition.all(Kpi).items()
        if kpi.unit is Measure.MONEY
        and is_sum(edition, kpi)
        and set(splits) <= set(split_names(edition, kpi))
    }


def _formula_problem(edition: Edition, formula: str) -> dict[str, list[Message]]:
    if not formula.strip():
        return {"formula": [_("This field needs a value")]}
    try:
        names = {kpi_in(name) for name in compiled(formula)[1]}
    except FormulaInvalid as error:
        return {"formula": [str(error)]}
    unknown = sorted(names - edition.all(Kpi).keys())
    if unknown:
        return {"formula": [_("There is no KPI “%(name)s” for the formula", name=unknown[0])]}
    return {}


def _rule_problem(edition: Edition, entity: type[Entity], rule: Any, name: str) -> dict[str, list[Message]]:
    try:
        parse(rule, edition.entity(entity.__entity__.name), edition)
    except RuleInvalid as error:
        return {name: [str(error)]}
    return {}


def scheme_row(session: Session, scheme: int) -> BonusScheme:
    """A scheme as it is in the database."""
    return session.get_one(BonusScheme, scheme, populate_existing=True)
