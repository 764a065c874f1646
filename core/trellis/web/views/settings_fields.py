"""Settings: fields without code."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.edition import OWN, EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.saying import in_words
from trellis.records.types import Choice
from trellis.settings.fields import TYPES, add_field, change_field, position_of, remove_field
from trellis.web.display import origin
from trellis.web.overlay import dialog_form
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_fields", __name__)
blueprint.before_request(only_administrators)

TYPE_TITLES = {
    "text": _("Text"),
    "long_text": _("Long text"),
    "integer": _("Whole number"),
    "decimal": _("Decimal number"),
    "money": _("Amount"),
    "percent": _("Percent"),
    "boolean": _("Yes or no"),
    "date": _("Date"),
    "datetime": _("Date and time"),
    "choice": _("Choice"),
    "reference": _("Link to a record"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "url": _("Web address"),
    "json": _("Data"),
}


@blueprint.get("/<workspace>/settings/fields")
def show(workspace: str) -> str:
    name = request.args.get("entity", "customer")
    view = g.edition.entities.get(name)
    if view is None:
        abort(404)
    url = f"{base()}/settings/fields"
    rows = [
        {
            "name": one.name,
            "label": str(one.label),
            "type": str(TYPE_TITLES[one.type.name]),
            "group": str(one.group or ""),
            "origin": origin(g.edition, one.owner),
            "required": one.required,
            "in_list": one.in_list,
            "indexed": one.indexed,
            "rules": _rules(view, one),
            "rules_url": "" if one.read_only else f"{url}/{name}/{one.name}/rules",
            "edit_url": f"{url}/{name}/{one.name}/edit" if one.owner == OWN else "",
            "remove_url": f"{url}/{name}/{one.name}" if one.owner == OWN else "",
        }
        for one in view.fields.values()
    ]
    context = {
        "entities": [
            {"title": str(one.info.plural), "url": f"{url}?entity={one.name}", "current": one.name == name}
            for one in g.edition.entities.values()
        ],
        "entity_title": str(view.info.plural),
        "add_url": f"{url}/{name}/new",
        "rows": rows,
    }
    return settings_page("settings/fields.html", "fields", _("Fields"), fields=context)


def _rules(view: EntityView, declared: Field) -> list[str]:
    """The rules of a field in words."""
    said = []
    if declared.required_when is not None:
        said.append(_("Required: %(rule)s", rule=in_words(g.records, view, declared.required_when)))
    if declared.visible_when is not None:
        said.append(_("Shown: %(rule)s", rule=in_words(g.records, view, declared.visible_when)))
    return [str(one) for one in said]


@blueprint.get("/<workspace>/settings/fields/<entity>/new")
def new(workspace: str, entity: str) -> str:
    return _dialog(entity, {}, {})


@blueprint.post("/<workspace>/settings/fields/<entity>/new")
def create(workspace: str, entity: str) -> BaseResponse | tuple[str, int]:
    try:
        name = request.form.get("name", "")
        added = add_field(g.session, g.edition, entity, name, _declaration(), g.actor)
    except RecordInvalid as error:
        return _dialog(entity, request.form, messages(error)), 422
    toast(_("Field “%(label)s” added", label=added.label))
    return go(f"{base()}/settings/fields?entity={entity}")


@blueprint.get("/<workspace>/settings/fields/<entity>/<name>/edit")
def edit(workspace: str, entity: str, name: str) -> str:
    declared = _own(entity, name)
    options = declared.type.options if isinstance(declared.type, Choice) else ()
    given = {
        "label": str(declared.label),
        "group": str(declared.group or ""),
        "help": str(declared.help or ""),
        "options": "\n".join(str(one.value) for one in options),
        "required": declared.required,
        "in_list": declared.in_list,
        "searchable": declared.searchable,
        "indexed": declared.indexed,
        "personal": declared.personal,
        "position": str(position_of(g.session, entity, name)),
    }
    return _dialog(entity, given, {}, declared)


@blueprint.post("/<workspace>/settings/fields/<entity>/<name>/edit")
def change(workspace: str, entity: str, name: str) -> BaseResponse | tuple[str, int]:
    declared = _own(entity, name)
    position = request.form.get("position", "").strip()
    if not position.isdecimal() or len(position) > 4:
        error = {"position": [str(_("Must be a whole number"))]}
        return _dialog(entity, request.form, error, declared), 422
    try:
        changed = change_field(g.session, g.edition, entity, name, _declaration(), int(position), g.actor)
    except RecordInvalid as error:
        return _dialog(entity, request.form, messages(error), declared), 422
    toast(_("Field “%(label)s” changed", label=changed.label))
    return go(f"{base()}/settings/fields?entity={entity}")


def _declaration() -> dict[str, Any]:
    """What the form says of a field."""
    given = request.form
    return {
        "type": given.get("type", ""),
        "label": given.get("label", "").strip(),
        "group": given.get("group", "").strip(),
        "help": given.get("help", "").strip(),
        "options": [one.strip() for one in given.get("options", "").splitlines() if one.strip()],
        "refers_to": given.get("refers_to", ""),
        "required": _ticked("required"),
        "in_list": _ticked("in_list"),
        "searchable": _ticked("searchable"),
        "indexed": _ticked("indexed"),
        "personal": _ticked("personal"),
    }


def _own(entity: str, name: str) -> Field:
    declared: Field | None = g.edition.entity(entity).fields.get(name)
    if declared is None or declared.owner != OWN:
        abort(404)
    return declared


@blueprint.get("/<workspace>/settings/fields/<entity>/<name>")
def confirm_removal(workspace: str, entity: str, name: str) -> str:
    declared = _own(entity, name)
    dialog = {
        "title": str(_("Stop showing “%(label)s”?", label=declared.label)),
        "text": str(
            _("Its values stay in the records and come back when a field of this name is added again.")
        ),
        "action": f"{base()}/settings/fields/{entity}/{name}/remove",
        "verb": str(_("Remove field")),
        "danger": True,
        "fields": [],
    }
    return dialog_form(dialog)


@blueprint.post("/<workspace>/settings/fields/<entity>/<name>/remove")
def remove(workspace: str, entity: str, name: str) -> BaseResponse:
    remove_field(g.session, g.edition, entity, name, g.actor)
    toast(_("Field removed; its values are kept"))
    return go(f"{base()}/settings/fields?entity={entity}")


def _ticked(name: str) -> bool:
    return request.form.getlist(name)[-1:] == ["true"]


def _dialog(entity: str, given: Any, errors: dict[str, list[str]], changed: Field | None = None) -> str:
    """The form of a new field, or of one that is ``changed``: its name and type stay."""

    def field(name: str, label: Any, kind: str = "text", **more: Any) -> dict[str, Any]:
        value = given.get(name, "")
        if kind == "boolean":
            value = value is True or (hasattr(given, "getlist") and _ticked(name))
        common = {"id": name, "name": name, "label": str(label), "kind": kind, "value": value}
        required = name in ("label", "name", "type", "position")
        return {**common, "errors": errors.get(name, []), "required": required, **more}

    kinds = [
        {"value": kind, "title": str(TYPE_TITLES[kind]), "selected": given.get("type", "text") == kind}
        for kind in TYPES
    ]
    targets = [
        {"value": view.name, "title": str(view.info.title), "selected": given.get("refers_to") == view.name}
        for view in g.edition.entities.values()
    ]
    kind = changed.type.name if changed else None
    what = [
        field("name", _("Name in REST and import"), help=str(_("Small latin letters, digits and _"))),
        field("type", _("Type"), "choice", options=kinds, no_blank=True),
    ]
    options = field("options", _("Options, one a line"), "long", of="choice")
    refers = field("refers_to", _("Links to"), "choice", options=targets, of="reference")
    fields = [
        field("label", _("Label")),
        *([] if changed else what),
        *([options] if kind in (None, "choice") else []),
        *([] if changed else [refers]),
        field("group", _("Group"), help=str(_("The heading it stands under on forms and record pages"))),
        field("help", _("Help")),
        field("required", _("Required"), "boolean"),
        field("in_list", _("Show in lists"), "boolean"),
        field("searchable", _("Found by the search"), "boolean"),
        field("indexed", _("Fast to filter and sort"), "boolean"),
        field(
            "personal",
            _("Personal data"),
            "boolean",
            help=str(_("Erased with all else that is kept about a person")),
        ),
        *([field("position", _("Place among your own fields"), "number")] if changed else []),
    ]
    title = (
        _("Field “%(label)s”", label=changed.label)
        if changed
        else _("Add a field to %(entity)s", entity=g.edition.entity(entity).info.plural)
    )
    dialog = {
        "title": str(title),
        "action": f"{base()}/settings/fields/{entity}/{f'{changed.name}/edit' if changed else 'new'}",
        "verb": str(_("Save") if changed else _("Add a field")),
        "fields": fields,
    }
    return dialog_form(dialog)
