"""Customer value: ABC and XYZ classes, and the significance of customers with what it is made of."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request

from trellis.crm.analytics.abc import ABC_CLASSES, ASSUMPTIONS, XYZ_CLASSES, Abc, Classed, abc, abc_items
from trellis.crm.analytics.answers import Question
from trellis.crm.analytics.counted import told_left_out
from trellis.crm.analytics.items import KINDS
from trellis.crm.analytics.significance import (
    ASSUMPTIONS as WEIGHTS,
)
from trellis.crm.analytics.significance import (
    Significance,
    shares,
    significance,
    significant_customers,
)
from trellis.crm.customers.entities import SIGNIFICANCE
from trellis.i18n import Text, format_number, format_percent, format_short_money, translator
from trellis.records.types import Money
from trellis.web.choosing import asked, choices, measures, periods
from trellis.web.sheets import Sheet, amount_text, asked_file
from trellis.web.views.lists import base
from trellis.web.views.measures import CUSTOMER_VALUE, PORTFOLIO, analysis_page

_ = translator("trellis")

blueprint = Blueprint("classes", __name__)

SHOWN = 20
KIND_TITLES = {"customers": _("Customers"), "products": _("Products")}
CLASS_TITLES = {option.value: option.label for option in SIGNIFICANCE}
_LISTED = {
    "sort": "-significance",
    "columns": "name,significance,significance_class,tier,rfm_code,abc,xyz,clv,revenue_12m",
}
_TONES = {"A": "seq6", "B": "seq4", "C": "seq2"}


@blueprint.get("/<workspace>/analytics/abc")
def show_abc(workspace: str) -> str | Response:
    question = asked("abc")
    kind = question.options["of"]
    who = question.session, question.edition, question.actor, question.window, question.today
    found = abc(*who, question.options["measure"], KINDS[kind])
    groups, matrix = _classes(found, kind), _matrix_sheet(found, kind)
    whole = request.args.get("table") == "items"
    items = _items(question, found, None if whole else SHOWN)
    file = asked_file([groups, matrix, items])
    if file is not None:
        return file
    known = choices("of", _("What is classed"), KIND_TITLES.items(), "customers")
    return analysis_page(
        "abc",
        _how_abc(found, kind),
        left_out=told_left_out(found.coverage.left_out, kind == "products"),
        family=PORTFOLIO if kind == "products" else CUSTOMER_VALUE,
        controls=[known, periods(), measures()],
        number=found.items,
        stacks=_stacks(found, kind),
        matrix=_matrix(found, kind),
        tables={"groups": groups.context(), "matrix": matrix.context(), "items": items.context()},
        settings_url=f"{base()}/settings/value" if g.actor.administrator else "",
    )


def _classes(found: Abc, kind: str) -> Sheet:
    named = [(one, found.of(one)) for one in ABC_CLASSES] + [(one, found.of(xyz=one)) for one in XYZ_CLASSES]
    if found.without_xyz:
        named.append(("–", found.unclassed))
    return Sheet(
        name="classes",
        title=_("Classes"),
        heads=(_("Class"), KIND_TITLES[kind], _("Amount"), _("Share")),
        texts=[
            [
                name if name != "–" else str(_("without XYZ")),
                format_number(group.items),
                amount_text(group.amount),
                format_percent(group.share) or "–",
            ]
            for name, group in named
        ],
        rows=[[name, group.items, Money().to_json(group.amount), group.share] for name, group in named],
        currency=found.currency,
        money=(2,),
        urls=[
            _listed(kind, {"abc" if name in ABC_CLASSES else "xyz": name}) if name != "–" else ""
            for name, _group in named
        ],
    )


def _matrix_sheet(found: Abc, kind: str) -> Sheet:
    cells = [(abc_, xyz, found.of(abc_, xyz)) for abc_ in ABC_CLASSES for xyz in XYZ_CLASSES]
    return Sheet(
        name="matrix",
        title=_("ABC by XYZ"),
        heads=(_("ABC"), _("XYZ"), KIND_TITLES[kind], _("Amount"), _("Share")),
        texts=(),
        rows=[
            [first, second, group.items, Money().to_json(group.amount), group.share]
            for first, second, group in cells
        ],
    )


def _items(question: Question, found: Abc, most: int | None) -> Sheet:
    kind = question.options["of"]
    who = question.session, question.edition, question.actor, question.window, question.today
    lines = list(abc_items(*who, found.measure, KINDS[kind], most))
    return Sheet(
        name="items",
        title=_("From the best down"),
        heads=(_("Name"), _("Amount"), _("Better ones bring"), _("ABC"), _("Variation"), _("XYZ")),
        texts=[_item(one) for one in lines],
        rows=[
            [one.name, Money().to_json(one.amount), one.before, one.abc, one.variation, one.xyz]
            for one in lines
        ],
        currency=found.currency,
        money=(1,),
        urls=[f"{base()}/{kind.removesuffix('s')}/{one.id}" for one in lines],
    )


def _item(one: Classed) -> list[str]:
    return [
        one.name,
        amount_text(one.amount),
        format_percent(one.before) or "–",
        one.abc,
        format_percent(one.variation) or "–",
        one.xyz or "–",
    ]


def _stacks(found: Abc, kind: str) -> list[dict[str, Any]]:
    """How much of the items each class is, and how much of what they bring."""
    if not found.items:
        return []
    amount = str(_("Margin") if found.measure == "margin" else _("Revenue"))
    groups = {one: found.of(one) for one in ABC_CLASSES}
    of_items = {one: (group.items / found.items, format_number(group.items)) for one, group in groups.items()}
    of_amount = {
        one: (max(group.share or 0.0, 0.0), format_percent(group.share) or "–")
        for one, group in groups.items()
    }
    return [
        {
            "title": title,
            "parts": [
                {"share": share, "text": text, "key": _TONES[one], "label": one}
                for one, (share, text) in made.items()
            ],
        }
        for title, made in ((str(KIND_TITLES[kind]), of_items), (amount, of_amount))
    ]


def _matrix(found: Abc, kind: str) -> dict[str, Any]:
    rows = []
    for first in ABC_CLASSES:
        cells = []
        for second in XYZ_CLASSES:
            group = found.of(first, second)
            step = min(6, round((group.share or 0.0) * 12)) if group.share and group.share > 0 else 0
            text = f"{format_number(group.items)} · {format_percent(group.share, 0) or '–'}"
            url = _listed(kind, {"abc": first, "xyz": second}) if group.items else ""
            cells.append({"text": text, "step": step, "url": url} if group.items else None)
        rows.append({"title": first, "cells": cells})
    return {"corner": str(_("ABC ↓ XYZ →")), "titles": list(XYZ_CLASSES), "rows": rows}


def _listed(kind: str, values: dict[str, str]) -> str:
    """The list of what has these classes, by what it brought in the last 12 months."""
    rules = [{"field": name, "op": "eq", "value": value} for name, value in values.items()]
    return f"{base()}/{kind.removesuffix('s')}?{urlencode({'filter': json.dumps({'all': rules})})}"


def _how_abc(found: Abc, kind: str) -> Text:
    assumed = {name: format_percent(value, None) for name, value in ASSUMPTIONS.of(g.edition).items()}
    told = _(
        "A while better ones bring less than %(a_below)s of the positive total of %(total)s, B below %(b_below)s, else C; "
        "who brings nothing or a loss (%(losses)s) is C. Variation is the standard deviation by the mean of %(months)s "
        "months, a month without sales being zero: X up to %(x_up_to)s, Y up to %(y_up_to)s, else Z. "
        "%(without)s have no XYZ class: it takes six months that have ended, and a first sale in the first of them.",
        total=format_short_money(found.positive, found.currency),
        losses=format_number(found.without_profit),
        months=format_number(found.months),
        without=format_number(found.without_xyz),
        **assumed,
    )
    if kind == "products":
        return _("Products are counted by the lines of orders. %(rest)s", rest=told)
    return told


@blueprint.get("/<workspace>/analytics/significance")
def show_significance(workspace: str) -> str | Response:
    question = asked("significance")
    found = significance(question.session, question.edition, question.actor)
    groups, terms = _significance_classes(found), _terms(found)
    best = _best(question, None if request.args.get("table") == "customers" else SHOWN)
    file = asked_file([groups, terms, best])
    if file is not None:
        return file
    high = max(found.tenths, default=0) or 1
    return analysis_page(
        "significance",
        _how_significance(found),
        controls=[],
        number=found.customers,
        columns=[
            {
                "label": f"{place * 10}–{place * 10 + 10}",
                "value": count,
                "text": format_number(count),
                "plan": None,
                "tone": "",
                "ahead": False,
            }
            for place, count in enumerate(found.tenths)
        ],
        ticks=[{"value": part * high, "text": format_number(round(part * high))} for part in (0, 1)],
        high=high * 1.05,
        tables={"groups": groups.context(), "terms": terms.context(), "best": best.context()},
        list_url=f"{base()}/customer?{urlencode(_LISTED)}",
        settings_url=f"{base()}/settings/value" if g.actor.administrator else "",
    )


def _significance_classes(found: Significance) -> Sheet:
    whole = found.customers
    rows: list[list[Any]] = [
        [str(CLASS_TITLES[name]), count, round(count / whole, 6) if whole else None]
        for name, count in found.classes.items()
    ]
    return Sheet(
        name="classes",
        title=_("Classes"),
        heads=(_("Class"), _("Customers"), _("Share")),
        texts=[[row[0], format_number(row[1]), format_percent(row[2]) or "–"] for row in rows],
        rows=rows,
        urls=[_listed("customers", {"significance_class": name}) for name in found.classes],
    )


def _terms(found: Significance) -> Sheet:
    rows: list[list[Any]] = [
        [one.title, one.weight, share] for one, share in zip(found.terms, shares(found.terms), strict=True)
    ]
    return Sheet(
        name="terms",
        title=_("Weights"),
        heads=(_("Term"), _("Weight"), _("Share")),
        texts=[[row[0], format_number(row[1]), format_percent(row[2])] for row in rows],
        rows=rows,
    )


def _best(question: Question, most: int | None) -> Sheet:
    lines = list(significant_customers(question.session, question.edition, question.actor, most))
    return Sheet(
        name="customers",
        title=_("The most significant customers"),
        heads=(_("Name"), _("Significance"), _("Class")),
        texts=[
            [one.name, format_number(one.significance, 1), str(CLASS_TITLES[one.significance_class])]
            for one in lines
        ],
        rows=[[one.name, float(one.significance), one.significance_class] for one in lines],
        words=(0, 2),
        urls=[f"{base()}/customer/{one.id}" for one in lines],
    )


def _how_significance(found: Significance) -> Text:
    values = WEIGHTS.of(g.edition)
    norm = (
        _("their percentile rank among all customers")
        if values["norm"] == "rank"
        else _("their place between the 1st and the 99th percentile of all customers")
    )
    return _(
        "Each of %(terms)s terms counts from 0 to 100: scores by fifths, amounts by %(norm)s. The weighted mean is the score: "
        "key from %(key)s, important from %(important)s, ordinary from %(ordinary)s. A term that a customer does not have is "
        "left out and the others weigh more; so it is with %(missing)s customers. %(without)s have no term at all and no score. "
        "The record page of a customer shows its terms.",
        terms=format_number(len(found.terms)),
        norm=norm,
        missing=format_number(found.flagged),
        without=format_number(found.without),
        **{name: format_number(values[name]) for name in ("key", "important", "ordinary")},
    )
