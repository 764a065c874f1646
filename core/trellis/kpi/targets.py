"""Targets: the planned value of a KPI in a period, for all, for a unit or for a person, of all goods or of some.

A target is a record like any other, so that import, REST, audit, rights and undo are those of records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from trellis.contributions import Kpi, Scope
from trellis.edition import Edition
from trellis.errors import Message, RecordInvalid, TrellisError
from trellis.i18n import translator
from trellis.kpi.behind import entity_of
from trellis.kpi.catalogue import KpiNotFound, find
from trellis.kpi.composite import leaves
from trellis.kpi.periods import Grain, Period, PeriodInvalid, parse
from trellis.kpi.splits import PERSON, UNIT, split_names, split_of
from trellis.kpi.sums import is_sum
from trellis.kpi.words import exact_figure
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.events import BeforeSave, Taken
from trellis.records.mass import noted
from trellis.records.types import Decimal as Number
from trellis.records.types import Reference, Text
from trellis.security.actor import SYSTEM, Actor

_ = translator("trellis")

TARGET = "kpi_target"


def _planned_already(other: Taken) -> Message:
    """What is planned is told to whom may see it."""
    if not {"kpi", "value"} <= other.values.keys():
        return _("This is planned already")
    if other.in_bin:
        return _("A target for this is in the recycle bin; restore it and change its value")
    if other.values["value"] is None:
        return _("There is a target for this already, without a value; change that one")
    kpi = find(other.edition, other.values["kpi"])
    value = exact_figure(kpi, other.values["value"], other.edition.settings.currency)
    return _("This is planned already: %(value)s; change that target instead", value=value)


class KpiTarget(Entity):
    """A planned value. Without unit and person it is the plan of the whole workspace; without a value there is none.

    With a category or a product it is the part of that plan that these goods make.

    ``key`` says what is planned (``revenue/2026-10/unit-3``) and is unique: import and batches update by it.
    """

    __tablename__ = TARGET
    __entity__ = EntityInfo(
        name=TARGET,
        title=_("KPI target"),
        plural=_("Targets"),
        about=_(
            "Targets say what a KPI is to come to in a period. They are typed in the grid of "
            "targets, or imported"
        ),
        new=_("New target"),
        icon="target",
        direction="management",
        level="tactics",
        row="MG6",
        title_field="kpi",
        subtitle_field="period",
        line_fields=("of_unit", "person", "category", "product", "value"),
        sort="key",
        told_apart_by=("kpi", "period", "of_unit", "person", "category", "product"),
    )

    kpi: Mapped[str] = column(Text(160, names="kpi"), label=_("KPI"), required=True, in_list=True)
    period: Mapped[str] = column(
        Text(10, names="period"),
        label=_("Period"),
        required=True,
        in_list=True,
        help=_("2026, 2026-Q3, 2026-10 or 2026-W41"),
    )
    of_unit_id: Mapped[int | None] = column(
        Reference("unit", "CASCADE"), label=_("Planned for the unit"), in_list=True
    )
    person_id: Mapped[int | None] = column(
        Reference("user", "CASCADE"), label=_("Planned for the person"), in_list=True
    )
    category_id: Mapped[int | None] = column(
        Reference("category", "CASCADE"), label=_("Planned for the category"), in_list=True
    )
    product_id: Mapped[int | None] = column(
        Reference("product", "CASCADE"), label=_("Planned for the product"), in_list=True
    )
    value: Mapped[Decimal | None] = column(
        Number(kpi="kpi"), label=_("Planned value"), in_list=True, help=_("Percent as a ratio: 0.25 is 25 %")
    )
    key: Mapped[str | None] = column(
        Text(220),
        label=_("Import key"),
        unique=True,
        taken=_planned_already,
        help=_("What is planned; made from KPI, period and whom it is for"),
    )

    __table_args__ = (sa.Index("ix_kpi_target_kpi_period", "kpi", "period"),)


_TARGET = cast(sa.Table, KpiTarget.__table__)
DIMENSIONS: Mapping[str, str] = {
    UNIT: "unit",
    PERSON: "user",
    "category": "category",
    "product": "product",
}
"""What a plan can be handed down to: the breakdown of a KPI, and the entity that its keys are ids of."""
_PARTS = {Grain.YEAR: Grain.QUARTER, Grain.QUARTER: Grain.MONTH}
PLANNED = (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a target is of."""

    kpi: str
    period: str
    unit: int | None = None
    person: int | None = None
    category: int | None = None
    product: int | None = None

    @property
    def key(self) -> str:
        """The key of its record."""
        given = ((name, getattr(self, name)) for name in DIMENSIONS)
        parts = "".join(f"/{name}-{number}" for name, number in given if number is not None)
        return f"{self.kpi}/{self.period}{parts}"

    @property
    def of_goods(self) -> bool:
        """Whether it is the part of a plan that some goods make."""
        return self.category is not None or self.product is not None

    @property
    def values(self) -> dict[str, Any]:
        """Its fields."""
        goods = {"category": self.category, "product": self.product}
        return {
            "kpi": self.kpi,
            "period": self.period,
            "of_unit": self.unit,
            "person": self.person,
            **{name: number for name, number in goods.items() if number is not None},
        }


