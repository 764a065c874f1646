"""Beside a customer: what they are worth, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.crm.analytics.histories import histories
from trellis.crm.analytics.lifetime import FEWEST
from trellis.errors import PermissionRefused
from trellis.i18n import (
    Text,
    format_day,
    format_money,
    format_number,
    format_percent,
    plural_translator,
    translator,
)
from trellis.kpi.periods import today_in
from trellis.records.door import Records

_ = translator("trellis")
_n = plural_translator("trellis")

_FIGURES = ("clv", "alive", "expected_purchases")


def worth(records: Records, customer: int) -> Mapping[str, Any]:
    """Lifetime value with the history it follows from. Raises PermissionRefused where the role hides what goes in."""
    session, edition, actor = records.session, records.edition, records.actor
    values = records.get("customer", customer).values
    if any(name not in values for name in _FIGURES):
        raise PermissionRefused()
    currency = edition.settings.currency
    until = today_in(ZoneInfo(edition.settings.timezone))
    known = histories(session, edition, actor, until, one=customer)
    if not len(known):
        return {"figures": [], "why": [_("Nothing was bought yet")]}
    x, recency, age = int(known.x[0]), int(known.recency[0]), int(known.age[0])
    figures = []
    if values["clv"] is not None:
        figures = [
            (_("Lifetime value, 12 months"), format_money(values["clv"], currency)),
            (_("Still a customer"), format_percent(values["alive"], 0)),
            (_("Expected purchases, 12 months"), format_number(values["expected_purchases"], 1)),
        ]
    why = [_bought(x, known.first_day(age), until - timedelta(days=age - recency))]
    if x:
        every = max(round(recency / x), 1)
        pace = {"every": format_number(every), "ago": format_number(age - recency)}
        why.append(_("One purchase in about %(every)s days; days since the last: %(ago)s", **pace))
    if known.valued[0]:
        why.append(
            _(
                "A repeat purchase is worth %(mean)s",
                mean=format_money(round(float(known.mean[0]), 2), currency),
            )
        )
    share = values.get("category_spending")
    if share and values.get("revenue_12m") is not None:
        why.append(_("Share of wallet: %(share)s", share=format_percent(values["revenue_12m"] / share, 0)))
    if not figures:
        why.append(_("No forecast: at least %(least)s customers with purchases are needed", least=FEWEST))
    return {"figures": figures, "why": why}


def _bought(x: int, first: Any, last: Any) -> Text:
    if x == 0:
        return _(
            "Bought once, on %(day)s: the chance that they still are a customer is not told by that",
            day=format_day(first, inside=True),
        )
    days = _n("Bought on %(num)s day", "Bought on %(num)s days", x + 1)
    return _(
        "%(days)s from %(first)s to %(last)s",
        days=days,
        first=format_day(first, inside=True),
        last=format_day(last, inside=True),
    )


PANELS = [
    Panel(
        name="lifetime",
        title=_("Lifetime value"),
        cell=Cell(Direction.CUSTOMERS, Level.STRATEGY, "AN5"),
        entity="customer",
        load=worth,
        template="analytics/worth.html",
    ),
]
