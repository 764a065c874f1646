"""The cards that compare people, units and channels in their sales, as pictures and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.crm.sales.effectiveness import SPLITS, Effectiveness, Row
from trellis.i18n import (
    Text,
    format_number,
    translator,
)
from trellis.kpi.splits import CHANNEL, PERSON, UNIT
from trellis.records.types import Money
from trellis.web.sales_words import closed_in, days_text, list_url, money_text, share_text
from trellis.web.sheets import Sheet, amount_text
from trellis.web.views.lifetime import joined

_ = translator("trellis")

_FIELDS = {PERSON: "owner", UNIT: "unit", CHANNEL: "channel"}


def pictures(found: Effectiveness) -> list[dict[str, Any]]:
    """The comparison as bars: win rate, won amount and, where there is one, the plan."""
    scope = found.scope
    largest = max((one.closed.amount for one in found.rows), default=0) or 1
    pictures = [
        {
            "title": str(_("Won sales")),
            "rows": [
                _bar(found, one, float(one.closed.amount / largest), money_text(one.closed.amount, scope))
                for one in found.rows
            ],
        },
        {
            "title": str(_("Win rate")),
            "rows": [
                _bar(found, one, one.closed.win_rate, share_text(one.closed.win_rate))
                for one in found.rows
                if one.closed.win_rate is not None
            ],
        },
    ]
    planned = [one for one in found.rows if one.planned.attainment is not None]
    if planned:
        bars = [
            _bar(found, one, one.planned.attainment, share_text(one.planned.attainment)) for one in planned
        ]
        pictures.append({"title": str(_("Plan attainment")), "rows": bars})
    return [one for one in pictures if one["rows"]]


def _bar(found: Effectiveness, row: Row, share: float | None, text: str) -> dict[str, Any]:
    field = _FIELDS[found.by]
    whose: Mapping[str, Any] = (
        {"field": field, "op": "is_empty"}
        if row.key is None
        else {"field": field, "op": "eq", "value": row.key}
    )
    url = list_url(found.scope, *closed_in(found.scope, "won", "lost"), whose)
    return {"title": row.title, "share": max(share or 0.0, 0.0), "text": text, "sub": "", "url": url}


def comparison(found: Effectiveness) -> Sheet:
    money = Money().to_json
    heads = (
        SPLITS[found.by],
        _("Won deals"),
        _("Lost deals"),
        _("Win rate"),
        _("Won sales"),
        _("Average won deal"),
        _("Sales cycle"),
        _("Activities per win"),
        _("Open deals"),
        _("Weighted pipeline"),
        _("Velocity, a day"),
        _("Plan"),
        _("Plan attainment"),
        _("Share of sales"),
        *((_("Cost"), _("Cost by won sales")) if found.by == CHANNEL else ()),
    )
    return Sheet(
        name="comparison",
        title=_("Effectiveness of sales"),
        heads=heads,
        texts=[_row_texts(one, found.by) for one in found.rows],
        rows=[
            [
                one.title,
                one.closed.won,
                one.closed.lost,
                one.closed.win_rate,
                money(one.closed.amount),
                _cents(one.closed.average),
                one.closed.cycle,
                one.activities_per_win,
                one.open,
                money(one.weighted),
                _cents(one.velocity),
                money(one.planned.plan),
                one.planned.attainment,
                one.share,
                *((money(one.cost), one.cost_share) if found.by == CHANNEL else ()),
            ]
            for one in found.rows
        ],
        currency=found.scope.edition.settings.currency,
        money=(4, 5, 9, 10, 11, *((14,) if found.by == CHANNEL else ())),
    )


def _cents(amount: Any) -> Any:
    return None if amount is None else Money().to_json(round(amount, 2))


def _row_texts(one: Row, by: str) -> list[str]:
    per_win = one.activities_per_win
    return [
        one.title,
        format_number(one.closed.won),
        format_number(one.closed.lost),
        share_text(one.closed.win_rate),
        amount_text(one.closed.amount),
        amount_text(one.closed.average),
        days_text(one.closed.cycle),
        "–" if per_win is None else format_number(round(per_win, 1)),
        format_number(one.open),
        amount_text(one.weighted),
        amount_text(one.velocity),
        amount_text(one.planned.plan),
        share_text(one.planned.attainment),
        share_text(one.share),
        *((amount_text(one.cost), share_text(one.cost_share)) if by == CHANNEL else ()),
    ]


def how_counted(found: Effectiveness) -> Text:
    told = [
        _(
            "Opportunities that were closed in the period, by whom they belong to. Win rate: won by won and lost ones. Cycle: "
            "days from begun to closed of the won ones. Activities per win: done ones of all that was closed, by the won ones."
        ),
        _("Open ones and their weighted amounts are those at the end of the period, or now while it runs."),
    ]
    if found.by == CHANNEL:
        told.append(_("Costs are those of the sales channels a month, for each month of the period."))
    if found.kpi is not None:
        told.append(_("Plan and fact are those of the KPI “%(kpi)s”.", kpi=found.kpi.title))
    return joined(told)
