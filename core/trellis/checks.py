"""The engines' checks of contributions, by kind: run when an edition is built."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trellis.contributions import Contribution, IncomeSource, Kpi, Segment
from trellis.edition import Check
from trellis.kpi.checks import check_income, check_kpi
from trellis.segments.checks import check_segment

CHECKS: Mapping[type[Contribution], Check] = MappingProxyType(
    {Kpi: check_kpi, IncomeSource: check_income, Segment: check_segment}
)
