"""Analysis of sales beside the board: conversion, velocity, ageing and lost reasons of a funnel; people and units compared."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request

from trellis.crm.analytics.answers import sales_scope
from trellis.crm.sales.counting import Scope, funnels
from trellis.crm.sales.effectiveness import SPLITS, effectiveness
from trellis.crm.sales.funnel import funnel
from trellis.i18n import (
    Text,
    format_date,
    translator,
)
from trellis.kpi.splits import PERSON
from trellis.web import effectiveness_cards as compared
from trellis.web import funnel_cards as cards
from trellis.web.choosing import asked, choices, periods
from trellis.web.display import new_title
from trellis.web.sales_words import days_text
from trellis.web.sheets import asked_file
from trellis.web.shell import entity_page
from trellis.web.views.lists import base, view_of

_ = translator("trellis")

blueprint = Blueprint("funnels", __name__)

TABS: tuple[tuple[str, Text], ...] = (
    ("plan", _("Sales plan")),
    ("analysis", _("Funnel analysis")),
    ("effectiveness", _("Effectiveness of sales")),
)


@blueprint.get("/<workspace>/opportunity/analysis")
def show_funnel(workspace: str) -> str | Response:
    found = funnel(sales_scope(asked("funnel")))
    tables = (cards.passages(found), cards.ageing(found), cards.reasons(found), cards.oldest(found))
    sheets = {one.name: one for one in tables}
    file = asked_file(list(sheets.values()))
    if file is not None:
        return file
    return _page(
        "analysis",
        found.scope,
        cards.how_counted(found),
        is_empty=found.is_empty,
        facts=cards.facts(found),
        bars=cards.bars(found),
        ages=cards.ages(found),
        reasons=cards.ranked_reasons(found),
        oldest=[
            {
                "title": one.name,
                "text": days_text(one.days),
                "sub": str(one.stage.title),
                "url": f"{base()}/opportunity/{one.id}",
            }
            for one in found.oldest
        ],
        tables={name: sheet.context() for name, sheet in sheets.items()},
        currency=found.scope.edition.settings.currency,
    )


@blueprint.get("/<workspace>/opportunity/effectiveness")
def show_effectiveness(workspace: str) -> str | Response:
    question = asked("effectiveness")
    found = effectiveness(sales_scope(question), question.options["by"])
    sheet = compared.comparison(found)
    file = asked_file([sheet])
    if file is not None:
        return file
    return _page(
        "effectiveness",
        found.scope,
        compared.how_counted(found),
        further=[choices("by", _("Compare"), SPLITS.items(), PERSON)],
        is_empty=not found.rows,
        pictures=compared.pictures(found),
        tables={"comparison": sheet.context()},
    )


def _page(
    name: str, scope: Scope, formula: Text, further: list[dict[str, Any]] | None = None, **context: Any
) -> str:
    """A page under the tabs of both, with what can be chosen."""
    view = view_of("opportunity")
    kept = {key: value for key, value in request.args.items() if key in ("period", "funnel") and value}
    known = funnels(scope.edition)
    controls = [periods(), *(further or [])]
    if len(known) > 1:
        titled = [(one.name, one.title) for one in known.values()]
        usual = "" if request.args.get("funnel") else scope.lifecycle.name
        controls.insert(0, choices("funnel", _("Funnel"), titled, usual))
    board = urlencode({"board": scope.lifecycle.name})
    analytics = {
        "title": str(_("Sales")),
        "sub": _span(scope),
        "tabs": [
            {
                "title": str(title),
                "url": f"{base()}/opportunity/{key}?{urlencode(kept)}",
                "current": key == name,
            }
            for key, title in TABS
        ],
        "periods": [],
        "formula": str(formula),
        "scope": "" if scope.whole else str(_("Only opportunities that you may see are counted")),
        "start": {"title": new_title(view), "icon": "plus", "url": f"{base()}/opportunity/new"}
        if g.actor.may("opportunity", "create")
        else None,
        "board_url": f"{base()}/opportunity/board?{board}",
    }
    title = dict(TABS)[name]
    return entity_page(
        f"sales/{name}.html",
        view,
        title=title,
        inside=True,
        analytics=analytics,
        controls=controls,
        **context,
    )


def _span(scope: Scope) -> str:
    first, last = format_date(scope.period.first), format_date(scope.period.last)
    return str(_("%(first)s – %(last)s", first=first, last=last))
