"""Which KPIs are sums: those of parts add up to that of the whole, so that they can be planned, shared and paid by part."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators

from trellis.contributions import Kpi
from trellis.edition import Edition
from trellis.kpi.composite import DEEPEST, compiled, parts_of
from trellis.kpi.measuring import select
from trellis.kpi.periods import Period, parse
from trellis.kpi.query import KpiQuery
from trellis.security.actor import SYSTEM

_SOME: Period = parse("2026-01")


def is_sum(edition: Edition, kpi: Kpi) -> bool:
    """Whether a KPI is a sum or a count (of records, not of distinct values), or adds and subtracts such KPIs."""
    return bool(edition.cached(("is sum", kpi.name, kpi.version), lambda: _is_sum(edition, kpi)))


def _is_sum(edition: Edition, kpi: Kpi, depth: int = 0) -> bool:
    if kpi.select is None:
        known = [edition.all(Kpi).get(name) for name in parts_of(kpi)]
        sums = all(one is not None and depth < DEEPEST and _is_sum(edition, one, depth + 1) for one in known)
        return sums and compiled(kpi.expression)[0].adds_up
    if kpi.entity is None or kpi.date is None:
        return False
    try:
        statement = select(kpi, KpiQuery(edition, SYSTEM, [_SOME], _SOME.last, kpi.date))
    except Exception:  # code of a plugin: what cannot be looked at is not added up
        return False
    value: Any = statement.selected_columns[0]
    while isinstance(value, sa.Label | sa.FunctionFilter) or getattr(value, "name", "") == "coalesce":
        value = value.element if isinstance(value, sa.Label) else _inside(value)
    if not isinstance(value, sa.Function) or value.name not in ("sum", "count"):
        return False
    return not any(getattr(one, "operator", None) is operators.distinct_op for one in value.clauses)


def _inside(value: Any) -> Any:
    """What a filter or a coalesce is about."""
    return value.func if isinstance(value, sa.FunctionFilter) else next(iter(value.clauses))
