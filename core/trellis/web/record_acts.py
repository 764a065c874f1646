"""What can be done with a record beside writing to it: the first buttons of its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import g

from trellis.crm.sales import conversion
from trellis.edition import EntityView
from trellis.i18n import translator
from trellis.records.query import Record

_ = translator("trellis")


def further_acts(view: EntityView, record: Record, url: str) -> Iterator[dict[str, Any]]:
    """The acts that lead to pages of their own."""
    if view.name == "lead" and conversion.offered(g.records, record):
        yield {
            "title": str(_("Convert")),
            "icon": "user-round-check",
            "kind": "link",
            "url": f"{url}/convert",
        }
