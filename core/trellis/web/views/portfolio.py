"""The portfolio of products: the matrix of relative market share and market growth."""

from __future__ import annotations

import json
from math import log10, sqrt
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.analytics.portfolio import (
    COW,
    DOG,
    KINDS,
    OF_PRODUCTS,
    QUESTION,
    STAR,
    Portfolio,
    Position,
    portfolio,
)
from trellis.i18n import Text, format_money, format_number, format_percent, translator
from trellis.records.types import Money
from trellis.web.asked import AskedPage, asked_page
from trellis.web.choosing import choices, periods
from trellis.web.sheets import Sheet, amount_text, asked_file
from trellis.web.views.lists import base, go
from trellis.web.views.measures import PORTFOLIO, analysis_page

_ = translator("trellis")

blueprint = Blueprint("portfolio", __name__)

KIND_TITLES = dict(zip(KINDS, (_("Categories"), _("Products")), strict=True))
TITLES = {
    STAR: _("Stars"),
    QUESTION: _("Question marks"),
    COW: _("Cash cows"),
    DOG: _("Dogs"),
    None: _("Without a place"),
}
_LABELS = {"growth_from": _("High growth from"), "share_from": _("High relative share from")}
SHOWN, NAMED = 50, 12
CLOSE = 0.05
"""Marks of the matrix that are nearer to each other than this part of it are not written both."""
WIDEST = 10.0
"""Relative shares from 1/10 to 10 have a place of their own; what is beyond stands on the edge."""


@blueprint.get("/<workspace>/portfolio")
def show_portfolio(workspace: str) -> BaseResponse:
    return go(f"{base()}/portfolio/bcg")


@blueprint.get("/<workspace>/portfolio/bcg")
def show_bcg(workspace: str) -> str | Response:
    page = asked_page("bcg", _LABELS, kept=("of", "period"))
    question, options = page.question, page.question.options
    chosen = {name: options[name] for name in ("of", "growth_from", "share_from")}
    found = portfolio(question.session, question.edition, question.actor, question.window, **chosen)
    items, quadrants = _items(found, chosen["of"]), _quadrants(found)
    file = asked_file([items, quadrants])
    if file is not None:
        return file
    known = choices("of", _("Of what"), KIND_TITLES.items(), KINDS[0])
    return analysis_page(
        "bcg",
        _how(found),
        family=PORTFOLIO,
        controls=[known, periods()],
        plot=_plot(found, chosen["of"]),
        number=len(found.positions),
        unplaced=_unplaced(found),
        tables={"items": items.context(), "quadrants": quadrants.context()},
        **_form(page),
    )


def _form(page: AskedPage) -> dict[str, Any]:
    return {"fields": page.fields, "hidden": page.hidden, "reset_url": f"?{urlencode(page.hidden)}"}


def _name(one: Position) -> str:
    return one.name if one.id is not None else str(_("Without a category"))


def _url(one: Position, of: str) -> str:
    if of == OF_PRODUCTS:
        return f"{base()}/product/{one.id}"
    rule: dict[str, Any] = {"field": "category", "op": "is_empty"}
    if one.id is not None:
        rule = {"field": "category", "op": "eq", "value": one.id}
    return f"{base()}/product?{urlencode({'filter': json.dumps({'all': [rule]})})}"


def _across(relative: float) -> float:
    """Where a relative share stands: the highest at the left, as the matrix is drawn, by powers of ten."""
    kept = min(max(relative, 1 / WIDEST), WIDEST)
    return round(0.5 - log10(kept) / 2, 4)


def _plot(found: Portfolio, of: str) -> dict[str, Any]:
    placed = [one for one in found.positions if one.quadrant is not None][:SHOWN]
    rates = [one.growth or 0.0 for one in placed] + [found.growth_from, 0.0]
    room = (max(rates) - min(rates)) * 0.15 or 0.05
    low, high = min(rates) - room, max(rates) + room
    most = float(max((one.sales for one in placed), default=1))

    def down(growth: float) -> float:
        return round((high - growth) / (high - low), 4)

    bubbles = [
        {
            "x": _across(one.relative or 0.0),
            "y": down(one.growth or 0.0),
            "r": round(sqrt(float(one.sales) / most), 4),
            "key": one.quadrant,
            "title": _told(one, found.currency),
            "text": "",
            "url": _url(one, of),
        }
        for one in placed
    ]
    _write_names(bubbles, [_name(one)[:20] for one in placed])
    ticks = _apart([found.growth_from, 0.0, low + room, high - room], (high - low) * CLOSE)
    return {
        "label": str(_finding(found)),
        "bubbles": bubbles,
        "x_ticks": [{"at": _across(at), "text": format_number(at)} for at in (10, 3, 1, 0.3, 0.1)],
        "y_ticks": [{"at": down(at), "text": format_percent(at, 0)} for at in ticks],
        "x_line": _across(found.share_from),
        "y_line": down(found.growth_from),
        "x_title": str(_("Relative market share")),
        "y_title": str(_("Growth of the market")),
        "corners": [str(TITLES[one]) for one in (STAR, QUESTION, COW, DOG)],
    }


