"""What a lifecycle is expected to bring in a period: what is won, and what is open, weighted by its stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Lifecycle, Rule
from trellis.edition import Edition, EntityView
from trellis.records.board import board_rule, own_money
from trellis.records.days import local_day
from trellis.records.query import ListQuery
from trellis.records.rules import today_in
from trellis.records.types import Date
from trellis.security.actor import Actor

SURE = 0.7
"""From this probability on a stage counts as promised."""
_CLOSED = ("closed_at", "stage_since")
"""Fields that say when a record was won, the better one first."""


@dataclass(frozen=True)
class Forecast:
    """Sums of a period in the workspace's currency; ``committed`` and ``likely`` are weighted, ``best`` is the rest of those."""

    won: Decimal
    committed: Decimal
    likely: Decimal
    best: Decimal

    @property
    def weighted(self) -> Decimal:
        """The weighted pipeline."""
        return self.committed + self.likely

    @property
    def expected(self) -> Decimal:
        """What the period will bring."""
        return self.won + self.weighted


def forecast(
    session: Session,
    edition: Edition,
    actor: Actor,
    lifecycle: Lifecycle,
    first: date,
    last: date,
    rule: Rule | None = None,
) -> Forecast | None:
    """The forecast of the days from ``first`` to ``last``: two statements. None for what has no amounts, days or odds.

    Open records that should have been closed before count too.
    """
    edition = actor.sees(edition)
    view = edition.entity(lifecycle.entity)
    amount, due = (view.fields.get(name or "") for name in (view.info.amount_field, view.info.date_field))
    closed = next((name for name in _CLOSED if name in view.fields), None)
    chances = {
        one.value: one.probability for one in lifecycle.stages if one.kind == "open" and one.probability
    }
    if amount is None or due is None or closed is None or not chances or not isinstance(due.type, Date):
        return None
    won_stages = [one.value for one in lifecycle.stages if one.kind == "won"]
    won_rules = [
        {"field": lifecycle.field, "op": "in", "value": won_stages},
        {"field": closed, "op": "between", "value": [first.isoformat(), last.isoformat()]},
    ]
    until = {"field": due.name, "op": "lte", "value": last.isoformat()}
    closing = local_day(view.fields[closed].of(view.entity), edition.settings.timezone)
    today = sa.literal(today_in(edition), sa.Date())
    won = _sums(session, edition, actor, view, lifecycle, [*won_rules, rule], closing)
    still = _sums(session, edition, actor, view, lifecycle, [until, rule], today)
    weighted = {
        stage: still.get(stage, Decimal(0)) * Decimal(str(chance)) for stage, chance in chances.items()
    }
    return Forecast(
        won=sum(won.values(), Decimal(0)),
        committed=sum((one for stage, one in weighted.items() if chances[stage] >= SURE), Decimal(0)),
        likely=sum((one for stage, one in weighted.items() if chances[stage] < SURE), Decimal(0)),
        best=sum((still.get(stage, Decimal(0)) - one for stage, one in weighted.items()), Decimal(0)),
    )


def _sums(
    session: Session,
    edition: Edition,
    actor: Actor,
    view: EntityView,
    lifecycle: Lifecycle,
    rules: Sequence[Mapping[str, Any] | None],
    day: Any,
) -> dict[str, Decimal]:
    """The amounts by stage, in the workspace's currency at the rate of ``day``."""
    value = own_money(edition, view, view.fields[view.info.amount_field or ""], day)
    stage = view.fields[lifecycle.field].of(view.entity)
    whole = board_rule(lifecycle, {"all": [one for one in rules if one]})
    query = ListQuery(view, edition, actor, rule=whole).select(stage, sa.func.sum(value)).group_by(stage)
    return {key: Decimal(total) for key, total in session.execute(query) if total is not None}