@dataclass(frozen=True)
class Targets:
    """The targets of some KPIs in some periods.

    ``head`` is the unit that figures are limited to, where they are; ``whose`` is, by KPI, the unit or person whose plan
    the figure of a reader who sees no more is held against. Of ``sums`` the plan of a year or quarter that has none of
    its own is that of its quarters or months together.
    """

    values: Mapping[Planned, Decimal]
    head: int | None = None
    whose: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sums: frozenset[str] = frozenset()

    def of(
        self,
        kpi: Kpi,
        period: Period,
        *,
        unit: int | None = None,
        person: int | None = None,
        category: int | None = None,
        product: int | None = None,
    ) -> Decimal | None:
        """One target, or None; without unit and person that of the whole."""
        whom = {"unit": unit, "person": person, "category": category, "product": product}
        if unit is None and person is None:
            whom |= {"unit": self.head} if self.head is not None else self.whose.get(kpi.name, {})
        own = self.values.get(Planned(kpi=kpi.name, period=period.code, **whom))
        if own is not None or kpi.name not in self.sums or period.grain not in _PARTS:
            return own
        parts = [self.of(kpi, one, **whom) for one in period.split(_PARTS[period.grain])]
        given = [part for part in parts if part is not None]
        return sum(given, Decimal(0)) if len(given) == len(parts) else None


def plannable(edition: Edition, kpi: Kpi) -> list[str]:
    """Those of ``DIMENSIONS`` that a KPI can be broken down by, and so planned by."""
    known = split_names(edition, kpi)
    return [
        by
        for by, entity in DIMENSIONS.items()
        if by in known and split_of(edition, kpi, by).reference == entity
    ]


def complete(event: BeforeSave) -> None:
    """Checks a target that is about to be written, and gives it its key."""
    if event.action not in ("created", "updated"):
        return
    values = {**event.before, **event.values}
    errors: dict[str, Sequence[Message]] = {}
    try:
        _check_goods(event.edition, find(event.edition, values.get("kpi") or ""), values, errors)
    except KpiNotFound as error:
        errors["kpi"] = [str(error)]
    try:
        period = parse(values.get("period") or "", event.edition.settings.fiscal_month)
        if period.grain not in PLANNED:
            raise PeriodInvalid(values["period"])
        event.values["period"] = period.code
    except PeriodInvalid as error:
        errors["period"] = [str(error)]
    if values.get("of_unit") is not None and values.get("person") is not None:
        errors["person"] = [_("A target is for a unit or for a person, not for both")]
    if errors:
        raise RecordInvalid(errors)
    whom = {name: values.get(name) for name in ("person", "category", "product")}
    planned = Planned(kpi=values["kpi"], period=period.code, unit=values.get("of_unit"), **whom)
    event.values["key"] = planned.key


def _check_goods(
    edition: Edition, kpi: Kpi, values: Mapping[str, Any], errors: dict[str, Sequence[Message]]
) -> None:
    """Notes a category or product that the KPI does not tell apart, and both at once."""
    given = [name for name in ("category", "product") if values.get(name) is not None]
    if len(given) > 1:
        errors["product"] = [_("A target is for a category or for a product, not for both")]
    for name in given:
        if name not in plannable(edition, kpi):
            text = _("%(kpi)s is not counted by category or product", kpi=kpi.title)
            errors[name] = [text]


def save(records: Records, wanted: Mapping[Planned, Decimal | None]) -> int | None:
    """Plans values through the door; None withdraws a plan. Returns what the act can be undone by (records.undoing).

    Raises BatchInvalid by the order of ``wanted``, with nothing written.
    """
    with records.whole():
        ids = _places(records, wanted)
        writes = [
            Write(id=ids[planned.key], values={"value": value})
            for planned, value in wanted.items()
            if planned.key in ids
        ]
        with noted(records, TARGET, "update") as acts:
            if writes:
                records.save(TARGET, writes)
    return acts[0] if acts else None


