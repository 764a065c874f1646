"""The editor of templates of mails and of documents: a page of its own in place of the form of their records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from flask import Blueprint, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.errors import RecordInvalid, RecordNotFound, StaleVersion
from trellis.i18n import translator
from trellis.web.display import origin
from trellis.web.shell import entity_page, shell, toast
from trellis.web.template_editor import editor
from trellis.web.template_kinds import KINDS
from trellis.web.views.lists import base, go, messages, view_of, whole_number

_ = translator("trellis")

blueprint = Blueprint("template_editing", __name__)

View = TypeVar("View", bound=Callable[..., Any])


def of_each(path: str, method: str) -> Callable[[View], View]:
    """Puts a view at the addresses of each kind, before those of records in general."""

    def add(view: View) -> View:
        for name in KINDS:
            blueprint.add_url_rule(
                f"/<workspace>/{name}{path}",
                f"{name}_{view.__name__}",
                partial(view, entity=name),
                methods=[method],
            )
        return view

    return add


@of_each("/new", "GET")
def new(workspace: str, entity: str) -> str:
    """For which records, or as which template of a plugin; then the editor."""
    view = view_of(entity)
    g.actor.require(entity, "create")
    chosen, like = request.args.get("of_entity", ""), request.args.get("like", "")
    if like:
        found = next((one for one in KINDS[entity].brought(g.edition) if one.name == like), None)
        if found is None:
            raise RecordNotFound()
        return _editor(entity, None, {"of_entity": found.entity, "name": found.title, **found.values}, {})
    if chosen in g.edition.entities and g.actor.may(chosen, "read"):
        return _editor(entity, None, {"of_entity": chosen}, {})
    choice = {
        "title": str(KINDS[entity].new),
        "entities": [
            {"value": one.name, "title": str(one.info.plural)}
            for one in g.edition.entities.values()
            if one.info.parent is None and g.actor.may(one.name, "read")
        ],
        "has_subjects": "subject" in KINDS[entity].edited,
        "contributed": [
            {
                "title": one.title,
                "entity": str(g.edition.entity(one.entity).info.plural),
                "subject": one.values.get("subject", ""),
                "origin": origin(g.edition, one.owner),
                "url": f"{request.path}?like={one.name}",
            }
            for one in KINDS[entity].brought(g.edition)
        ],
    }
    return entity_page("letters/new.html", view, title=KINDS[entity].new, inside=True, choice=choice)


@of_each("/new", "POST")
def create(workspace: str, entity: str) -> BaseResponse | tuple[str, int]:
    view_of(entity)
    values = _given(entity)
    try:
        made = g.records.create(entity, values)
    except RecordInvalid as error:
        return _editor(entity, None, values, messages(error)), 422
    toast(_("Saved"))
    return go(f"{base()}/{entity}/{made.id}")


@of_each("/<int:record_id>/edit", "GET")
def edit(workspace: str, entity: str, record_id: int) -> str:
    view_of(entity)
    known = g.records.get(entity, record_id)
    return _editor(entity, record_id, {**known.values, "version": known.version}, {})


@of_each("/<int:record_id>/edit", "POST")
def save(workspace: str, entity: str, record_id: int) -> BaseResponse | tuple[str, int]:
    view_of(entity)
    known = g.records.get(entity, record_id)
    values = _given(entity)
    version = whole_number(request.form.get("version", ""))
    try:
        g.records.update(entity, record_id, values, version=version)
    except RecordInvalid as error:
        return _editor(entity, record_id, {**values, "version": version}, messages(error)), 422
    except StaleVersion as error:
        return _editor(
            entity, record_id, {**values, "version": known.version}, {"_record": [str(error)]}
        ), 409
    toast(_("Saved"))
    return go(f"{base()}/{entity}/{record_id}")


@of_each("/preview", "POST")
def look(workspace: str, entity: str) -> str:
    """What a template makes of a record, while it is typed."""
    view_of(entity)
    of_entity = request.form.get("of_entity", "")
    if of_entity not in g.edition.entities or not g.actor.may(of_entity, "read"):
        abort(404)
    shown = KINDS[entity].preview(of_entity, _given(entity), whole_number(request.form.get("record", "")))
    return render_template("letters/preview.html", preview=shown, shell=shell())


def _given(entity: str) -> dict[str, Any]:
    given = request.form
    values: dict[str, Any] = {"of_entity": given.get("of_entity", "")}
    for name in KINDS[entity].edited:
        values[name] = given.get(name, "").strip() or None
    if "active" in values:
        values["active"] = given.getlist("active")[-1:] != ["false"]
    return values


def _editor(
    entity: str, record_id: int | None, values: Mapping[str, Any], errors: Mapping[str, list[str]]
) -> str:
    if values["of_entity"] not in g.edition.entities or not g.actor.may(values["of_entity"], "read"):
        raise RecordNotFound()  # of a plugin that is not enabled, or of records that are not for the reader
    title = str(values.get("name") or KINDS[entity].new)
    return entity_page(
        "letters/editor.html",
        g.edition.entity(entity),
        title=title,
        inside=True,
        editor=editor(KINDS[entity], record_id, values, errors),
    )
