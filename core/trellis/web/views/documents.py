"""Making a document about a record, and looking at it before it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.customers.circulation import keeping
from trellis.crm.customers.documents import choosing
from trellis.crm.customers.documents.entities import LANGUAGES, TEMPLATE
from trellis.documents.making import DocumentTemplate
from trellis.errors import RecordInvalid
from trellis.i18n import Text, translator
from trellis.web.display import new_title
from trellis.web.overlay import dialog_form
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages, view_of

_ = translator("trellis")

blueprint = Blueprint("documents", __name__)

_BETWEEN = "|"
_FORMATS = {"pdf": "PDF", "html": "HTML", "docx": "Word"}


@blueprint.get("/<workspace>/<entity>/<int:record_id>/document")
def ask(workspace: str, entity: str, record_id: int) -> str:
    """A dialog that asks for the template and the kind of file."""
    view_of(entity)
    g.records.get(entity, record_id)
    return _dialog(entity, record_id, {})


@blueprint.post("/<workspace>/<entity>/<int:record_id>/document")
def make(workspace: str, entity: str, record_id: int) -> BaseResponse | tuple[str, int]:
    view_of(entity)
    name, _bar, ending = request.form.get("template", "").rpartition(_BETWEEN)
    try:
        made = keeping.add(g.records, entity, record_id, name, ending)
    except RecordInvalid as error:
        return _dialog(entity, record_id, messages(error)), 422
    toast(_("“%(name)s” is kept", name=made.file.name))
    return go(f"{base()}/{entity}/{record_id}")


def _dialog(entity: str, record_id: int, errors: dict[str, list[str]]) -> str:
    found = choosing.templates_of(g.records, entity)
    chosen = request.form.get("template", "")
    options = [
        {
            "value": (value := f"{one.name}{_BETWEEN}{ending}"),
            "title": f"{_title(one)}, {_FORMATS[ending]}",
            "selected": value == chosen,
        }
        for one in found
        for ending in one.formats
    ]
    field: dict[str, Any] = {
        "id": "template",
        "name": "template",
        "label": str(_("Template")),
        "kind": "choice",
        "required": True,
        "no_blank": True,
        "options": options,
        "errors": [text for texts in errors.values() for text in texts],
    }
    none = _("There is no template for these records yet; make one among the document templates.")
    dialog: dict[str, Any] = {
        "title": str(_("Make a document")),
        "text": str(_told(found)) if options else str(none),
        "action": f"{base()}/{entity}/{record_id}/document",
        "verb": str(_("Make")),
        "fields": [field] if options else [],
    }
    if not options:
        dialog |= {"action": "", "verb": ""}
        if g.actor.may(TEMPLATE, "create"):
            url = f"{base()}/{TEMPLATE}/new?of_entity={entity}"
            dialog["link"] = {"title": new_title(view_of(TEMPLATE)), "url": url}
    return dialog_form(dialog)


def _told(found: Sequence[DocumentTemplate]) -> Text:
    """What is made, and what is not: no library makes of a Word file the PDF that Word makes."""
    if any(not one.content for one in found):
        return _(
            "It gets a number, and is kept among the files of this record. Templates in Word stay Word; for a PDF, save the "
            "file as PDF in Word and keep it as a new version."
        )
    return _("It gets a number, and is kept among the files of this record.")


def _title(one: DocumentTemplate) -> str:
    """What a template is called, with its language where the title does not say it."""
    language = next((str(known.label) for known in LANGUAGES if known.value == one.language), one.language)
    return one.title if language.lower() in one.title.lower() else f"{one.title} ({language})"
