"""KPIs of customers: active and new ones, retention, repeat purchases. Counted on the income of any source."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from trellis.contributions import Behind, Cell, Direction, Kpi, Level, Unit
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.stages import CELL
from trellis.i18n import translator
from trellis.kpi.arithmetic import ratio
from trellis.kpi.income import IncomeDay
from trellis.kpi.periods import Period
from trellis.kpi.query import KpiQuery

_ = translator("trellis")

LOYALTY = Cell(Direction.CUSTOMERS, Level.TACTICS, "AN1")


def _active(q: KpiQuery) -> sa.Select[Any]:
    customers = sa.func.count(IncomeDay.customer_id.distinct())
    return sa.select(customers).where(q.during(IncomeDay.day), q.bought())


def _new(q: KpiQuery) -> sa.Select[Any]:
    return sa.select(sa.func.count()).where(q.during(Customer.first_order_at), q.visible(Customer))


def _repeat(q: KpiQuery) -> sa.Select[Any]:
    days = sa.func.count(IncomeDay.day.distinct()).label("days")
    bought = (
        sa.select(days).where(q.during(IncomeDay.day), q.bought()).group_by(IncomeDay.customer_id).subquery()
    )
    return sa.select(ratio(sa.func.count().filter(bought.c.days >= 2), sa.func.count())).select_from(bought)


def _retention(q: KpiQuery) -> sa.Select[Any]:
    before, now = _buyers(q, q.period.previous), _buyers(q, q.period)
    joined = before.outerjoin(now, now.c.customer_id == before.c.customer_id)
    return sa.select(ratio(sa.func.count(now.c.customer_id), sa.func.count())).select_from(joined)


def _buyers(q: KpiQuery, period: Period) -> sa.Subquery:
    bought = sa.select(IncomeDay.customer_id).where(q.during(IncomeDay.day, period), q.bought())
    return bought.distinct().subquery()


def _bought(q: KpiQuery) -> sa.Select[Any]:
    return sa.select(_buyers(q, q.period).c.customer_id)


def _bought_before(q: KpiQuery) -> sa.Select[Any]:
    return sa.select(_buyers(q, q.period.previous).c.customer_id)


KPIS = [
    Kpi(
        name="active_customers",
        title=_("Active customers"),
        cell=CELL,
        formula=_("Customers with at least one purchase in the period"),
        entity=IncomeDay,
        date=IncomeDay.day,
        select=_active,
    ),
    Kpi(
        name="new_customers",
        title=_("New customers"),
        cell=CELL,
        formula=_("Customers whose first purchase lies in the period"),
        entity=Customer,
        date=Customer.first_order_at,
        select=_new,
        breakdowns={"country": Customer.country},
    ),
    Kpi(
        name="repeat_rate",
        title=_("Repeat purchase rate"),
        cell=LOYALTY,
        formula=_("Customers with purchases on two days or more, of those with a purchase in the period"),
        unit=Unit.PERCENT,
        select=_repeat,
        behind=Behind(select=_bought),
    ),
    Kpi(
        name="retention",
        title=_("Retention"),
        cell=LOYALTY,
        formula=_("Of the customers who bought in the period before, those who bought in this one again"),
        unit=Unit.PERCENT,
        select=_retention,
        behind=Behind(select=_bought_before),
    ),
]
