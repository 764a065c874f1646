"""Pages of document circulation: what waits for one, sending, versions, comparing files, sign-off."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import attachments
from trellis.crm.customers.circulation import circulating, desk, files, keeping, routes, sheet
from trellis.crm.customers.circulation.entities import ACTIONS, APPROVE, DOCUMENT, ROUTE, Document
from trellis.crm.customers.documents import choosing
from trellis.errors import RecordInvalid
from trellis.files import saved_as
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.types import Choice, Integer, LongText, Option, Reference
from trellis.uploads import MB, most, too_large
from trellis.web import uploads
from trellis.web.display import control, read_form
from trellis.web.document_desk import desk_context
from trellis.web.overlay import dialog_form
from trellis.web.shell import entity_page, toast
from trellis.web.views import letters
from trellis.web.views.lists import base, go, messages, sentences, view_of, whole_number

_ = translator("trellis")

blueprint = Blueprint("circulation", __name__)
uploads.accept(blueprint, "attachment")

_ROUTES = 200


@blueprint.get("/<workspace>/documents")
def show(workspace: str) -> str:
    view = view_of(DOCUMENT)
    found = desk_context(desk.waiting(g.records), desk.sent(g.records), desk.decided(g.records), base())
    return entity_page("documents/desk.html", view, title=_("Documents to decide"), inside=True, desk=found)


@blueprint.get("/<workspace>/document/<int:number>/mail")
def mail(workspace: str, number: int) -> str | BaseResponse:
    """A mail from the record of a document, with its file."""
    files.opened(g.records, number)
    place = files.record_of(g.session, number) if files.may_open(g.records, number) else None
    if place is None:
        return letters.ask(workspace, DOCUMENT, number)
    found = files.versions(g.session, number)
    chosen = f"?file={found[0].row.attachment_id}" if found and found[0].file is not None else ""
    return go(f"{base()}/{place[0]}/{place[1]}/mail{chosen}")


@blueprint.get("/<workspace>/document/<int:number>/send")
def ask_to_send(workspace: str, number: int) -> str:
    keeping.require_change(g.records, number)
    return _send_dialog(number, {}, {})


@blueprint.post("/<workspace>/document/<int:number>/send")
def send(workspace: str, number: int) -> BaseResponse | tuple[str, int]:
    """Along a route, or to one person."""
    keeping.require_change(g.records, number)
    try:
        circulating.send(g.records, number, _steps())
    except RecordInvalid as error:
        return _send_dialog(number, request.form, messages(error)), 422
    toast(_("Sent for approval"))
    return _back(number)


@blueprint.post("/<workspace>/document/<int:number>/take-back")
def take_back(workspace: str, number: int) -> BaseResponse:
    circulating.take_back(g.records, number)
    toast(_("It is a draft again"))
    return _back(number)


@blueprint.get("/<workspace>/document/<int:number>/void")
def ask_to_void(workspace: str, number: int) -> str:
    keeping.require_change(g.records, number)
    return _void_dialog(number, {})


@blueprint.post("/<workspace>/document/<int:number>/void")
def void(workspace: str, number: int) -> BaseResponse | tuple[str, int]:
    try:
        circulating.make_void(g.records, number, request.form.get("reason", ""))
    except RecordInvalid as error:
        return _void_dialog(number, messages(error)), 422
    toast(_("The document is void"))
    return _back(number)


@blueprint.post("/<workspace>/document/<int:number>/again")
def again(workspace: str, number: int) -> BaseResponse:
    try:
        made = keeping.make_again(g.records, number)
    except RecordInvalid as error:
        toast(" ".join(sentences(error)))
        return _back(number)
    toast(_("“%(name)s” is kept", name=made.file.name))
    return _back(number)


@blueprint.get("/<workspace>/document/<int:number>/version")
def ask_for_version(workspace: str, number: int) -> str:
    keeping.require_change(g.records, number)
    return _version_page(number, uploads.refusal())


@blueprint.post("/<workspace>/document/<int:number>/version")
def bring(workspace: str, number: int) -> BaseResponse | tuple[str, int]:
    sent = request.files.get("file")
    keeping.require_change(g.records, number)
    if sent is None or not sent.filename:
        return _version_page(number, [str(_("Choose a file"))]), 422
    with TemporaryDirectory(prefix="trellis-version-") as folder:
        path = Path(folder) / "file"
        sent.save(path)
        try:
            made = keeping.bring(g.records, number, sent.filename, path)
        except RecordInvalid as error:
            return _version_page(number, sentences(error)), 422
    toast(_("“%(name)s” is kept", name=made.file.name))
    return _back(number)


@blueprint.get("/<workspace>/document/<int:number>/check")
def ask_for_file(workspace: str, number: int) -> str:
    return _check_page(number, uploads.refusal())


@blueprint.post("/<workspace>/document/<int:number>/check")
def check(workspace: str, number: int) -> str | tuple[str, int]:
    """Says whether a file that somebody has is one of the versions, byte by byte."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _check_page(number, [str(_("Choose a file"))]), 422
    found = hashlib.sha256(sent.stream.read()).hexdigest()
    known = {one.row.sha256: one.row.number for one in files.versions(g.session, number)}
    return _check_page(number, [], found=(known.get(found), found))


