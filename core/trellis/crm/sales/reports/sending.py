"""Sending reports: each recipient gets the records that they may see, in their language, at most once a time."""

from __future__ import annotations

import smtplib
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import mail
from trellis.crm.sales.reports.definition import Definition
from trellis.crm.sales.reports.entities import Report, ReportRecipient
from trellis.crm.sales.reports.making import TYPES, kept, make_file
from trellis.crm.sales.reports.schedule import next_after
from trellis.edition import Edition
from trellis.errors import Conflict, PermissionRefused, RecordNotFound, TrellisError
from trellis.i18n import format_date, plural_translator, translator
from trellis.jobs import Work, enqueue
from trellis.jobs.mails import mailing, send_once
from trellis.jobs.queue import drop
from trellis.kpi.periods import today_in
from trellis.records.door import Records
from trellis.records.events import Saved
from trellis.security.actor import SYSTEM
from trellis.security.people import User

_ = translator("trellis")
_n = plural_translator("trellis")

DUE, DELIVERY = "report", "report_delivery"
_report = cast(sa.Table, Report.__table__).c
_recipient = cast(sa.Table, ReportRecipient.__table__).c


def follow(event: Saved) -> None:
    """Plans anew when reports that were written are due."""
    for change in event.changes:
        plan(event.session, event.edition, change.id)


def plan(session: Session, edition: Edition, report_id: int) -> None:
    """Puts the next time of a report into the queue, in the place of any other."""
    drop(session, DUE, {"report": report_id})
    report = kept(session, report_id)
    zone = ZoneInfo(edition.settings.timezone)
    at = next_after(report, datetime.now(UTC), zone) if report is not None else None
    if at is not None:
        enqueue(session, DUE, {"report": report_id}, None, at)


def deliver(session: Session, edition: Edition, report_id: int) -> int:
    """Puts a delivery to each recipient into the queue, or to the owner where there are none; how many."""
    named = sa.select(_recipient.person_id).where(
        _recipient.report_id == report_id, _recipient.deleted_at.is_(None)
    )
    owner = sa.select(_report.owner_id).where(_report.id == report_id)
    people = _working(session, named) or _working(session, owner)
    records = Records(session, edition, SYSTEM)
    for person in people:
        run = records.create(
            "report_run", {"report": report_id, "person": person, "due_at": datetime.now(UTC)}
        )
        enqueue(session, DELIVERY, {"report": report_id, "run": run.id}, person, asked=False)
    return len(people)


def _working(session: Session, people: sa.Select[tuple[int | None]]) -> list[int]:
    """Those of the people who still work here."""
    query = sa.select(User.id).where(User.id.in_(people), User.active, User.deleted_at.is_(None))
    return list(session.scalars(query.order_by(User.id)))


def send_now(records: Records, report_id: int) -> int:
    """Sends a report to its recipients at once; to how many. Raises PermissionRefused, RecordNotFound."""
    record = records.get("report", report_id)
    if not records.actor.reaches("report", "update", {**record.values, "id": record.id}):
        raise PermissionRefused()
    return deliver(records.session, records.edition, report_id)


def work_due(work: Work) -> None:
    """The job of a report that is due: deliveries, and its next time."""
    report_id = work.arguments["report"]
    with work.workspace.write() as session:
        report = kept(session, report_id)
        number = 0
        if report is not None and report["active"]:
            edition = work.workspace.edition(session)
            number = deliver(session, edition, report_id)
            work.finish(session, {"deliveries": number})
            plan(session, edition, report_id)
            return
        work.finish(session, {"deliveries": number})


def work_delivery(work: Work) -> None:
    """The job of one delivery. One that may have left before a crash is not sent again."""
    try:
        rows = _sent(work)
    except (TrellisError, OSError, smtplib.SMTPException) as error:
        _note(work, state="failed", problem=str(error))
        raise
    with work.workspace.write() as session:
        _change(work, session, state="sent", sent_at=datetime.now(UTC), rows=rows, problem=None)
        work.finish(session, {"rows": rows})


def _sent(work: Work) -> int:
    with TemporaryDirectory(prefix="trellis-report-") as folder:
        message, rows = _message(work, Path(folder))
    send_once(work, message)
    return rows


def _message(work: Work, folder: Path) -> tuple[EmailMessage, int]:
    """The mail with the file, and how many records that has."""
    config = mailing(work)
    with work.workspace.read() as session:
        report = kept(session, work.arguments["report"])
        if report is None:
            raise Conflict(_("The report is not there any more"))
        edition = work.workspace.edition(session)
        definition = Definition.of(report)
        path, rows = make_file(
            folder, session, edition, work.actor, report["name"], definition, report["format"]
        )
        to = session.scalar(sa.select(User.email).where(User.id == work.actor.user_id)) or ""
    subject = f"{report['name']}, {format_date(today_in(ZoneInfo(edition.settings.timezone)))}"
    text = str(
        _n("%(num)s record. The report is attached.", "%(num)s records. The report is attached.", rows)
    )
    if config.url:
        text += f"\n\n{config.url.rstrip('/')}/{work.workspace.name}/report/{report['id']}"
    message = mail.message(config, to, " ".join(subject.split()), text)
    kind, _slash, part = TYPES[report["format"]].partition("/")
    message.add_attachment(path.read_bytes(), maintype=kind, subtype=part, filename=path.name)
    return message, rows


def _note(work: Work, **values: Any) -> None:
    with work.workspace.write() as session:
        _change(work, session, **values)


def _change(work: Work, session: Session, **values: Any) -> None:
    """Keeps on the delivery how it went."""
    records = Records(session, work.workspace.edition(session), SYSTEM)
    with suppress(RecordNotFound):  # it was removed in the meantime
        records.update("report_run", work.arguments["run"], values)
