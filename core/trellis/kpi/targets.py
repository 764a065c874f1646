"""Targets: the planned value of a KPI in a period, for all, for a unit or for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.contributions import Kpi
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.kpi.catalogue import find
from trellis.kpi.periods import Period
from trellis.records.entity import Base
from trellis.records.types import BigId, FixedPoint

_ = translator("trellis")


class KpiTarget(Base):
    """A planned value. Without unit and person it is the plan of the whole workspace."""

    __tablename__ = "kpi_target"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kpi: Mapped[str] = mapped_column(sa.String(160))
    period: Mapped[str] = mapped_column(sa.String(10))
    unit_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("unit.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("user.id", ondelete="CASCADE"))
    value: Mapped[Decimal] = mapped_column(FixedPoint())

    __table_args__ = (sa.Index("ix_kpi_target_kpi_period", "kpi", "period"),)


_TARGET = cast(sa.Table, KpiTarget.__table__)


@dataclass(frozen=True)
class Targets:
    """The targets of some KPIs in some periods, by (kpi, period, unit, person)."""

    values: dict[tuple[str, str, int | None, int | None], Decimal]

    def of(
        self, kpi: Kpi, period: Period, *, unit: int | None = None, person: int | None = None
    ) -> Decimal | None:
        """One target, or None."""
        return self.values.get((kpi.name, period.code, unit, person))


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
    table = _TARGET.c
    same = [table.kpi == kpi, table.period == period.code]
    for column, given in ((table.unit_id, unit), (table.person_id, person)):
        same.append(column.is_(None) if given is None else column == given)
    session.execute(sa.delete(_TARGET).where(*same))
    if value is not None:
        row = {"kpi": kpi, "period": period.code, "unit_id": unit, "person_id": person, "value": value}
        session.execute(sa.insert(_TARGET).values(**row))


def targets(session: Session, kpis: Sequence[Kpi], periods: Sequence[Period]) -> Targets:
    """All targets of these KPIs in these periods, in one query."""
    table = _TARGET.c
    query = sa.select(table.kpi, table.period, table.unit_id, table.person_id, table.value).where(
        table.kpi.in_([kpi.name for kpi in kpis]), table.period.in_([period.code for period in periods])
    )
    return Targets({(row[0], row[1], row[2], row[3]): row[4] for row in session.execute(query)})
