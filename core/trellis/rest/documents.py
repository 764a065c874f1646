"""Documents about records over REST; the templates of one's own are records."""

from __future__ import annotations

from flask import Response, g, url_for

from trellis.crm.customers.circulation import keeping
from trellis.crm.customers.documents import choosing
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.rest.answers import answer
from trellis.rest.arguments import json_members, no_arguments
from trellis.rest.attachments import told
from trellis.rest.calls import blueprint

_ = translator("trellis")


@blueprint.get("/<name:entity>/<id:record_id>/documents")
def list_documents(workspace: str, entity: str, record_id: int) -> Response:
    """The templates that a document about this record can be made of."""
    no_arguments()
    g.records.get(entity, record_id)
    found = choosing.templates_of(g.records, entity)
    return answer(
        {
            "items": [
                {"name": one.name, "title": one.title, "language": one.language, "formats": one.formats}
                for one in found
            ]
        }
    )


@blueprint.post("/<name:entity>/<id:record_id>/documents")
def make_document(workspace: str, entity: str, record_id: int) -> Response:
    """Makes a document with a number of its own, and keeps it among the files of the record."""
    no_arguments()
    body = json_members({"template": str, "format": str})
    if "template" not in body:
        raise RecordInvalid({"template": [_("This field needs a value")]})
    made = keeping.add(g.records, entity, record_id, body["template"], body.get("format", ""))
    number = made.file.id
    place = url_for("rest.show_file", workspace=workspace, entity=entity, record_id=record_id, number=number)
    return answer({**told(made.file), "document": made.id}, 201, {"Location": place})
