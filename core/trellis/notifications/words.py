"""What a notification says, in the language of whoever reads it, and of records no more than they may see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trellis.contributions import NotificationKind
from trellis.edition import Edition
from trellis.i18n import LANGUAGES, Text, format_datetime, use_locale

_TEXT = {"message", "domain", "plural", "number", "values"}


class _Told(dict[str, Any]):
    """Values of a sentence; what was not told is left out."""

    def __missing__(self, name: str) -> str:
        return ""


def to_kept(told: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they are kept; translatable texts and moments so that each reader gets them as they read them."""
    return {name: _to_kept(value) for name, value in told.items()}


def _to_kept(value: Any) -> Any:
    if isinstance(value, Text):
        kept = {"message": value.message, "domain": value.domain, "plural": value.plural}
        return {**kept, "number": value.number, "values": to_kept(value.values)}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    return value if isinstance(value, int | str) else str(value)


def _from_kept(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"moment"}:
        return format_datetime(datetime.fromisoformat(value["moment"]), inside=True)
    if isinstance(value, dict) and value.keys() == _TEXT:
        values = {name: _from_kept(one) for name, one in value["values"].items()}
        text = Text(value["message"], value["domain"], value["plural"], value["number"], values)
        try:
            return str(text)
        except ModuleNotFoundError:  # of a plugin that is not installed any more
            return str(value["message"])
    return value


def sentence(
    kind: NotificationKind, told: Mapping[str, Any], who: str, title: str = "", entity: str = ""
) -> str:
    """The sentence of a notification; ``title`` and ``entity`` are those of the record that it is about."""
    values = _Told({name: _from_kept(value) for name, value in told.items()})
    values |= {"who": who, "title": title, "entity": entity}
    return str(values["text"] or str(kind.text) % values).strip()


def check_kind(edition: Edition, kind: NotificationKind) -> None:
    """The text of a kind can be written in every language. Raises ValueError."""
    for language in LANGUAGES:
        with use_locale(language):
            try:
                _written = str(kind.text) % _Told()
            except (TypeError, ValueError) as error:
                raise ValueError(f"{kind.name}: “{kind.text}” cannot be written: {error}") from error