def _write_names(bubbles: list[dict[str, Any]], names: list[str]) -> None:
    """Names the largest circles, each where its name does not run into one before it."""
    written: list[tuple[float, float, float]] = []
    for bubble, name in zip(bubbles, names, strict=True):
        half = len(name) * 0.0035
        x, y = min(max(bubble["x"], half), 1 - half), bubble["y"]
        free = all(abs(y - above) > CLOSE or abs(x - other) > half + width for other, above, width in written)
        if free and len(written) < NAMED:
            written.append((x, y, half))
            bubble["text"] = name


def _apart(numbers: list[float], least: float) -> list[float]:
    """The numbers that are far enough from those before them."""
    found: list[float] = []
    for one in numbers:
        if all(abs(one - other) >= least for other in found):
            found.append(one)
    return sorted(found)


def _told(one: Position, currency: str) -> str:
    return str(
        _(
            "%(name)s: sales %(sales)s, relative share %(share)s, growth %(growth)s",
            name=_name(one),
            sales=format_money(one.sales, currency),
            share=format_number(one.relative, 2),
            growth=format_percent(one.growth),
        )
    )


def _finding(found: Portfolio) -> Text:
    counted = {name: len(found.of(name)) for name in (STAR, QUESTION, COW, DOG)}
    return _(
        "Stars: %(star)s, question marks: %(question_mark)s, cash cows: %(cash_cow)s, dogs: %(dog)s",
        **{name: format_number(number) for name, number in counted.items()},
    )


def _quadrants(found: Portfolio) -> Sheet:
    groups = [(str(TITLES[name]), found.of(name)) for name in TITLES]
    summed = [
        (title, len(some), sum(one.sales for one in some), sum(one.share for one in some))
        for title, some in groups
    ]
    return Sheet(
        name="quadrants",
        title=_("Quadrants"),
        heads=(_("Quadrant"), _("How many"), _("Sales"), _("Share")),
        texts=[
            [title, format_number(number), amount_text(sales), format_percent(share)]
            for title, number, sales, share in summed
        ],
        rows=[
            [title, number, Money().to_json(Money().check(sales)), round(share, 6)]
            for title, number, sales, share in summed
        ],
        currency=found.currency,
        money=(2,),
    )


def _items(found: Portfolio, of: str) -> Sheet:
    return Sheet(
        name="items",
        title=KIND_TITLES[of],
        heads=(
            _("Name"),
            _("Sales"),
            _("Largest rival"),
            _("Relative share"),
            _("Growth"),
            _("Quadrant"),
            _("Taken from"),
        ),
        texts=[
            [
                _name(one),
                amount_text(one.sales),
                amount_text(one.rival),
                "–" if one.relative is None else format_number(one.relative, 2),
                format_percent(one.growth) or "–",
                str(TITLES[one.quadrant]),
                str(_source(one)),
            ]
            for one in found.positions[:SHOWN]
        ],
        rows=[
            [
                one.name,
                Money().to_json(one.sales),
                Money().to_json(one.rival),
                one.relative,
                one.growth,
                one.quadrant,
                str(_source(one)),
            ]
            for one in found.positions
        ],
        currency=found.currency,
        money=(1, 2),
        words=(0, 5, 6),
    )


def _source(one: Position) -> Text:
    if one.rival_of_market and one.growth_of_market:
        return _("the market")
    if one.rival_of_market:
        return _("rival: the market; growth: own sales")
    if one.growth_of_market:
        return _("rival: own assortment; growth: the market")
    return _("own sales")


def _unplaced(found: Portfolio) -> str:
    names = [_name(one) for one in found.of(None)]
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")


def _how(found: Portfolio) -> Text:
    told = _(
        "Relative share is own sales by those of the largest rival, growth that of the market; both stand on the category "
        "(“Sales of the largest rival, a year”, “Growth of the market, a year”). While they are empty, the best sold other item of the own "
        "assortment stands in for the rival, and the growth of own sales of the category against the period before for that of the market. "
        "High growth begins at %(growth)s, a high share at %(share)s. The area of a circle is its sales.",
        growth=format_percent(found.growth_from),
        share=format_number(found.share_from),
    )
    example = next((one for one in found.positions if one.relative is not None), None)
    if example is None:
        return told
    return _(
        "%(rule)s For example: %(name)s: %(own)s / %(rival)s = %(share)s.",
        rule=told,
        name=_name(example),
        own=format_money(example.sales, found.currency),
        rival=format_money(example.rival, found.currency),
        share=format_number(example.relative, 2),
    )
