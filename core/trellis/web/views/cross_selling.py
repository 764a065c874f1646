"""What is bought together: support, confidence and lift, with the customers who have one and not the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from trellis.crm.analytics.cross_sell import CUSTOMER, ORDER, CrossSell, Pair, cross_sell, rule_without
from trellis.i18n import Text, format_number, format_percent, translator
from trellis.web.choosing import asked, choices, periods
from trellis.web.sheets import Sheet, asked_file
from trellis.web.views.lists import base
from trellis.web.views.measures import PORTFOLIO, analysis_page
from trellis.web.views.portfolio import KIND_TITLES

_ = translator("trellis")

blueprint = Blueprint("cross_selling", __name__)

SHOWN = 20
BASKET_TITLES = {CUSTOMER: _("One customer"), ORDER: _("One order")}
FIGURES: dict[str, tuple[Text, Callable[[Pair], str], Callable[[Pair], float]]] = {
    "lift": (_("Lift"), lambda one: format_number(one.lift, 2), lambda one: one.lift / 2),
    "confidence": (
        _("Confidence"),
        lambda one: format_percent(one.confidence, 0),
        lambda one: one.confidence,
    ),
    "support": (_("Support"), lambda one: format_percent(one.support, 1), lambda one: one.support * 2),
}
"""What the matrix shows: the title, the text of a cell, and how dark it is from 0 to 1."""


@blueprint.get("/<workspace>/portfolio/cross_sell")
def show_cross_sell(workspace: str) -> str | Response:
    question = asked("cross_sell")
    of, by = question.options["of"], question.options["by"]
    who = question.session, question.edition, question.actor, question.window
    found = cross_sell(*who, of, by, question.options["items"])
    pairs = _pairs(found)
    file = asked_file([pairs])
    if file is not None:
        return file
    shown = request.args.get("show", "lift")
    return analysis_page(
        "cross_sell",
        _how(found),
        family=PORTFOLIO,
        controls=[
            choices("of", _("Of what"), KIND_TITLES.items(), next(iter(KIND_TITLES))),
            choices("by", _("Bought by"), BASKET_TITLES.items(), CUSTOMER),
            choices("show", _("Figure"), [(name, one[0]) for name, one in FIGURES.items()], "lift"),
            periods(),
        ],
        matrix=_matrix(found, shown if shown in FIGURES else "lift") if len(found.items) > 1 else None,
        best=[_advice(found, one) for one in found.best[:SHOWN]],
        tables={"pairs": pairs.context()},
    )


def _customers(found: CrossSell, pair: Pair) -> str:
    """The list of customers who have the first and not the second."""
    rule = rule_without(found, pair.first.id, pair.second.id)
    return f"{base()}/customer?{urlencode({'filter': json.dumps(rule)})}"


def _matrix(found: CrossSell, shown: str) -> dict[str, Any]:
    _title, text, darkness = FIGURES[shown]
    rows = []
    for one in found.items:
        pairs = [found.pairs.get((one.id, other.id)) for other in found.items]
        cells = [
            {
                "text": text(pair),
                "step": min(6, round(darkness(pair) * 6)),
                "url": _customers(found, pair),
                "title": _told(pair),
            }
            if pair and pair.both
            else None
            for pair in pairs
        ]
        rows.append({"title": one.name, "cells": cells})
    return {
        "corner": str(_("has ↓ also has →")),
        "titles": [one.name for one in found.items],
        "rows": rows,
    }


def _told(pair: Pair) -> str:
    return str(
        _(
            "“%(first)s” without “%(second)s”: %(number)s",
            first=pair.first.name,
            second=pair.second.name,
            number=format_number(pair.without),
        )
    )


def _advice(found: CrossSell, pair: Pair) -> dict[str, Any]:
    return {
        "first": pair.first.name,
        "second": pair.second.name,
        "both": format_number(pair.both),
        "confidence": format_percent(pair.confidence, 0),
        "lift": format_number(pair.lift, 2),
        "without": format_number(pair.without) if found.by == CUSTOMER else str(_("Show")),
        "url": _customers(found, pair),
    }


def _pairs(found: CrossSell) -> Sheet:
    return Sheet(
        name="pairs",
        title=_("Pairs"),
        heads=(
            _("Has"),
            _("Also has"),
            _("Both"),
            _("Support"),
            _("Confidence"),
            _("Lift"),
            _("First without second"),
        ),
        texts=(),
        rows=[
            [
                one.first.name,
                one.second.name,
                one.both,
                round(one.support, 6),
                round(one.confidence, 6),
                round(one.lift, 6),
                one.without,
            ]
            for one in found.pairs.values()
        ],
    )


def _how(found: CrossSell) -> Text:
    told = _(
        "Support is the share of %(baskets)s baskets that hold both, confidence the share of those with the first that hold the "
        "second too, lift the confidence by the share of baskets with the second: above 1 they are bought together more "
        "often than by chance. Returns are left out. A cell leads to the customers who bought the first and not the second in the period.",
        baskets=format_number(found.baskets),
    )
    example = next(iter(found.best), None)
    if example is None:
        return told
    return _(
        "%(rule)s For example “%(first)s” and “%(second)s”: %(both)s of %(with_first)s have both (%(confidence)s), of all "
        "%(with_second)s of %(baskets)s have the second: lift %(lift)s.",
        rule=told,
        first=example.first.name,
        second=example.second.name,
        both=format_number(example.both),
        with_first=format_number(example.first.baskets),
        confidence=format_percent(example.confidence),
        with_second=format_number(example.second.baskets),
        baskets=format_number(found.baskets),
        lift=format_number(example.lift, 2),
    )
