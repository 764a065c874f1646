"""Customer value: RFM as a map of areas, the limits of each score, and the best customers."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, request

from trellis.crm.analytics.answers import Question
from trellis.crm.analytics.counted import told_left_out
from trellis.crm.analytics.rfm import SCORES, Limits, Rfm, limits, rfm, rfm_customers
from trellis.crm.analytics.rfm_areas import AREAS, by_area
from trellis.crm.analytics.window import coverage
from trellis.i18n import Text, format_date, format_number, format_percent, translator
from trellis.records.types import Money
from trellis.web.choosing import asked, periods
from trellis.web.rfm_map import area_cells
from trellis.web.sheets import Sheet, amount_text, asked_file
from trellis.web.views.lists import base
from trellis.web.views.measures import analysis_page

_ = translator("trellis")

blueprint = Blueprint("rfm", __name__)

SHOWN = 20


@blueprint.get("/<workspace>/analytics/rfm")
def show_rfm(workspace: str) -> str | Response:
    question = asked("rfm")
    who = question.session, question.edition, question.actor, question.window
    found = rfm(*who)
    cells = area_cells(found, base())
    areas, scores = _areas(found, [one["url"] for one in cells]), _scores(question, limits(*who))
    best = _best(question, None if request.args.get("table") == "customers" else SHOWN)
    file = asked_file([areas, scores, best])
    if file is not None:
        return file
    return analysis_page(
        "rfm",
        _how(found),
        left_out=told_left_out(coverage(*who).left_out),
        controls=[periods()],
        cells=cells if found.customers else [],
        tables={"areas": areas.context(), "scores": scores.context(), "best": best.context()},
    )


def _areas(found: Rfm, urls: list[str]) -> Sheet:
    rows = []
    for key, (customers, codes) in by_area(found.cells).items():
        share = customers / found.customers if found.customers else None
        rows.append((str(AREAS[key]), customers, share, ", ".join(sorted(codes))))
    return Sheet(
        name="areas",
        title=_("The same as a table"),
        heads=(_("Area"), _("Customers"), _("Share"), _("Codes")),
        texts=[
            [area, format_number(n), format_percent(share, 1) or "–", codes] for area, n, share, codes in rows
        ],
        rows=[list(row) for row in rows],
        words=(0, 3),
        urls=urls,
    )


def _scores(question: Question, found: Mapping[tuple[str, int], Limits]) -> Sheet:
    """From what to what the buyers with each score have it, the best score first."""
    rows = [
        [
            str(score),
            *(_span(found.get((letter, score)), 2 if letter == "m" else 0) for letter in "rfm"),
        ]
        for score in reversed(SCORES)
    ]
    return Sheet(
        name="scores",
        title=_("Limits of the scores"),
        heads=(_("Score"), _("Days since the last purchase"), _("Purchase days"), _("Revenue")),
        texts=rows,
        rows=rows,
        currency=question.edition.settings.currency,
        money=(3,),
    )


def _span(one: Limits | None, digits: int) -> str:
    if one is None:
        return "–"
    ends = dict.fromkeys(format_number(value, digits) for value in (one.low, one.high))
    return " – ".join(ends)


def _best(question: Question, most: int | None) -> Sheet:
    who = question.session, question.edition, question.actor, question.window
    lines = list(rfm_customers(*who, best_first=True, most=most))
    return Sheet(
        name="customers",
        title=_("From the best down"),
        heads=(_("Name"), _("RFM"), _("Days since the last purchase"), _("Purchase days"), _("Revenue")),
        texts=[
            [
                one.name,
                one.code,
                format_number(one.recency_days),
                format_number(one.frequency),
                amount_text(one.monetary),
            ]
            for one in lines
        ],
        rows=[
            [one.name, one.code, one.recency_days, one.frequency, Money().to_json(one.monetary)]
            for one in lines
        ],
        currency=question.edition.settings.currency,
        money=(4,),
        urls=[f"{base()}/customer/{one.id}" for one in lines],
    )


def _how(found: Rfm) -> Text:
    return _(
        "%(number)s customers bought from %(first)s to %(last)s. Each gets a score 1 to 5 for recency, frequency (purchase "
        "days) and value (revenue): five groups of equal size, 5 the best; ties go by the customer's number. The areas are "
        "made of recency and the mean of the other two. Links lead to the customers with these codes as of today.",
        number=format_number(found.customers),
        first=format_date(found.window.first),
        last=format_date(found.window.last),
    )
