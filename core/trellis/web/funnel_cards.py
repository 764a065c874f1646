"""The cards of the funnel analysis: conversion, velocity, ageing and lost reasons, each as a picture and as a table."""

from __future__ import annotations

from typing import Any

from trellis.contributions import Stage
from trellis.crm.sales.funnel import Funnel, Passage
from trellis.i18n import (
    Text,
    format_number,
    translator,
)
from trellis.records.types import Money
from trellis.web.sales_words import days_text, list_url, money_text, share_text
from trellis.web.sheets import Sheet, amount_text
from trellis.web.views.lifetime import joined

_ = translator("trellis")

NOT_TOLD = _("Not told")


def facts(found: Funnel) -> list[dict[str, str]]:
    closed, scope = found.closed, found.scope
    told = _("%(won)s won, %(lost)s lost", won=format_number(closed.won), lost=format_number(closed.lost))
    facts: list[tuple[Text, str, Text | str]] = [
        (
            _("Velocity, a day"),
            money_text(found.velocity, scope),
            _("open × win rate × average deal / cycle"),
        ),
        (_("Win rate"), share_text(closed.win_rate), told),
        (_("Average won deal"), money_text(closed.average, scope), ""),
        (
            _("Sales cycle"),
            days_text(closed.cycle),
            _("mean; half take up to %(days)s", days=days_text(found.median_cycle)),
        ),
        (_("Open opportunities"), format_number(found.open), money_text(found.pipeline, scope)),
        (_("Weighted pipeline"), money_text(found.weighted, scope), _("amount × probability")),
        (
            _("From first stage to won"),
            share_text(found.won_of_entered / found.entered if found.entered else None),
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


def bars(found: Funnel) -> list[dict[str, Any]]:
    """The stages as bars, by how many entered them."""
    most = max((one.entered for one in found.passages), default=0) or 1
    rows = [
        {
            "title": str(one.stage.title),
            "share": one.entered / most,
            "text": format_number(one.entered),
            "sub": str(_("%(share)s go on", share=share_text(one.conversion))) if one.entered else "",
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


def passages(found: Funnel) -> Sheet:
    return Sheet(
        name="passages",
        title=_("Conversion from stage to stage"),
        heads=(_("Stage"), _("Entered"), _("Went on"), _("Conversion"), _("Days in the stage"), _("Usual")),
        texts=[
            [
                str(one.stage.title),
                format_number(one.entered),
                format_number(one.passed),
                share_text(one.conversion),
                days_text(one.days),
                _usual(one.stage),
            ]
            for one in found.passages
        ],
        rows=[_passage(one) for one in found.passages],
    )


def _passage(one: Passage) -> list[Any]:
    return [str(one.stage.title), one.entered, one.passed, one.conversion, one.days, one.stage.days]


def _usual(stage: Stage) -> str:
    return days_text(stage.days)


def ages(found: Funnel) -> list[dict[str, Any]]:
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
                "text": f"{format_number(one.number)} · {money_text(one.amount, found.scope)}",
                "url": list_url(
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


def ageing(found: Funnel) -> Sheet:
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
                days_text(one.days),
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


def oldest(found: Funnel) -> Sheet:
    return Sheet(
        name="oldest",
        title=_("Longest over their time"),
        heads=(_("Opportunity"), _("Stage"), _("Days"), _("Usual")),
        texts=[
            [one.name, str(one.stage.title), days_text(one.days), _usual(one.stage)] for one in found.oldest
        ],
        rows=[[one.name, str(one.stage.title), round(one.days, 1), one.stage.days] for one in found.oldest],
    )


def ranked_reasons(found: Funnel) -> list[dict[str, Any]]:
    most = max((one.number for one in found.reasons), default=0) or 1
    return [
        {
            "title": one.title or str(NOT_TOLD),
            "share": one.number / most,
            "text": format_number(one.number),
            "sub": share_text(one.share),
        }
        for one in found.reasons[:8]
    ]


def reasons(found: Funnel) -> Sheet:
    return Sheet(
        name="reasons",
        title=_("Why opportunities were lost"),
        heads=(_("Reason for losing"), _("Lost deals"), _("Share"), _("Amount")),
        texts=[
            [
                one.title or str(NOT_TOLD),
                format_number(one.number),
                share_text(one.share),
                amount_text(one.amount),
            ]
            for one in found.reasons
        ],
        rows=[[one.title, one.number, one.share, Money().to_json(one.amount)] for one in found.reasons],
        currency=found.scope.edition.settings.currency,
        money=(3,),
    )


def how_counted(found: Funnel) -> Text:
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
            rate=share_text(found.closed.win_rate),
            average=money_text(found.closed.average, found.scope),
            days=format_number(round(found.closed.cycle, 1)) if found.closed.cycle is not None else "–",
        ),
        _("Ageing shows what is open now: longer than 1.5 times and 2 times the usual days of its stage."),
    ]
    return joined(told)
