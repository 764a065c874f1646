"""Writing a mail from a record, and the editor of the templates for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.errors import Conflict, RecordInvalid, RecordNotFound, StaleVersion
from trellis.i18n import translator
from trellis.letters import templates, writing
from trellis.web.display import origin, title_of
from trellis.web.letters import editor, letter_fields, preview
from trellis.web.shell import entity_page, page, shell, toast
from trellis.web.views.lists import base, go, messages, view_of, whole_number

_ = translator("trellis")

blueprint = Blueprint("letters", __name__)

_FIELDS = {"to": _("Send to"), "subject": _("Subject"), "text": _("Text")}


@blueprint.get("/<workspace>/<entity>/<int:record_id>/mail")
def ask(workspace: str, entity: str, record_id: int) -> str:
    view = view_of(entity)
    record = g.records.get(entity, record_id)
    return _letter(entity, record_id, {"to": writing.address_of(g.records, view, record)}, {})


@blueprint.get("/<workspace>/<entity>/<int:record_id>/mail/draft")
def draft(workspace: str, entity: str, record_id: int) -> str:
    """Subject and text from a template."""
    view_of(entity)
    g.records.get(entity, record_id)
    name = request.args.get("template", "")
    if not name:
        return _draft({}, {})
    found = templates.find(g.records, entity, name)
    try:
        subject, text = templates.draft(g.records, entity, record_id, found)
    except RecordInvalid as error:
        problems = [one for found in messages(error).values() for one in found]
        return _draft({}, {"text": problems})
    return _draft({"subject": subject, "text": text}, {})


@blueprint.post("/<workspace>/<entity>/<int:record_id>/mail")
def send(workspace: str, entity: str, record_id: int) -> BaseResponse | tuple[str, int]:
    view_of(entity)
    given = {name: request.form.get(name, "") for name in _FIELDS}
    try:
        writing.write(g.records, g.installation.config, entity, record_id, **given)
    except RecordInvalid as error:
        return _letter(entity, record_id, given, messages(error)), 422
    except Conflict as error:
        return _letter(entity, record_id, given, {"_record": [str(error)]}), error.status
    toast(_("The mail is on its way"))
    return go(f"{base()}/{entity}/{record_id}")


def _letter(entity: str, record_id: int, given: Mapping[str, str], errors: Mapping[str, list[str]]) -> str:
    view = view_of(entity)
    record = g.records.get(entity, record_id)
    title = title_of(view, record)
    url = f"{base()}/{entity}/{record_id}"
    problems = [] if writing.may_send(g.installation.config) else [str(_("This server sends no mail"))]
    letter = {
        "action": f"{url}/mail",
        "record": title,
        "record_url": url,
        "draft_url": f"{url}/mail/draft",
        "templates": [
            {"value": one.name, "title": one.title} for one in templates.templates_for(g.records, entity)
        ],
        "fields": letter_fields(_FIELDS, given, errors),
        "notes": errors.get("_record") or problems,
        "problems": [
            {"field": str(_FIELDS[name]), "id": name, "text": " ".join(found)}
            for name, found in errors.items()
            if name in _FIELDS
        ],
    }
    return entity_page("letters/write.html", view, title=_("Write a mail"), inside=True, letter=letter)


def _draft(given: Mapping[str, str], errors: Mapping[str, list[str]]) -> str:
    fields = letter_fields(_FIELDS, given, errors)
    return render_template("letters/draft.html", fields=fields, shell=shell())


@blueprint.get("/<workspace>/mail_template/new")
def new(workspace: str) -> str:
    """For which records, or as which template of a plugin; then the editor."""
    view = view_of(templates.ENTITY)
    g.actor.require(templates.ENTITY, "create")
    entity, like = request.args.get("of_entity", ""), request.args.get("like", "")
    if like:
        found = next((one for one in templates.all_contributed(g.edition) if one.name == like), None)
        if found is None:
            raise RecordNotFound()
        return _editor(None, {"of_entity": found.entity, "name": found.title, **_copied(found)}, {})
    if entity in g.edition.entities and g.actor.may(entity, "read"):
        return _editor(None, {"of_entity": entity}, {})
    choice = {
        "entities": [
            {"value": one.name, "title": str(one.info.plural)}
            for one in g.edition.entities.values()
            if one.info.parent is None and g.actor.may(one.name, "read")
        ],
        "contributed": [
            {
                "title": one.title,
                "entity": str(g.edition.entity(one.entity).info.plural),
                "subject": one.subject,
                "origin": origin(g.edition, one.owner),
                "url": f"{request.path}?like={one.name}",
            }
            for one in templates.all_contributed(g.edition)
        ],
    }
    return entity_page("letters/new.html", view, title=_("New mail template"), inside=True, choice=choice)


def _copied(found: templates.MailTemplate) -> dict[str, str]:
    return {"language": found.language, "subject": found.subject, "body": found.body}


@blueprint.post("/<workspace>/mail_template/new")
def create(workspace: str) -> BaseResponse | tuple[str, int]:
    view_of(templates.ENTITY)
    values = _given()
    try:
        made = g.records.create(templates.ENTITY, values)
    except RecordInvalid as error:
        return _editor(None, values, messages(error)), 422
    toast(_("Saved"))
    return go(f"{base()}/{templates.ENTITY}/{made.id}")


@blueprint.get("/<workspace>/mail_template/<int:record_id>/edit")
def edit(workspace: str, record_id: int) -> str:
    view_of(templates.ENTITY)
    known = g.records.get(templates.ENTITY, record_id)
    return _editor(record_id, {**known.values, "version": known.version}, {})


@blueprint.post("/<workspace>/mail_template/<int:record_id>/edit")
def save(workspace: str, record_id: int) -> BaseResponse | tuple[str, int]:
    view_of(templates.ENTITY)
    known = g.records.get(templates.ENTITY, record_id)
    values = _given()
    version = whole_number(request.form.get("version", ""))
    try:
        g.records.update(templates.ENTITY, record_id, values, version=version)
    except RecordInvalid as error:
        return _editor(record_id, {**values, "version": version}, messages(error)), 422
    except StaleVersion as error:
        return _editor(record_id, {**values, "version": known.version}, {"_record": [str(error)]}), 409
    toast(_("Saved"))
    return go(f"{base()}/{templates.ENTITY}/{record_id}")


@blueprint.post("/<workspace>/mail_template/preview")
def look(workspace: str) -> str:
    """What a template makes of a record, while it is typed."""
    view_of(templates.ENTITY)
    entity = request.form.get("of_entity", "")
    if entity not in g.edition.entities or not g.actor.may(entity, "read"):
        abort(404)
    shown = preview(entity, _given(), whole_number(request.form.get("record", "")))
    return render_template("letters/preview.html", preview=shown, shell=shell())


def _given() -> dict[str, Any]:
    given = request.form
    return {
        "name": given.get("name", "").strip() or None,
        "of_entity": given.get("of_entity", ""),
        "language": given.get("language") or None,
        "active": given.getlist("active")[-1:] != ["false"],
        "subject": given.get("subject", "").strip() or None,
        "body": given.get("body", "").strip() or None,
    }


def _editor(record_id: int | None, values: Mapping[str, Any], errors: Mapping[str, list[str]]) -> str:
    if values["of_entity"] not in g.edition.entities or not g.actor.may(values["of_entity"], "read"):
        raise RecordNotFound()  # of a plugin that is not enabled, or of records that are not for the reader
    title = str(values.get("name") or _("New mail template"))
    return page(
        "letters/editor.html",
        title=title,
        crumbs=[(_("Mail templates"), templates.ENTITY)],
        icon="mail-plus",
        editor=editor(record_id, values, errors),
    )
