"""What somebody has to do with documents, and what happened with those of a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from trellis.attachments import Attachment
from trellis.crm.customers.circulation.circulating import PROCESS
from trellis.crm.customers.circulation.entities import APPROVAL, DOCUMENT, SIGN, Document
from trellis.crm.customers.circulation.tables import DONE, REFUSED, SKIPPED, DocumentStep, DocumentVersion
from trellis.i18n import Text, translator
from trellis.process.tasks import Tasks
from trellis.records.door import Records

_ = translator("trellis")

MOST = 200
LATELY = 20


@dataclass(frozen=True)
class Waiting:
    """A step that the actor decides: its task, and the version that is to be decided on."""

    task: Any
    step: DocumentStep
    document: Document
    version: int


@dataclass(frozen=True)
class Sent:
    """A document in approval that the actor sent, and how far it has come."""

    document: Document
    done: int
    steps: int


@dataclass(frozen=True)
class Happened:
    """Something that was done with a document, in words."""

    at: datetime
    icon: str
    title: Text
    document: int
    text: str = ""


def waiting(records: Records) -> list[Waiting]:
    """What waits for the actor, by its due date."""
    tasks = {one.variables.get("step"): one for one in Tasks(records).mine(MOST) if one.process == PROCESS}
    found = _steps(records, DocumentStep.id.in_(tasks))
    rows = {step.id: Waiting(tasks[step.id], step, document, number) for step, document, number in found}
    return [rows[step] for step in tasks if step in rows]


def sent(records: Records) -> list[Sent]:
    """What the actor sent and is not decided yet, the newest first."""
    over = sa.func.count(sa.case((DocumentStep.state.in_((DONE, REFUSED, SKIPPED)), 1)))
    last = (
        sa.select(DocumentStep.document_id, sa.func.max(DocumentStep.round).label("round"))
        .group_by(DocumentStep.document_id)
        .subquery()
    )
    mine = DocumentStep.sent_by_id == records.actor.user_id, Document.state == APPROVAL
    query = (
        sa.select(Document, over, sa.func.count())
        .join(DocumentStep, DocumentStep.document_id == Document.id)
        .join(last, sa.and_(last.c.document_id == Document.id, last.c.round == DocumentStep.round))
        .where(*mine, Document.deleted_at.is_(None), records.actor.visible(Document))
        .group_by(Document.id)
        .order_by(Document.id.desc())
    )
    return [Sent(*row) for row in records.session.execute(query.limit(MOST))]


def decided(records: Records) -> list[Waiting]:
    """What the actor decided lately, the newest first."""
    found = _steps(records, DocumentStep.by_id == records.actor.user_id)
    return [Waiting(None, *row) for row in found][:LATELY]


def happened(records: Records, entity: str, record_id: int, limit: int) -> list[Happened]:
    """What was done with the documents of a record, or with a document: versions and decisions, the newest first."""
    if not records.actor.may(DOCUMENT, "read"):
        return []
    here = sa.and_(Attachment.entity == entity, Attachment.record_id == record_id)
    of_it = sa.or_(here, Document.id == record_id) if entity == DOCUMENT else here
    query = (
        sa.select(DocumentVersion, Document.number, DocumentStep)
        .join(Document, Document.id == DocumentVersion.document_id)
        .outerjoin(Attachment, Attachment.id == DocumentVersion.attachment_id)
        .outerjoin(
            DocumentStep, sa.and_(DocumentStep.version_id == DocumentVersion.id, DocumentStep.at.is_not(None))
        )
        .where(of_it, Document.deleted_at.is_(None), records.actor.visible(Document))
        .order_by(DocumentVersion.id.desc())
        .limit(limit)
    )
    found: dict[str, Happened] = {}
    for version, number, step in records.session.execute(query):
        found[f"v{version.id}"] = _made(version, number or "")
        if step is not None:
            found[f"s{step.id}"] = _decided(version, number or "", step)
    return sorted(found.values(), key=lambda one: one.at, reverse=True)[:limit]


def _made(version: DocumentVersion, number: str) -> Happened:
    said = {"who": version.made_by, "document": number, "version": version.number}
    title = (
        _("%(who)s made the document %(document)s", **said)
        if version.number == 1
        else _("%(who)s made version %(version)s of the document %(document)s", **said)
    )
    return Happened(version.made_at, "file-text", title, version.document_id)


def _decided(version: DocumentVersion, number: str, step: DocumentStep) -> Happened:
    said = {"who": step.by_name, "document": number, "version": version.number}
    if step.state == REFUSED:
        title = _("%(who)s rejected version %(version)s of the document %(document)s", **said)
        return Happened(step.at or version.made_at, "file-x", title, version.document_id, step.reason)
    title = (
        _("%(who)s signed version %(version)s of the document %(document)s", **said)
        if step.action == SIGN
        else _("%(who)s approved version %(version)s of the document %(document)s", **said)
    )
    return Happened(step.at or version.made_at, "file-check", title, version.document_id, step.reason)


def _steps(records: Records, which: sa.ColumnElement[bool]) -> Sequence[Any]:
    query = (
        sa.select(DocumentStep, Document, DocumentVersion.number)
        .join(Document, Document.id == DocumentStep.document_id)
        .join(DocumentVersion, DocumentVersion.id == DocumentStep.version_id)
        .where(which, Document.deleted_at.is_(None))
        .order_by(DocumentStep.at.desc(), DocumentStep.id.desc())
    )
    return records.session.execute(query.limit(MOST)).all()
