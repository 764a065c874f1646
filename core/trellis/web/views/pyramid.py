"""Customer value: the pyramid of customers, with what each tier brings and how customers move between tiers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response

from trellis.crm.analytics.counted import told_left_out
from trellis.crm.analytics.moves import OUTSIDE, PLACES, Moves, moves
from trellis.crm.analytics.pyramid import Pyramid, Tier, pyramid
from trellis.i18n import Text, format_date, format_number, format_percent, translator
from trellis.records.types import Money
from trellis.web.choosing import asked, measures, periods
from trellis.web.sheets import Sheet, amount_text, asked_file
from trellis.web.views.lists import base
from trellis.web.views.measures import analysis_page
from trellis.web.widgets import TIERS, pyramid_context

_ = translator("trellis")

blueprint = Blueprint("pyramid", __name__)

TITLES: Mapping[str, Text] = {**TIERS, OUTSIDE: _("No income")}
HEADS = (
    _("Tier"),
    _("Customers"),
    _("Revenue"),
    _("Cost"),
    _("Margin"),
    _("Share"),
    _("From"),
    _("To"),
    _("Unprofitable"),
)


@blueprint.get("/<workspace>/analytics/pyramid")
def show_pyramid(workspace: str) -> str | Response:
    question = asked("pyramid")
    who = question.session, question.edition, question.actor
    found = pyramid(*who, question.window, question.options["measure"])
    moved = moves(*who, question.window.before(), question.window, found.measure)
    tiers, moving = _tiers(found), _moves_sheet(moved)
    file = asked_file([tiers, moving])
    if file is not None:
        return file
    return analysis_page(
        "pyramid",
        _how(found),
        left_out=told_left_out(found.coverage.left_out),
        controls=[periods(), measures()],
        pyramid=pyramid_context(found, base()),
        facts=_facts(found),
        moves=_moves_context(moved) if any(moved.customers.values()) else None,
        tables={"tiers": tiers.context(), "moves": moving.context()},
    )


def _tiers(found: Pyramid) -> Sheet:
    money, known = Money().to_json, found.coverage.cost_known is not None
    rows: list[list[Any]] = []
    texts = []
    for tier in found.tiers:
        costs = [tier.cost, tier.margin] if known else [None, None]
        amounts = [tier.revenue, *costs]
        rows.append(
            [
                tier.tier,
                tier.customers,
                *(money(one) for one in amounts),
                tier.share,
                money(tier.lowest),
                money(tier.highest),
                tier.unprofitable,
            ]
        )
        texts.append(_text(found, tier, amounts))
    return Sheet(
        name="tiers",
        title=_("Tiers of the pyramid"),
        heads=HEADS,
        texts=[*texts, _total(found)],
        rows=rows,
        currency=found.currency,
        money=(2, 3, 4, 6, 7),
    )


def _text(found: Pyramid, tier: Tier, amounts: list[Any]) -> list[str]:
    return [
        str(TITLES[tier.tier]),
        format_number(tier.customers),
        *(amount_text(one) for one in amounts),
        format_percent(tier.share) or "–",
        amount_text(tier.lowest),
        amount_text(tier.highest),
        format_number(tier.unprofitable),
    ]


def _total(found: Pyramid) -> list[str]:
    known = found.coverage.cost_known is not None
    sums = [sum((getattr(tier, name) for tier in found.tiers), 0) for name in ("revenue", "cost", "margin")]
    shown = [sums[0], *(sums[1:] if known else (None, None))]
    return [
        str(_("All")),
        format_number(found.customers),
        *(amount_text(one) for one in shown),
        format_percent(1.0) if found.customers and found.tiers[0].share is not None else "–",
        "",
        "",
        format_number(found.unprofitable),
    ]


def _facts(found: Pyramid) -> list[dict[str, str]]:
    label = str(_("Unprofitable customers"))
    text = (
        _("bring less than they cost") if found.measure == "margin" else _("returned more than they bought")
    )
    facts = [{"label": label, "value": format_number(found.unprofitable), "text": str(text)}]
    known = format_percent(found.coverage.cost_known, 0) or "–"
    of = str(_("of the revenue"))
    facts.append({"label": str(_("Cost is known for")), "value": known, "text": of})
    return facts


def _moves_sheet(moved: Moves) -> Sheet:
    cells = [cell for cell in moved.to_json()["cells"] if cell["customers"]]
    return Sheet(
        name="moves",
        title=_("Moves between tiers"),
        heads=(_("Before"), _("Now"), _("Customers")),
        texts=(),
        rows=[[cell["before"], cell["now"], cell["customers"]] for cell in cells],
    )


def _moves_context(moved: Moves) -> dict[str, Any]:
    """Rows are the tiers before, columns those now; a darker cell holds more of the customers of its row."""
    rows = []
    for before in PLACES:
        of_row = [moved.customers.get((before, now), 0) for now in PLACES]
        whole = sum(of_row)
        cells = [
            {
                "text": format_number(number),
                "step": min(6, round(number / whole * 6)) if whole else 0,
                "url": _customers_url(now),
            }
            if number
            else None
            for now, number in zip(PLACES, of_row, strict=True)
        ]
        rows.append({"title": str(TITLES[before]), "cells": cells})
    sub = _(
        "from %(first)s – %(last)s, customers",
        first=format_date(moved.before.first),
        last=format_date(moved.before.last),
    )
    return {
        "sub": str(sub),
        "from_title": str(_("Before ↓ now →")),
        "titles": [str(TITLES[one]) for one in PLACES],
        "rows": rows,
    }


def _customers_url(tier: str) -> str:
    if tier == OUTSIDE:
        return ""
    rule = json.dumps({"field": "tier", "op": "eq", "value": tier})
    return f"{base()}/customer?{urlencode({'filter': rule})}"


def _how(found: Pyramid) -> Text:
    cuts = [format_percent(share, None) for _name, share in found.cuts[:-1]]
    return _(
        "%(customers)s customers with income are ranked by %(measure)s and cut after the first %(cuts)s; each tier ends at "
        "the next whole customer, equal ones stand by their number. Inactive customers bought before and brought nothing in "
        "these days, prospects have not bought yet; both stand outside. Links lead to the customers of a tier as of today.",
        customers=format_number(found.customers),
        measure=_("margin") if found.measure == "margin" else _("revenue"),
        cuts=", ".join(cuts),
    )
