"""Documents as rows of the page of what waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import g

from trellis.crm.customers.circulation.desk import Sent, Waiting
from trellis.crm.customers.circulation.entities import DOCUMENT, SIGN, Document
from trellis.crm.customers.circulation.tables import REFUSED
from trellis.i18n import format_datetime, format_number, translator
from trellis.records.query import ListQuery
from trellis.web.process_tasks import when

_ = translator("trellis")


def desk_context(
    waiting: Sequence[Waiting], sent: Sequence[Sent], decided: Sequence[Waiting], base: str
) -> dict[str, Any]:
    """What the page shows; a document that is out of the reader's sight has no link."""
    seen = _seen([one.document.id for one in (*waiting, *decided)])
    return {
        "waiting": [_waiting(one, seen, base) for one in waiting],
        "sent": [_sent(one, base) for one in sent],
        "decided": [_decided(one, seen, base) for one in decided],
        "all_url": f"{base}/document",
    }


def _seen(ids: Sequence[int]) -> set[int]:
    view = g.edition.entity(DOCUMENT)
    if not ids:
        return set()
    query = ListQuery(view, g.edition, g.actor, ids=sorted(set(ids)), fields=["number"], limit=len(set(ids)))
    return {one.id for one in query.page(g.session).items}


def _row(document: Document, url: str, *parts: str) -> dict[str, Any]:
    known = (document.number, document.about, *parts)
    return {"title": document.title, "url": url, "text": " · ".join(part for part in known if part)}


def _waiting(one: Waiting, seen: set[int], base: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    url, task = f"{base}/document/{one.document.id}", f"{base}/processes/tasks/{one.task.id}"
    due = when(one.task.due_at, now)
    until = str(_("until %(when)s", when=due)) if due else ""
    signs = one.step.action == SIGN
    return {
        **_row(one.document, url if one.document.id in seen else "", one.step.name, until),
        "late": one.task.due_at is not None and one.task.due_at < now,
        "badge": {
            "text": str(_("To sign") if signs else _("To approve")),
            "tone": "warn" if signs else "info",
        },
        "file_url": f"{url}/versions/{one.version}",
        "form_url": f"{task}/form",
        "take_url": f"{task}/take" if one.task.person_id is None else "",
    }


def _sent(one: Sent, base: str) -> dict[str, Any]:
    done = _("%(done)s of %(steps)s decided", done=format_number(one.done), steps=format_number(one.steps))
    return _row(one.document, f"{base}/document/{one.document.id}", str(done))


def _decided(one: Waiting, seen: set[int], base: str) -> dict[str, Any]:
    url = f"{base}/document/{one.document.id}"
    said = (
        (_("Rejected"), "danger")
        if one.step.state == REFUSED
        else (_("Signed"), "good")
        if one.step.action == SIGN
        else (_("Approved"), "good")
    )
    at = format_datetime(one.step.at) if one.step.at else ""
    return {
        **_row(one.document, url if one.document.id in seen else "", at),
        "badge": {"text": str(said[0]), "tone": said[1]},
        "file_url": f"{url}/versions/{one.version}",
    }
