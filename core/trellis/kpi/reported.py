"""What was reported of closed periods, as the engine reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from trellis.contributions import Kpi
from trellis.kpi.periods import Period

Value = Decimal | float | int


@dataclass(frozen=True, kw_only=True)
class Recounted:
    """A closed period that counts otherwise now: ``value`` instead of ``reported``, since ``at``.

    ``version`` is that of the definition it was reported under, where the KPI has another now.
    """

    reported: Value | None
    value: Value | None
    at: datetime
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What was reported of a KPI in a period: when, and who accepted it in place of an earlier figure."""

    value: Value | None
    at: datetime
    by: str = ""
    recounted: Recounted | None = None


@dataclass(frozen=True)
class Kept:
    """What is kept of some KPIs in some closed periods, by (KPI, code of the period)."""

    reported: Mapping[tuple[str, str], Reported] = field(default_factory=dict)

    def of(self, kpi: Kpi, period: Period) -> Reported | None:
        """What was reported; None where nothing is kept, and for the beginning of a period."""
        if not self.reported or period != period.shifted(0):
            return None
        return self.reported.get((kpi.name, period.code))

    def value(self, kpi: Kpi, period: Period) -> Value | None:
        """The value that was reported."""
        found = self.of(kpi, period)
        return found.value if found else None

    def difference(self, kpi: Kpi, period: Period) -> Recounted | None:
        """Where it counts otherwise now."""
        found = self.of(kpi, period)
        return found.recounted if found else None

    def missing(self, kpi: Kpi, periods: Sequence[Period]) -> tuple[Period, ...]:
        """The periods to be measured: from the first that is not kept, so that they follow each other."""
        if not self.reported:
            return tuple(periods)
        known = [self.of(kpi, period) is not None for period in periods]
        first = known.index(False) if False in known else len(periods)
        return tuple(periods[first:])


NOTHING_KEPT = Kept()
