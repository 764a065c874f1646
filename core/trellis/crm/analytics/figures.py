"""The figures on a customer that Trellis keeps: purchases, revenue and margin of 12 months, tier and RFM scores.

Those that a purchase changes at once follow each write (:func:`follow_customers`); tier and scores depend on all
customers and on the day, and are computed for all together (:func:`refresh_customer_value`). Only rows that change are
written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.pyramid import ranking
from trellis.crm.analytics.rfm import scoring
from trellis.crm.analytics.window import Window, coverage, per_customer
from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.kpi.income import INCOME_DAY, income_sources
from trellis.kpi.periods import today_in
from trellis.security.actor import SYSTEM

_CUSTOMER = cast(sa.Table, Customer.__table__)
_customer = _CUSTOMER.c
_day = INCOME_DAY.c


def follow_customers(
    session: Session, edition: Edition, customers: Sequence[int], today: date | None = None
) -> int:
    """Counts anew what these customers bought; returns how many rows changed."""
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    changed = 0
    for start in range(0, len(customers), 1000):
        changed += _follow(session, edition, today, _customer.id.in_(customers[start : start + 1000]))
    return changed


def refresh_customer_value(session: Session, edition: Edition, as_of: date | None = None) -> int:
    """Computes all figures of all customers as of a day; returns how many rows changed."""
    as_of = as_of or today_in(ZoneInfo(edition.settings.timezone))
    return _follow(session, edition, as_of, None) + _rank(session, edition, as_of)


def _follow(session: Session, edition: Edition, today: date, some: sa.ColumnElement[bool] | None) -> int:
    window = Window.until(today)
    ours = sa.and_(_day.source.in_(income_sources(edition)), _day.day < window.end)
    own = sa.and_(window.holds(_day.day), _day.currency == edition.settings.currency)
    bought = _day.occasions > 0
    summed = sa.select(
        _day.customer_id,
        sa.func.min(_day.day).filter(bought).label("first_order_at"),
        sa.func.max(_day.day).filter(bought).label("last_order_at"),
        sa.func.sum(_day.occasions).label("orders_count"),
        sa.func.coalesce(sa.func.sum(sa.case((own, _day.revenue))), 0).label("revenue_12m"),
        sa.case(
            (
                sa.func.count(sa.case((own, _day.cost))) == sa.func.count().filter(own),
                sa.func.coalesce(sa.func.sum(sa.case((own, _day.revenue - _day.cost))), 0),
            )
        ).label("margin_12m"),
    ).where(ours)
    if some is not None:
        summed = summed.where(_day.customer_id.in_(sa.select(_customer.id).where(some)))
    income = summed.group_by(_day.customer_id).subquery("income")
    names = ("first_order_at", "last_order_at", "orders_count", "revenue_12m", "margin_12m")
    known = sa.select(_customer.id.label("customer_id"), *(income.c[name] for name in names))
    known = known.outerjoin_from(_CUSTOMER, income, income.c.customer_id == _customer.id)
    if some is not None:
        known = known.where(some)
    return _write(session, known.subquery("known"), {name: name for name in names})


def _rank(session: Session, edition: Edition, as_of: date) -> int:
    window = Window.until(as_of)
    measure = coverage(session, edition, SYSTEM, window).measure
    value = per_customer(edition, SYSTEM, window).cte("value")
    tiers = ranking(value, measure).subquery("tiers")
    scores = scoring(value).subquery("scores")
    bought = sa.and_(_customer.first_order_at.is_not(None), _customer.first_order_at < window.end)
    tier = sa.func.coalesce(tiers.c.tier, sa.case((bought, "inactive"), else_="prospect"))
    letters = [scores.c.r, scores.c.f, scores.c.m]
    texts = [sa.cast(letter, sa.String(1)) for letter in letters]
    known = (
        sa.select(
            _customer.id.label("customer_id"),
            tier.label("tier"),
            *(letter.label(f"rfm_{letter.name}") for letter in letters),
            (texts[0] + texts[1] + texts[2]).label("rfm_code"),
        )
        .outerjoin_from(_CUSTOMER, tiers, tiers.c.customer_id == _customer.id)
        .outerjoin(scores, scores.c.customer_id == _customer.id)
    )
    names = ("tier", "rfm_r", "rfm_f", "rfm_m", "rfm_code")
    return _write(
        session, known.subquery("known"), {name: name for name in names}, valued_at=datetime.now(UTC)
    )


def _write(session: Session, known: sa.Subquery, columns: Mapping[str, str], **stamp: Any) -> int:
    """Writes the figures to the customers for whom one differs."""
    differs = sa.or_(*(_customer[column].is_distinct_from(known.c[name]) for column, name in columns.items()))
    values = {column: known.c[name] for column, name in columns.items()}
    statement = sa.update(_CUSTOMER).where(_customer.id == known.c.customer_id, differs)
    written: int = session.execute(statement.values(**values, **stamp)).rowcount  # type: ignore[attr-defined]
    if written >= 0:
        return written
    return session.scalar(sa.select(sa.func.changes())) or 0  # SQLite's driver does not count after WITH
