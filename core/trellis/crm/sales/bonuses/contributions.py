"""What bonuses bring to sales."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trellis.contributions import BonusKind, BonusPart, BonusScheme, Cell, Direction, Level, Panel
from trellis.crm.sales.bonuses import entities, panels
from trellis.crm.sales.bonuses.kept import keep
from trellis.crm.sales.bonuses.terms import check_part, check_scheme
from trellis.hookspecs import concerns, hookimpl
from trellis.i18n import translator
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave

_ = translator("trellis")

BONUSES = Cell(Direction.SALES, Level.TACTICS, "SA4")

_BEFORE: Mapping[str, Callable[[BeforeSave], None]] = {
    "bonus_scheme": check_scheme,
    "bonus_part": check_part,
    "bonus_run": keep,
    "bonus_statement": keep,
    "bonus_line": keep,
}


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [
        entities.BonusScheme,
        entities.BonusPart,
        entities.BonusRun,
        entities.BonusStatement,
        entities.BonusLine,
    ]


@hookimpl
@concerns(*_BEFORE)
def trellis_before_save(event: BeforeSave) -> None:
    _BEFORE[event.entity](event)


@hookimpl
def trellis_bonuses() -> list[BonusScheme]:
    return [
        BonusScheme(
            name="plan_attainment",
            title=_("Commission by plan attainment"),
            description=_(
                "3 % of won sales up to the plan and 5 % above it, from 80 % of the plan on; with a cap"
            ),
            cell=BONUSES,
            parts=(
                BonusPart(
                    title=_("Won sales against the plan"),
                    kind=BonusKind.TIERS,
                    kpi="sales_won",
                    tiers=(("0", "0.03"), ("1", "0.05")),
                    threshold="0.8",
                ),
                BonusPart(
                    title=_("Win rate"), kind=BonusKind.MULTIPLIER, formula="when(win_rate >= 0.3, 1, 0.9)"
                ),
                BonusPart(title=_("Cap"), kind=BonusKind.CAP, amount="10000"),
            ),
        ),
        BonusScheme(
            name="team_margin",
            title=_("Share in the margin of the unit"),
            description=_(
                "1 % of the margin of one's own orders, and equal shares in 0.5 % of that of the unit"
            ),
            cell=BONUSES,
            rhythm="quarter",
            parts=(
                BonusPart(title=_("Own margin"), kind=BonusKind.PERCENT, kpi="margin", rate="0.01"),
                BonusPart(
                    title=_("Margin of the unit"),
                    kind=BonusKind.TEAM,
                    kpi="margin",
                    rate="0.005",
                    sharing="equally",
                ),
            ),
        ),
    ]


@hookimpl
def trellis_panels() -> list[Panel]:
    return panels.PANELS
