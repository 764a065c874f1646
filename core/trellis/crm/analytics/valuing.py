"""Lifetime value kept on each customer: what they will bring in 12 months, how often they will buy, P(alive).

The model is learnt first, and then written by portions, from arrays: no statement a customer, and memory that does not follow their
number. Where there is not enough data the fields are empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, cast

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from trellis.crm.analytics import lifetime
from trellis.crm.analytics.bounded import Floats
from trellis.crm.analytics.clv import own_assumptions
from trellis.crm.analytics.histories import Histories, learnt_from, portions
from trellis.crm.analytics.lifetime import ForecastInvalid
from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.records.types import SCALE, FixedPoint
from trellis.security.actor import SYSTEM

_CUSTOMER = cast(sa.Table, Customer.__table__)
_customer = _CUSTOMER.c
_KEPT = ("clv", "alive", "expected_purchases")


def update_customers(session: Session, values: Mapping[str, Any], *some: sa.ColumnElement[bool]) -> int:
    """Writes the values to some customers; returns how many."""
    result = session.execute(sa.update(_CUSTOMER).where(*some).values(**values))
    return result.rowcount  # type: ignore[attr-defined, no-any-return]


def refresh_lifetime(session: Session, edition: Edition, as_of: date) -> int:
    """Learns from histories up to a day and writes what follows for each customer; returns how many rows changed."""
    known = partial(portions, session, edition, SYSTEM, as_of)
    costed = margin = 0.0

    def summed() -> Iterator[Histories]:
        nonlocal costed, margin
        for part in known():
            costed, margin = costed + float(part.costed.sum()), margin + float(part.margin.sum())
            yield part

    model = lifetime.learn(learnt_from(as_of, summed()))
    if model.purchases is None:
        return _clear(session, sa.true())
    assumed = own_assumptions(session, edition, as_of, costed, margin)
    changed = 0
    try:
        for part in known():
            made = lifetime.value(model, part, assumed)
            figures = {
                "clv": np.round(made.clv, 2),
                "alive": made.alive,
                "expected_purchases": made.purchases,
            }
            changed += _write(session, part.id, figures)
    except ForecastInvalid:
        return _clear(session, sa.true())
    return changed + _clear(session, _customer.orders_count.is_(None))


def _write(session: Session, ids: Any, figures: Mapping[str, Floats]) -> int:
    given = _table(session, [ids, *(_scaled(figures[name]) for name in _KEPT)])
    differs = sa.or_(*(_customer[name].is_distinct_from(given.c[name]) for name in _KEPT))
    values = {name: given.c[name] for name in _KEPT}
    return update_customers(session, values, _customer.id == given.c.id, differs)


def _clear(session: Session, some: sa.ColumnElement[bool]) -> int:
    known = sa.or_(*(_customer[name].is_not(None) for name in _KEPT))
    return update_customers(session, dict.fromkeys(_KEPT), some, known)


def _scaled(amounts: Floats) -> Any:
    """As ten-thousandths in whole numbers."""
    return np.rint(amounts * 10**SCALE).astype(np.int64)


def _table(session: Session, columns: Sequence[Any]) -> sa.Subquery:
    """Arrays as a table of one statement, whose length does not follow theirs: the id, and fixed-point numbers."""
    names = ("id", *_KEPT)
    parts: list[sa.ColumnElement[Any]]
    amounts: list[sa.ColumnElement[Any]]
    if session.get_bind().dialect.name == "sqlite":
        rows = sa.func.json_each(json.dumps(np.column_stack(columns).tolist())).table_valued("value")
        parts = [sa.func.json_extract(rows.c.value, f"$[{index}]") for index in range(len(names))]
        amounts = [sa.type_coerce(one, FixedPoint()) for one in parts[1:]]
    else:
        whole = ARRAY(sa.BigInteger)
        arrays = [sa.cast(sa.literal(one.tolist(), whole), whole) for one in columns]
        columns_of = [sa.column(name, sa.BigInteger) for name in names]
        rows = sa.func.unnest(*arrays).table_valued(*columns_of).render_derived()
        parts = [rows.c[name] for name in names]
        amounts = [sa.cast(sa.cast(one, sa.Numeric) / 10**SCALE, FixedPoint()) for one in parts[1:]]
    labelled = [one.label(name) for one, name in zip(amounts, _KEPT, strict=True)]
    return sa.select(parts[0].label("id"), *labelled).subquery("given")
