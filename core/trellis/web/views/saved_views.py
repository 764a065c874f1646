"""Saved views of a list: saving, renaming, sharing, removing, and the one that opens the list."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Role
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.settings import views
from trellis.system import SavedView
from trellis.web.listing import full_rule, listed_at, read_listing
from trellis.web.overlay import dialog_form
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages, view_of

_ = translator("trellis")

blueprint = Blueprint("saved_views", __name__)

EVERYBODY = "*"


@blueprint.get("/<workspace>/<entity>/views/new")
def new(workspace: str, entity: str) -> str:
    listing = read_listing(view_of(entity), request.args)
    definition = listing.setup.definition(full_rule(listing))
    return _dialog(
        entity,
        str(_("Save this view")),
        f"{base()}/{entity}/views",
        hidden=[("definition", json.dumps(definition, ensure_ascii=False))],
    )


@blueprint.post("/<workspace>/<entity>/views")
def create(workspace: str, entity: str) -> BaseResponse | tuple[str, int]:
    view_of(entity)
    text = request.form.get("definition", "")
    definition = _definition(text)
    try:
        saved = views.save_view(
            g.session, g.edition, g.actor, entity, request.form.get("title", ""), definition, **_sharing()
        )
    except RecordInvalid as error:
        title, url = str(_("Save this view")), f"{base()}/{entity}/views"
        return _dialog(entity, title, url, hidden=[("definition", text)], errors=messages(error)), 422
    here = urlsplit(request.headers.get("HX-Current-URL", ""))  # a board or a calendar stays what it is
    shape = next((one for one in ("board", "calendar") if here.path == f"{base()}/{entity}/{one}"), "")
    kept = [
        (name, value) for name, value in parse_qsl(here.query) if shape and name in ("board", "span", "at")
    ]
    return go(f"{base()}/{entity}{shape and '/' + shape}?{urlencode([('view', str(saved.id)), *kept])}")


@blueprint.get("/<workspace>/<entity>/views/<int:view_id>")
def edit(workspace: str, entity: str, view_id: int) -> str:
    view_of(entity)
    saved = views.changeable_view(g.session, g.actor, entity, view_id)
    return _dialog(entity, str(_("Rename or share this view")), request.path, saved)


@blueprint.post("/<workspace>/<entity>/views/<int:view_id>")
def rename(workspace: str, entity: str, view_id: int) -> BaseResponse | tuple[str, int]:
    view_of(entity)
    saved = views.changeable_view(g.session, g.actor, entity, view_id)
    title = request.form.get("title", "")
    try:
        views.rename_view(g.session, g.edition, g.actor, entity, view_id, title, **_sharing())
    except RecordInvalid as error:
        heading = str(_("Rename or share this view"))
        return _dialog(entity, heading, request.path, saved, errors=messages(error)), 422
    return go(f"{base()}/{entity}?view={view_id}")


@blueprint.post("/<workspace>/<entity>/views/<int:view_id>/save")
def save(workspace: str, entity: str, view_id: int) -> BaseResponse:
    """Keeps the list that is shown under the name of its view."""
    listing = listed_at(view_of(entity), request.headers.get("HX-Current-URL", ""))
    definition = listing.setup.definition(full_rule(listing))
    views.redefine_view(g.session, g.edition, g.actor, entity, view_id, definition)
    toast(_("Saved"))
    return go(f"{base()}/{entity}?view={view_id}")


@blueprint.get("/<workspace>/<entity>/views/<int:view_id>/delete")
def ask_to_delete(workspace: str, entity: str, view_id: int) -> str:
    view_of(entity)
    saved = views.changeable_view(g.session, g.actor, entity, view_id)
    dialog = {
        "title": str(_("Delete the view “%(title)s”?", title=saved.title)),
        "text": str(_("The records stay as they are."))
        if saved.user_id is not None
        else str(_("It goes for everybody who uses it. The records stay as they are.")),
        "action": request.path,
        "verb": str(_("Delete the view")),
        "danger": True,
        "fields": [],
    }
    return dialog_form(dialog)


@blueprint.post("/<workspace>/<entity>/views/<int:view_id>/delete")
def delete(workspace: str, entity: str, view_id: int) -> BaseResponse:
    view_of(entity)
    views.delete_view(g.session, g.actor, entity, view_id)
    toast(_("The view is deleted"))
    return go(f"{base()}/{entity}")


@blueprint.post("/<workspace>/<entity>/views/<int:view_id>/first")
def first(workspace: str, entity: str, view_id: int) -> BaseResponse:
    """Lets the list open in this view, or (``on=false``) in none."""
    view_of(entity)
    on = request.args.get("on") != "false"
    views.open_first(g.session, g.actor, entity, view_id if on else None)
    toast(_("The list opens in this view now") if on else _("The list opens with all records now"))
    return go(f"{base()}/{entity}?view={view_id}")


def _sharing() -> dict[str, Any]:
    given = request.form.get("share", "")
    return {"shared": given != "", "role": given if given not in ("", EVERYBODY) else None}


def _definition(text: str) -> dict[str, Any]:
    try:
        definition = orjson.loads(text)
    except orjson.JSONDecodeError:
        definition = None
    if not isinstance(definition, dict):
        raise RecordInvalid({"definition": [_("A view is an object in JSON")]})
    return definition


def _dialog(
    entity: str,
    heading: str,
    action: str,
    saved: SavedView | None = None,
    *,
    hidden: list[tuple[str, str]] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> str:
    given = request.form.get("title", saved.title if saved else "")
    title = {
        "id": "title",
        "name": "title",
        "label": str(_("Name")),
        "kind": "text",
        "required": True,
        "value": given,
        "maxlength": views.LONGEST_TITLE,
        "errors": (errors or {}).get("title", []),
    }
    fields = [title]
    if g.actor.administrator:
        chosen = "" if saved is None or saved.user_id is not None else saved.role or EVERYBODY
        choices = [("", str(_("Only me"))), (EVERYBODY, str(_("Everybody")))]
        choices += [(name, str(role.title)) for name, role in g.edition.all(Role).items()]
        fields.append(
            {
                "id": "share",
                "name": "share",
                "label": str(_("Who uses it")),
                "kind": "choice",
                "required": True,
                "no_blank": True,
                "options": [
                    {"value": value, "title": text, "selected": value == chosen} for value, text in choices
                ],
                "errors": (errors or {}).get("role", []),
            }
        )
    verb = str(_("Save view"))
    dialog = {"title": heading, "action": action, "verb": verb, "fields": fields, "hidden": hidden or []}
    return dialog_form(dialog)
