"""KPIs of the customer lifecycle: who came to be at risk, who was lost, and who was won back (CU5)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from trellis.contributions import Kpi
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.stages import ACTIVE, AT_RISK, CELL, LOST, LOYAL, NEW
from trellis.crm.customers.stays import CustomerStay
from trellis.i18n import translator
from trellis.kpi.query import KpiQuery

_ = translator("trellis")


def _customers(q: KpiQuery, *some: sa.ColumnElement[bool]) -> sa.Select[Any]:
    number = sa.func.count(Customer.id.distinct())
    stays = sa.select(number).join_from(Customer, CustomerStay, CustomerStay.customer_id == Customer.id)
    return stays.where(q.visible(Customer), *some)


def _at_risk(q: KpiQuery) -> sa.Select[Any]:
    return _customers(q, CustomerStay.stage == AT_RISK, q.during(CustomerStay.entered_at))


def _lost(q: KpiQuery) -> sa.Select[Any]:
    return _customers(q, CustomerStay.stage == LOST, q.during(CustomerStay.entered_at))


def _won_back(q: KpiQuery) -> sa.Select[Any]:
    back = sa.and_(CustomerStay.stage.in_((AT_RISK, LOST)), CustomerStay.went_to.in_((NEW, ACTIVE, LOYAL)))
    return _customers(q, back, q.during(CustomerStay.left_at))


KPIS = [
    Kpi(
        name="customers_at_risk",
        title=_("Customers who came to be at risk"),
        cell=CELL,
        formula=_("Customers who entered the stage “At risk” in the period"),
        entity=Customer,
        date=CustomerStay.entered_at,
        select=_at_risk,
        higher_is_better=False,
    ),
    Kpi(
        name="customers_lost",
        title=_("Customers lost"),
        cell=CELL,
        formula=_("Customers who entered the stage “Lost customer” in the period"),
        entity=Customer,
        date=CustomerStay.entered_at,
        select=_lost,
        higher_is_better=False,
    ),
    Kpi(
        name="customers_won_back",
        title=_("Customers won back"),
        cell=CELL,
        formula=_(
            "Customers who went from “At risk” or “Lost customer” to “New”, “Active” or “Loyal customer” in the period"
        ),
        entity=Customer,
        date=CustomerStay.left_at,
        select=_won_back,
    ),
]
