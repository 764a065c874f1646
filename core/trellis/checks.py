"""The engines' checks of contributions, by kind: run when an edition is built."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trellis.contributions import (
    Contribution,
    IncomeSource,
    Journey,
    Kpi,
    NotificationKind,
    Process,
    Role,
    Script,
    Segment,
    StageRule,
    Template,
)
from trellis.documents.checking import check_document
from trellis.edition import Check, Edition, Reads
from trellis.journeys.checking import check_journey
from trellis.kpi.checks import check_income, check_kpi, income_reads, kpi_reads
from trellis.letters.templates import check_template as check_mail
from trellis.notifications.words import check_kind
from trellis.process.checks import check_process
from trellis.scripts.checks import check_script
from trellis.security.field_rights import check_role
from trellis.segments.checks import check_segment, segment_reads
from trellis.settings.stages import check_stage_rule


def _check_template(edition: Edition, template: Template) -> None:
    (check_document if template.subject is None else check_mail)(edition, template)


CHECKS: Mapping[type[Contribution], Check] = MappingProxyType(
    {
        Kpi: check_kpi,
        IncomeSource: check_income,
        Segment: check_segment,
        StageRule: check_stage_rule,
        Role: check_role,
        Process: check_process,
        Journey: check_journey,
        Template: _check_template,
        Script: check_script,
        NotificationKind: check_kind,
    }
)

READS: Mapping[type[Contribution], Reads] = MappingProxyType(
    {Kpi: kpi_reads, IncomeSource: income_reads, Segment: segment_reads}
)
