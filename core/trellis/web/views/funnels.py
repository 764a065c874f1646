"""Analysis of sales beside the board: conversion, velocity, ageing and lost reasons of a funnel; people and units compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request

from trellis.contributions import Stage
from trellis.crm.analytics.answers import sales_scope
from trellis.crm.sales.counting import Scope, funnels
from trellis.crm.sales.effectiveness import SPLITS, Effectiveness, Row, effectiveness
from trellis.crm.sales.funnel import Funnel, Passage, funnel
from trellis.i18n import (
    Text,
    format_date,
    format_number,
    format_percent,
    format_short_money,
    plural_translator,
    translator,
)
from trellis.kpi.splits import CHANNEL, PERSON, UNIT
from trellis.records.board import board_rule
from trellis.records.types import Money
from trellis.web.choosing import asked, choices, periods
from trellis.web.display import new_title
from trellis.web.sheets import Sheet, amount_text, asked_file
from trellis.web.shell import entity_page
from trellis.web.views.lifetime import joined
from trellis.web.views.lists import base, view_of

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("funnels", __name__)

TABS: tuple[tuple[str, Text], ...] = (
    ("analysis", _("Funnel analysis")),
    ("effectiveness", _("Effectiveness of sales")),
)
NOT_TOLD = _("Not told")
_FIELDS = {PERSON: "owner", UNIT: "unit", CHANNEL: "channel"}


@blueprint.get("/<workspace>/opportunity/analysis")
def show_funnel(workspace: str) -> str | Response:
    found = funnel(sales_scope(asked("funnel")))
    sheets = {one.name: one for one in (_passages(found), _ageing(found), _reasons(found), _oldest(found))}
    file = asked_file(list(sheets.values()))
    if file is not None:
        return file
    return _page(
        "analysis",
        found.scope,
        _how_funnel(found),
        is_empty=found.is_empty,
        facts=_facts(found),
        bars=_bars(found),
        ages=_ages(found),
        reasons=_ranked_reasons(found),
        oldest=[
            {
                "title": one.name,
                "text": _days(one.days),
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
    sheet = _comparison(found)
    file = asked_file([sheet])
    if file is not None:
        return file
    return _page(
        "effectiveness",
        found.scope,
        _how_effectiveness(found),
        further=[choices("by", _("Compare"), SPLITS.items(), PERSON)],
        is_empty=not found.rows,
        pictures=_pictures(found),
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


def _share(value: float | None) -> str:
    return format_percent(value) or "–"


def _days(value: float | None) -> str:
    return "–" if value is None else str(_("%(number)s d", number=format_number(round(value, 1))))


def _money(amount: Any, scope: Scope) -> str:
    return "–" if amount is None else format_short_money(amount, scope.edition.settings.currency)


def _list_url(scope: Scope, *rules: Mapping[str, Any], stage: str | None = None) -> str:
    """The list of the opportunities that a figure counts."""
    both = json.dumps(board_rule(scope.lifecycle, {"all": list(rules)}, stage), ensure_ascii=False)
    return f"{base()}/opportunity?{urlencode({'filter': both})}"


def _closed_in(scope: Scope, *outcomes: str) -> list[Mapping[str, Any]]:
    days = [scope.period.first.isoformat(), scope.period.last.isoformat()]
    return [
        {"field": "outcome", "op": "in", "value": list(outcomes)},
        {"field": "closed_at", "op": "between", "value": days},
    ]


def _facts(found: Funnel) -> list[dict[str, str]]:
    closed, scope = found.closed, found.scope
    told = _("%(won)s won, %(lost)s lost", won=format_number(closed.won), lost=format_number(closed.lost))
    facts: list[tuple[Text, str, Text | str]] = [
        (_("Velocity, a day"), _money(found.velocity, scope), _("open × win rate × average deal / cycle")),
        (_("Win rate"), _share(closed.win_rate), told),
        (_("Average won deal"), _money(closed.average, scope), ""),
        (
            _("Sales cycle"),
            _days(closed.cycle),
            _("mean; half take up to %(days)s", days=_days(found.median_cycle)),
        ),
        (_("Open opportunities"), format_number(found.open), _money(found.pipeline, scope)),
        (_("Weighted pipeline"), _money(found.weighted, scope), _("amount × probability")),
        (
            _("From first stage to won"),
            _share(found.won_of_entered / found.entered if found.entered else None),
            _(
                "%(won)s of %(entered)s that entered",
                won=format_number(found.won_of_entered),
                entered=format_number(found.entered),
            ),
        ),
    ]
    if closed.left_out:
        facts.append(
            (
                _("In other currencies"),
                format_number(closed.left_out),
                _("without a rate, left out of amounts"),
            )
        )
    return [{"label": str(label), "value": value, "text": str(text)} for label, value, text in facts]


def _bars(found: Funnel) -> list[dict[str, Any]]:
    """The stages as bars, by how many entered them."""
    most = max((one.entered for one in found.passages), default=0) or 1
    rows = [
        {
            "title": str(one.stage.title),
            "share": one.entered / most,
            "text": format_number(one.entered),
            "sub": str(_("%(share)s go on", share=_share(one.conversion))) if one.entered else "",
        }
        for one in found.passages
    ]
    won = next((one for one in found.scope.lifecycle.stages if one.kind in ("won", "done")), None)
    if won is not None and found.passages:
        passed = found.passages[-1].passed
        rows.append(
            {"title": str(won.title), "share": passed / most, "text": format_number(passed), "sub": ""}
        )
    return rows


def _passages(found: Funnel) -> Sheet:
    return Sheet(
        name="passages",
        title=_("Conversion from stage to stage"),
        heads=(_("Stage"), _("Entered"), _("Went on"), _("Conversion"), _("Days in the stage"), _("Usual")),
        texts=[
            [
                str(one.stage.title),
                format_number(one.entered),
                format_number(one.passed),
                _share(one.conversion),
                _days(one.days),
                _usual(one.stage),
            ]
            for one in found.passages
        ],
        rows=[_passage(one) for one in found.passages],
    )


def _passage(one: Passage) -> list[Any]:
    return [str(one.stage.title), one.entered, one.passed, one.conversion, one.days, one.stage.days]


def _usual(stage: Stage) -> str:
    return _days(stage.days)


def _ages(found: Funnel) -> list[dict[str, Any]]:
    """A bar for each stage with open ones: how many are there as long as usual, longer, and far too long."""
    rows = []
    for one in found.ageing:
        if not one.number:
            continue
        parts = [
            (one.usual, "seq4", _("usual")),
            (one.late, "warn", _("over 1.5×")),
            (one.very_late, "danger", _("over 2×")),
        ]
        rows.append(
            {
                "title": str(one.stage.title),
                "text": f"{format_number(one.number)} · {_money(one.amount, found.scope)}",
                "url": _list_url(
                    found.scope, {"field": "outcome", "op": "eq", "value": "open"}, stage=one.stage.value
                ),
                "parts": [
                    {
                        "share": number / one.number,
                        "key": key,
                        "label": str(label),
                        "text": format_number(number),
                    }
                    for number, key, label in parts
                ],
            }
        )
    return rows


def _ageing(found: Funnel) -> Sheet:
    money = Money().to_json
    return Sheet(
        name="ageing",
        title=_("How long opportunities are in their stage"),
        heads=(
            _("Stage"),
            _("Open deals"),
            _("Amount"),
            _("Usual"),
            _("As usual"),
            _("Over 1.5×"),
            _("Over 2×"),
            _("Days, mean"),
        ),
        texts=[
            [
                str(one.stage.title),
                format_number(one.number),
                amount_text(one.amount),
                _usual(one.stage),
                *(format_number(number) for number in (one.usual, one.late, one.very_late)),
                _days(one.days),
            ]
            for one in found.ageing
        ],
        rows=[
            [
                str(one.stage.title),
                one.number,
                money(one.amount),
                one.stage.days,
                one.usual,
                one.late,
                one.very_late,
                one.days,
            ]
            for one in found.ageing
        ],
        currency=found.scope.edition.settings.currency,
        money=(2,),
    )


def _oldest(found: Funnel) -> Sheet:
    return Sheet(
        name="oldest",
        title=_("Longest over their time"),
        heads=(_("Opportunity"), _("Stage"), _("Days"), _("Usual")),
        texts=[[one.name, str(one.stage.title), _days(one.days), _usual(one.stage)] for one in found.oldest],
        rows=[[one.name, str(one.stage.title), round(one.days, 1), one.stage.days] for one in found.oldest],
    )


def _ranked_reasons(found: Funnel) -> list[dict[str, Any]]:
    most = max((one.number for one in found.reasons), default=0) or 1
    return [
        {
            "title": one.title or str(NOT_TOLD),
            "share": one.number / most,
            "text": format_number(one.number),
            "sub": _share(one.share),
        }
        for one in found.reasons[:8]
    ]


def _reasons(found: Funnel) -> Sheet:
    return Sheet(
        name="reasons",
        title=_("Why opportunities were lost"),
        heads=(_("Reason for losing"), _("Lost deals"), _("Share"), _("Amount")),
        texts=[
            [
                one.title or str(NOT_TOLD),
                format_number(one.number),
                _share(one.share),
                amount_text(one.amount),
            ]
            for one in found.reasons
        ],
        rows=[[one.title, one.number, one.share, Money().to_json(one.amount)] for one in found.reasons],
        currency=found.scope.edition.settings.currency,
        money=(3,),
    )


def _how_funnel(found: Funnel) -> Text:
    told = [
        _(
            "Conversion looks at the %(entered)s opportunities that entered a stage in the period: how many of them went on, "
            "by now. A stage that was skipped counts as passed. The first stage is entered on the day an opportunity began.",
            entered=format_number(found.entered),
        ),
        _(
            "Win rate: won by won and lost ones, by the day they were closed. Cycle: days from begun to closed of the won "
            "ones. Velocity: %(open)s open × %(rate)s × %(average)s / %(days)s days.",
            open=format_number(found.open),
            rate=_share(found.closed.win_rate),
            average=_money(found.closed.average, found.scope),
            days=format_number(round(found.closed.cycle, 1)) if found.closed.cycle is not None else "–",
        ),
        _("Ageing shows what is open now: longer than 1.5 times and 2 times the usual days of its stage."),
    ]
    return joined(told)


def _pictures(found: Effectiveness) -> list[dict[str, Any]]:
    """The comparison as bars: win rate, won amount and, where there is one, the plan."""
    scope = found.scope
    largest = max((one.closed.amount for one in found.rows), default=0) or 1
    pictures = [
        {
            "title": str(_("Won sales")),
            "rows": [
                _bar(found, one, float(one.closed.amount / largest), _money(one.closed.amount, scope))
                for one in found.rows
            ],
        },
        {
            "title": str(_("Win rate")),
            "rows": [
                _bar(found, one, one.closed.win_rate, _share(one.closed.win_rate))
                for one in found.rows
                if one.closed.win_rate is not None
            ],
        },
    ]
    planned = [one for one in found.rows if one.planned.attainment is not None]
    if planned:
        bars = [_bar(found, one, one.planned.attainment, _share(one.planned.attainment)) for one in planned]
        pictures.append({"title": str(_("Plan attainment")), "rows": bars})
    return [one for one in pictures if one["rows"]]


def _bar(found: Effectiveness, row: Row, share: float | None, text: str) -> dict[str, Any]:
    field = _FIELDS[found.by]
    whose: Mapping[str, Any] = (
        {"field": field, "op": "is_empty"}
        if row.key is None
        else {"field": field, "op": "eq", "value": row.key}
    )
    url = _list_url(found.scope, *_closed_in(found.scope, "won", "lost"), whose)
    return {"title": row.title, "share": max(share or 0.0, 0.0), "text": text, "sub": "", "url": url}


def _comparison(found: Effectiveness) -> Sheet:
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
    )
    return Sheet(
        name="comparison",
        title=_("Effectiveness of sales"),
        heads=heads,
        texts=[_row_texts(one) for one in found.rows],
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
            ]
            for one in found.rows
        ],
        currency=found.scope.edition.settings.currency,
        money=(4, 5, 9, 10, 11),
    )


def _cents(amount: Any) -> Any:
    return None if amount is None else Money().to_json(round(amount, 2))


def _row_texts(one: Row) -> list[str]:
    per_win = one.activities_per_win
    return [
        one.title,
        format_number(one.closed.won),
        format_number(one.closed.lost),
        _share(one.closed.win_rate),
        amount_text(one.closed.amount),
        amount_text(one.closed.average),
        _days(one.closed.cycle),
        "–" if per_win is None else format_number(round(per_win, 1)),
        format_number(one.open),
        amount_text(one.weighted),
        amount_text(one.velocity),
        amount_text(one.planned.plan),
        _share(one.planned.attainment),
    ]


def _how_effectiveness(found: Effectiveness) -> Text:
    told = [
        _(
            "Opportunities that were closed in the period, by whom they belong to. Win rate: won by won and lost ones. Cycle: "
            "days from begun to closed of the won ones. Activities per win: done ones of all that was closed, by the won ones."
        ),
        _("Open ones and their weighted amounts are those at the end of the period, or now while it runs."),
    ]
    if found.kpi is not None:
        told.append(_("Plan and fact are those of the KPI “%(kpi)s”.", kpi=found.kpi.title))
    return joined(told)
