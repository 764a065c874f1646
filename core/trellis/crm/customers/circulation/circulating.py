"""Sending a document for approval, what follows from each decision, taking it back, and making it void.

The process ``document_approval`` puts each step before people, so that it stands under “My tasks”; which step comes when is
decided here, under a lock on the document: two people who decide at once do so one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from trellis.crm.customers.circulation import files, keeping, routes
from trellis.crm.customers.circulation.entities import (
    APPROVAL,
    APPROVED,
    DOCUMENT,
    DRAFT,
    REJECTED,
    SIGN,
    SIGNED,
    STATES,
    VOID,
    ApprovalRoute,
)
from trellis.crm.customers.circulation.routes import Planned
from trellis.crm.customers.circulation.tables import (
    DONE,
    OPEN,
    REFUSED,
    SKIPPED,
    WAITING,
    DocumentStep,
    DocumentVersion,
)
from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import translator
from trellis.notifications.notify import notify
from trellis.process.assignment import POSITION
from trellis.process.engine import Engine
from trellis.process.operations import OperationCall
from trellis.process.tables import OPEN as RUNNING
from trellis.process.tables import ProcessInstance
from trellis.records.door import Records
from trellis.records.reach import with_all_rights
from trellis.security.people import User

_ = translator("trellis")

PROCESS = "document_approval"
TOLD = "document_decided"
REJECT = "reject"


def send(records: Records, document: int, steps: Sequence[Planned]) -> None:
    """Sends the present version along its steps. Raises RecordNotFound, PermissionRefused, Conflict, RecordInvalid."""
    keeping.require_change(records, document)
    with records.whole():
        keeping.held(records, document, (DRAFT, APPROVED))
        version = next(iter(files.versions(records.session, document)), None)
        if version is None or version.file is None:
            raise Conflict(_("The document has no file yet; make one, or send one"))
        if not files.matches(records.session, version):
            raise Conflict(_("The file is not the one that was kept; keep it as a new version first"))
        version.file.sealed = True
        last = sa.select(sa.func.max(DocumentStep.round)).where(DocumentStep.document_id == document)
        turn = (records.session.scalar(last) or 0) + 1
        records.session.add_all(_row(records, document, version.row.id, turn, one) for one in steps)
        records.session.flush()
        keeping.move(records, document, APPROVAL)
        _begin_next(records, document)


def send_file(records: Records, file: int, route: str) -> None:
    """Sends the document of a file along the route of a name. Raises RecordInvalid, and what :func:`send` raises."""
    session = records.session
    document = session.scalar(
        sa.select(DocumentVersion.document_id).where(DocumentVersion.attachment_id == file)
    )
    named = ApprovalRoute.name == route, ApprovalRoute.deleted_at.is_(None)
    found = session.scalar(sa.select(ApprovalRoute.id).where(*named).order_by(ApprovalRoute.id).limit(1))
    if document is None:
        raise RecordInvalid({"file": [_("This file is no version of a document")]})
    if found is None:
        raise RecordInvalid({"route": [_("There is no route “%(name)s”", name=route)]})
    send(records, document, routes.of_route(records, found))


def take_back(records: Records, document: int) -> None:
    """Makes a document that is in approval, or was approved or rejected, a draft again. Raises what :func:`send` raises."""
    keeping.require_change(records, document)
    with records.whole():
        keeping.held(records, document, (APPROVAL, APPROVED, REJECTED))
        _close(records, document)
        keeping.move(records, document, DRAFT)


def make_void(records: Records, document: int, reason: str) -> None:
    """Says that a document holds no more; its file and its sign-offs stay. Raises what :func:`send` raises."""
    record = keeping.require_change(records, document)
    if not reason.strip():
        raise RecordInvalid({"reason": [_("This field needs a value")]})
    with records.whole():
        keeping.held(records, document, tuple(one.value for one in STATES if one.value != VOID))
        _close(records, document)
        notes = "\n".join(part for part in (record.values.get("notes"), reason.strip()) if part)
        wide = with_all_rights(records)
        wide.update(DOCUMENT, document, {"notes": notes}, kept={"state": VOID})
        records.take_over(wide)


def decide(call: OperationCall) -> None:
    """What the process does with a decision. One that comes when the approval is over, or taken back, changes nothing.

    Raises Conflict where the file is not the one that was sent.
    """
    records = call.records
    session = records.session
    step = session.get_one(DocumentStep, call.arguments["step"])
    keeping.held(records, step.document_id, tuple(one.value for one in STATES))
    session.refresh(step)
    if step.state != OPEN:
        return
    version = next(one for one in files.versions(session, step.document_id) if one.row.id == step.version_id)
    if not files.matches(session, version):
        raise Conflict(_("The file is not the one that was sent; take the document back"))
    step.state = REFUSED if call.arguments["decision"] == REJECT else DONE
    name = session.scalar(sa.select(User.name).where(User.id == call.by)) or records.actor.name
    step.by_id, step.by_name, step.at = call.by, name, datetime.now(UTC)
    step.reason, step.sha256 = call.arguments["reason"] or "", version.row.sha256
    session.flush()
    named = replace(records.actor, user_id=call.by, name=name)
    mine = Records(session, records.edition, named)
    if step.state == REFUSED:
        _close(mine, step.document_id)
        _end(mine, step, REJECTED)
    elif not _left(mine, step.document_id, OPEN) and not _begin_next(mine, step.document_id):
        _end(mine, step, SIGNED if _is_signed(mine, step) else APPROVED)
    records.take_over(mine)


def steps_of(records: Records, document: int) -> list[DocumentStep]:
    """All steps of a document, the last round first."""
    query = sa.select(DocumentStep).where(DocumentStep.document_id == document)
    order = DocumentStep.round.desc(), DocumentStep.turn, DocumentStep.id
    return list(records.session.scalars(query.order_by(*order)))


def _row(records: Records, document: int, version: int, number: int, step: Planned) -> DocumentStep:
    return DocumentStep(
        document_id=document,
        version_id=version,
        round=number,
        turn=step.turn,
        name=step.name,
        action=step.action,
        assigned=step.assigned,
        days=step.days,
        state=WAITING,
        sent_by_id=records.actor.user_id,
    )


def _left(records: Records, document: int, *states: str) -> list[DocumentStep]:
    query = sa.select(DocumentStep).where(
        DocumentStep.document_id == document, DocumentStep.state.in_(states)
    )
    return list(records.session.scalars(query.order_by(DocumentStep.turn, DocumentStep.id)))


def _begin_next(records: Records, document: int) -> bool:
    """Puts the steps of the next turn before people; whether there were any."""
    waiting = _left(records, document, WAITING)
    now = [one for one in waiting if one.turn == waiting[0].turn]
    for step in now:
        actor = replace(records.actor, user_id=step.sent_by_id, administrator=True)
        door = Records(records.session, records.edition, actor)
        step.state = OPEN
        step.instance_id = Engine(door).start(PROCESS, document, variables=_given(records, step))
        records.take_over(door)
    records.session.flush()
    return bool(now)


def _given(records: Records, step: DocumentStep) -> dict[str, Any]:
    """What the process is told of a step; the task goes to whoever holds its position now."""
    assigned: int | str | None = step.assigned
    if step.assigned.startswith(files.PERSON):
        assigned = int(step.assigned.removeprefix(files.PERSON))
    elif step.assigned.startswith(POSITION):
        assigned = routes.holder(records.session, int(step.assigned.removeprefix(POSITION)))
    due = datetime.now(UTC) + timedelta(days=step.days) if step.days else None
    return {"step": step.id, "assigned": assigned, "signs": step.action == SIGN, "due_at": due}


def _close(records: Records, document: int) -> None:
    """Ends what waits for people. A task that somebody completes at this moment ends by itself, and decides nothing."""
    steps = _left(records, document, WAITING, OPEN)
    for step in steps:
        step.state = SKIPPED
    records.session.flush()
    running = [one.instance_id for one in steps if one.instance_id is not None]
    free = (
        sa.select(ProcessInstance.id)
        .where(ProcessInstance.id.in_(running), ProcessInstance.state.in_(RUNNING))
        .with_for_update(skip_locked=True)
    )
    for instance in records.session.scalars(free).all():
        Engine(records).cancel(instance)


def _is_signed(records: Records, step: DocumentStep) -> bool:
    here = DocumentStep.document_id == step.document_id, DocumentStep.round == step.round
    signed = sa.select(DocumentStep.id).where(*here, DocumentStep.action == SIGN, DocumentStep.state == DONE)
    return records.session.scalar(signed.limit(1)) is not None


def _end(records: Records, step: DocumentStep, state: str) -> None:
    """The approval is over; whoever sent the document is told."""
    keeping.move(records, step.document_id, state)
    document = with_all_rights(records).get(DOCUMENT, step.document_id)
    title = next(one.label for one in STATES if one.value == state)
    notify(
        records.session,
        records.edition,
        TOLD,
        [step.sent_by_id],
        about=(DOCUMENT, step.document_id),
        by=records.actor,
        told={"document": document.values["title"], "state": title},
    )
