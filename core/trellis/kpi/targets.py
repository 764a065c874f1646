"""Targets: the planned value of a KPI in a period, for all, for a unit or for a person.

A target is a record like any other, so that import, REST, audit, rights and undo are those of records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from trellis.contributions import Kpi
from trellis.edition import Edition
from trellis.errors import Message, RecordInvalid, TrellisError
from trellis.i18n import translator
from trellis.kpi.catalogue import KpiNotFound, find
from trellis.kpi.periods import Grain, Period, PeriodInvalid, parse
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.events import BeforeSave
from trellis.records.mass import noted
from trellis.records.types import Decimal as Number
from trellis.records.types import Reference, Text
from trellis.security.actor import SYSTEM, Actor

_ = translator("trellis")

TARGET = "kpi_target"


class KpiTarget(Entity):
    """A planned value. Without unit and person it is the plan of the whole workspace; without a value there is none.

    ``key`` says what is planned (``revenue/2026-10/unit-3``) and is unique: import and batches update by it.
    """

    __tablename__ = TARGET
    __entity__ = EntityInfo(
        name=TARGET,
        title=_("KPI target"),
        plural=_("Targets"),
        new=_("New target"),
        icon="target",
        direction="management",
        level="tactics",
        row="MG6",
        title_field="key",
        sort="key",
    )

    kpi: Mapped[str] = column(
        Text(160), label=_("KPI"), required=True, in_list=True, help=_("The name of the KPI: revenue")
    )
    period: Mapped[str] = column(
        Text(10), label=_("Period"), required=True, in_list=True, help=_("2026, 2026-Q3, 2026-10 or 2026-W41")
    )
    of_unit_id: Mapped[int | None] = column(
        Reference("unit", "CASCADE"), label=_("Planned for the unit"), in_list=True
    )
    person_id: Mapped[int | None] = column(
        Reference("user", "CASCADE"), label=_("Planned for the person"), in_list=True
    )
    value: Mapped[Decimal | None] = column(
        Number(), label=_("Planned value"), in_list=True, help=_("Percent as a ratio: 0.25 is 25 %")
    )
    key: Mapped[str | None] = column(
        Text(220),
        label=_("Import key"),
        unique=True,
        help=_("What is planned; made from KPI, period and whom it is for"),
    )

    __table_args__ = (sa.Index("ix_kpi_target_kpi_period", "kpi", "period"),)


_TARGET = cast(sa.Table, KpiTarget.__table__)
PLANNED = (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a target is of."""

    kpi: str
    period: str
    unit: int | None = None
    person: int | None = None

    @property
    def key(self) -> str:
        """The key of its record."""
        whom = f"/unit-{self.unit}" if self.unit is not None else ""
        whom += f"/person-{self.person}" if self.person is not None else ""
        return f"{self.kpi}/{self.period}{whom}"

    @property
    def values(self) -> dict[str, Any]:
        """Its fields."""
        return {"kpi": self.kpi, "period": self.period, "of_unit": self.unit, "person": self.person}


@dataclass(frozen=True)
class Targets:
    """The targets of some KPIs in some periods. ``head`` is the unit that figures are limited to, where they are."""

    values: Mapping[Planned, Decimal]
    head: int | None = None

    def of(
        self, kpi: Kpi, period: Period, *, unit: int | None = None, person: int | None = None
    ) -> Decimal | None:
        """One target, or None; without unit and person that of the whole."""
        if unit is None and person is None:
            unit = self.head
        return self.values.get(Planned(kpi=kpi.name, period=period.code, unit=unit, person=person))

    def whole(self, kpi: Kpi, period: Period, parts: Sequence[Period], **whom: int | None) -> Decimal | None:
        """The target of a period: its own, or those of its ``parts`` together where each of them has one."""
        own = self.of(kpi, period, **whom)
        values = [part for one in parts if (part := self.of(kpi, one, **whom)) is not None]
        if own is not None or len(values) < len(parts):
            return own
        return sum(values, Decimal(0))


def complete(event: BeforeSave) -> None:
    """Checks a target that is about to be written, and gives it its key."""
    if event.action not in ("created", "updated"):
        return
    values = {**event.before, **event.values}
    errors: dict[str, Sequence[Message]] = {}
    try:
        find(event.edition, values.get("kpi") or "")
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
    planned = Planned(
        kpi=values["kpi"], period=period.code, unit=values.get("of_unit"), person=values.get("person")
    )
    event.values["key"] = planned.key


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
    query = sa.select(_TARGET.c.id, _TARGET.c.key, _TARGET.c.deleted_at)
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
    session: Session, kpis: Sequence[Kpi], periods: Sequence[Period], actor: Actor = SYSTEM
) -> Targets:
    """The targets of these KPIs in these periods that ``actor`` may see, in one query.

    For an actor limited to a branch of units the whole is the unit at its head.
    """
    table = _TARGET.c
    query = sa.select(table.kpi, table.period, table.of_unit_id, table.person_id, table.value).where(
        table.kpi.in_([kpi.name for kpi in kpis]),
        table.period.in_([period.code for period in periods]),
        table.value.is_not(None),
        table.deleted_at.is_(None),
        replace(actor, within=()).visible(KpiTarget),  # plans are not records of a branch
    )
    return Targets(
        {
            Planned(kpi=row.kpi, period=row.period, unit=row.of_unit_id, person=row.person_id): row.value
            for row in session.execute(query)
        },
        actor.within[0] if actor.within else None,
    )
