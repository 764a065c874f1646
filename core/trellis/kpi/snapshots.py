"""Snapshots: what was reported of a closed period stays, and a figure that counts otherwise later is shown, not slipped in.

The table only grows. A period is ``reported`` when it has closed; each night closed periods are counted anew, and one that
differs from what was last known, or is the first of a unit or person in it, is added as ``recounted``; whoever may plan for all may accept it, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isclose
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.contributions import Kpi, Scope
from trellis.edition import Edition
from trellis.errors import Conflict, PermissionRefused
from trellis.i18n import translator
from trellis.kpi.measuring import Ask, measure_all, measure_parts, measured
from trellis.kpi.periods import Grain, Period, containing, today_in
from trellis.kpi.reported import Kept, Recounted, Reported, Value
from trellis.kpi.results import number
from trellis.kpi.splits import PERSON, UNIT, split_names, split_of
from trellis.kpi.targets import TARGET
from trellis.plugins import noted_faults
from trellis.records.entity import Base
from trellis.records.types import BigId, UtcDateTime
from trellis.security.actor import SYSTEM, Actor

_ = translator("trellis")

REPORTED, RECOUNTED, ACCEPTED = "reported", "recounted", "accepted"
HISTORY: Mapping[Grain, int] = {Grain.WEEK: 27, Grain.MONTH: 25, Grain.QUARTER: 9, Grain.YEAR: 5}
"""How many closed periods are kept from the start, and counted anew each night."""
_AT_ONCE = 5_000


class KpiSnapshot(Base):
    """A KPI in a closed period, as it was counted ``at`` a moment: of all, of a unit or of a person.

    ``value`` is the exact number as text, empty where there was not enough data. ``version`` is that of the KPI's definition.
    """

    __tablename__ = "kpi_snapshot"
    __table_args__ = (sa.Index("ix_kpi_snapshot_period", "period", "kpi", "unit_id", "person_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kpi: Mapped[str] = mapped_column(sa.String(160))
    period: Mapped[str] = mapped_column(sa.String(10))
    unit_id: Mapped[int | None] = mapped_column(BigId)
    person_id: Mapped[int | None] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(sa.String(12))
    value: Mapped[str | None] = mapped_column(sa.String(60))
    version: Mapped[int] = mapped_column(sa.Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(sa.String(200), default="")


_SNAPSHOT = cast(sa.Table, KpiSnapshot.__table__)
_Place = tuple[str, str, int | None, int | None]
"""(KPI, period, unit, person)."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a round did: how many figures were reported for the first time, and how many were counted otherwise."""

    reported: int
    recounted: int


def kept(session: Session, kpis: Sequence[Kpi], periods: Sequence[Period], today: date) -> Kept:
    """What was reported of these KPIs in those of the periods that have closed, in one query."""
    found = _read(session, kpis, _closed(periods, today), whole=True)
    return Kept({(place[0], place[1]): one for place, one in found.items()})


def kept_parts(
    session: Session, kpi: Kpi, periods: Sequence[Period], by: str, today: date
) -> dict[tuple[int, str], Reported]:
    """What was reported of a KPI for each unit or person, by id and code of the closed period; of others nothing is kept."""
    if by not in (UNIT, PERSON):
        return {}
    found = _read(session, [kpi], _closed(periods, today), whole=False)
    which = 2 if by == UNIT else 3
    keyed = ((cast(int | None, place[which]), place[1], one) for place, one in found.items())
    return {(key, code): one for key, code, one in keyed if key is not None}


def _closed(periods: Sequence[Period], today: date) -> list[str]:
    """The codes of those that have closed and are whole."""
    return [period.code for period in periods if period.end <= today and period == period.shifted(0)]


def _read(
    session: Session, kpis: Sequence[Kpi], codes: Sequence[str], *, whole: bool
) -> dict[_Place, Reported]:
    by_name = {kpi.name: kpi for kpi in kpis}
    columns = _SNAPSHOT.c
    query = sa.select(_SNAPSHOT).where(columns.period.in_(codes), columns.kpi.in_(by_name))
    if whole:
        query = query.where(columns.unit_id.is_(None), columns.person_id.is_(None))
    found: dict[_Place, Reported] = {}
    for row in session.execute(query.order_by(columns.id)):
        place = (row.kpi, row.period, row.unit_id, row.person_id)
        found[place] = _after(found.get(place), by_name[row.kpi], row)
    return found


def _after(before: Reported | None, kpi: Kpi, row: Any) -> Reported:
    """What is reported after one more row of a figure."""
    value = number(kpi.unit, row.value if row.value is None else Decimal(row.value))
    if row.kind != RECOUNTED:
        return Reported(value=value, at=row.at, by=row.by)
    before = before or Reported(value=None, at=row.at)  # a part of which there was nothing to report
    if same(before.value, value):
        return Reported(value=before.value, at=before.at, by=before.by)
    other = row.version if row.version != kpi.version else None
    told = Recounted(reported=before.value, value=value, at=row.at, version=other)
    return Reported(value=before.value, at=before.at, by=before.by, recounted=told)


