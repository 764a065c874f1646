"""The language of a request: what was chosen in this browser, what the user speaks, what the client prefers."""

from __future__ import annotations

from contextlib import ExitStack

from flask import Flask, g, request
from werkzeug.wrappers import Response

from trellis.edition import Edition
from trellis.i18n import LANGUAGES, use_locale

ARGUMENT = COOKIE = "language"
_YEAR = 365 * 24 * 3600


def configure(app: Flask) -> None:
    """Gives each request a language of its own."""
    app.before_request(_begin)
    app.teardown_request(_end)


def speak_to_program(edition: Edition, language: str | None) -> None:
    """A program gets what it asks for, else its user's language, else the workspace's."""
    settings = edition.settings
    _speak(_preferred() or language or settings.language, settings.timezone)


def speak_to_person(edition: Edition | None, language: str | None = None) -> None:
    """A person gets what was chosen in this browser, else in the user's record, else what the browser prefers."""
    usual = edition.settings.language if edition else None
    _speak(_chosen() or language or _preferred() or usual, edition.settings.timezone if edition else None)


def remember(response: Response, language: str) -> Response:
    """Keeps a choice in this browser."""
    if language in LANGUAGES:
        response.set_cookie(
            COOKIE, language, max_age=_YEAR, samesite="Lax", httponly=True, secure=request.is_secure
        )
    return response


def _chosen() -> str | None:
    named = (request.args.get(ARGUMENT), request.cookies.get(COOKIE))
    return next((one for one in named if one in LANGUAGES), None)


def _preferred() -> str | None:
    if "HTTP_ACCEPT_LANGUAGE" not in request.environ:
        return None
    return request.accept_languages.best_match(LANGUAGES)


def _speak(language: str | None, timezone: str | None) -> None:
    stack: ExitStack = g.locale
    stack.enter_context(use_locale(language or LANGUAGES[0], timezone))


def _begin() -> None:
    g.locale = ExitStack()
    _speak(_preferred(), None)


def _end(_error: BaseException | None) -> None:
    stack: ExitStack | None = g.pop("locale", None)
    if stack is not None:
        stack.close()
