"""What can be done with a record of some entities, beside what holds for all: links in the head of its page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import g

from trellis.i18n import Text, translator
from trellis.records.query import Record

_ = translator("trellis")


def links(entity: str, record: Record, base: str) -> list[dict[str, Any]]:
    """The links for a record that the reader sees."""
    make = _LINKS.get(entity)
    return list(make(record, base)) if make else []


def _link(title: Text, icon: str, url: str) -> dict[str, Any]:
    return {"title": str(title), "icon": icon, "kind": "link", "url": url}


def _survey(record: Record, base: str) -> Iterator[dict[str, Any]]:
    if g.actor.may("survey_invitation", "create"):
        yield _link(_("Invite customers"), "send", f"{base}/survey/{record.id}/invite")


_LINKS: Mapping[str, Callable[[Record, str], Iterator[dict[str, Any]]]] = {"survey": _survey}
