"""KPI values as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from trellis.contributions import Kpi, Unit
from trellis.edition import Edition
from trellis.i18n import (
    MINUS,
    format_money,
    format_number,
    format_percent,
    format_short_money,
    format_short_number,
    translator,
)
from trellis.kpi.results import KpiResult, Point, Value
from trellis.kpi.words import SUFFIX
from trellis.records import types
from trellis.records.entity import Field

_ = translator("trellis")


def figure_text(kpi: Kpi, value: Value | None, currency: str, *, short: bool = False) -> str:
    """A value in the unit of its KPI; empty when there is none."""
    if value is None:
        return "–" if short else ""
    if kpi.unit is Unit.MONEY:
        if short and abs(float(value)) >= 1000:
            return format_short_money(value, currency)
        return format_money(value, currency)
    if kpi.unit is Unit.PERCENT:
        return format_percent(float(value))
    if kpi.unit in SUFFIX:
        return f"{format_number(value, 1)} {SUFFIX[kpi.unit]}"
    decimals = 0 if kpi.unit is Unit.COUNT else 2
    return format_number(value, decimals)


def bare_figure(kpi: Kpi, value: Value | None) -> str:
    """A value in a row that names the unit of its KPI at its head."""
    if value is None or kpi.unit not in (Unit.MONEY, Unit.PERCENT):
        return figure_text(kpi, value, "", short=True)
    return format_short_number(value) if kpi.unit is Unit.MONEY else format_number(float(value) * 100, 1)


def kpi_of(edition: Edition, field: Field, values: Mapping[str, Any]) -> Kpi | None:
    """The KPI that a record names beside a value of it; None for other fields, and where there is none of that name."""
    named = field.type.kpi if isinstance(field.type, types.Decimal) else ""
    return edition.all(Kpi).get(values.get(named) or "") if named else None


def signed(text: str, value: float) -> str:
    """Deviations always have a sign, unless they round to zero."""
    if not is_seen(text):
        return text.removeprefix(MINUS)
    return text if value < 0 or text.startswith(MINUS) else f"+{text}"


def delta(result: KpiResult) -> dict[str, Any] | None:
    """The deviation from plan, or from the period before where there is no plan."""
    kpi = result.kpi
    planned = (
        result.target is not None and not result.partial
    )  # a running period is not held against a whole plan
    base = result.target if planned else result.previous
    if result.value is None or base is None:
        return None
    gap = float(result.value) - float(base)
    share = gap / abs(float(base)) if base else None
    text = gap_text(kpi, gap, share)
    if text is None:
        return None
    if not is_seen(text):
        return {"text": text, "tone": "", "up": None}
    better = (gap >= 0) is kpi.higher_is_better
    close = share is not None and abs(share) <= 0.03
    return {"text": text, "tone": "good" if better else "warn" if close else "danger", "up": gap >= 0}


def gap_text(kpi: Kpi, gap: float, share: float | None) -> str | None:
    """A deviation as it is shown: of a share in points, of the rest in percent of ``share``; None when there is none."""
    if kpi.unit is Unit.PERCENT:
        return str(_("%(number)s pp", number=signed(format_number(gap * 100, 1), gap)))
    return None if share is None else signed(format_percent(share), gap)


def is_seen(text: str) -> bool:
    """Whether a shown number is other than zero."""
    return any(letter in "123456789" for letter in text)


def trend(points: Sequence[Point]) -> list[float]:
    """The values of a sparkline; none where nothing is known."""
    known = any(point.value is not None for point in points)
    return [float(point.value or 0) for point in points] if known else []


def finding(result: KpiResult) -> str:
    """What the figure is compared with, in words."""
    if result.previous is None:
        return ""
    previous = figure_text(result.kpi, result.previous, result.currency, short=True)
    if result.partial:
        return str(_("last time by this day: %(value)s", value=previous))
    return str(_("before: %(value)s", value=previous))


def round_top(highest: float) -> float:
    """The end of a scale: the next of 1, 2, 2.5, 5 and 10 of the size of the highest value, so that half of it is round too."""
    if highest <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(highest))
    return next(step * size for step in (1, 2, 2.5, 5, 10) if step * size >= highest)


def unit_word(kpi: Kpi, currency_sign: str) -> str:
    """The unit beside a KPI's name."""
    return {Unit.MONEY: currency_sign, Unit.PERCENT: "%"}.get(kpi.unit, "")
