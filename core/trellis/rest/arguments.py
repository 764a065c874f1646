"""Reading requests: query parameters, none unknown and none twice; bodies, of the right type and in order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
from flask import request

from trellis.i18n import translator
from trellis.rest.problems import Malformed, WrongMediaType

_ = translator("trellis")

_FLAGS = {"true": True, "false": False}
_JSON = ("application/json", "application/merge-patch+json")


class Arguments:
    """The query of a request. Each parameter is taken by its name; :meth:`end` refuses what is left over."""

    def __init__(self) -> None:
        self._left: dict[str, list[str]] = request.args.to_dict(flat=False)

    def text(self, name: str) -> str | None:
        """A parameter as it is; None when it is not given."""
        values = self._left.pop(name, [])
        if len(values) > 1:
            raise Malformed(_("“%(name)s” is given more than once", name=name), name)
        return values[0] if values else None

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number between two bounds."""
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 20 and lowest <= int(text) <= highest):
            message = _(
                "“%(name)s” is a whole number from %(low)s to %(high)s", name=name, low=lowest, high=highest
            )
            raise Malformed(message, name)
        return int(text)

    def flag(self, name: str) -> bool:
        """Yes or no; no when it is not given."""
        text = self.text(name)
        if text is None:
            return False
        if text not in _FLAGS:
            raise Malformed(_("“%(name)s” is true or false", name=name), name)
        return _FLAGS[text]

    def names(self, name: str) -> list[str]:
        """Names parted by commas."""
        return [one.strip() for one in (self.text(name) or "").split(",") if one.strip()]

    def day(self, name: str) -> date | None:
        """A date."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise Malformed(_("“%(name)s” is a date such as 2026-11-23", name=name), name) from None

    def json(self, name: str) -> Any:
        """A parameter that holds JSON."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return orjson.loads(text.encode("utf-8", "surrogatepass"))
        except orjson.JSONDecodeError:
            raise Malformed(_("“%(name)s” is not valid JSON", name=name), name) from None

    def others(self) -> dict[str, list[str]]:
        """All that was not taken yet."""
        left, self._left = self._left, {}
        return left

    def end(self) -> None:
        """Raises Malformed for a parameter that the call does not have."""
        for name in self._left:
            raise Malformed(_("This call has no parameter “%(name)s”", name=name[:80]), name[:80])


def no_arguments() -> None:
    """Refuses every query parameter."""
    Arguments().end()


def json_body() -> Any:
    """The body of the request. Raises WrongMediaType, Malformed."""
    if request.mimetype not in _JSON:
        given = request.mimetype or "-"
        raise WrongMediaType(_("Send application/json; this is %(given)s", given=given[:80]))
    try:
        return orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise Malformed(_("The body is not valid JSON (line %(line)s, column %(column)s)", **place)) from None


def json_object() -> dict[str, Any]:
    """The body of the request, which must be an object."""
    body = json_body()
    if not isinstance(body, dict):
        raise Malformed(_("The body must be a JSON object"))
    return body


def json_members(known: Mapping[str, type]) -> dict[str, Any]:
    """The body of the request: an object with some of these members, each of its type (``object``: of any)."""
    body = json_object()
    for name, value in body.items():
        if name not in known:
            raise Malformed(_("This call has no member “%(name)s”", name=name[:80]), name[:80])
        if known[name] is not object and type(value) is not known[name]:
            raise Malformed(_("“%(name)s” has the wrong type", name=name), name)
    return body
