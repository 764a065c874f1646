"""The engines' checks of contributions, by kind: run when an edition is built."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trellis.contributions import Contribution, IncomeSource, Kpi, Process, Role, Segment, StageRule
from trellis.edition import Check, Reads
from trellis.kpi.checks import check_income, check_kpi, income_reads, kpi_reads
from trellis.process.checks import check_process
from trellis.security.field_rights import check_role
from trellis.segments.checks import check_segment, segment_reads
from trellis.settings.stages import check_stage_rule

CHECKS: Mapping[type[Contribution], Check] = MappingProxyType(
    {
        Kpi: check_kpi,
        IncomeSource: check_income,
        Segment: check_segment,
        StageRule: check_stage_rule,
        Role: check_role,
        Process: check_process,
    }
)

READS: Mapping[type[Contribution], Reads] = MappingProxyType(
    {Kpi: kpi_reads, IncomeSource: income_reads, Segment: segment_reads}
)
