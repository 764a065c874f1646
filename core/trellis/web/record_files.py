"""The card of a record's files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import g

from trellis import attachments
from trellis.crm.customers.circulation.entities import DOCUMENT, STATES
from trellis.crm.customers.circulation.files import at_files
from trellis.i18n import format_date, translator
from trellis.uploads import MB, most, size_text, too_large
from trellis.web.uploads import limits

_ = translator("trellis")


def card(entity: str, record_id: int, *, may_change: bool, problems: Sequence[str] = ()) -> dict[str, Any]:
    """What it shows; ``problems`` are those of a file that was not taken."""
    url, limit = f"/{g.workspace.name}/{entity}/{record_id}/files", limits().attachment
    found = attachments.of(g.records, entity, record_id)
    documents = at_files(g.session, [one.id for one in found]) if g.actor.may(DOCUMENT, "read") else {}
    return {
        "url": url,
        "rows": [
            {
                "name": one.name,
                "size": str(size_text(one.size)),
                "added": format_date(one.added_at),
                "url": f"{url}/{one.id}",
                "sealed": one.sealed,
                "document": _document(documents[one.id]) if one.id in documents else None,
            }
            for one in found
        ],
        "may_change": may_change,
        "document_url": f"/{g.workspace.name}/{entity}/{record_id}/document",
        "limit": str(most(limit)),
        "largest": limit * MB,
        "too_large": str(too_large(limit)),
        "problems": problems,
    }


def _document(one: Any) -> dict[str, str]:
    """The document that a file is a version of."""
    state = next(known for known in STATES if known.value == one.state)
    version = _("%(number)s, version %(version)s", number=one.number, version=one.version)
    return {
        "title": one.number if one.version == 1 else str(version),
        "url": f"/{g.workspace.name}/{DOCUMENT}/{one.id}",
        "state": str(state.label),
        "tone": state.tone or "neutral",
    }
