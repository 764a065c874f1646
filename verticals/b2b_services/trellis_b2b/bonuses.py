"""How those who sell service contracts earn a bonus."""

from __future__ import annotations

from trellis import BonusKind, BonusPart, BonusScheme, Cell, Direction, Level, translator

_ = translator("trellis_b2b")

BONUSES = [
    BonusScheme(
        name="b2b.contract_commission",
        title=_("Commission on contracts"),
        description=_(
            "1 % of the contracts won up to the plan and more above it, a tenth more for a win rate of half; with a cap"
        ),
        cell=Cell(Direction.SALES, Level.TACTICS, "SA4"),
        parts=(
            BonusPart(
                title=_("Contracts against the plan"),
                kind=BonusKind.TIERS,
                kpi="b2b.contracts_won",
                tiers=(("0", "0.01"), ("1", "0.02"), ("1.5", "0.025")),
                threshold="0.5",
            ),
            BonusPart(
                title=_("Win rate"), kind=BonusKind.MULTIPLIER, formula="when(win_rate >= 0.5, 1.1, 1)"
            ),
            BonusPart(title=_("Cap"), kind=BonusKind.CAP, amount="4000"),
        ),
    )
]
