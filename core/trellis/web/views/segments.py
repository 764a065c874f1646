"""Segments: their sizes, members, history and profile, how they overlap, and those of the organisation's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Direction, Segment
from trellis.crm.analytics.counted import Made, told
from trellis.crm.analytics.profile import profile
from trellis.crm.analytics.refreshing import refresh
from trellis.crm.project.rows import DIRECTIONS
from trellis.edition import OWN
from trellis.errors import Conflict, RecordInvalid, RuleInvalid
from trellis.i18n import Text, format_number, format_percent, translator
from trellis.kpi.income import IncomeWithheld, withholds_income
from trellis.records.query import ListQuery
from trellis.security.field_rights import closed_segments
from trellis.segments import own
from trellis.segments.engine import SegmentWithheld, find, members, share_of, sizes
from trellis.segments.history import history, movements
from trellis.segments.overlap import MOST, overlap
from trellis.segments.own import Draft
from trellis.web import segment_profile
from trellis.web import segments as shown
from trellis.web.display import origin
from trellis.web.overlay import dialog_form
from trellis.web.segments import SHOWN
from trellis.web.sheets import asked_file
from trellis.web.shell import page, shell, toast
from trellis.web.views.home import counted_at
from trellis.web.views.lists import base, go, messages, view_of

_ = translator("trellis")

blueprint = Blueprint("segments", __name__)

PLACE: Mapping[str, Any] = {"direction": Direction.CUSTOMERS.value, "level": "strategy"}
SAMPLES = 5


def _page(template: str, title: Text | str, *inside: tuple[Text | str, str], **context: Any) -> str:
    crumbs: list[tuple[Text | str, str]] = [(DIRECTIONS[Direction.CUSTOMERS], "model")]
    if template != "segments/all.html":
        crumbs.append((_("Segments"), "segments"))
    return page(template, title=title, crumbs=[*crumbs, *inside], **PLACE, **context)


@blueprint.get("/<workspace>/segments")
def show_all(workspace: str) -> str:
    g.actor.require("customer", "read")
    week = movements(g.session, g.edition, g.actor, datetime.now(UTC) - timedelta(days=7))
    groups: dict[str, list[dict[str, Any]]] = {}
    found = sizes(g.session, g.edition, g.actor)
    for one in sorted(found, key=lambda one: one.segment.owner != OWN):
        groups.setdefault(one.segment.owner, []).append(
            {
                "title": str(one.segment.title),
                "description": str(one.segment.description or ""),
                "url": f"{base()}/segments/{one.segment.name}",
                "tone": one.segment.tone,
                "members": format_number(one.members),
                "share": one.share or 0.0,
                "share_text": format_percent(one.share, 0) if one.share is not None else "",
                "change": shown.moved(*week.get(one.segment.name, (0, 0))),
                "origin": origin(g.edition, one.segment.owner),
                "rule_text": shown.rule_text(one.segment),
            }
        )
    administrator = g.actor.administrator
    closed = closed_segments(g.edition)
    context = {
        "withheld": str(SegmentWithheld(g.edition, *closed)) if closed else "",
        "total": format_number(len(found)),
        "counted_at": counted_at(),
        "refresh_url": f"{base()}/segments/refresh" if administrator else "",
        "new_url": f"{base()}/segments/new" if administrator else "",
        "new_list_url": f"{base()}/segments/new?list=true" if administrator else "",
        "overlap_url": f"{base()}/segments/overlap" if len(found) > 1 else "",
        "groups": [
            {"title": _owner_title(owner), "origin": origin(g.edition, owner), "rows": rows}
            for owner, rows in groups.items()
        ],
    }
    return _page("segments/all.html", _("Segments"), segments=context)


@blueprint.post("/<workspace>/segments/refresh")
def refresh_all(workspace: str) -> BaseResponse:
    g.actor.require_administrator()
    done = refresh(g.session, g.edition)
    g.records.faults.extend(done.faults)
    toast(_("Counted again"))
    return go(f"{base()}/segments")


@blueprint.get("/<workspace>/segments/overlap")
def show_overlap(workspace: str) -> str | Response:
    g.actor.require("customer", "read")
    known = [one for one in g.edition.all(Segment).values() if one.entity == "customer"]
    names = [one for one in request.args.getlist("segment") if one]
    wanted = [one for one in names if one in {each.name for each in known}][:MOST]
    chosen = wanted or [one.name for one in known[:MOST]]
    found = overlap(g.session, g.edition, g.actor, chosen) if len(chosen) > 1 else None
    sheet = shown.overlap_sheet(found) if found else None
    file = asked_file([sheet] if sheet else [])
    if file is not None:
        return file
    context = {
        "matrix": shown.overlap_matrix(found, base()) if found else None,
        "files": _files(sheet.name, chosen) if sheet else [],
        "options": [
            {"value": one.name, "title": str(one.title), "selected": one.name in chosen} for one in known
        ],
        "most": format_number(MOST),
    }
    return _page("segments/overlap.html", _("Overlap of segments"), overlap=context)


@blueprint.get("/<workspace>/segments/new")
def new(workspace: str) -> str:
    g.actor.require_administrator()
    entity = request.args.get("entity", "customer")
    view_of(entity)
    rule = None if request.args.get("list") else _rule(request.args.get("filter", "")) or {"all": []}
    return _form(Draft(title="", entity=entity, rule=rule), request.path, {}, _("New segment"))


@blueprint.post("/<workspace>/segments/new")
def create(workspace: str) -> BaseResponse | tuple[str, int]:
    g.actor.require_administrator()
    draft = _draft(request.form.get("entity", "customer"), listed=request.form.get("listed") == "true")
    view_of(draft.entity)
    try:
        made = own.create(g.session, g.edition, g.actor, draft)
    except RecordInvalid as error:
        return _form(draft, request.path, messages(error), _("New segment")), 422
    toast(_("Segment “%(title)s” made", title=made.title))
    return go(f"{base()}/segments/{made.name}")


@blueprint.post("/<workspace>/segments/preview")
def preview(workspace: str) -> str:
    """How many records the rule of a form finds now, which share that is, and a few of them."""
    view = view_of(request.form.get("entity", "customer"))
    try:
        query = ListQuery(view, g.edition, g.actor, rule=_rule(request.form.get("rule", "")), limit=SAMPLES)
        found, whole = query.count(g.session), ListQuery(view, g.edition, g.actor).count(g.session)
        ids = [record.id for record in query.page(g.session).items]
    except RuleInvalid as error:
        return render_template("segments/preview.html", preview={"problem": str(error)}, shell=shell())
    context = {
        "members": format_number(found),
        "share": share_of(found, whole) or 0.0,
        "share_text": format_percent(share_of(found, whole), 1) or "–",
        "rows": shown.member_rows(view, base(), ids),
        "plural": str(view.info.plural),
        "figure_title": shown.figure_title(view),
    }
    return render_template("segments/preview.html", preview=context, shell=shell())


@blueprint.get("/<workspace>/segments/<name>")
def show(workspace: str, name: str) -> str:
    """The members of a segment."""
    found = _segment(name)
    view = g.edition.entity(found.entity)
    ids = list(g.session.scalars(members(g.edition, g.actor, name).limit(SHOWN)))
    context = {
        **_head(found, ""),
        "rows": shown.member_rows(view, base(), ids),
        "plural": str(view.info.plural),
        "figure_title": shown.figure_title(view),
        "shown": format_number(len(ids)),
    }
    return _page("segments/one.html", found.title, segment=context)


@blueprint.get("/<workspace>/segments/<name>/history")
def show_history(workspace: str, name: str) -> str | Response:
    found = _segment(name)
    since = datetime.now(UTC).date() - timedelta(days=shown.DAYS_BACK)
    file = asked_file([shown.history_sheet(history(g.session, g.edition, g.actor, name, since))])
    if file is not None:
        return file
    context = {**_head(found, "history"), **shown.history_of(found, base())}
    inside = (found.title, f"segments/{name}")
    return _page("segments/history.html", _("History"), inside, segment=context)


@blueprint.get("/<workspace>/segments/<name>/profile")
def show_profile(workspace: str, name: str) -> str | Response:
    """The segment beside all customers."""
    found = _segment(name)
    if found.entity != "customer":
        abort(404)
    field = request.args.get("field", "")
    beside = profile(g.session, g.edition, g.actor, name, field)
    figures, rows = segment_profile.figure_sheet(beside), segment_profile.profile_sheet(beside, found.title)
    file = asked_file([one for one in (figures, rows) if one is not None])
    if file is not None:
        return file
    withheld = withholds_income(g.edition)
    context = {
        **_head(found, "profile"),
        "figures": figures.context() if figures else None,
        "fields": segment_profile.profile_fields(field),
        "files": rows.context()["files"],
        "lines": segment_profile.profile_rows(beside, base()),
        "whole": bool(field),
        "scope": str(
            IncomeWithheld(g.edition).detail if withheld else told(g.edition, g.actor, Made.SALES) or ""
        ),
    }
    inside = (found.title, f"segments/{name}")
    return _page("segments/profile.html", _("Profile"), inside, segment=context)


@blueprint.get("/<workspace>/segments/<name>/edit")
def edit(workspace: str, name: str) -> str:
    found = _own(name)
    return _form(Draft.of(found), request.path, {}, found.title)


@blueprint.post("/<workspace>/segments/<name>/edit")
def change(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    found = _own(name)
    draft = _draft(found.entity, listed=found.listed)
    try:
        own.change(g.session, g.edition, g.actor, name, draft)
    except RecordInvalid as error:
        return _form(draft, request.path, messages(error), found.title), 422
    toast(_("Saved"))
    return go(f"{base()}/segments/{name}")


@blueprint.post("/<workspace>/segments/<name>/copy")
def copy(workspace: str, name: str) -> BaseResponse:
    """A segment of the organisation's own with the same rule, to be changed."""
    _segment(name)
    made = own.copy(g.session, g.edition, g.actor, name)
    toast(_("Segment “%(title)s” made", title=made.title))
    return go(f"{base()}/segments/{made.name}/edit")


