"""The stages of a customer's lifecycle, and the rules under which customers stand in them (CU5)."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.contributions import Cell, Direction, Level, Lifecycle, Rule, Stage, StageRule
from trellis.crm.customers.entities import RELATIONSHIP
from trellis.i18n import Text, translator

_ = translator("trellis")

CELL = Cell(Direction.CUSTOMERS, Level.TACTICS, "CU5")
FIELD = "relationship_stage"
PROSPECT, NEW, ACTIVE, LOYAL, AT_RISK, LOST = "prospect", "new", "active", "loyal", "at_risk", "lost"

STAGES = tuple(
    Stage(value=one.value, title=one.label, kind="lost" if one.value == LOST else "open", tone=one.tone)
    for one in RELATIONSHIP
)
TITLES: Mapping[str, Text] = {one.value: one.title for one in STAGES}
LIFECYCLE = Lifecycle(
    name="relationship",
    title=_("Customer lifecycle"),
    cell=CELL,
    entity="customer",
    field=FIELD,
    stages=STAGES,
)


def _days_ago(field: str, days: int) -> Rule:
    return {"field": field, "op": "lte", "value": {"days": -days}}


def _purchases(number: int) -> Rule:
    return {"field": "orders_count", "op": "gte", "value": number}


_USUAL: Mapping[str, Rule] = {
    PROSPECT: {"all": []},
    NEW: _purchases(1),
    ACTIVE: {"any": [_purchases(2), _days_ago("first_order_at", 90)]},
    LOYAL: {"all": [_purchases(5), _days_ago("first_order_at", 365)]},
    AT_RISK: _days_ago("last_order_at", 180),
    LOST: _days_ago("last_order_at", 365),
}
RULES = [
    StageRule(name=f"stage_{value}", title=TITLES[value], cell=CELL, stage=value, rule=rule)
    for value, rule in _USUAL.items()
]
