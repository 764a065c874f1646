"""Documents and their versions: made of a template at a record, made again, or brought in as a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from trellis import attachments
from trellis.attachments import Attachment
from trellis.crm.customers.circulation import files, numbering
from trellis.crm.customers.circulation.entities import (
    APPROVAL,
    APPROVED,
    DOCUMENT,
    DRAFT,
    REJECTED,
    SIGNED,
    VOID,
    Document,
)
from trellis.crm.customers.circulation.tables import DocumentVersion
from trellis.crm.customers.documents import choosing
from trellis.documents.making import Document as Made
from trellis.documents.making import DocumentTemplate, make
from trellis.errors import Conflict, Message, PermissionRefused
from trellis.i18n import translator
from trellis.records.door import Records
from trellis.records.query import Record
from trellis.records.reach import with_all_rights
from trellis.records.rules import today_in

_ = translator("trellis")

_FIXED: dict[str, Message] = {
    APPROVAL: _("The document is in approval; take it back first"),
    APPROVED: _("The document is approved; take it back first"),
    SIGNED: _("The document is signed: its file stays as it is. Void it, and make another"),
    VOID: _("The document is void"),
}


@dataclass(frozen=True)
class Kept:
    """A document with the file of its present version."""

    id: int
    file: Attachment


def add(records: Records, entity: str, record_id: int, template: str, format: str = "") -> Kept:
    """Makes a document of a template and keeps it at the record, with a number of its own.

    Raises RecordNotFound, RecordInvalid, and PermissionRefused where the record may not be changed.
    """
    with records.whole(), choosing.template_of(records, template) as chosen:
        choosing.check_fits(records.edition, chosen, entity)
        record = records.get(entity, record_id)
        if not records.actor.reaches(entity, "update", {**record.values, "id": record.id}):
            raise PermissionRefused()
        number = numbering.take(
            records.session, chosen.numbering or numbering.USUAL, today_in(records.edition)
        )
        made = make(records, chosen, record_id, format, _told(number, 1))
        document = _insert(records, chosen, made, record, number)
        return Kept(document, _keep(records, document, entity, record_id, made))


def make_again(records: Records, document: int) -> Kept:
    """Makes the next version of a document of the same template. Raises what :func:`add` raises, and Conflict."""
    require_change(records, document)
    with records.whole():
        held(records, document)
        row = records.session.get_one(Document, document, populate_existing=True)
        place = files.record_of(records.session, document)
        if row.template is None or place is None:
            raise Conflict(_("This document came in as a file; send the file of its next version"))
        entity, record_id = place
        with choosing.template_of(records, row.template) as chosen:
            choosing.check_fits(records.edition, chosen, entity)
            told = _told(row.number or "", _next(records, document))
            made = make(records, chosen, record_id, row.format or "", told)
        kept = Kept(document, _keep(records, document, entity, record_id, made))
        _redraft(records, document)
        return kept


def bring(records: Records, document: int, filename: str, path: Path) -> Kept:
    """Keeps a file as the next version of a document. Raises RecordInvalid, RecordNotFound, PermissionRefused, Conflict."""
    require_change(records, document)
    with records.whole():
        held(records, document)
        entity, record_id = files.record_of(records.session, document) or (DOCUMENT, document)
        file = attachments.add(records, entity, record_id, filename, path)
        _version(records, document, file, hashlib.sha256(path.read_bytes()).hexdigest())
        _redraft(records, document)
        return Kept(document, file)


def require_change(records: Records, document: int) -> Record:
    """A document that the actor may change. Raises RecordNotFound, PermissionRefused."""
    record = records.get(DOCUMENT, document)
    if not records.actor.reaches(DOCUMENT, "update", {**record.values, "id": record.id}):
        raise PermissionRefused()
    return record


def held(records: Records, document: int, open_to: tuple[str, ...] = (DRAFT, REJECTED)) -> str:
    """The state of a document that nobody else moves until the transaction ends. Raises Conflict outside ``open_to``."""
    query = sa.select(Document.state).where(Document.id == document).with_for_update()
    state = records.session.scalar(query) or ""
    if state not in open_to:
        raise Conflict(_FIXED.get(state) or _("The document is not in a state for this"))
    return state


def move(records: Records, document: int, state: str) -> None:
    """Puts a document into a state, in the actor's name."""
    wide = with_all_rights(records)
    wide.update(DOCUMENT, document, {}, kept={"state": state})
    records.take_over(wide)


def _redraft(records: Records, document: int) -> None:
    move(records, document, DRAFT)


def _told(number: str, version: int) -> dict[str, Any]:
    return {"number": number, "version": version}


def _insert(records: Records, chosen: DocumentTemplate, made: Made, record: Record, number: str) -> int:
    wide = with_all_rights(records)
    customer = record.id if record.entity == "customer" else record.values.get("customer")
    values = {
        "title": made.title[:200],
        "number": number,
        "customer": customer if isinstance(customer, int) else None,
        "unit": record.values.get("unit"),
    }
    document = wide.create(DOCUMENT, values, {"about": made.about[:200]}).id
    origin = {"of_entity": record.entity, "record_id": record.id, "template": chosen.name}
    ending = made.filename.rpartition(".")[2]
    statement = sa.update(Document).where(Document.id == document).values(**origin, format=ending)
    records.session.execute(statement)
    records.take_over(wide)
    return document


def _keep(records: Records, document: int, entity: str, record_id: int, made: Made) -> Attachment:
    with TemporaryDirectory(prefix="trellis-document-") as folder:
        path = Path(folder) / "document"
        path.write_bytes(made.content)
        file = attachments.add(records, entity, record_id, made.filename, path)
    _version(records, document, file, hashlib.sha256(made.content).hexdigest())
    return file


def _next(records: Records, document: int) -> int:
    last = sa.select(sa.func.max(DocumentVersion.number)).where(DocumentVersion.document_id == document)
    return (records.session.scalar(last) or 0) + 1


def _version(records: Records, document: int, file: Attachment, sha256: str) -> None:
    version = DocumentVersion(
        document_id=document,
        number=_next(records, document),
        attachment_id=file.id,
        sha256=sha256,
        made_at=datetime.now(UTC),
        made_by_id=records.actor.user_id,
        made_by=records.actor.name,
    )
    records.session.add(version)
    records.session.flush()
