"""The files of documents: who may open them, their bytes, and whether these are still those that were kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import attachments
from trellis.attachments import Attachment
from trellis.crm.customers.circulation.entities import DOCUMENT, Document
from trellis.crm.customers.circulation.tables import WAITING, DocumentStep, DocumentVersion
from trellis.errors import RecordNotFound
from trellis.process.assignment import audiences_of
from trellis.quality.merged import survivor_of
from trellis.records.door import Records
from trellis.records.query import Record
from trellis.records.reach import with_all_rights

PERSON = "person:"


@dataclass(frozen=True)
class Version:
    """A version with its file, which is None where that was removed."""

    row: DocumentVersion
    file: Attachment | None


def opened(records: Records, number: int) -> Record:
    """A document, for who sees its record and for those whom its approval has reached. Raises RecordNotFound."""
    try:
        return records.get(DOCUMENT, number)
    except RecordNotFound:
        if not (records.actor.may(DOCUMENT, "read") and _is_on_route(records, number)):
            raise
        return with_all_rights(records).get(DOCUMENT, number)


def versions(session: Session, number: int) -> list[Version]:
    """The versions of a document, the newest first."""
    query = (
        sa.select(DocumentVersion, Attachment)
        .outerjoin(Attachment, Attachment.id == DocumentVersion.attachment_id)
        .where(DocumentVersion.document_id == number)
        .order_by(DocumentVersion.number.desc())
    )
    return [Version(row, file) for row, file in session.execute(query)]


def file_of(records: Records, number: int, version: int) -> Attachment:
    """The file of a version. Raises RecordNotFound, also for who sees neither its record nor stands on its route."""
    document = opened(records, number)
    if not may_open(records, document.id):
        raise RecordNotFound()
    found = next((one for one in versions(records.session, document.id) if one.row.number == version), None)
    if found is None or found.file is None:
        raise RecordNotFound()
    return found.file


def may_open(records: Records, number: int) -> bool:
    """Whether the actor, who sees the document, may read its files: those of its record may, and those on its route."""
    place = record_of(records.session, number)
    if place is None or _is_on_route(records, number):
        return True
    entity, record = place
    if entity not in records.edition.entities:
        return False
    try:
        records.get(entity, record)
    except RecordNotFound:
        return False
    return True


def record_of(session: Session, number: int) -> tuple[str, int] | None:
    """The record at which a document was made, or the one that this was merged into."""
    columns = Document.of_entity, Document.record_id
    found = session.execute(sa.select(*columns).where(Document.id == number)).one()
    if found.of_entity is None or found.record_id is None:
        return None
    return found.of_entity, survivor_of(session, found.of_entity, found.record_id) or found.record_id


def digest(session: Session, file: Attachment) -> str:
    """SHA-256 of the bytes that are kept now."""
    found = hashlib.sha256()
    for piece in attachments.content(session, file):
        found.update(piece)
    return found.hexdigest()


def matches(session: Session, version: Version) -> bool:
    """Whether a version's file holds the bytes that it was kept with."""
    return version.file is not None and digest(session, version.file) == version.row.sha256


def at_files(session: Session, files: Sequence[int]) -> dict[int, Any]:
    """The documents whose versions are among these files, by file: ``id``, ``number``, ``state`` and ``version``."""
    query = (
        sa.select(
            DocumentVersion.attachment_id,
            Document.id,
            Document.number,
            Document.state,
            DocumentVersion.number.label("version"),
        )
        .join(Document, Document.id == DocumentVersion.document_id)
        .where(DocumentVersion.attachment_id.in_(files), Document.deleted_at.is_(None))
    )
    return {row.attachment_id: row for row in session.execute(query)}


def assigned_to(records: Records) -> list[str]:
    """What steps for the actor are assigned to: the person, their positions and roles."""
    return [f"{PERSON}{records.actor.user_id}", *audiences_of(records.session, records.actor)]


def _is_on_route(records: Records, number: int) -> bool:
    mine = sa.or_(
        DocumentStep.assigned.in_(assigned_to(records)), DocumentStep.by_id == records.actor.user_id
    )
    reached = DocumentStep.document_id == number, DocumentStep.state != WAITING
    return records.session.scalar(sa.select(DocumentStep.id).where(*reached, mine).limit(1)) is not None
