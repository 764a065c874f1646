"""The weighted pipeline of a plan: what open opportunities are likely to bring, by the part of the plan that they count with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from trellis.crm.products.entities import Product
from trellis.crm.sales.entities import Opportunity
from trellis.kpi import rates
from trellis.kpi.arithmetic import product
from trellis.kpi.below import Below
from trellis.kpi.periods import Period
from trellis.kpi.splits import PERSON, UNIT

_READ = ("outcome", "expected_close", "amount", "currency", "probability", "product")
"""Fields that the pipeline is made of: who may not read one of them is not told of it."""
_KEYS: Mapping[str, Any] = {
    UNIT: Opportunity.unit_id,
    PERSON: Opportunity.owner_id,
    "category": Product.category_id,
    "product": Opportunity.product_id,
}


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Amounts times probability of what is open: expected to close in the period, and overdue by now."""

    weighted: Decimal = Decimal(0)
    overdue: Decimal = Decimal(0)
    unpriced: int = 0

    def plus(self, other: Pipeline) -> Pipeline:
        """Both together."""
        return Pipeline(
            weighted=self.weighted + other.weighted,
            overdue=self.overdue + other.overdue,
            unpriced=self.unpriced + other.unpriced,
        )


def pipelines_by(below: Below, period: Period, today: date) -> dict[int | None, Pipeline] | None:
    """What is open, by part; None where the reader may not read what it is made of."""
    actor = below.actor
    seen = actor.sees(below.edition).entities.get("opportunity")
    readable = seen is not None and all(name in seen.fields for name in _READ)
    if not readable or not actor.may("opportunity", "read"):
        return None
    found: dict[int | None, Pipeline] = {}
    for key, weighted, overdue, unpriced in below.session.execute(_open(below, period, today)):
        part = below.part_of(key)
        pipeline = Pipeline(weighted=weighted or Decimal(0), overdue=overdue or Decimal(0), unpriced=unpriced)
        found[part] = found.get(part, Pipeline()).plus(pipeline)
    return found


def _open(below: Below, period: Period, today: date) -> sa.Select[Any]:
    """(key, weighted, overdue, open ones without an amount). What is overdue counts in the period that runs alone."""
    day = sa.literal(today, sa.Date()) if below.edition.settings.rated else None
    amount = rates.converted(below.edition, Opportunity.amount, Opportunity.currency, day)
    weighted = product(amount, sa.func.coalesce(Opportunity.probability, 0))
    due, key = Opportunity.expected_close, _KEYS[below.by]
    late = sa.and_(due < today, sa.literal(period.is_partial(today)))
    during = sa.and_(due >= max(period.first, today), due < period.end)
    query = (
        sa.select(
            key,
            sa.func.sum(sa.case((during, weighted))),
            sa.func.sum(sa.case((late, weighted))),
            sa.func.count(sa.case((sa.and_(during, amount.is_(None)), Opportunity.id))),
        )
        .select_from(Opportunity)
        .where(Opportunity.outcome == "open", due < period.end, *_of_plan(below))
        .group_by(key)
    )
    if below.by == "category":
        sold = sa.and_(Product.id == Opportunity.product_id, Product.deleted_at.is_(None))
        query = query.outerjoin(Product, sold)
    return query


def _of_plan(below: Below) -> list[sa.ColumnElement[bool]]:
    """The opportunities that the reader may see, of whom the plan is for."""
    seen = [Opportunity.deleted_at.is_(None), below.actor.visible(Opportunity)]
    if below.only is not None:
        by, keys = below.only
        seen.append(_KEYS[by].in_(keys))
    return seen
