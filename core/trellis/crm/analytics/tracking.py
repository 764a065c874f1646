"""Repeat purchases as they came, beside those that BG/NBD expects: whether the model can be believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.histories import Histories
from trellis.crm.analytics.lifetime import Model
from trellis.crm.analytics.window import Window, first_purchases, income_rows
from trellis.edition import Edition
from trellis.kpi.income import INCOME_DAY
from trellis.kpi.periods import Period
from trellis.security.actor import Actor

_day = INCOME_DAY.c
_POINTS = 24


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Up to ``day``: repeat purchase days as they were, and as expected; ``learnt`` says that the model knew them."""

    day: date
    actual: int
    expected: float
    learnt: bool

    def to_json(self) -> dict[str, Any]:
        """One point of ``tracking``."""
        return {
            "day": self.day.isoformat(),
            "actual": self.actual,
            "expected": round(self.expected, 4),
            "calibration": self.learnt,
        }


def tracked(
    session: Session,
    edition: Edition,
    actor: Actor,
    known: Histories,
    model: Model,
    today: date,
    acquired: Period | None = None,
) -> Iterator[Tracked]:
    """The customers known at calibration, from the first of them to today."""
    if model.purchases is None:
        return
    ages, number = np.unique(known.age, return_counts=True)
    start = known.first_day(ages[-1])
    end = max(today, known.until)
    steps = min(_POINTS, (end - start).days)
    days = [start + timedelta(days=round((end - start).days * step / steps)) for step in range(1, steps + 1)]
    days = sorted({*days, known.until})
    counted = _counted(session, edition, actor, Window(start, end + timedelta(days=1)), known, acquired)
    when, actual = np.array([row[0] for row in counted], dtype="datetime64[D]"), [row[1] for row in counted]
    so_far = np.concatenate([[0], np.cumsum(actual)])
    for day in days:
        old = np.maximum(ages + (day - known.until).days, 0) / model.unit.days
        yield Tracked(
            day=day,
            actual=int(so_far[np.searchsorted(when, np.datetime64(day), side="right")]),
            expected=float(number @ model.purchases.of_new(old)),
            learnt=day <= known.until,
        )


def _counted(
    session: Session,
    edition: Edition,
    actor: Actor,
    window: Window,
    known: Histories,
    acquired: Period | None,
) -> list[Any]:
    """Days with the number of customers who bought again on them."""
    first = first_purchases(edition, actor)
    began = first.c.first_order_at
    cohort = Window.of(acquired).holds(began) if acquired else sa.true()
    query = (
        sa.select(_day.day, sa.func.count(_day.customer_id.distinct()))
        .join(first, first.c.id == _day.customer_id)
        .where(*income_rows(edition, actor, window), _day.occasions > 0, cohort)
        .where(_day.day > began, began <= known.until)
        .group_by(_day.day)
        .order_by(_day.day)
    )
    return list(session.execute(query))
