"""The answers of the KPI engine, and their JSON form (the same in the command line and in REST)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from trellis.contributions import Kpi, Unit
from trellis.kpi.periods import Period
from trellis.kpi.reported import Recounted, Reported
from trellis.records.types import Money

Value = Decimal | float | int

_QUANTUM = Decimal("0.0001")


def number(unit: Unit, raw: Any) -> Value | None:
    """What the database gave as a value of ``unit``: money is exact, counts are whole, all else is a float."""
    if raw is None:
        return None
    if unit is Unit.MONEY:
        return Decimal(str(raw)).quantize(_QUANTUM, ROUND_HALF_UP)
    if unit is Unit.COUNT and raw == int(raw):
        return int(raw)
    found = float(raw)
    return found if math.isfinite(found) else None


def number_json(unit: Unit, value: Value | None) -> Any:
    """A value as JSON: money as a decimal string."""
    return Money().to_json(Decimal(str(value))) if unit is Unit.MONEY and value is not None else value


@dataclass(frozen=True, kw_only=True)
class Share:
    """One row of a breakdown. ``key`` is None for records without a value."""

    key: Any
    title: str
    value: Value | None
    target: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Point:
    """A KPI in one period of a series. ``recounted`` says where counting anew gives another value than was reported."""

    period: Period
    value: Value | None
    target: Value | None = None
    recounted: Recounted | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """A row of a breakdown over several periods."""

    key: Any
    title: str
    points: Sequence[Point]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a running period will come to: ``value``, and between which bounds in four of five cases.

    ``periods`` is from how many past periods that is known.
    """

    value: Value
    low: Value
    high: Value
    periods: int

    def to_json(self, unit: Unit) -> dict[str, Any]:
        """The forecast in an answer."""
        values = {name: number_json(unit, getattr(self, name)) for name in ("value", "low", "high")}
        return {**values, "periods": self.periods}


@dataclass(frozen=True, kw_only=True)
class KpiResult:
    """A KPI in a period.

    ``previous`` is the value of the period before, ``year_before`` of the same one a year earlier; while the period still
    runs (``partial``), of as many of their first days. ``forecast`` is what a running period will come to. ``foreign`` is how many records were left out because they are in another currency without a
    rate. ``reported`` is what was reported of a closed period, for readers who see everything. ``entity`` and ``rule``
    list the records behind the figure. ``points`` are the last periods up to this one, where they were asked for.
    """

    kpi: Kpi
    period: Period
    value: Value | None
    previous: Value | None
    year_before: Value | None = None
    forecast: Forecast | None = None
    target: Value | None = None
    currency: str = ""
    partial: bool = False
    by: str | None = None
    breakdown: Sequence[Share] = ()
    points: Sequence[Point] = ()
    foreign: int = 0
    reported: Reported | None = None
    entity: str | None = None
    rule: Mapping[str, Any] | None = None

    @property
    def deviation(self) -> Value | None:
        """Fact minus plan, in the unit of the KPI."""
        return None if self.value is None or self.target is None else self.value - self.target  # type: ignore[operator]

    @property
    def attainment(self) -> float | None:
        """Fact through plan."""
        return _quotient(self.value, self.target)

    @property
    def growth(self) -> float | None:
        """By how much it differs from the period before, as a ratio."""
        quotient = _quotient(self.value, self.previous)
        return None if quotient is None else quotient - 1

    @property
    def on_plan(self) -> bool | None:
        """Whether the plan is met, of a running period by its forecast where there is one; None without a plan."""
        reached = self.forecast.value if self.forecast else self.value
        if reached is None or self.target is None:
            return None
        gap = float(reached) - float(self.target)
        return gap == 0 or (gap > 0) is self.kpi.higher_is_better

    def to_json(self) -> dict[str, Any]:
        """The answer of ``kpi W NAME`` and ``GET /kpis/{name}``."""
        unit = self.kpi.unit
        answer: dict[str, Any] = {
            "kpi": self.kpi.name,
            "title": str(self.kpi.title),
            "plugin": self.kpi.owner,
            "unit": unit.value,
            "currency": self.currency or None,
            "period": self.period.code,
            "partial": self.partial,
            "value": number_json(unit, self.value),
            "target": number_json(unit, self.target),
            "deviation": number_json(unit, self.deviation),
            "attainment": self.attainment,
            "on_plan": self.on_plan,
            "previous": number_json(unit, self.previous),
            "growth": self.growth,
            "year_before": number_json(unit, self.year_before),
            "forecast": self.forecast.to_json(unit) if self.forecast else None,
            "breakdown": [_share_json(unit, share) for share in self.breakdown],
            "formula": str(self.kpi.formula) if self.kpi.formula else None,
            "other_currencies": self.foreign,
            "reported": _reported_json(unit, self.reported),
        }
        if self.points:
            answer["series"] = [_point_json(unit, point) for point in self.points]
        if self.entity:
            answer |= {"entity": self.entity, "rule": self.rule}
        return answer


def _quotient(value: Value | None, base: Value | None) -> float | None:
    return None if value is None or not base else float(value) / float(base)


def _share_json(unit: Unit, share: Share) -> dict[str, Any]:
    row = {"key": share.key, "title": share.title, "value": number_json(unit, share.value)}
    return row if share.target is None else row | {"target": number_json(unit, share.target)}


def _reported_json(unit: Unit, kept: Reported | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    told = kept.recounted
    return {
        "value": number_json(unit, kept.value),
        "at": kept.at.isoformat().replace("+00:00", "Z"),
        "by": kept.by or None,
        "differs_since": told.at.isoformat().replace("+00:00", "Z") if told else None,
    }


def _point_json(unit: Unit, point: Point) -> dict[str, Any]:
    values = {"value": number_json(unit, point.value), "target": number_json(unit, point.target)}
    return {"period": point.period.code, **values}
