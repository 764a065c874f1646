"""The language of a request: what was chosen in this browser, what the user speaks, what the client prefers."""

from __future__ import annotations

from contextlib import ExitStack

from flask import Flask, g, request
from werkzeug.wrappers import Response

from trellis.i18n import LANGUAGES, known_timezone, use_locale
from trellis.security.recognition import Recognised

ARGUMENT = COOKIE = "language"
_YEAR = 365 * 24 * 3600


def configure(app: Flask) -> None:
    """Gives each request a language of its own."""
    app.before_request(_begin)
    app.teardown_request(_end)


def speak_to_program(found: Recognised) -> None:
    """A program gets what it asks for, else its user's language, else the workspace's."""
    settings = found.edition.settings
    _speak(_preferred() or found.language or settings.language, settings.timezone)


def speak_to_stranger() -> None:
    """Somebody who is not known yet gets what was chosen in this browser, else what it prefers."""
    _speak(_chosen() or _preferred(), None)


def speak_to_person(found: Recognised) -> None:
    """A person gets what was chosen in this browser, else on the own profile, else what the browser prefers."""
    settings = found.edition.settings
    language = _chosen() or found.language or _preferred() or settings.language
    _speak(language, known_timezone(found.timezone) or settings.timezone, found.formats)


def speak_to_customer(language: str) -> str:
    """A customer of the organisation gets what the address asks for, else the language that is noted; which one."""
    named = request.args.get(ARGUMENT)
    spoken = named if named in LANGUAGES else language
    _speak(spoken, None)
    return spoken


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


def _speak(language: str | None, timezone: str | None, formats: str | None = None) -> None:
    stack: ExitStack = g.locale
    stack.enter_context(use_locale(language or LANGUAGES[0], timezone, formats))


def _begin() -> None:
    g.locale = ExitStack()
    _speak(_preferred(), None)


def _end(_error: BaseException | None) -> None:
    stack: ExitStack | None = g.pop("locale", None)
    if stack is not None:
        stack.close()