def same(one: Value | None, other: Value | None) -> bool:
    """Whether two figures are equal, but for the last digits of a float."""
    if one is None or other is None:
        return one is other
    return one == other or isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-12)


def closed_periods(edition: Edition, today: date, grains: Iterable[Grain] = HISTORY) -> list[list[Period]]:
    """The closed periods that are kept, by grain, the oldest first."""
    month = edition.settings.fiscal_month
    return [containing(today, grain, month).previous.until(HISTORY[grain]) for grain in grains]


def take(
    session: Session,
    edition: Edition,
    today: date | None = None,
    kpis: Sequence[Kpi] | None = None,
    periods: Sequence[Sequence[Period]] | None = None,
) -> Taken:
    """Counts closed periods and adds what is new: figures never reported, and those that count otherwise than was known."""
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    _lock(session)
    rows: list[dict[str, Any]] = []
    now = datetime.now(UTC)
    for kpi in kpis if kpis is not None else list(edition.all(Kpi).values()):
        for stretch in periods if periods is not None else closed_periods(edition, today):
            known = _read(session, [kpi], [one.code for one in stretch], whole=False)
            nothing: dict[_Place, Value | None] = dict.fromkeys(known)  # a unit whose records have all gone
            counted = nothing | _count(session, edition, kpi, stretch, today)
            for place, value in counted.items():
                kind = _kind(place, value, known)
                if kind is not None:
                    rows.append(_row(place, kpi, value, kind, now))
    for start in range(0, len(rows), _AT_ONCE):
        session.execute(sa.insert(_SNAPSHOT), rows[start : start + _AT_ONCE])
    reported = sum(row["kind"] == REPORTED for row in rows)
    return Taken(reported=reported, recounted=len(rows) - reported)


def _kind(place: _Place, value: Value | None, known: Mapping[_Place, Reported]) -> str | None:
    """What a figure that was counted now is beside what is known; None where it tells nothing new.

    A unit or person with first figures in a period whose whole was reported before counts otherwise: nothing was reported.
    """
    if place in known:
        return None if same(_last(known[place]), value) else RECOUNTED
    if (*place[:2], None, None) not in known:
        return REPORTED
    return RECOUNTED if value else None


def _last(known: Reported) -> Value | None:
    return known.recounted.value if known.recounted else known.value


def _count(
    session: Session, edition: Edition, kpi: Kpi, periods: Sequence[Period], today: date
) -> dict[_Place, Value | None]:
    """A KPI in some periods now: of all, of units and of people."""
    ask = Ask(kpi, tuple(periods))
    (rows,) = measure_all(session, edition, SYSTEM, [ask], today)
    for fault in noted_faults(
        session
    ):  # what a formula comes to without one of its parts is no figure to keep
        raise fault.error()
    found: dict[_Place, Value | None] = {
        (kpi.name, period.code, None, None): measured(kpi, rows, index)
        for index, period in enumerate(periods)
    }
    for by in (UNIT, PERSON):
        if by not in split_names(edition, kpi):
            continue
        split = split_of(edition, kpi, by)
        parts = measure_parts(session, edition, SYSTEM, kpi, periods, today, split)
        for key, (_title, values) in parts.items():
            if key is None:
                continue
            for index, raw in values.items():
                whose = (key, None) if by == UNIT else (None, key)
                found[kpi.name, periods[index].code, *whose] = number(kpi.unit, raw)
    return found


def _row(
    place: _Place, kpi: Kpi, value: Value | None, kind: str, at: datetime, by: str = ""
) -> dict[str, Any]:
    name, period, unit, person = place
    text = None if value is None else str(value)
    stamp = {"kind": kind, "value": text, "version": kpi.version, "at": at, "by": by}
    return {"kpi": name, "period": period, "unit_id": unit, "person_id": person, **stamp}


def may_accept(actor: Actor) -> bool:
    """Whether the actor may put a figure that was counted anew in the place of the reported one."""
    return actor.sees_everything and actor.scope(TARGET, "update") is Scope.ALL


def accept(session: Session, actor: Actor, kpi: Kpi, period: Period) -> int:
    """Reports what a period counts now, in the actor's name; how many figures that were, with those of units and people.

    Raises PermissionRefused, and Conflict where nothing differs.
    """
    if not may_accept(actor):
        raise PermissionRefused()
    now = datetime.now(UTC)
    rows = [
        _row(place, kpi, one.recounted.value, ACCEPTED, now, actor.name)
        for place, one in _read(session, [kpi], [period.code], whole=False).items()
        if one.recounted is not None
    ]
    if not rows:
        raise Conflict(
            _("%(kpi)s counts in %(period)s as it was reported", kpi=kpi.title, period=period.label)
        )
    session.execute(sa.insert(_SNAPSHOT), rows)
    return len(rows)


def _lock(session: Session) -> None:
    """One round at a time; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            sa.text("SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext('kpi_snapshot'))")
        )
