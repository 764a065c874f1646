"""Boards: the stages of a lifecycle as columns, and moves between them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Lifecycle, Rule, Stage
from trellis.edition import EntityView
from trellis.errors import RecordInvalid, RuleInvalid
from trellis.i18n import (
    Text,
    format_date,
    format_number,
    format_percent,
    format_short_money,
    plural_translator,
    translator,
)
from trellis.records import exits
from trellis.records.board import Board, Column, board, board_rule
from trellis.records.query import ListQuery, Record
from trellis.web.display import control, currency_of, new_title, person, read_form, shown, title_of
from trellis.web.forecasting import forecast_context
from trellis.web.list_bar import bar_context, shapes
from trellis.web.listing import Listing, full_rule, listed_at, read_listing
from trellis.web.overlay import dialog_form
from trellis.web.shell import entity_page, shell, toast
from trellis.web.views.lists import base, go, view_of, without_rule

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("boards", __name__)


@blueprint.get("/<workspace>/<entity>/board")
def show(workspace: str, entity: str) -> str | BaseResponse:
    view = view_of(entity)
    lifecycle = _chosen(view, request.args.get("board", ""))
    state = {name: value for name, value in request.args.items() if name != "board"}
    listing = read_listing(view, request.args if state else MultiDict({"view": "all"}))
    kept = (("board", lifecycle.name),) if len(view.lifecycles) > 1 else ()
    listing = replace(listing, shape="board", kept=kept)
    rule = full_rule(listing)
    try:
        found = board(g.session, g.edition, g.actor, lifecycle, rule)
    except RuleInvalid as error:
        return without_rule(listing, error)
    context = {
        "title": str(lifecycle.title),
        "boards": [_tab(listing, one, one is lifecycle) for one in view.lifecycles],
        "entity": {
            "name": view.name,
            "title": str(view.info.title),
            "new_title": new_title(view),
            "icon": view.info.icon,
        },
        "total_text": _total_text(found),
        "new_url": f"{base()}/{entity}/new",
        "may_create": g.actor.may(entity, "create"),
        "analysis_url": f"{base()}/opportunity/analysis?{urlencode({'funnel': lifecycle.name})}"
        if entity == "opportunity"
        else "",
        "shapes": shapes(listing, base()),
        "forecast": forecast_context(lifecycle, rule),
        "move_url": f"{base()}/{entity}/{{id}}/move",
        "ages": "stage_since" in view.fields,
        "empty": not any(column.count for column in (*found.open, *found.closed)),
        "columns": [_column(view, lifecycle, column, rule) for column in found.open],
        "folded": [_folded(view, lifecycle, column, rule) for column in found.closed],
    }
    bar = {**bar_context(listing, base()), "query": None}
    return entity_page("board.html", view, title=_("Board"), inside=True, board=context, list=bar)


@blueprint.post("/<workspace>/<entity>/<int:record_id>/move")
def move(workspace: str, entity: str, record_id: int) -> Response | tuple[str, int]:
    """Moves a record. Fields that the stage asks for are asked for in a dialog; nothing is changed before that."""
    view = view_of(entity)
    record = g.records.get(entity, record_id)
    lifecycle = view.lifecycle(record.values)
    if lifecycle is None:
        abort(404)
    stage = next((one for one in lifecycle.stages if one.value == request.values.get("stage")), None)
    if stage is None:
        abort(404)
    present = next((one for one in lifecycle.stages if one.value == record.values.get(lifecycle.field)), None)
    asked = {*stage.requires, *(exits.fields_of(g.edition, view, present) if present else ())}
    given = {
        name: read_form(view.fields[name], request.form.getlist(name)[-1])
        for name in view.fields
        if name in asked and name in request.form
    }
    try:
        moved = g.records.move(entity, record_id, stage.value, given)
    except RecordInvalid as error:
        errors = {name: [str(one) for one in found] for name, found in error.errors.items()}
        if present is not None and lifecycle.field in errors:
            errors |= {name: [] for name in exits.fields_of(g.edition, view, present) if name not in errors}
        return _ask(view, record, stage, errors, asked=bool(given)), 422 if given else 200
    if "HX-Current-URL" in request.headers and request.headers["HX-Current-URL"].split("?")[0].endswith(
        "/board"
    ):
        return _moved(view, lifecycle, moved, stage)
    toast(_moved_text(stage))
    return go(f"{base()}/{entity}/{record_id}")  # type: ignore[return-value]


def _moved_text(stage: Stage) -> Text:
    return _("Moved to “%(stage)s”", stage=stage.title)


def _chosen(view: EntityView, name: str) -> Lifecycle:
    """The board that is named, else the first that has records, else the first."""
    if not view.lifecycles:
        abort(404)
    named = next((one for one in view.lifecycles if one.name == name), None)
    if named is not None or len(view.lifecycles) == 1:
        return named or view.lifecycles[0]
    return next((one for one in view.lifecycles if _has_records(view, one)), view.lifecycles[0])


def _has_records(view: EntityView, lifecycle: Lifecycle) -> bool:
    return ListQuery(view, g.edition, g.actor, rule=board_rule(lifecycle)).count(g.session, 1) > 0


def _tab(listing: Listing, lifecycle: Lifecycle, current: bool) -> dict[str, Any]:
    url = replace(listing, kept=(("board", lifecycle.name),)).url(base())
    return {"title": str(lifecycle.title), "url": url, "current": current}


def _short(amount: Any) -> str:
    return format_short_money(amount, g.edition.settings.currency)


def _total_text(found: Board) -> str:
    parts = [str(_n("%(num)s open", "%(num)s open", found.count))]
    if found.amount is not None:
        parts.append(_short(found.amount))
    if found.left_out:
        text = _n("%(num)s without a rate left out", "%(num)s without a rate left out", found.left_out)
        parts.append(str(text))
    return " · ".join(parts)


def _column(view: EntityView, lifecycle: Lifecycle, column: Column, rule: Rule | None) -> dict[str, Any]:
    url = _stage_url(view, lifecycle, column.stage, rule)
    probability = column.stage.probability
    more = str(_n("%(num)s more", "%(num)s more", column.more)) if column.more > 0 else ""
    return {
        "value": column.stage.value,
        "title": str(column.stage.title),
        "count": format_number(column.count),
        "probability": format_percent(probability, 0) if probability is not None else "",
        "sum": _short(column.amount) if column.amount is not None else "",
        "weighted": _short(column.weighted) if column.weighted is not None else "",
        "share": column.share,
        "url": url,
        "cards": [_card(view, column.stage, record) for record in column.cards],
        "more": {"text": more, "url": url} if more else None,
    }


def _folded(view: EntityView, lifecycle: Lifecycle, column: Column, rule: Rule | None) -> dict[str, Any]:
    parts = [str(column.stage.title), format_number(column.count)]
    if column.amount is not None:
        parts.append(_short(column.amount))
    return {
        "value": column.stage.value,
        "title": str(column.stage.title),
        "kind": column.stage.kind,
        "icon": "trophy" if column.stage.kind in ("won", "done") else "circle-x",
        "text": f"{parts[0]} {' · '.join(parts[1:])}",
        "url": _stage_url(view, lifecycle, column.stage, rule),
    }


def _stage_url(view: EntityView, lifecycle: Lifecycle, stage: Stage, rule: Rule | None) -> str:
    both = json.dumps(board_rule(lifecycle, rule, stage.value), ensure_ascii=False)
    return f"{base()}/{view.name}?{urlencode({'filter': both})}"


def _card(view: EntityView, stage: Stage, record: Record) -> dict[str, Any]:
    info, title = view.info, title_of(view, record)
    subject = (
        shown(g.edition, base(), view.fields[info.subtitle_field], record)["text"]
        if info.subtitle_field
        else ""
    )
    amount = view.fields[info.amount_field] if info.amount_field else None
    figure = ""
    if amount is not None and record.values.get(amount.name) is not None:
        figure = format_short_money(record.values[amount.name], currency_of(g.edition, amount, record.values))
    company = subject and info.subtitle_field == "customer"
    return {
        "id": record.id,
        "version": record.version,
        "title": subject if company else title,
        "subject": title if company else subject,
        "amount": figure,
        "url": f"{base()}/{view.name}/{record.id}",
        "badge": None,
        "days": _days(stage, record),
        "next": _next(record),
        "owner": person(record.titles["owner"], record.values["owner"])
        if record.titles.get("owner")
        else None,
    }


def _days(stage: Stage, record: Record) -> dict[str, str] | None:
    since = record.values.get("stage_since")
    if since is None:
        return None
    days = max((datetime.now(UTC) - since).days, 0)
    usual = stage.days or 0
    tone = "danger" if usual and days > 2 * usual else "warn" if usual and days > 1.5 * usual else ""
    return {
        "text": str(_n("%(num)s d", "%(num)s d", days)),
        "tone": tone,
        "title": str(_("Days in this stage")),
    }


def _next(record: Record) -> dict[str, str] | None:
    day: date | None = record.values.get("next_step_on") or record.values.get("expected_close")
    if day is None:
        return None
    late = day < datetime.now(UTC).date()
    tone = "danger" if late and record.values.get("next_step_on") else ""
    return {"text": str(_("Overdue")) if tone else format_date(day), "icon": "calendar", "tone": tone}


def _ask(view: EntityView, record: Record, stage: Stage, errors: dict[str, list[str]], *, asked: bool) -> str:
    """A dialog for what the stage needs; what stands against the move otherwise is told in it."""
    names = [name for name in errors if name in view.fields and (name in stage.requires or not errors[name])]
    fields = [
        control(
            g.edition,
            base(),
            view.fields[name],
            request.form.get(name, record.values.get(name)),
            title=record.titles.get(name, ""),
            errors=errors[name] if asked else [],
        )
        for name in names
    ]
    others = " ".join(one for name, found in errors.items() if name not in names for one in found)
    dialog = {
        "title": str(_("Move to “%(stage)s”?", stage=stage.title)),
        "text": others,
        "action": f"{base()}/{view.name}/{record.id}/move",
        "verb": str(_("Move")) if fields else "",
        "fields": [
            {**field, "required": name in stage.requires} for name, field in zip(names, fields, strict=True)
        ],
        "hidden": [("stage", stage.value)],
    }
    return dialog_form(dialog)


def _moved(view: EntityView, lifecycle: Lifecycle, record: Record, stage: Stage) -> Response:
    """The new heads of the columns, swapped in beside the card that the browser has moved already."""
    rule = full_rule(listed_at(view, request.headers["HX-Current-URL"]))
    found = board(g.session, g.edition, g.actor, lifecycle, rule, cards=0)
    heads = "".join(
        render_template(
            "board_head.html",
            column=_column(view, lifecycle, column, rule),
            index=index,
            swap=True,
            shell=shell(),
        )
        for index, column in enumerate(found.open, start=1)
    )
    told = {
        "total_text": _total_text(found),
        "forecast": forecast_context(lifecycle, rule),
    }
    heads += render_template("board_told.html", board=told, swap=True, shell=shell())
    detail = {
        "moved": {"id": record.id, "stage": stage.value, "version": record.version},
        "dialog-close": {},
        "toast": {"text": str(_moved_text(stage))},
    }
    return Response(heads, headers={"HX-Trigger": json.dumps(detail)})
