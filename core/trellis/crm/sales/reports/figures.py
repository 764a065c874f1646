"""Reports on KPIs: each KPI in each of the last periods, broken down where that is wished, with plan and deviation."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as Number
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from trellis.contributions import Kpi, Unit
from trellis.crm.sales.reports.definition import Definition
from trellis.crm.sales.reports.lines import ROW, Line
from trellis.edition import Edition
from trellis.i18n import currency_symbol, translator
from trellis.kpi import engine
from trellis.kpi.catalogue import find
from trellis.kpi.periods import Grain, Period, containing, today_in
from trellis.kpi.results import Part, Point
from trellis.kpi.splits import LABELS, split_of
from trellis.records.entity import Field
from trellis.records.grouping import Grouping
from trellis.records.types import Decimal, Text
from trellis.security.actor import Actor

_ = translator("trellis")

_UNITS = {
    Unit.PERCENT: _("%"),
    Unit.DAYS: _("days"),
    Unit.HOURS: _("hours"),
    Unit.POINTS: _("points"),
}
_KPI, _PERIOD, _PART, _UNIT = "kpi", "period", "part", "unit"
_NUMBERS = {
    "value": _("Fact"),
    "target": _("Plan"),
    "deviation": _("Deviation"),
    "attainment": _("Attainment, %"),
}


class FigureLines:
    """A report on KPIs as one person sees it. Raises KpiNotFound, SplitUnknown."""

    grouping: Grouping | None = None
    totalled: list[Field]

    def __init__(self, session: Session, edition: Edition, actor: Actor, definition: Definition) -> None:
        self._session, self._edition, self._actor = session, edition, actor
        self._definition = definition
        self.kpis: list[Kpi] = [find(edition, name) for name in definition.kpis]
        self.totalled = []
        self.fields = list(self._columns())

    @property
    def periods(self) -> list[Period]:
        """The periods, the last of which is the running one where that is wished."""
        settings, definition = self._edition.settings, self._definition
        today = today_in(ZoneInfo(settings.timezone))
        present = containing(today, Grain(definition.grain), settings.fiscal_month)
        return (present if definition.running else present.previous).until(definition.periods)

    def __iter__(self) -> Iterator[Line]:
        for kpi in self.kpis:
            for part in self._parts(kpi):
                for point in part.points:
                    yield Line(ROW, self._cells(kpi, part, point))

    def _columns(self) -> Iterator[Field]:
        yield Field(name=_KPI, type=Text(), label=_("KPI"))
        by = self._definition.breakdown
        if by:
            labels = [split_of(self._edition, kpi, by).label for kpi in self.kpis]
            yield Field(name=_PART, type=Text(), label=labels[0] if labels else LABELS.get(by, _("Part")))  # type: ignore[arg-type]
        yield Field(name=_PERIOD, type=Text(), label=_("Period"))
        yield from (Field(name=name, type=Decimal(), label=label) for name, label in _NUMBERS.items())
        yield Field(name=_UNIT, type=Text(), label=_("Unit of measure"))

    def _parts(self, kpi: Kpi) -> list[Part]:
        asked = self._session, self._edition, self._actor, kpi.name, self.periods
        if self._definition.breakdown:
            return engine.parts(*asked, self._definition.breakdown, reported=True)
        return [Part(key=None, title="", points=engine.series(*asked, reported=True))]

    def _cells(self, kpi: Kpi, part: Part, point: Point) -> dict[str, Any]:
        fact, plan = _exact(kpi, point.value), _exact(kpi, point.target)
        both = fact is not None and plan is not None
        return {
            _KPI: str(kpi.title),
            _PART: part.title,
            _PERIOD: point.period.label,
            "value": fact,
            "target": plan,
            "deviation": fact - plan if fact is not None and plan is not None else None,
            "attainment": round(fact / plan * 100, 1) if both and plan else None,  # type: ignore[operator]
            _UNIT: self._unit(kpi),
        }

    def _unit(self, kpi: Kpi) -> str:
        return unit_of(kpi, self._edition.settings.currency)


def unit_of(kpi: Kpi, currency: str) -> str:
    """The unit of a KPI as a word beside its figures."""
    return currency_symbol(currency) if kpi.unit is Unit.MONEY else str(_UNITS.get(kpi.unit, ""))


def _exact(kpi: Kpi, value: Any) -> Number | None:
    """A figure as it is written in a table; ratios in percent."""
    if value is None:
        return None
    found = Number(str(value)) * (100 if kpi.unit is Unit.PERCENT else 1)
    return round(found, 0 if kpi.unit is Unit.COUNT else 2)
