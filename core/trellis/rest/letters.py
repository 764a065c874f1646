"""Mails from records over REST: templates, what one makes of a record, and sending."""

from __future__ import annotations

from flask import Response, g

from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.letters import templates, writing
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments, json_members, no_arguments
from trellis.rest.calls import blueprint

_ = translator("trellis")


@blueprint.get("/<name:entity>/mail-templates")
def list_mail_templates(workspace: str, entity: str) -> Response:
    """Those of the organisation and of plugins for records of an entity."""
    arguments = Arguments()
    arguments.end()
    g.edition.entity(entity)
    items = [
        {
            "name": one.name,
            "title": one.title,
            "language": one.language or None,
            "subject": one.subject,
            "body": one.body,
            "plugin": one.owner,
        }
        for one in (templates.templates_for(g.records, entity) if g.actor.may(entity, "read") else ())
    ]
    return answer({"items": items})


@blueprint.post("/<name:entity>/<id:record_id>:draft")
def draft_mail(workspace: str, entity: str, record_id: int) -> Response:
    """Subject and text of a mail from a record, by a template; nothing is sent or kept."""
    no_arguments()
    g.records.get(entity, record_id)
    name = json_members({"template": str}).get("template", "")
    try:
        template = templates.find(g.records, entity, name)
    except RecordNotFound:
        raise RecordInvalid({"template": [_("There is no such template for these records")]}) from None
    subject, text = templates.draft(g.records, entity, record_id, template)
    to = writing.address_of(g.records, g.edition.whole.entity(entity), g.records.get(entity, record_id))
    return answer({"to": to or None, "subject": subject, "text": text})


@blueprint.post("/<name:entity>/<id:record_id>:mail")
def send_mail(workspace: str, entity: str, record_id: int) -> Response:
    """Sends a mail from a record, in the background; it is kept as an activity."""
    no_arguments()
    g.records.get(entity, record_id)
    body = json_members({"to": str, "subject": str, "text": str, "files": list})
    told = {name: body.get(name, "") for name in ("to", "subject", "text")}
    files = body.get("files", [])
    if not all(type(one) is int for one in files):
        raise RecordInvalid({"files": [_("A list of the ids of files of this record")]})
    made = writing.write(g.records, g.installation.config, entity, record_id, **told, files=files)
    return answer({"activity": made.id}, 202)
