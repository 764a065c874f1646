"""Customer value: satisfaction over time, by segment, beside a benchmark, and what it goes along with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, g

from trellis.crm.analytics.answers import Question
from trellis.crm.analytics.satisfaction import Satisfaction, index_series, satisfaction
from trellis.crm.analytics.survey_answers import CHANNEL, PRODUCT, SEGMENT, TIER
from trellis.crm.analytics.survey_scores import ASSUMPTIONS, EQUAL, ESTIMATED, OWN, Score
from trellis.crm.analytics.window import Window
from trellis.crm.customers.invitations import Survey
from trellis.crm.customers.surveys import MEASURES
from trellis.i18n import MINUS, Text, format_number, format_percent, plural_translator, translator
from trellis.kpi.periods import Grain, Period, containing
from trellis.web.choosing import asked, choices, periods
from trellis.web.sheets import Sheet, asked_file
from trellis.web.views.lists import base
from trellis.web.views.measures import analysis_page

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("satisfaction", __name__)

MONTHS = 12
SURVEYS = 5
SPLIT_TITLES = {SEGMENT: _("Segment"), TIER: _("Tier"), CHANNEL: _("Channel"), PRODUCT: _("Product")}
MEASURE_TITLES = {option.value: option.label for option in MEASURES}
DRIVER_TITLES = {
    "image": _("Image"),
    "expectation": _("Expectation"),
    "quality": _("Quality"),
    "value": _("Value for money"),
}


@blueprint.get("/<workspace>/analytics/satisfaction")
def show_satisfaction(workspace: str) -> str | Response:
    question = asked("satisfaction")
    found = satisfaction(
        question.session,
        question.edition,
        question.actor,
        question.window,
        question.options["by"],
        question.options["survey"],
    )
    months, series = _series(question)
    sheets = {
        one.name: one for one in (_months(months, series), _parts(found), _drivers(found), _held(found))
    }
    file = asked_file(list(sheets.values()))
    if file is not None:
        return file
    by = choices("by", _("By"), SPLIT_TITLES.items(), SEGMENT)
    return analysis_page(
        "satisfaction",
        _how(found),
        controls=[periods(), by, *_surveys(question)],
        any_answers=found.responses or any(one.n for one in _all(found)),
        reason="" if found.scores.index.value is not None else str(found.reason),
        facts=_facts(found),
        trend=_trend(found, months, series),
        by_title=str(SPLIT_TITLES[found.by]),
        tables={name: sheet.context() for name, sheet in sheets.items()},
        answers_url=f"{base()}/survey_answer",
        new_url=f"{base()}/survey_answer/new" if g.actor.may("survey_answer", "create") else "",
        benchmark_url=f"{base()}/satisfaction_benchmark/new"
        if g.actor.may("satisfaction_benchmark", "create")
        else "",
        settings_url=f"{base()}/settings/value" if g.actor.administrator else "",
    )


def _surveys(question: Question) -> list[dict[str, Any]]:
    """The surveys to choose from: the latest, and the one that is asked for."""
    if not g.actor.may("survey", "read"):
        return []
    there = (Survey.deleted_at.is_(None), g.actor.visible(Survey))
    latest = sa.select(Survey.id).where(*there).order_by(Survey.id.desc()).limit(SURVEYS)
    wanted = sa.or_(Survey.id.in_(latest), Survey.id == (question.options["survey"] or 0))
    rows = g.session.execute(sa.select(Survey.id, Survey.name).where(*there, wanted).order_by(Survey.name))
    known: list[tuple[str, Text | str]] = [(str(row.id), row.name) for row in rows]
    return [choices("survey", _("Survey"), [("", _("All")), *known])] if known else []


def _all(found: Satisfaction) -> list[Score]:
    scores = found.scores
    return [scores.index, scores.nps, scores.csat, scores.ces]


def _series(question: Question) -> tuple[list[Period], list[Score]]:
    """The index of the last months up to the end of what is asked, with the months."""
    last = containing(question.window.last, Grain.MONTH)
    months = last.until(MONTHS)
    windows = [Window.of(one) for one in months]
    return months, index_series(
        question.session, question.edition, question.actor, windows, question.options["survey"]
    )


def _number(value: float | None, decimals: int = 1) -> str:
    return "–" if value is None else format_number(round(value, decimals), decimals)


def _between(score: Score) -> str:
    if score.low is None or score.high is None:
        return ""
    low, high = _number(score.low), _number(score.high)
    return str(_("%(low)s to %(high)s with 95 %% certainty", low=low, high=high))


def _answers(score: Score) -> str:
    return str(_n("%(num)s answer", "%(num)s answers", score.n))


def _facts(found: Satisfaction) -> list[dict[str, str]]:
    scores = found.scores
    easy = (
        ""
        if scores.ces.part is None
        else str(_("%(share)s found it easy", share=format_percent(scores.ces.part)))
    )
    rows = [
        (_("Satisfaction index"), _number(scores.index.value), _between(scores.index), scores.index),
        (_("NPS"), _number(scores.nps.value), _between(scores.nps), scores.nps),
        (_("CSAT"), format_percent(scores.csat.value) or "–", "", scores.csat),
        (_("CES"), _number(scores.ces.value, 2), easy, scores.ces),
    ]
    return [
        {
            "label": str(label),
            "value": value,
            "text": ", ".join(one for one in (_answers(score), text) if one),
        }
        for label, value, text, score in rows
    ]


def _trend(found: Satisfaction, months: list[Period], series: list[Score]) -> dict[str, Any] | None:
    if all(one.value is None for one in series):
        return None
    held = found.benchmark("index")
    columns = [
        {
            "label": month.short_label,
            "value": one.value or 0.0,
            "text": _number(one.value),
            "plan": held.value if held and one.value is not None else None,
            "tone": "",
            "ahead": False,
        }
        for month, one in zip(months, series, strict=True)
    ]
    ticks = [{"value": part, "text": format_number(part)} for part in (0, 50, 100)]
    return {"columns": columns, "ticks": ticks, "held": f"{held.name}: {_number(held.value)}" if held else ""}


def _months(months: list[Period], series: list[Score]) -> Sheet:
    return Sheet(
        name="months",
        title=_("Index by month"),
        heads=(_("Month"), _("Index"), _("From"), _("To"), _("Answers")),
        texts=[
            [month.label, _number(one.value), _number(one.low), _number(one.high), format_number(one.n)]
            for month, one in zip(months, series, strict=True)
        ],
        rows=[
            [month.code, one.value, one.low, one.high, one.n]
            for month, one in zip(months, series, strict=True)
        ],
    )


def _parts(found: Satisfaction) -> Sheet:
    rows: list[list[Any]] = []
    texts = []
    for one in found.parts:
        scores = one.scores
        figures = [one.answers, scores.index.value, scores.nps.value, scores.csat.value, scores.ces.value]
        rows.append([one.title, *figures])
        shown = [_number(scores.index.value), _number(scores.nps.value)]
        shown += [format_percent(scores.csat.value) or "–", _number(scores.ces.value, 2)]
        texts.append([one.title, format_number(one.answers), *shown])
    heads = (SPLIT_TITLES[found.by], _("Answers"), _("Index"), _("NPS"), _("CSAT"), _("CES"))
    return Sheet(name="parts", title=_("Satisfaction by parts"), heads=heads, texts=texts, rows=rows)


def _drivers(found: Satisfaction) -> Sheet:
    known = [one for one in found.drivers if one.n]
    titles = [str(DRIVER_TITLES[one.name]) for one in known]
    return Sheet(
        name="drivers",
        title=_("What it goes along with"),
        heads=(_("Driver"), _("Correlation"), _("Weight"), _("Answers")),
        texts=[
            [title, _number(one.r, 2), _number(one.beta, 2), format_number(one.n)]
            for title, one in zip(titles, known, strict=True)
        ],
        rows=[[title, one.r, one.beta, one.n] for title, one in zip(titles, known, strict=True)],
    )


def _held(found: Satisfaction) -> Sheet:
    lines = found.to_json()["benchmarks"]
    return Sheet(
        name="benchmarks",
        title=_("Beside others"),
        heads=(_("Benchmark"), _("Measure"), _("Figure"), _("Difference"), _("Source"), _("Period")),
        texts=[
            [
                one["name"],
                str(MEASURE_TITLES[one["measure"]]),
                _number(one["value"]),
                _signed(one["difference"]),
                one["source"],
                one["period"],
            ]
            for one in lines
        ],
        rows=[
            [one["name"], one["measure"], one["value"], one["difference"], one["source"], one["period"]]
            for one in lines
        ],
        words=(0, 1, 4, 5),
    )


def _signed(value: float | None) -> str:
    text = _number(value)
    return text if value is None or text.startswith(MINUS) or value == 0 else f"+{text}"


def _how(found: Satisfaction) -> Text:
    values = ASSUMPTIONS.of(g.edition)
    weights = {
        EQUAL: _("equal"),
        OWN: _("the organisation's own"),
        ESTIMATED: _("estimated from the answers"),
    }
    return _(
        "Of each customer the last answer of the period counts, for each figure by itself. Index: the means of the three "
        "questions (%(means)s), weighted by %(weights)s (%(origin)s), less 1 and divided by %(reach)s, in percent; "
        "%(incomplete)s incomplete answers are left out. NPS: share of 9 and 10 less share of 0 to 6. CSAT: share of the two "
        "best of five. CES: mean of 1 to 7. There is no figure from fewer than %(fewest)s answers. Correlation with the index "
        "shows what goes along with it, not what causes it.",
        means=", ".join(_number(one, 2) for one in found.means) or "–",
        weights=", ".join(format_number(round(one, 4), 4) for one in found.weights),
        origin=weights[found.weighted],
        reach=format_number(values["scale"] - 1),
        incomplete=format_number(found.incomplete),
        fewest=format_number(found.fewest),
    )
