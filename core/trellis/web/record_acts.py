"""What can be done with a record beside writing to it: the first buttons of its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import g

from trellis.crm.sales import conversion, quotes
from trellis.edition import EntityView
from trellis.i18n import translator
from trellis.records.query import Record

_ = translator("trellis")


def further_acts(view: EntityView, record: Record, url: str) -> Iterator[dict[str, Any]]:
    """The acts that lead to pages of their own, or make a record of this one."""
    if view.name == "lead" and conversion.offered(g.records, record):
        yield {
            "title": str(_("Convert")),
            "icon": "user-round-check",
            "kind": "link",
            "url": f"{url}/convert",
        }
    elif view.name == "opportunity" and g.actor.may("quote", "create"):
        yield {"title": str(_("Make a quote")), "icon": "file-text", "kind": "post", "url": f"{url}/quote"}
    elif view.name == "quote" and quotes.orderable(g.records, record):
        yield {
            "title": str(_("Make an order")),
            "icon": "shopping-bag",
            "kind": "post",
            "url": f"{url}/order",
        }
