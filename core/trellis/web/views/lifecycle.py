"""Customer value: the customer lifecycle, with who stands where and how customers went on."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request

from trellis.crm.analytics.answers import Question
from trellis.crm.analytics.lifecycle import Lifecycle, Moved, lifecycle, moved
from trellis.crm.customers.stages import FIELD, TITLES
from trellis.i18n import Text, format_date, format_number, format_percent, translator
from trellis.web.choosing import asked, periods
from trellis.web.sheets import Sheet, asked_file
from trellis.web.views.lists import base
from trellis.web.views.measures import analysis_page

_ = translator("trellis")

blueprint = Blueprint("lifecycle", __name__)

SHOWN = 50


@blueprint.get("/<workspace>/analytics/lifecycle")
def show_lifecycle(workspace: str) -> str | Response:
    question = asked("lifecycle")
    found = lifecycle(question.session, question.edition, question.actor, question.window)
    stages, moves = _stages(found), _moves(found)
    whole = request.args.get("table") == "customers"
    lines = _lines(question, None if whole else SHOWN) if whole or question.options["stage"] else []
    people = _people(lines)
    file = asked_file([stages, moves, people])
    if file is not None:
        return file
    return analysis_page(
        "lifecycle",
        _how(found),
        controls=[periods()],
        number=found.customers,
        bars=_bars(found),
        matrix=_matrix(found) if any(one.entered for one in found.stages.values()) else None,
        behind=_behind(question, lines, people),
        without=format_number(found.without) if found.without else "",
        tables={"stages": stages.context(), "moves": moves.context()},
        settings_url=f"{base()}/settings/stages" if g.actor.administrator else "",
    )


def _bars(found: Lifecycle) -> list[dict[str, Any]]:
    most = max(one.customers for one in found.stages.values()) or 1
    return [
        {
            "title": str(TITLES[one.stage]),
            "share": one.customers / most,
            "text": format_number(one.customers),
            "sub": format_percent(one.customers / (found.customers or 1), 0),
            "url": _list_of(one.stage),
        }
        for one in found.stages.values()
    ]


def _list_of(stage: str) -> str:
    rule = {"all": [{"field": FIELD, "op": "eq", "value": stage}]}
    return f"{base()}/customer?{urlencode({'filter': json.dumps(rule)})}"


def _stages(found: Lifecycle) -> Sheet:
    rows: list[list[Any]] = [
        [str(TITLES[one.stage]), one.customers, one.held, one.entered, one.gone, one.days]
        for one in found.stages.values()
    ]
    return Sheet(
        name="stages",
        title=_("Stages"),
        heads=(
            _("Stage"),
            _("Customers now"),
            _("Held by hand"),
            _("Entered"),
            _("Left since"),
            _("Days in the stage, median"),
        ),
        texts=[[row[0], *(_number(value) for value in row[1:])] for row in rows],
        rows=rows,
    )


def _number(value: int | None) -> str:
    return "–" if value is None else format_number(value)


def _moves(found: Lifecycle) -> Sheet:
    rows: list[list[Any]] = [
        [str(TITLES[one.stage]), str(TITLES[stage]), number, one.share(stage)]
        for one in found.stages.values()
        for stage, number in one.went.items()
    ]
    return Sheet(
        name="moves",
        title=_("From stage to stage"),
        heads=(_("From"), _("To"), _("Customers"), _("Share of those who entered")),
        texts=[[*row[:2], format_number(row[2]), format_percent(row[3])] for row in rows],
        rows=rows,
        words=(0, 1),
    )


def _matrix(found: Lifecycle) -> dict[str, Any]:
    rows = []
    for one in found.stages.values():
        cells = [
            {
                "text": f"{format_number(number)} · {format_percent(one.share(stage), 0)}",
                "step": min(6, 1 + round((one.share(stage) or 0.0) * 5)),
                "url": _behind_url(one.stage, stage),
            }
            if (number := one.went.get(stage, 0))
            else None
            for stage in found.stages
        ]
        rows.append({"title": str(TITLES[one.stage]), "cells": cells})
    titles = [str(TITLES[stage]) for stage in found.stages]
    return {"corner": str(_("from ↓ to →")), "titles": titles, "rows": rows}


def _behind_url(stage: str, went_to: str = "") -> str:
    kept = {"period": request.args.get("period", ""), "stage": stage, "went_to": went_to}
    return f"?{urlencode({name: value for name, value in kept.items() if value})}#behind"


def _lines(question: Question, most: int | None) -> list[Moved]:
    who = question.session, question.edition, question.actor, question.window
    return list(moved(*who, question.options["stage"], question.options["went_to"], most))


def _people(lines: list[Moved]) -> Sheet:
    return Sheet(
        name="customers",
        title=_("Customers"),
        heads=(_("Name"), _("Stage"), _("Entered"), _("Left"), _("Went on to")),
        texts=(),
        rows=[
            [
                one.name,
                one.stage,
                one.entered_on.isoformat(),
                one.left_on.isoformat() if one.left_on else None,
                one.went_to,
            ]
            for one in lines
        ],
    )


def _behind(question: Question, lines: list[Moved], people: Sheet) -> dict[str, Any] | None:
    """The customers behind a figure of the matrix."""
    stage, went_to = question.options["stage"], question.options["went_to"]
    if stage is None:
        return None
    title = (
        _("From “%(stage)s” to “%(next)s”", stage=TITLES[stage], next=TITLES[went_to])
        if went_to
        else _("Entered “%(stage)s”", stage=TITLES[stage])
    )
    rows = [{"title": one.name, "url": f"{base()}/customer/{one.id}", "sub": _when(one)} for one in lines]
    return {"title": str(title), "rows": rows, "table": people.context()}


def _when(one: Moved) -> str:
    entered = format_date(one.entered_on)
    return f"{entered} – {format_date(one.left_on)}" if one.left_on else entered


def _how(found: Lifecycle) -> Text:
    first = next(iter(found.stages.values()))
    entered = max(found.stages.values(), key=lambda one: one.entered, default=first)
    example = max(entered.went, key=lambda stage: entered.went[stage], default="")
    told = _(
        "A customer stands in the furthest stage whose rule it fits, unless somebody holds it. Of those who entered a stage "
        "in the period, the cells of “From stage to stage” show how many went on to another one by now. The median is "
        "that of Kaplan and Meier: who is still in the stage counts as far as it is known. Stays that began before the history "
        "did are left out."
    )
    if not example:
        return told
    return _(
        "%(rule)s For example: %(entered)s entered “%(stage)s”, %(went)s of them went on to “%(next)s”: %(share)s.",
        rule=told,
        entered=format_number(entered.entered),
        stage=TITLES[entered.stage],
        went=format_number(entered.went[example]),
        next=TITLES[example],
        share=format_percent(entered.share(example)),
    )
