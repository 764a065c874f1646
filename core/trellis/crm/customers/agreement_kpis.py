"""KPIs of agreements: what is in force is worth, what is to be renewed soon, and how much of it is (CU2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from trellis.contributions import Kpi, Unit
from trellis.crm.customers.agreements import ACTIVE, AGREEMENTS, APPROVAL, CLOSED, DRAFT, RENEWAL, Agreement
from trellis.i18n import translator
from trellis.kpi.arithmetic import ratio
from trellis.kpi.query import KpiQuery

_ = translator("trellis")

SOON = timedelta(days=90)


def _in_force(q: KpiQuery) -> tuple[sa.ColumnElement[bool], ...]:
    """Agreements that bound both sides at the end of the period."""
    bound = sa.and_(Agreement.signed_on.is_not(None), Agreement.stage.in_((ACTIVE, RENEWAL, CLOSED)))
    not_over = sa.or_(Agreement.closed_on.is_(None), sa.not_(q.before_end(Agreement.closed_on)))
    return q.visible(Agreement), bound, q.before_end(Agreement.starts), not_over


def _value(q: KpiQuery) -> sa.Select[Any]:
    return sa.select(q.total(Agreement.value)).where(*_in_force(q))


def _due(q: KpiQuery) -> sa.Select[Any]:
    end = q.period.end
    soon = sa.and_(Agreement.ends >= end, Agreement.ends < end + SOON)
    return sa.select(sa.func.count(Agreement.id)).where(*_in_force(q), soon)


def _rate(q: KpiQuery) -> sa.Select[Any]:
    following = aliased(Agreement)
    followed = sa.exists().where(
        following.renews_id == Agreement.id,
        following.deleted_at.is_(None),
        following.stage.not_in((DRAFT, APPROVAL)),
    )
    carried_on, ended = q.during(Agreement.renewed_on), q.during(Agreement.closed_on)
    signed = Agreement.signed_on.is_not(None)
    renewed = sa.func.count(Agreement.id).filter(sa.or_(carried_on, followed))
    found = sa.select(ratio(renewed, sa.func.count(Agreement.id)))
    return found.where(q.visible(Agreement), signed, sa.or_(carried_on, ended))


KPIS = [
    Kpi(
        name="agreements_value",
        title=_("Agreements in force"),
        cell=AGREEMENTS,
        formula=_("The value of agreements that are in force at the end of the period"),
        unit=Unit.MONEY,
        entity=Agreement,
        select=_value,
        breakdowns={"kind": Agreement.kind},
    ),
    Kpi(
        name="renewals_due",
        title=_("Renewals due in 90 days"),
        cell=AGREEMENTS,
        formula=_("Agreements in force at the end of the period that end in the 90 days after it"),
        entity=Agreement,
        select=_due,
        higher_is_better=False,
    ),
    Kpi(
        name="renewal_rate",
        title=_("Renewal rate"),
        cell=AGREEMENTS,
        formula=_(
            "Of agreements that ended or were renewed in the period, those that were renewed or followed by another"
        ),
        unit=Unit.PERCENT,
        entity=Agreement,
        select=_rate,
    ),
]
