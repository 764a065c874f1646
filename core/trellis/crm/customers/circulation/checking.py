"""What holds of a document before it is written, and what goes with its personal data."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.crm.customers.circulation import numbering
from trellis.crm.customers.circulation.entities import BOUND, DRAFT
from trellis.crm.customers.circulation.tables import DocumentStep
from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import translator
from trellis.records.events import BeforeSave, Saved
from trellis.records.rules import today_in

_ = translator("trellis")


def follow(event: BeforeSave) -> None:
    """Gives a new document its number, and keeps that of one which others rely on. Raises RecordInvalid, Conflict."""
    values, before = event.values, event.before
    if event.action == "created" and not values.get("number"):
        values["number"] = numbering.take(event.session, numbering.USUAL, today_in(event.edition))
    if event.action == "updated" and values.get("number", before["number"]) != before["number"]:
        if before["state"] != DRAFT:
            raise RecordInvalid({"number": [_("Only a draft is given another number")]})
        if not values["number"]:
            raise RecordInvalid({"number": [_("This field needs a value")]})
    if event.action == "deleted" and before["state"] in BOUND:
        raise Conflict(_("Others rely on this document; void it instead"))


def forget(event: Saved) -> None:
    """What people wrote about a document goes with the personal data in it."""
    erased = [change.id for change in event.changes if change.action == "erased"]
    if erased:
        statement = sa.update(DocumentStep).where(DocumentStep.document_id.in_(erased)).values(reason="")
        event.session.execute(statement.execution_options(synchronize_session=False))
