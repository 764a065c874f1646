"""The figures on a customer that Trellis keeps: purchases, revenue and margin of 12 months, tier, scores, classes and
lifetime value.

Those that a purchase changes at once follow each write (:func:`follow_customers`); the others depend on all customers and
on the day, and are computed for all together (:func:`refresh_customer_value`). Only rows that change are
written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.abc import classes
from trellis.crm.analytics.pyramid import cuts_of, places, tier_of
from trellis.crm.analytics.rfm import ranks, scores
from trellis.crm.analytics.significance import scoring
from trellis.crm.analytics.valuing import refresh_lifetime, update_customers
from trellis.crm.analytics.window import Window, coverage, income_rows, per_customer
from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.kpi.arithmetic import average
from trellis.kpi.income import INCOME_DAY, income_sources
from trellis.kpi.periods import today_in
from trellis.security.actor import SYSTEM

_CUSTOMER = cast(sa.Table, Customer.__table__)
_customer = _CUSTOMER.c
_day = INCOME_DAY.c
_COUNTED = ("first_order_at", "last_order_at", "orders_count", "revenue_12m", "margin_12m")
_RANKED = ("tier", "rfm_r", "rfm_f", "rfm_m", "rfm_code")
_CLASSED = ("abc", "abc_before", "xyz", "xyz_variation")
_WEIGHED = ("significance", "significance_class", "significance_terms")


def follow_customers(
    session: Session, edition: Edition, customers: Sequence[int], today: date | None = None
) -> int:
    """Counts anew what these customers bought; returns how many rows changed."""
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    changed = 0
    for start in range(0, len(customers), 1000):
        changed += _count_purchases(session, edition, today, customers[start : start + 1000])
    return changed


def count_purchases(session: Session, edition: Edition, as_of: date) -> int:
    """Counts anew what all customers bought up to a day; returns how many rows changed."""
    return _count_purchases(session, edition, as_of, None)


def refresh_customer_value(session: Session, edition: Edition, as_of: date | None = None) -> int:
    """Computes all figures of all customers as of a day; returns how many rows changed."""
    as_of = as_of or today_in(ZoneInfo(edition.settings.timezone))
    return (
        count_purchases(session, edition, as_of)
        + _rank(session, edition, as_of)
        + _class(session, edition, as_of)
        + _weigh(session, edition, as_of)
        + refresh_lifetime(session, edition, as_of)
    )


def _count_purchases(session: Session, edition: Edition, today: date, some: Sequence[int] | None) -> int:
    ours = [_day.source.in_(income_sources(edition)), _day.day <= today]
    customers: list[sa.ColumnElement[bool]] = []
    if some is not None:
        ours.append(_day.customer_id.in_(some))
        customers.append(_customer.id.in_(some))
    income = (
        _purchases(edition, Window.until(today)).where(*ours).group_by(_day.customer_id).subquery("income")
    )
    nothing = sa.not_(sa.exists().where(_day.customer_id == _customer.id, *ours))
    return _write(session, income, _COUNTED) + update_customers(
        session, dict.fromkeys(_COUNTED), *customers, _customer.orders_count.is_not(None), nothing
    )


def _purchases(edition: Edition, window: Window) -> sa.Select[Any]:
    own = sa.and_(window.holds(_day.day), _day.currency == edition.settings.currency)
    bought = _day.occasions > 0
    margin = sa.func.coalesce(sa.func.sum(sa.case((own, _day.revenue - _day.cost))), 0)
    all_known = sa.func.count(sa.case((own, _day.cost))) == sa.func.count().filter(own)
    return sa.select(
        _day.customer_id,
        sa.func.min(_day.day).filter(bought).label("first_order_at"),
        sa.func.max(_day.day).filter(bought).label("last_order_at"),
        sa.func.sum(_day.occasions).label("orders_count"),
        sa.func.coalesce(sa.func.sum(sa.case((own, _day.revenue))), 0).label("revenue_12m"),
        sa.case((all_known, margin)).label("margin_12m"),
    )


def _rank(session: Session, edition: Edition, as_of: date) -> int:
    window = Window.until(as_of)
    measure = coverage(session, edition, SYSTEM, window).measure
    value = per_customer(edition, SYSTEM, window).subquery("value")
    place, number = places(value, measure)
    columns = [value.c.customer_id, value.c.frequency, place.label("place"), number.label("number")]
    ranked = sa.select(*columns, *ranks(value)).subquery("ranked")
    placed = tier_of(ranked.c.place, ranked.c.number, cuts_of(edition)).label("tier")
    standing = sa.select(ranked.c.customer_id, placed, *scores(ranked)).subquery("standing").c
    r, f, m = (sa.cast(standing[letter], sa.String(1)) for letter in "rfm")
    known = sa.select(
        standing.customer_id,
        standing.tier,
        *(standing[letter].label(f"rfm_{letter}") for letter in "rfm"),
        (r + f + m).label("rfm_code"),
    )
    now = datetime.now(UTC)
    written = _write(session, known.subquery("known"), _RANKED, valued_at=now)
    absent = sa.not_(
        sa.exists().where(_day.customer_id == _customer.id, *income_rows(edition, SYSTEM, window))
    )
    before = _customer.first_order_at < window.end
    for tier, some in (
        ("inactive", before),
        ("prospect", _customer.first_order_at.is_(None) | sa.not_(before)),
    ):
        values = {**dict.fromkeys(_RANKED), "tier": tier}
        differs = sa.or_(_customer.tier.is_distinct_from(tier), _customer.rfm_code.is_not(None))
        written += update_customers(session, {**values, "valued_at": now}, some, differs, absent)
    return written


def _class(session: Session, edition: Edition, as_of: date) -> int:
    window = Window.until(as_of)
    measure = coverage(session, edition, SYSTEM, window).measure
    row = classes(edition, SYSTEM, window, as_of, measure).subquery("row").c
    known = sa.select(
        row.item_id.label("customer_id"),
        row.abc,
        average(row.before, 1).label("abc_before"),
        row.xyz,
        average(sa.func.sqrt(row.squared, type_=sa.Float()), 1).label("xyz_variation"),
    )
    absent = sa.not_(
        sa.exists().where(_day.customer_id == _customer.id, *income_rows(edition, SYSTEM, window))
    )
    now = datetime.now(UTC)
    written = _write(session, known.subquery("known"), _CLASSED, valued_at=now)
    nothing = {**dict.fromkeys(_CLASSED), "valued_at": now}
    return written + update_customers(session, nothing, _customer.abc.is_not(None), absent)


def _weigh(session: Session, edition: Edition, as_of: date) -> int:
    known = scoring(session, edition, as_of).subquery("known")
    return _write(session, known, _WEIGHED, valued_at=datetime.now(UTC))


def _write(session: Session, known: sa.Subquery, names: Sequence[str], **stamp: Any) -> int:
    """Writes the figures ``known`` to the customers for whom one differs."""
    differs = sa.or_(*(_customer[name].is_distinct_from(known.c[name]) for name in names))
    values = {name: known.c[name] for name in names}
    return update_customers(session, {**values, **stamp}, _customer.id == known.c.customer_id, differs)
