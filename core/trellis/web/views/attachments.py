"""Files at a record: the card beside it, downloads, adding and removing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Blueprint, Response, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import attachments
from trellis.errors import RecordInvalid
from trellis.files import saved_as
from trellis.i18n import translator
from trellis.web import uploads
from trellis.web.overlay import dialog_form
from trellis.web.record_files import card
from trellis.web.shell import shell, toast
from trellis.web.views.lists import base, go, messages, view_of

_ = translator("trellis")

blueprint = Blueprint("attachments", __name__)
uploads.accept(blueprint, "attachment")


@blueprint.post("/<workspace>/<entity>/<int:record_id>/files")
def add(workspace: str, entity: str, record_id: int) -> BaseResponse | tuple[str, int]:
    view_of(entity)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _refused(entity, record_id, [str(_("Choose a file"))])
    with TemporaryDirectory(prefix="trellis-attachment-") as folder:
        path = Path(folder) / "file"
        sent.save(path)
        try:
            made = attachments.add(g.records, entity, record_id, sent.filename, path)
        except RecordInvalid as error:
            return _refused(entity, record_id, [one for found in messages(error).values() for one in found])
    toast(_("“%(name)s” is kept", name=made.name))
    return go(f"{base()}/{entity}/{record_id}")


@blueprint.get("/<workspace>/<entity>/<int:record_id>/files/<int:number>")
def download(workspace: str, entity: str, record_id: int, number: int) -> Response:
    """Always as a download: nothing that people send is shown as a page of ours."""
    view_of(entity)
    found = attachments.find(g.records, entity, record_id, number)
    data = b"".join(attachments.content(g.session, found))
    answer = Response(data, content_type=found.media_type)
    answer.headers["Content-Disposition"] = saved_as(found.name)
    return answer


@blueprint.get("/<workspace>/<entity>/<int:record_id>/files/<int:number>/remove")
def ask_to_remove(workspace: str, entity: str, record_id: int, number: int) -> str:
    view_of(entity)
    found = attachments.find(g.records, entity, record_id, number)
    dialog = {
        "title": str(_("Remove “%(name)s”?", name=found.name)),
        "text": str(_("The file is deleted for good.")),
        "action": request.path,
        "verb": str(_("Remove")),
        "danger": True,
        "fields": [],
    }
    return dialog_form(dialog)


@blueprint.post("/<workspace>/<entity>/<int:record_id>/files/<int:number>/remove")
def remove(workspace: str, entity: str, record_id: int, number: int) -> BaseResponse:
    view_of(entity)
    attachments.remove(g.records, entity, record_id, number)
    toast(_("The file is removed"))
    return go(f"{base()}/{entity}/{record_id}")


def _refused(entity: str, record_id: int, problems: list[str]) -> tuple[str, int]:
    files = card(entity, record_id, may_change=True, problems=problems)
    return render_template("record/files.html", files=files, shell=shell()), 422
