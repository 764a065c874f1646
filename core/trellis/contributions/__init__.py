"""What a plugin can bring: frozen, typed contributions, returned by the hooks of :mod:`trellis.hookspecs`.

Names are ``plugin.name`` (``gym.average_visit``); the core's are bare (``revenue``). ``cell`` says where the
contribution stands in the CRM model; ``row`` is the id of the row of the model (``AN4``, ``SA3``).
"""

from __future__ import annotations

from trellis.contributions.base import Cell, Contribution, Direction, Level, Manifest, Rule
from trellis.contributions.bonuses import BonusKind, BonusPart, BonusScheme
from trellis.contributions.figures import Behind, IncomeSource, Kpi, Segment, Unit, Watch
from trellis.contributions.journeys import Branch, Journey, JourneyStep
from trellis.contributions.lifecycles import Lifecycle, Stage, StageRule
from trellis.contributions.loading import Channel, Demo, ImportMapping
from trellis.contributions.pages import Dashboard, MenuItem, Page, Panel, Report, RestEndpoint, Widget
from trellis.contributions.processes import Operation, Parameter, Process
from trellis.contributions.rights import FieldRight, Grant, Role, Scope
from trellis.contributions.scripts import (
    Script,
    ScriptAnswer,
    ScriptObjection,
    ScriptOutcome,
    ScriptResult,
    ScriptStep,
)
from trellis.contributions.texts import Instruction, NotificationKind, Template

__all__ = [
    "Behind",
    "BonusKind",
    "BonusPart",
    "BonusScheme",
    "Branch",
    "Cell",
    "Channel",
    "Contribution",
    "Dashboard",
    "Demo",
    "Direction",
    "FieldRight",
    "Grant",
    "ImportMapping",
    "IncomeSource",
    "Instruction",
    "Journey",
    "JourneyStep",
    "Kpi",
    "Level",
    "Lifecycle",
    "Manifest",
    "MenuItem",
    "NotificationKind",
    "Operation",
    "Page",
    "Panel",
    "Parameter",
    "Process",
    "Report",
    "RestEndpoint",
    "Role",
    "Rule",
    "Scope",
    "Script",
    "ScriptAnswer",
    "ScriptObjection",
    "ScriptOutcome",
    "ScriptResult",
    "ScriptStep",
    "Segment",
    "Stage",
    "StageRule",
    "Template",
    "Unit",
    "Watch",
    "Widget",
]
