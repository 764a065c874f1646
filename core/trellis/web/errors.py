"""Errors as answers: a problem document for programs, a page for people. What nobody foresaw gets a code to quote."""

from __future__ import annotations

import logging
import secrets
from typing import Any

import sqlalchemy as sa
from flask import Flask, g, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from trellis.errors import Message, RecordInvalid, TooMany, TrellisError
from trellis.i18n import translator
from trellis.rest import problems
from trellis.uploads import most
from trellis.web.context import to_proof
from trellis.web.plain import plain_shell
from trellis.web.session import ProofNeeded
from trellis.web.uploads import back_to_form, limit_of_request

_ = translator("trellis")

log = logging.getLogger(__name__)

Answer = Response | tuple[str, int]

_TITLES: dict[int, Message] = {
    403: _("This is not open to you"),
    404: _("There is nothing here"),
    405: _("There is nothing here"),
    413: _("This is too large"),
}
_TEXTS: dict[int, Message] = {
    403: _("Your role does not allow it. An administrator can change that."),
    404: _("The address may be old, the record in the bin, or not open to you."),
}


def configure(app: Flask) -> None:
    """Answers every error of the application."""
    app.register_error_handler(TrellisError, known)
    app.register_error_handler(ProofNeeded, to_proof)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(sa.exc.OperationalError, _database)
    app.register_error_handler(Exception, _unexpected)


def _for_programs() -> bool:
    return request.path.startswith("/api/")


def known(error: TrellisError) -> Answer:
    """What is wrong, as a problem document or a page."""
    if _for_programs():
        return problems.from_error(error)
    title = _TITLES.get(error.status, error.title)
    text = " ".join(_sentences(error)) or (_TEXTS.get(error.status, "") if error.status in _TITLES else "")
    html, status = error_page(error.status, title, text)
    response = Response(html, status, mimetype="text/html")
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def _sentences(error: TrellisError) -> list[str]:
    if isinstance(error, RecordInvalid):
        return [str(message) for messages in error.errors.values() for message in messages]
    return [str(error.detail)] if error.detail is not error.title else []


def _http(error: HTTPException) -> Answer | HTTPException:
    if isinstance(error, InternalServerError) and isinstance(error.original_exception, Exception):
        return _unexpected(error.original_exception)
    status = error.code or 500
    if error.response is not None or status < 400:  # a redirect
        return error
    if _for_programs():
        return problems.from_http(error)
    form = back_to_form() if status == 413 else None
    if form is not None:
        return form
    limit = limit_of_request() if status == 413 else None
    text = most(limit) if limit is not None else _TEXTS.get(status, "")
    html, _status = error_page(status, _TITLES.get(status, error.name), text)
    response = Response(html, status, mimetype="text/html")
    response.headers.extend(
        (name, value) for name, value in error.get_headers() if name.lower() in ("allow", "retry-after")
    )
    return response


def _database(error: sa.exc.OperationalError) -> Answer:
    log.warning("the database cannot answer: %s", error.orig)
    if _for_programs():
        return problems.busy()
    return error_page(
        503, _("The database cannot answer now"), _("Nothing was changed. Try again in a moment.")
    )


def _unexpected(error: Exception) -> Answer:
    code = secrets.token_hex(4).upper()
    rule = request.url_rule.rule if request.url_rule else "?"
    log.error("unexpected error %s in %s %s", code, request.method, rule, exc_info=error)
    if _for_programs():
        return problems.unexpected(code)
    text = _("The error was noted for the people who run this server.")
    try:
        return error_page(500, _("Something went wrong on our side"), text, _("Nothing was changed."), code)
    except Exception:  # a page that cannot even say so must not hide the first error
        log.exception("the page of error %s failed too", code)
        return Response(f"{text} {code}", 500, mimetype="text/plain")


def error_page(
    status: int, title: Message, text: Message = "", kept: Message = "", code: str = ""
) -> tuple[str, int]:
    """A page that says what happened; inside the frame where the reader is known."""
    inside = "actor" in g and not request.headers.get("HX-Request")
    error: dict[str, Any] = {
        "status": status,
        "title": str(title),
        "text": str(text),
        "kept": str(kept),
        "code": code,
        "acts": [
            {"title": str(_("To the home page")), "url": f"/{g.workspace.name}/" if "workspace" in g else "/"}
        ],
    }
    if not inside:
        shown = render_template(
            "error_plain.html", error=error, page_title=error["title"], shell=plain_shell()
        )
        return shown, status
    from trellis.web.shell import page

    return page("error.html", title=error["title"], rings=False, error=error), status
