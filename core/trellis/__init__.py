"""Trellis: the frame that industry editions of a CRM grow on.

This module is the public API: all that a plugin may import, beside the entities in ``trellis.crm.*.entities``. Nothing
else is stable. Start with :mod:`trellis.hookspecs`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trellis.contributions import (
        Behind,
        BonusKind,
        BonusPart,
        BonusScheme,
        Branch,
        Cell,
        Channel,
        Dashboard,
        Demo,
        Direction,
        FieldRight,
        Grant,
        ImportMapping,
        IncomeSource,
        Instruction,
        Journey,
        JourneyStep,
        Kpi,
        Level,
        Lifecycle,
        Manifest,
        MenuItem,
        NotificationKind,
        Operation,
        Page,
        Panel,
        Parameter,
        Process,
        Report,
        RestEndpoint,
        Role,
        Scope,
        Script,
        ScriptAnswer,
        ScriptObjection,
        ScriptOutcome,
        ScriptResult,
        ScriptStep,
        Segment,
        Stage,
        StageRule,
        Template,
        Unit,
        Watch,
        Widget,
    )
    from trellis.demo import DemoContext
    from trellis.errors import PluginError, RecordInvalid, TrellisError
    from trellis.hookspecs import concerns, hookimpl
    from trellis.i18n import (
        format_date,
        format_money,
        format_number,
        format_percent,
        plural_translator,
        translator,
    )
    from trellis.kpi.arithmetic import average, days_between, product, ratio
    from trellis.kpi.income import IncomeDay, IncomeQuery
    from trellis.kpi.query import KpiQuery
    from trellis.notifications.notify import notify
    from trellis.process.operations import OperationCall
    from trellis.records import types
    from trellis.records.door import Records
    from trellis.records.entity import Entity, EntityInfo, Field, column
    from trellis.records.events import BeforeSave, Change, Saved, SegmentEntered, Taken
    from trellis.segments.query import SegmentQuery

__all__ = [
    "BeforeSave",
    "Behind",
    "BonusKind",
    "BonusPart",
    "BonusScheme",
    "Branch",
    "Cell",
    "Change",
    "Channel",
    "Dashboard",
    "Demo",
    "DemoContext",
    "Direction",
    "Entity",
    "EntityInfo",
    "Field",
    "FieldRight",
    "Grant",
    "ImportMapping",
    "IncomeDay",
    "IncomeQuery",
    "IncomeSource",
    "Instruction",
    "Journey",
    "JourneyStep",
    "Kpi",
    "KpiQuery",
    "Level",
    "Lifecycle",
    "Manifest",
    "MenuItem",
    "NotificationKind",
    "Operation",
    "OperationCall",
    "Page",
    "Panel",
    "Parameter",
    "PluginError",
    "Process",
    "RecordInvalid",
    "Records",
    "Report",
    "RestEndpoint",
    "Role",
    "Saved",
    "Scope",
    "Script",
    "ScriptAnswer",
    "ScriptObjection",
    "ScriptOutcome",
    "ScriptResult",
    "ScriptStep",
    "Segment",
    "SegmentEntered",
    "SegmentQuery",
    "Stage",
    "StageRule",
    "Taken",
    "Template",
    "TrellisError",
    "Unit",
    "Watch",
    "Widget",
    "average",
    "column",
    "concerns",
    "days_between",
    "format_date",
    "format_money",
    "format_number",
    "format_percent",
    "hookimpl",
    "notify",
    "plural_translator",
    "product",
    "ratio",
    "translator",
    "types",
]

_HOMES = {
    "trellis.contributions": "Behind BonusKind BonusPart BonusScheme Branch Cell Channel Dashboard Demo Direction FieldRight Grant ImportMapping IncomeSource Instruction Journey JourneyStep Kpi Level Lifecycle Manifest MenuItem NotificationKind Operation Page Panel Parameter Process Report RestEndpoint Role Scope Script ScriptAnswer ScriptObjection ScriptOutcome ScriptResult ScriptStep Segment Stage StageRule Template Unit Watch Widget",
    "trellis.demo": "DemoContext",
    "trellis.errors": "PluginError RecordInvalid TrellisError",
    "trellis.hookspecs": "concerns hookimpl",
    "trellis.i18n": "format_date format_money format_number format_percent plural_translator translator",
    "trellis.kpi.arithmetic": "average days_between product ratio",
    "trellis.kpi.income": "IncomeDay IncomeQuery",
    "trellis.kpi.query": "KpiQuery",
    "trellis.notifications.notify": "notify",
    "trellis.process.operations": "OperationCall",
    "trellis.records.door": "Records",
    "trellis.records.entity": "Entity EntityInfo Field column",
    "trellis.records.events": "BeforeSave Change Saved SegmentEntered Taken",
    "trellis.records.types": "types",
    "trellis.segments.query": "SegmentQuery",
}
"""Where each public name lives. The names are imported when they are first used: help of the command line needs none."""
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(_HOME_OF[name])
    value = globals()[name] = home if home.__name__.endswith(f".{name}") else getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