@blueprint.get("/<workspace>/document/<int:number>/versions/<int:version>")
def download(workspace: str, number: int, version: int) -> Response:
    file = files.file_of(g.records, number, version)
    data = b"".join(attachments.content(g.session, file))
    return _download(data, file.media_type, file.name)


@blueprint.get("/<workspace>/document/<int:number>/sheet")
def sign_off(workspace: str, number: int) -> Response:
    document = files.opened(g.records, number)
    data = sheet.sheet(g.records, number)
    return _download(data, attachments.TYPES[".pdf"], f"{document.values['number']}.pdf")


def _download(data: bytes, media_type: str, name: str) -> Response:
    answer = Response(data, content_type=media_type)
    answer.headers["Content-Disposition"] = saved_as(name)
    return answer


def _back(number: int) -> BaseResponse:
    return go(f"{base()}/document/{number}")


def _steps() -> list[routes.Planned]:
    """The steps that a form asks for."""
    route = whole_number(request.form.get("route", ""))
    if route:
        return routes.of_route(g.records, route)
    person = whole_number(request.form.get("people", ""))
    days = read_form(_DAYS, request.form.get("days", ""))
    action = request.form.get("action", APPROVE)
    return routes.of_people(g.records, [person] if person else [], action, days)


_DAYS = Field(name="days", type=Integer(minimum=1, maximum=365), label=_("Days to decide"))


def _send_dialog(number: int, given: Any, errors: dict[str, list[str]]) -> str:
    rule = {"field": "active", "op": "eq", "value": True}
    found = (
        g.records.list(ROUTE, rule=rule, sort=["name"], limit=_ROUTES).items
        if g.actor.may(ROUTE, "read")
        else ()
    )
    options = tuple(Option(str(one.id), one.values["name"]) for one in found)
    fields = [
        Field(name="route", type=Choice(options), label=_("Approval route")),
        Field(
            name="people",
            type=Reference("user"),
            label=_("Or one person"),
            help=_("Where there is no route for it"),
        ),
        Field(name="action", type=Choice(ACTIONS), label=_("What the person does")),
        _DAYS,
    ]
    known = {
        "route": str(_proposed(number) or ""),
        "action": APPROVE,
        **{name: given.get(name) for name in given},
    }
    dialog = {
        "title": str(_("Send for approval")),
        "text": str(_("The file is sealed by that: what people approve or sign stays as it is.")),
        "action": f"{base()}/document/{number}/send",
        "verb": str(_("Send")),
        "fields": [
            control(g.edition, base(), one, known.get(one.name), errors=errors.get(one.name))
            for one in fields
        ],
    }
    return dialog_form(dialog)


def _proposed(number: int) -> int | None:
    """The route that stands at the template of a document."""
    name = g.session.get_one(Document, number).template
    if name is None:
        return None
    try:
        with choosing.template_of(g.records, name) as template:
            return template.route
    except RecordInvalid:  # its plugin is not enabled now
        return None


def _void_dialog(number: int, errors: dict[str, list[str]]) -> str:
    reason = Field(name="reason", type=LongText(), label=_("Reason"), required=True)
    dialog = {
        "title": str(_("Make the document void?")),
        "text": str(_("Its file and its sign-offs stay, and its number is not given again.")),
        "action": f"{base()}/document/{number}/void",
        "verb": str(_("Make void")),
        "danger": True,
        "fields": [
            control(g.edition, base(), reason, request.form.get("reason"), errors=errors.get("reason"))
        ],
    }
    return dialog_form(dialog)


def _version_page(number: int, problems: list[str]) -> str:
    sent = {
        "action": f"{base()}/document/{number}/version",
        "text": str(_("It becomes the present version; those before it stay.")),
        "verb": str(_("Keep as new version")),
        "icon": "upload",
    }
    return _file_page(number, _("New version"), sent, problems)


def _check_page(number: int, problems: list[str], found: tuple[int | None, str] | None = None) -> str:
    document = files.opened(g.records, number)
    sent: dict[str, Any] = {
        "action": f"{base()}/document/{number}/check",
        "text": str(
            _(
                "Choose the file that you have: it is compared with the versions of %(number)s, byte by byte, and not kept.",
                number=document.values["number"],
            )
        ),
        "verb": str(_("Compare")),
        "icon": "shield-check",
    }
    if found is not None and found[0] is not None:
        text = _(
            "This is version %(number)s, unchanged. SHA-256 %(sha256)s", number=found[0], sha256=found[1]
        )
        sent["found"] = {"text": str(text), "tone": "good", "icon": "shield-check"}
    elif found is not None:
        text = _("This file is none of its versions: it does not match. SHA-256 %(sha256)s", sha256=found[1])
        sent["found"] = {"text": str(text), "tone": "danger", "icon": "shield-alert"}
    return _file_page(number, _("Check a file"), sent, problems)


def _file_page(number: int, title: Any, sent: dict[str, Any], problems: list[str]) -> str:
    limit = uploads.limits().attachment
    sent |= {
        "back": f"{base()}/document/{number}",
        "largest": limit * MB,
        "limit": str(most(limit)),
        "too_large": str(too_large(limit)),
        "problems": problems,
    }
    return entity_page("documents/file.html", view_of(DOCUMENT), title=title, inside=True, sent=sent)
