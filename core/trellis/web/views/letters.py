"""Writing a mail from a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import attachments
from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import translator
from trellis.letters import templates, writing
from trellis.web.display import title_of
from trellis.web.letters import letter_fields
from trellis.web.shell import entity_page, shell, toast
from trellis.web.views.lists import base, go, messages, view_of, whole_numbers

_ = translator("trellis")

blueprint = Blueprint("letters", __name__)

_FIELDS = {"to": _("Send to"), "subject": _("Subject"), "text": _("Text")}


@blueprint.get("/<workspace>/<entity>/<int:record_id>/mail")
def ask(workspace: str, entity: str, record_id: int) -> str:
    view = view_of(entity)
    record = g.records.get(entity, record_id)
    chosen = whole_numbers(request.args.get("file", ""))
    return _letter(entity, record_id, {"to": writing.address_of(g.records, view, record)}, {}, chosen)


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
    files = whole_numbers(",".join(request.form.getlist("files")))
    try:
        writing.write(g.records, g.installation.config, entity, record_id, **given, files=files)
    except RecordInvalid as error:
        return _letter(entity, record_id, given, messages(error), files), 422
    except Conflict as error:
        return _letter(entity, record_id, given, {"_record": [str(error)]}, files), error.status
    toast(_("The mail is on its way"))
    return go(f"{base()}/{entity}/{record_id}")


def _letter(
    entity: str,
    record_id: int,
    given: Mapping[str, str],
    errors: Mapping[str, list[str]],
    chosen: Sequence[int] = (),
) -> str:
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
        "files": [
            {"id": one.id, "name": one.name, "checked": one.id in chosen}
            for one in attachments.of(g.records, entity, record_id)
        ],
        "notes": [*errors.get("_record", ()), *errors.get("files", ())] or problems,
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
