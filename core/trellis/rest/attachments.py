"""Files at records over REST."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Response, g, request, url_for

from trellis import attachments
from trellis.attachments import Attachment
from trellis.errors import RecordInvalid
from trellis.files import saved_as
from trellis.i18n import translator
from trellis.rest.answers import answer
from trellis.rest.arguments import no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.problems import WrongMediaType

_ = translator("trellis")


@blueprint.get("/<name:entity>/<id:record_id>/files")
def list_files(workspace: str, entity: str, record_id: int) -> Response:
    no_arguments()
    return answer({"items": [told(one) for one in attachments.of(g.records, entity, record_id)]})


@blueprint.post("/<name:entity>/<id:record_id>/files")
def add_file(workspace: str, entity: str, record_id: int) -> Response:
    no_arguments()
    if request.mimetype != "multipart/form-data":
        raise WrongMediaType(_("Send multipart/form-data with the part “file”"))
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise RecordInvalid({"file": [_("Choose a file")]})
    with TemporaryDirectory(prefix="trellis-attachment-") as folder:
        path = Path(folder) / "file"
        sent.save(path)
        made = attachments.add(g.records, entity, record_id, sent.filename, path)
    place = url_for("rest.show_file", workspace=workspace, entity=entity, record_id=record_id, number=made.id)
    return answer(told(made), 201, {"Location": place})


@blueprint.get("/<name:entity>/<id:record_id>/files/<id:number>")
def show_file(workspace: str, entity: str, record_id: int, number: int) -> Response:
    no_arguments()
    found = attachments.find(g.records, entity, record_id, number)
    data = b"".join(attachments.content(g.session, found))
    sent = Response(data, content_type=attachments.UNKNOWN)
    sent.headers["Content-Disposition"] = saved_as(found.name)
    return sent


@blueprint.delete("/<name:entity>/<id:record_id>/files/<id:number>")
def remove_file(workspace: str, entity: str, record_id: int, number: int) -> Response:
    no_arguments()
    attachments.remove(g.records, entity, record_id, number)
    return Response(status=204)


def told(one: Attachment) -> dict[str, Any]:
    """A file as answers tell of it."""
    return {
        "id": one.id,
        "name": one.name,
        "size": one.size,
        "media_type": one.media_type,
        "added_at": one.added_at,
        "added_by": one.added_by_id,
        "sealed": one.sealed,
    }
