"""The frame of pages without a workspace's navigation: signing in, choosing a workspace, errors outside one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import request

from trellis.i18n import LANGUAGES, current_language
from trellis.web.language import ARGUMENT
from trellis.web.session import csrf_token

_TITLES = {"en": "English", "ru": "Русский"}


def plain_shell() -> dict[str, Any]:
    """What ``plain.html`` needs."""
    theme = request.cookies.get("theme", "")
    other = next(language for language in LANGUAGES if language != current_language())
    arguments = {**request.args.to_dict(), ARGUMENT: other}
    return {
        "base": "",
        "language": current_language(),
        "theme": theme if theme in ("light", "dark") else "",
        "csrf_token": csrf_token(),
        "toasts": [],
        "workspace": None,
        "other_language": {"code": other, "title": _TITLES[other], "url": f"?{urlencode(arguments)}"},
    }
