"""Customer value: who stays, how long, and what keeping more of them would bring."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from trellis.crm.analytics.answers import Question, kept_as_asked
from trellis.crm.analytics.counted import told_left_out
from trellis.crm.analytics.keeping import Keeping
from trellis.crm.analytics.loyalty import Loyalty, loyalty, loyalty_of
from trellis.crm.analytics.survival import after_months, median
from trellis.i18n import (
    Text,
    format_number,
    format_percent,
    format_short_money,
    plural_translator,
    translator,
)
from trellis.kpi.periods import Grain, containing
from trellis.web.asked import asked_page
from trellis.web.sheets import Sheet, amount_text, asked_file
from trellis.web.views.lifetime import joined
from trellis.web.views.measures import analysis_page
from trellis.web.widgets import cohorts_context

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("loyalty", __name__)

ASSUMED = {
    "period": _("Period"),
    "as_of": _("As of"),
    "inactive_after": _("Lost after, days without a purchase"),
    "change": _("What if retention changes by"),
    "years": _("Over years"),
}


@blueprint.get("/<workspace>/analytics/loyalty")
def show_loyalty(workspace: str) -> str | Response:
    asked = asked_page("loyalty", ASSUMED)
    question = asked.question
    found, kept = _months(question), kept_as_asked(question)
    sheets = {one.name: one for one in (_retention(found), _cohorts(found), _survival(kept), _what_if(kept))}
    file = asked_file(list(sheets.values()))
    if file is not None:
        return file
    return analysis_page(
        "loyalty",
        _how(kept),
        left_out=told_left_out(kept.left_out),
        fields=asked.fields,
        cohorts=cohorts_context(found),
        facts=_facts(found, kept),
        curve=_curve(kept),
        tables={name: sheet.context() for name, sheet in sheets.items()},
    )


def _months(question: Question) -> Loyalty:
    """The months of the period asked for, or the last twelve."""
    who = question.session, question.edition, question.actor
    if question.period is not None:
        return loyalty(*who, question.period, question.today)
    return loyalty_of(*who, containing(question.today, Grain.MONTH).until(12), question.today)


def _facts(found: Loyalty, kept: Keeping) -> list[dict[str, str]]:
    year, middle = kept.year, median(kept.points)
    facts: list[tuple[Text, str, Text | str]] = [
        (
            _("Retention, a year"),
            format_percent(year.rate),
            _("%(kept)s of %(before)s", kept=format_number(year.kept), before=format_number(year.before))
            if year.before
            else _("not enough data: there were no purchases in the year before the last twelve months"),
        ),
        (_("Churn, a year"), format_percent(None if year.rate is None else 1 - year.rate), ""),
        (_("Mean lifetime"), _years(year.lifetime), _("1 / (1 − retention)") if year.lifetime else ""),
        (
            _("Half are lost after"),
            str(_n("%(num)s day", "%(num)s days", middle)) if middle is not None else "",
            _("from the first purchase to the last")
            if middle is not None
            else _("more than half are still there"),
        ),
        (
            _("Revenue retention, gross"),
            format_percent(year.grr),
            _("without what they buy more") if year.before else "",
        ),
        (
            _("Revenue retention, net"),
            format_percent(year.nrr),
            _("with what they buy more") if year.before else "",
        ),
        (_("Repeat rate"), format_percent(found.repeat_rate), _("bought on two days or more")),
    ]
    if kept.wallet.known:
        text = _n("of %(num)s customer who said", "of %(num)s customers who said", kept.wallet.known)
        facts.append((_("Share of wallet"), format_percent(kept.wallet.share), text))
    if kept.wallet.wrong:
        wrong = format_number(kept.wallet.wrong)
        facts.append((_("Spend more here than they said"), wrong, _("left out of the share of wallet")))
    return [{"label": str(label), "value": value or "–", "text": str(text)} for label, value, text in facts]


def _years(number: float | None) -> str:
    return "" if number is None else str(_("%(number)s years", number=format_number(number, 1)))


def _curve(kept: Keeping) -> dict[str, Any] | None:
    """The share that stays longer than so many months: known, and as the model carries it on (dotted)."""
    if not kept.points:
        return None
    months = range(kept.last_month + 1)
    known = [after_months(kept.points, month) for month in months if month <= kept.known_months]
    ahead = [kept.projection.survival(month) for month in months] if kept.projection else []
    finding = _(
        "After %(month)s months %(share)s are still customers",
        month=format_number(kept.known_months),
        share=format_percent(known[-1]),
    )
    step = max(len(months) // 6, 1)
    return {
        "known": [*known, *([None] * (len(months) - len(known)))],
        "ahead": ahead,
        "labels": [str(month) if month % step == 0 else "" for month in months],
        "ticks": [{"value": part, "text": format_percent(part, 0)} for part in (0, 0.5, 1)],
        "finding": str(finding),
    }


def _retention(found: Loyalty) -> Sheet:
    return Sheet(
        name="retention",
        title=_("Retention month by month"),
        heads=(_("Month"), _("Active before"), _("Stayed"), _("Retention")),
        texts=[
            [
                str(_("%(month)s (running)", month=one.period.label)) if one.partial else one.period.label,
                format_number(one.before),
                format_number(one.retained),
                format_percent(one.rate) or "–",
            ]
            for one in found.periods
        ],
        rows=[[one.period.code, one.before, one.retained, one.rate] for one in found.periods],
    )


def _cohorts(found: Loyalty) -> Sheet:
    """A row for each cohort and month, which is what programs read; the page shows them as a table of its own."""
    rows = [
        [cohort.period.code, cohort.size, later, active]
        for cohort in found.cohorts
        for later, active in enumerate(cohort.active)
    ]
    heads = (_("Cohort"), _("Size"), _("Month after the first"), _("Active"))
    return Sheet(name="cohorts", title=_("Cohorts"), heads=heads, texts=(), rows=rows)


def _survival(kept: Keeping) -> Sheet:
    rows: list[list[Any]] = []
    for month in range(kept.last_month + 1 if kept.points else 0):
        known = round(after_months(kept.points, month), 4) if month <= kept.known_months else None
        ahead = round(kept.projection.survival(month), 4) if kept.projection else None
        rows.append([month, known, ahead])
    return Sheet(
        name="survival",
        title=_("Still customers, month by month"),
        heads=(_("Months"), _("Known"), _("Projected")),
        texts=[[str(row[0]), format_percent(row[1]) or "–", format_percent(row[2]) or "–"] for row in rows],
        rows=rows,
    )


def _what_if(kept: Keeping) -> Sheet:
    made = kept.what_if
    rows: list[list[Any]] = []
    if made is not None:
        rows = [
            [str(_("As it is")), made.retention, made.revenue],
            [str(_("What if")), made.changed, made.revenue_changed],
        ]
    return Sheet(
        name="what_if",
        title=_("What if more of them stayed"),
        heads=(_("Retention"), _("A year"), _("Revenue of present customers")),
        texts=[[row[0], format_percent(row[1]), amount_text(row[2])] for row in rows],
        rows=[[row[0], round(row[1], 6), round(row[2], 2)] for row in rows],
        currency=kept.currency,
        money=(2,),
    )


def _how(kept: Keeping) -> Text:
    year, made = kept.year, kept.what_if
    told = [
        _(
            "A cohort is the customers of one first-purchase month; a cell is the share of them that bought in a later "
            "month. Retention of a year: of %(before)s customers who bought in the twelve months before the last twelve, "
            "%(kept)s bought in these.",
            before=format_number(year.before),
            kept=format_number(year.kept),
        ),
        _(
            "Who did not buy for %(days)s days is lost, the others are still there (Kaplan-Meier).",
            days=format_number(kept.inactive),
        ),
    ]
    if kept.projection is not None:
        told.append(
            _(
                "The dotted curve is the shifted-beta-geometric model with alpha %(alpha)s, beta %(beta)s.",
                alpha=format_number(kept.projection.alpha, 3),
                beta=format_number(kept.projection.beta, 3),
            )
        )
    if made is not None:
        told.append(
            _(
                "What if: %(customers)s customers × %(value)s a year × the sum of retention to the power of 0 to %(last)s.",
                customers=format_number(made.customers),
                value=format_short_money(round(made.value, 2), kept.currency),
                last=format_number(made.years - 1),
            )
        )
    return joined(told)
