"""Exact values of KPIs in words, as people type and read them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from trellis.contributions import Kpi, Unit
from trellis.i18n import NBSP, Text, format_money, format_number, translator

_ = translator("trellis")

SUFFIX: Mapping[Unit, Text] = {Unit.DAYS: _("d"), Unit.HOURS: _("h")}
"""What stands behind a number of days or hours."""


def typed_figure(kpi: Kpi, value: Decimal | None) -> str:
    """A value as people type it: percent as percent, all digits that it has."""
    if value is None:
        return ""
    shown = value * 100 if kpi.unit is Unit.PERCENT else value
    digits = -int(shown.normalize().as_tuple().exponent)
    return format_number(shown, max(digits, 0))


def exact_figure(kpi: Kpi, value: Decimal, currency: str) -> str:
    """A value in the unit of its KPI, not rounded but for money."""
    if kpi.unit is Unit.MONEY:
        return format_money(value, currency)
    unit = "%" if kpi.unit is Unit.PERCENT else SUFFIX.get(kpi.unit)
    return f"{typed_figure(kpi, value)}{NBSP}{unit}" if unit else typed_figure(kpi, value)
