"""HTML that a template writes once, with gaps that are filled in for each record or each request.

The markup stays in the templates. What they write for a column, a side bar or the head of a list differs only in a few
values from one time to the next, so it is written with marks in their places, cut at the marks, and kept.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from flask import current_app, g
from markupsafe import Markup, escape

from trellis.i18n import current_formats, current_language
from trellis.records.prepared import Shelf

T = TypeVar("T")

_MARK = f"gap{secrets.token_hex(12)}n"
"""Nobody can guess it, so nothing that people write is taken for a mark; small letters and digits pass through URLs and JSON."""
_CUT = re.compile(f"{_MARK}([0-9]+)g")
_SAFE = (Markup, int)
_special = re.compile("[&<>\"']").search
_PARTS = 400


class Pattern:
    """HTML with gaps. What fills them is escaped, unless it is Markup."""

    def __init__(self, names: Sequence[str], write: Callable[[Mapping[str, str]], str]) -> None:
        """``write`` makes the HTML, with these values in the gaps of these names."""
        pieces = _CUT.split(write({name: f"{_MARK}{place}g" for place, name in enumerate(names)}))
        found = [names[int(place)] for place in pieces[1::2]]
        self._names = tuple(dict.fromkeys(found))
        self._order = [self._names.index(name) for name in found]
        self._straight = len(self._names) == len(found)
        self._text = "%s".join(literal.replace("%", "%%") for literal in pieces[::2])

    def fill(self, values: Mapping[str, Any]) -> Markup:
        """The HTML with these values."""
        return Markup(self.text(values))

    def text(self, values: Mapping[str, Any]) -> str:
        """As :meth:`fill`, for what is put together further: marking each piece as HTML takes longer than filling it in."""
        escaped = [value if type(value := values[name]) in _SAFE else _escaped(value) for name in self._names]
        if not self._straight:
            escaped = [escaped[place] for place in self._order]
        return self._text % tuple(escaped)


def _escaped(value: Any) -> str:
    """As ``markupsafe.escape``, which makes an object of each text, also of the many that hold nothing to escape."""
    return value if type(value) is str and _special(value) is None else escape(value)


def kept(key: Hashable, make: Callable[[], T]) -> T:
    """What the reader's edition keeps under ``key`` in the reader's language; made when there is nothing.

    The edition is that of the reader's workspace, without the fields that are withheld. Whatever else the HTML depends on,
    such as further rights or the name of the reader, belongs into ``key``.
    """
    shelf: Shelf = g.edition.cached("html", lambda: Shelf(_PARTS))
    return shelf.get((current_language(), current_formats(), key), make)


def fixed(template: str) -> Markup:
    """A template that depends on nothing but the language; written once."""
    shelf: Shelf = current_app.extensions["trellis_fixed"]
    return shelf.get((current_language(), template), lambda: rendered(template, language=current_language()))


def rendered(template: str, **context: Any) -> Markup:
    """What a template writes of this context, and nothing else."""
    return Markup(current_app.jinja_env.get_template(template).render(context))


def module_of(template: str) -> Any:
    """The macros of a template, to be called from here."""
    return current_app.jinja_env.get_template(template).module