def _places(records: Records, wanted: Mapping[Planned, Decimal | None]) -> dict[str, int]:
    """The records that hold these targets, by key; made, or taken out of the bin, where there is a value to hold."""
    seen = records.actor.visible(KpiTarget)  # what is out of sight is refused when it is made anew
    query = sa.select(_TARGET.c.id, _TARGET.c.key, _TARGET.c.deleted_at).where(seen)
    keys = [planned.key for planned in wanted]
    rows = records.session.execute(query.where(_TARGET.c.key.in_(keys))).all()
    binned = {row.key: row.id for row in rows if row.deleted_at is not None}
    ids = {row.key: row.id for row in rows if row.deleted_at is None}
    back = [planned.key for planned, value in wanted.items() if planned.key in binned and value is not None]
    if back:
        records.restore_many(TARGET, [binned[key] for key in back])
    new = [
        planned
        for planned, value in wanted.items()
        if value is not None and planned.key not in {*ids, *binned}
    ]
    made = _made(records, list(wanted), new) if new else []
    found = zip([planned.key for planned in new], made, strict=True)
    return {**ids, **{key: binned[key] for key in back}, **dict(found)}


def _made(records: Records, wanted: Sequence[Planned], new: Sequence[Planned]) -> list[int]:
    """New records without a value. BatchInvalid counts in ``wanted``."""
    try:
        return records.save(TARGET, [Write(values=planned.values) for planned in new])
    except BatchInvalid as error:
        places = {wanted.index(new[index]): one for index, one in error.failures.items()}
        raise BatchInvalid(places) from None


def set_target(
    session: Session,
    edition: Edition,
    kpi: str,
    period: Period,
    value: Decimal | None,
    *,
    unit: int | None = None,
    person: int | None = None,
) -> None:
    """Plans ``value`` for a KPI; None withdraws the plan. At most one of ``unit`` and ``person`` is given."""
    find(edition, kpi)
    if unit is not None and person is not None:
        raise TrellisError(_("A target is for a unit or for a person, not for both"))
    planned = Planned(kpi=kpi, period=period.code, unit=unit, person=person)
    save(Records(session, edition, SYSTEM), {planned: value})


def targets(
    session: Session,
    edition: Edition,
    kpis: Sequence[Kpi],
    periods: Sequence[Period],
    actor: Actor = SYSTEM,
) -> Targets:
    """The targets of these KPIs in these periods that ``actor`` may see, in one query.

    For an actor limited to a branch of units the whole is the unit at its head. A year or quarter of a sum is planned by
    its months where it has no target of its own.
    """
    table = _TARGET.c
    query = sa.select(
        table.kpi,
        table.period,
        table.of_unit_id,
        table.person_id,
        table.category_id,
        table.product_id,
        table.value,
    ).where(
        table.kpi.in_([kpi.name for kpi in kpis]),
        table.period.in_([period.code for period in _with_parts(periods)]),
        table.value.is_not(None),
        table.deleted_at.is_(None),
        replace(actor, within=()).visible(KpiTarget),  # plans are not records of a branch
    )
    return Targets(
        {
            Planned(
                kpi=row.kpi,
                period=row.period,
                unit=row.of_unit_id,
                person=row.person_id,
                category=row.category_id,
                product=row.product_id,
            ): row.value
            for row in session.execute(query)
        },
        actor.within[0] if actor.within else None,
        sums=frozenset(kpi.name for kpi in kpis if is_sum(edition, kpi)),
    )


def _with_parts(periods: Sequence[Period]) -> list[Period]:
    """The periods, and the quarters and months that stand in for their targets."""
    wanted = dict.fromkeys(periods)
    for period in periods:
        quarters = period.split(_PARTS[period.grain]) if period.grain in _PARTS else []
        wanted |= dict.fromkeys(quarters)
        wanted |= dict.fromkeys(period.split(Grain.MONTH) if quarters else [])
    return list(wanted)


def held_against(
    session: Session, edition: Edition, kpis: Sequence[Kpi], periods: Sequence[Period], actor: Actor
) -> Targets:
    """The targets that the figures of a reader are held against, in one query.

    Who sees the records of a unit, or own ones alone, is held against the plan of that unit or of oneself, and not against
    that of the whole.
    """
    return replace(
        targets(session, edition, kpis, periods, actor),
        whose={kpi.name: _whose(edition, kpi, actor) for kpi in kpis},
    )


def _whose(edition: Edition, kpi: Kpi, actor: Actor) -> Mapping[str, int]:
    """Whose plan a figure that counts only what ``actor`` may see is held against; nothing for that of the whole."""
    entities = {entity_of(one) or "*" for one in leaves(edition, kpi)}
    scopes = {actor.scope(entity, "read") for entity in entities}
    if scopes <= {Scope.ALL} or actor.user_id is None:
        return {}
    if Scope.UNIT in scopes and actor.units:
        return {UNIT: actor.units[0]}
    return {PERSON: actor.user_id}
