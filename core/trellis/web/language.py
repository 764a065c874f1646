"""The language of a request: what the reader chose, what the browser prefers, what the workspace speaks."""

from __future__ import annotations

from contextlib import ExitStack

from flask import Flask, g, request, session

from trellis.edition import Edition
from trellis.i18n import LANGUAGES, use_locale

ARGUMENT = "lang"


def configure(app: Flask) -> None:
    """Gives each request a language of its own."""
    app.before_request(_begin)
    app.teardown_request(_end)


def speak(language: str | None, timezone: str | None = None) -> None:
    """From here on the request speaks this language."""
    stack: ExitStack = g.locale
    stack.enter_context(use_locale(language or LANGUAGES[0], timezone))


def preferred() -> str | None:
    """The language that the client asks for by ``Accept-Language``."""
    return request.accept_languages.best_match(LANGUAGES)


def speak_to_program(edition: Edition, language: str | None) -> None:
    """A program gets what it asks for, else its user's language, else the workspace's."""
    settings = edition.settings
    speak(preferred() or language or settings.language, settings.timezone)


def speak_to_person(edition: Edition | None, language: str | None = None) -> None:
    """A person gets what was chosen in this browser, else in the user's record, else by the browser."""
    if request.args.get(ARGUMENT) in LANGUAGES:
        session["language"] = request.args[ARGUMENT]
    usual = edition.settings.language if edition else None
    chosen = session.get("language") or language or preferred() or usual
    speak(chosen, edition.settings.timezone if edition else None)


def _begin() -> None:
    g.locale = ExitStack()
    speak(preferred())


def _end(_error: BaseException | None) -> None:
    stack: ExitStack | None = g.pop("locale", None)
    if stack is not None:
        stack.close()
