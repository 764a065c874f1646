"""The rows of the full typical CRM model: seven directions on three levels."""

from __future__ import annotations

from dataclasses import dataclass

from trellis.contributions import Direction, Level
from trellis.i18n import Text, translator

_ = translator("trellis")

DIRECTIONS: dict[Direction, Text] = {
    Direction.MANAGEMENT: _("Management"),
    Direction.MARKET: _("Market"),
    Direction.CUSTOMERS: _("Customers"),
    Direction.PRODUCTS: _("Products"),
    Direction.MARKETING: _("Marketing communications"),
    Direction.SALES: _("Sales"),
    Direction.SERVICE: _("Service"),
}
"""The directions in their fixed order, with their titles."""

LEVELS: dict[Level, tuple[Text, Text]] = {
    Level.STRATEGY: (_("Strategy"), _("what we decide")),
    Level.TACTICS: (_("Tactics"), _("what we plan and measure")),
    Level.OPERATIONS: (_("Operations"), _("what staff do each day")),
}
"""The levels with their titles and what each means."""


@dataclass(frozen=True)
class ModelRow:
    """One row of the model. ``path`` is the screen it is worked on, relative to the workspace; empty: not there yet.

    ``reads`` is the entity that whoever opens the screen must be allowed to read.
    """

    id: str
    direction: Direction
    level: Level
    title: Text
    path: str = ""
    reads: str = "customer"


_M, _K, _C, _P = Direction.MANAGEMENT, Direction.MARKET, Direction.CUSTOMERS, Direction.PRODUCTS
_MC, _S, _V = Direction.MARKETING, Direction.SALES, Direction.SERVICE
_ST, _TA, _OP = Level.STRATEGY, Level.TACTICS, Level.OPERATIONS

ROWS: tuple[ModelRow, ...] = (
    ModelRow("MG1", _M, _ST, _("Strategic goals")),
    ModelRow("MG2", _M, _TA, _("Customer-oriented structure"), "unit"),
    ModelRow("MG3", _M, _TA, _("Business processes"), "processes"),
    ModelRow("MG4", _M, _TA, _("Job descriptions")),
    ModelRow("MG5", _M, _TA, _("Responsibility matrices"), "responsibilities"),
    ModelRow("MG6", _M, _TA, _("KPI"), "kpis"),
    ModelRow("MG7", _M, _OP, _("Employee instructions")),
    ModelRow("MK1", _K, _ST, _("Positioning")),
    ModelRow("MK2", _K, _TA, _("Market analysis")),
    ModelRow("MK3", _K, _TA, _("Competitor analysis")),
    ModelRow("MK4", _K, _OP, _("Conversation scripts"), "scripts"),
    ModelRow("CU1", _C, _ST, _("Segmentation"), "segments"),
    ModelRow("CU2", _C, _TA, _("Agreements"), "agreement"),
    ModelRow("CU3", _C, _TA, _("Target segment profile")),
    ModelRow("CU4", _C, _TA, _("Customer significance"), "analytics/significance"),
    ModelRow("CU5", _C, _TA, _("Customer lifecycle"), "analytics/lifecycle"),
    ModelRow("CU6", _C, _TA, _("Customer satisfaction"), "analytics/satisfaction"),
    ModelRow("CU7", _C, _OP, _("Document templates")),
    ModelRow("PR1", _P, _ST, _("Product list"), "product"),
    ModelRow("PR2", _P, _TA, _("Product lifecycle"), "portfolio/product_lifecycle"),
    ModelRow("PR3", _P, _TA, _("Product portfolio"), "portfolio"),
    ModelRow("PR4", _P, _OP, _("Workflow and documents")),
    ModelRow("MC1", _MC, _ST, _("Choice of communications")),
    ModelRow("MC2", _MC, _TA, _("Budgeting")),
    ModelRow("MC3", _MC, _TA, _("Planning and control")),
    ModelRow("MC4", _MC, _TA, _("Effectiveness")),
    ModelRow("MC5", _MC, _OP, _("Automated relationship model"), "journey"),
    ModelRow("SA1", _S, _ST, _("Sales channels"), "sales_channel", "sales_channel"),
    ModelRow("SA2", _S, _TA, _("Sales planning"), "opportunity/plan"),
    ModelRow("SA3", _S, _TA, _("Funnel"), "opportunity/board"),
    ModelRow("SA4", _S, _TA, _("Bonuses of sales staff"), "bonuses", "bonus_statement"),
    ModelRow("SA5", _S, _TA, _("Effectiveness of sales"), "opportunity/effectiveness"),
    ModelRow("SA6", _S, _OP, _("Automated reports"), "reports", "report"),
    ModelRow("SE1", _V, _ST, _("Service levels")),
    ModelRow("SE2", _V, _TA, _("Incident management")),
    ModelRow("SE3", _V, _OP, _("Automated contact centre")),
)
"""Every row of the model (its numbers are those of the method)."""
