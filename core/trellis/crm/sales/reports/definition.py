"""What a report shows: records by a rule, in columns, in groups, with totals; or KPIs over periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trellis.contributions import Report
from trellis.edition import Edition, EntityView
from trellis.errors import Message, PermissionRefused, RecordInvalid, RuleInvalid
from trellis.i18n import translator
from trellis.kpi.catalogue import KpiNotFound, find
from trellis.kpi.splits import SplitUnknown, split_of
from trellis.records.entity import Field
from trellis.records.events import BeforeSave
from trellis.records.grouping import Grouping, grouping
from trellis.records.rules import parse

_ = translator("trellis")

FIGURES = "kpi"
"""What stands in the place of an entity where a report is on KPIs."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """As a report is kept, with its names parted."""

    entity: str
    rule: Mapping[str, Any] | None
    columns: Sequence[str]
    sort: Sequence[str]
    group: str
    totals: Sequence[str]
    kpis: Sequence[str] = ()
    grain: str = "month"
    periods: int = 3
    running: bool = False
    breakdown: str = ""

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Definition:
        """That of a report's record, by its values."""
        return cls(
            entity=report.get("of_entity") or "",
            rule=report.get("rule") or None,
            columns=names_in(report.get("columns")),
            sort=names_in(report.get("sort_by")),
            group=(report.get("group_by") or "").strip(),
            totals=names_in(report.get("totals")),
            kpis=names_in(report.get("kpis")),
            grain=report.get("grain") or "month",
            periods=report.get("periods") or 3,
            running=bool(report.get("running")),
            breakdown=(report.get("breakdown") or "").strip(),
        )

    @property
    def is_figures(self) -> bool:
        """Whether it is on KPIs, and not on records."""
        return self.entity == FIGURES

    @classmethod
    def of_contribution(cls, report: Report) -> Definition:
        """That of a report which a plugin brings."""
        return cls(
            entity=report.entity,
            rule=report.rule,
            columns=report.fields,
            sort=(),
            group=report.group_by[0] if report.group_by else "",
            totals=report.totals,
        )

    def values(self) -> dict[str, Any]:
        """As a report's record keeps it."""
        return {
            "of_entity": self.entity,
            "rule": None if self.rule is None else dict(self.rule),
            "columns": ", ".join(self.columns) or None,
            "sort_by": ", ".join(self.sort) or None,
            "group_by": self.group or None,
            "totals": ", ".join(self.totals) or None,
        }

    def fields(self, view: EntityView) -> list[Field]:
        """The columns that the reader of ``view`` has, those of the list where none are named."""
        usual = [view.info.title_field, *(name for name, one in view.fields.items() if one.in_list)]
        names = dict.fromkeys(self.columns or usual)
        return [view.fields[name] for name in names if name in view.fields]

    def grouping(self, view: EntityView) -> Grouping | None:
        """What the records are grouped by. Raises RuleInvalid where the reader does not have the field."""
        return grouping(self.group, view) if self.group else None


def names_in(text: str | None) -> list[str]:
    """Names parted by commas."""
    return [one.strip() for one in (text or "").split(",") if one.strip()]


def check_report(event: BeforeSave) -> None:
    """Records, fields and rule are there. Raises RecordInvalid that names the field."""
    if event.action not in ("created", "updated"):
        return
    definition = Definition.of({**event.before, **event.values})
    edition = event.actor.sees(event.edition)
    if definition.is_figures:
        _check_figures(definition, edition)
        return
    view = edition.entities.get(definition.entity)
    if not definition.entity:  # that it needs one is said by its field
        return
    if view is None:
        raise RecordInvalid({"of_entity": [_("There are no records “%(name)s”", name=definition.entity)]})
    errors = _problems(definition, view, edition)
    if errors:
        raise RecordInvalid(errors)


def keep_runs(event: BeforeSave) -> None:
    """Deliveries say what happened: nobody but the system writes them. Raises PermissionRefused."""
    if event.actor.user_id is not None and event.action in ("created", "updated"):
        raise PermissionRefused(_("Deliveries are kept by Trellis"))


def _check_figures(definition: Definition, edition: Edition) -> None:
    """There are KPIs, and all of them can be broken down so. Raises RecordInvalid."""
    if not definition.kpis:
        raise RecordInvalid({"kpis": [_("Choose at least one KPI")]})
    try:
        kpis = [find(edition, name) for name in definition.kpis]
    except KpiNotFound as error:
        raise RecordInvalid({"kpis": [str(error)]}) from None
    try:
        for kpi in kpis if definition.breakdown else ():
            split_of(edition, kpi, definition.breakdown)
    except SplitUnknown as error:
        raise RecordInvalid({"breakdown": [str(error)]}) from None


def _problems(definition: Definition, view: EntityView, edition: Edition) -> dict[str, list[Message]]:
    errors: dict[str, list[Message]] = {}
    for key, names in (
        ("columns", definition.columns),
        ("sort_by", [name.removeprefix("-") for name in definition.sort]),
        ("totals", definition.totals),
    ):
        unknown = [name for name in names if name not in view.fields]
        if unknown:
            message = _("%(entity)s has no field “%(name)s”", entity=view.info.title, name=unknown[0])
            errors[key] = [message]
    plain = [name for name in definition.totals if name in view.fields and not view.fields[name].type.adds_up]
    if plain:
        label = view.fields[plain[0]].label
        errors["totals"] = [_("“%(field)s” cannot be added up", field=label)]
    try:
        definition.grouping(view)
    except RuleInvalid as error:
        errors["group_by"] = [str(error)]
    try:
        parse(definition.rule or {"all": []}, view, edition, listed=True)
    except RuleInvalid as error:
        errors["rule"] = [str(error)]
    return errors