@blueprint.get("/<workspace>/segments/<name>/remove")
def ask_to_remove(workspace: str, name: str) -> str:
    found = _own(name)
    return _removal(found, "")


@blueprint.post("/<workspace>/segments/<name>/remove")
def remove(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    found = _own(name)
    try:
        own.remove(g.session, g.edition, g.actor, name)
    except Conflict as error:
        return _removal(found, str(error)), 409
    toast(_("Segment “%(title)s” removed", title=found.title))
    return go(f"{base()}/segments")


def _removal(found: Segment, problem: str) -> str:
    dialog = {
        "title": str(_("Remove “%(title)s”?", title=found.title)),
        "text": problem or str(_("Its members and their history are deleted for good. The records stay.")),
        "action": f"{base()}/segments/{found.name}/remove",
        "verb": "" if problem else str(_("Remove")),
        "danger": True,
        "fields": [],
        "hidden": [],
    }
    return dialog_form(dialog)


def _segment(name: str) -> Segment:
    found = find(g.edition, name)
    if not g.actor.may(found.entity, "read"):
        abort(404)
    return found


def _own(name: str) -> Segment:
    """A segment that the reader may change. Raises PermissionRefused, Conflict."""
    _segment(name)
    g.actor.require_administrator()
    own.own_row(g.session, g.edition, name)
    return find(g.edition, name)


def _head(found: Segment, tab: str) -> dict[str, Any]:
    """What stands above each page of a segment."""
    size = sizes(g.session, g.edition, g.actor, [found.name])[0]
    return {
        "title": str(found.title),
        "name": found.name,
        "text": str(found.description or ""),
        "rule_text": shown.rule_text(found),
        "members": format_number(size.members),
        "share": size.share or 0.0,
        "share_text": format_percent(size.share, 1) if size.share is not None else "",
        "tone": found.tone,
        "origin": origin(g.edition, found.owner),
        "listed": found.listed,
        "list_url": shown.list_url(base(), found.entity, {"segment": found.name}),
        "counted_at": counted_at(),
        "tabs": shown.tabs_of(found, base(), tab),
        **shown.acts_of(found, base()),
    }


def _form(draft: Draft, action: str, errors: dict[str, list[str]], title: Text | str) -> str:
    form = shown.form_of(base(), draft, action, errors, draft.rule is None)
    cancel = action.rsplit("/", 1)[0]
    form |= {"title": str(title), "cancel_url": cancel, "is_new": action.endswith("/new")}
    return _page("segments/form.html", title, form=form)


def _draft(entity: str, *, listed: bool) -> Draft:
    given = request.form
    return Draft(
        title=given.get("title", ""),
        description=given.get("description", ""),
        entity=entity,
        tone=given.get("tone", "neutral"),
        rule=None if listed else _rule(given.get("rule", "")) or {"all": []},
    )


def _rule(text: str) -> Any:
    try:
        return orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        raise RuleInvalid(_("The filter is not valid JSON")) from None


def _files(name: str, chosen: list[str]) -> list[tuple[str, str]]:

    asked = [("segment", one) for one in chosen]
    return [
        (ending.upper(), f"?{urlencode([*asked, ('table', name), ('format', ending)])}")
        for ending in ("csv", "xlsx")
    ]


def _owner_title(owner: str) -> str:
    mark = origin(g.edition, owner)
    return mark["title"] if mark else str(_("Core"))
