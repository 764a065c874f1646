"""The purchase history of each customer in five numbers, as the models of lifetime value take it.

Two receipts on a day are one purchase; a day with returns only is none. The first purchase is not in ``x`` nor in ``mean``.
Read by one statement over the rollup into arrays: all at once for a page, in portions for what is written to all customers,
so that memory does not follow their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from itertools import chain
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from trellis.crm.analytics.bounded import Floats
from trellis.crm.analytics.window import Window, first_purchases, income_rows
from trellis.edition import Edition
from trellis.kpi.arithmetic import days_between, ratio
from trellis.kpi.income import INCOME_DAY, rows_of
from trellis.kpi.periods import Period
from trellis.security.actor import Actor

_day = INCOME_DAY.c
_EVER = date(1, 1, 1)
_PORTION = 20_000
MOST_LEARNT = 200_000
"""Of more customers every second, fourth and so on is learnt from: it says the same, in memory that is bounded."""
_ROW = np.dtype(
    [
        ("id", "i8"),
        ("days", "i8"),
        ("recency", "f8"),
        ("age", "f8"),
        ("valued", "i8"),
        ("spent", "f8"),
        ("revenue", "f8"),
        ("costed", "f8"),
        ("margin", "f8"),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Histories:
    """Customers by id. Times are in days up to ``until``; amounts in the workspace's currency.

    ``x`` repeat purchase days, the last of them ``recency`` days after the first; ``age`` days since the first;
    ``valued`` the repeat days in this currency, with the ``mean`` revenue; ``revenue`` all to date, ``costed`` that of it
    whose cost is known, with its ``margin``.
    """

    until: date
    id: NDArray[np.int64]
    x: Floats
    recency: Floats
    age: Floats
    valued: Floats
    mean: Floats
    revenue: Floats
    costed: Floats
    margin: Floats

    def __len__(self) -> int:
        return len(self.id)

    def first_day(self, age: float) -> date:
        """The day of the first purchase of who is so old."""
        return self.until - timedelta(days=int(age))

    def part(self, chosen: NDArray[Any]) -> Histories:
        """Some of them, by mask or index."""
        arrays = {one.name: getattr(self, one.name)[chosen] for one in fields(self) if one.name != "until"}
        return Histories(until=self.until, **arrays)


def histories(
    session: Session,
    edition: Edition,
    actor: Actor,
    until: date,
    acquired: Period | None = None,
    one: int | None = None,
) -> Histories:
    """Those of the customers that the reader may see who bought by ``until``.

    ``acquired`` limits to who bought first in that period, ``one`` to a single customer.
    """
    return together(until, portions(session, edition, actor, until, acquired, one))


def portions(
    session: Session,
    edition: Edition,
    actor: Actor,
    until: date,
    acquired: Period | None = None,
    one: int | None = None,
) -> Iterator[Histories]:
    """The same in portions, by id."""
    first = first_purchases(edition, actor)
    statement = _statement(edition, actor, until, first).order_by(_day.customer_id)
    if acquired is not None:
        statement = statement.where(Window.of(acquired).holds(first.c.first_order_at))
    if one is not None:
        statement = statement.where(_day.customer_id == one)
    rows = session.execute(statement, execution_options={"yield_per": _PORTION}).partitions()
    for part in rows:
        yield _read(until, np.array([tuple(row) for row in part], dtype=_ROW))


def together(until: date, parts: Iterable[Histories]) -> Histories:
    """Portions as one."""
    names = [one.name for one in fields(Histories) if one.name != "until"]
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for part in chain([_read(until, np.empty(0, dtype=_ROW))], parts):
        for name in names:
            columns[name].append(getattr(part, name))
    # One after the other, so that no more than one of them is there twice.
    return Histories(until=until, **{name: np.concatenate(columns.pop(name)) for name in names})


def learnt_from(until: date, parts: Iterable[Histories]) -> Histories:
    """Those that a model is learnt from: all, or every second, fourth ... of them, at most ``MOST_LEARNT``."""
    kept: list[Histories] = []
    step, passed, number = 1, 0, 0
    for part in parts:
        kept.append(part.part(np.arange(-passed % step, len(part), step)))
        passed += len(part)
        number += len(kept[-1])
        while number > MOST_LEARNT:
            half = together(until, kept)
            kept = [half.part(np.arange(0, len(half), 2))]
            step, number = step * 2, len(kept[0])
    return together(until, kept)


def _read(until: date, table: NDArray[Any]) -> Histories:
    valued = table["valued"].astype(np.float64)
    return Histories(
        until=until,
        id=table["id"].copy(),
        x=table["days"] - 1.0,
        recency=np.rint(table["recency"]),
        age=np.rint(table["age"]),
        valued=valued,
        mean=np.divide(table["spent"], valued, out=np.zeros(len(table)), where=valued > 0),
        revenue=table["revenue"].copy(),
        costed=table["costed"].copy(),
        margin=table["margin"].copy(),
    )


def _statement(edition: Edition, actor: Actor, until: date, known: sa.FromClause) -> sa.Select[Any]:
    """A row a customer, in the order of ``_ROW``. What came back on a repeat purchase day lessens its worth."""
    own = _day.currency == edition.settings.currency
    bought = sa.case((_day.occasions > 0, _day.day))
    later = sa.and_(own, _day.day > known.c.first_order_at)
    again = sa.and_(later, _day.occasions > 0)
    spent = sa.and_(later, sa.or_(_day.occasions > 0, _beside_a_purchase(edition, actor)))
    costed = sa.and_(own, _day.cost.is_not(None))
    last, first = sa.func.max(bought), sa.func.min(bought)

    def amount(rows: sa.ColumnElement[bool], column: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
        return ratio(sa.func.coalesce(sa.func.sum(sa.case((rows, column))), 0), 1)

    return (
        sa.select(
            _day.customer_id,
            sa.func.count(bought.distinct()),
            days_between(first, last),
            days_between(first, sa.literal(until, sa.Date)),
            sa.func.count(sa.case((again, _day.day)).distinct()),
            amount(spent, _day.revenue),
            amount(own, _day.revenue),
            amount(costed, _day.revenue),
            amount(costed, _day.revenue - _day.cost),
        )
        .join(known, known.c.id == _day.customer_id)
        .where(*income_rows(edition, actor, Window(_EVER, until + timedelta(days=1))))
        .group_by(_day.customer_id)
        .having(sa.func.count(bought) > 0)
    )


def _beside_a_purchase(edition: Edition, actor: Actor) -> sa.ColumnElement[bool]:
    """The customer also bought on the day of the row: what another person took back stands in a row of its own."""
    other = INCOME_DAY.alias("other")
    row = other.c
    same = (row.customer_id == _day.customer_id, row.day == _day.day, row.currency == _day.currency)
    bought = sa.select(sa.literal(1)).where(*same, row.occasions > 0, *rows_of(edition, actor, row))
    return sa.exists(bought.correlate(INCOME_DAY))
