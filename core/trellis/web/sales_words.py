"""How figures of sales are written, and the lists of opportunities behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from trellis.crm.sales.counting import Scope
from trellis.i18n import (
    format_number,
    format_percent,
    format_short_money,
    translator,
)
from trellis.records.board import board_rule
from trellis.web.views.lists import base

_ = translator("trellis")


def share_text(value: float | None) -> str:
    return format_percent(value) or "–"


def days_text(value: float | None) -> str:
    return "–" if value is None else str(_("%(number)s d", number=format_number(round(value, 1))))


def money_text(amount: Any, scope: Scope) -> str:
    return "–" if amount is None else format_short_money(amount, scope.edition.settings.currency)


def list_url(scope: Scope, *rules: Mapping[str, Any], stage: str | None = None) -> str:
    """The list of the opportunities that a figure counts."""
    both = json.dumps(board_rule(scope.lifecycle, {"all": list(rules)}, stage), ensure_ascii=False)
    return f"{base()}/opportunity?{urlencode({'filter': both})}"


def closed_in(scope: Scope, *outcomes: str) -> list[Mapping[str, Any]]:
    days = [scope.period.first.isoformat(), scope.period.last.isoformat()]
    return [
        {"field": "outcome", "op": "in", "value": list(outcomes)},
        {"field": "closed_at", "op": "between", "value": days},
    ]
