"""Writing a mail from a record: it is kept as an activity, and leaves by a job, at most once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import attachments, mail
from trellis.attachments import Attachment
from trellis.config import Config
from trellis.contributions import NotificationKind
from trellis.edition import Edition, EntityView
from trellis.errors import Conflict, RecordInvalid, RecordNotFound
from trellis.i18n import Text, translator
from trellis.jobs.job import FAILED
from trellis.jobs.mails import mailing, send_once
from trellis.jobs.queue import enqueue
from trellis.jobs.work import Work
from trellis.notifications.notify import notify
from trellis.records import types
from trellis.records.door import Records
from trellis.records.query import Record
from trellis.records.reach import with_all_rights
from trellis.security.people import User
from trellis.uploads import MB

_ = translator("trellis")

KIND = "letter"
LARGEST = 20 * MB
"""Bytes of the files of a mail together: many servers take no more."""
NOT_SENT = NotificationKind(
    name="mail_failed",
    title=_("A mail of mine was not sent"),
    text=_("Your mail was not sent. See why"),
    icon="mail-warning",
)


def may_send(config: Config) -> bool:
    """Whether mail leaves this server."""
    return bool(config.smtp_url and config.mail_from)


def about_field(edition: Edition, entity: str) -> str | None:
    """The field by which an activity refers to a record of an entity."""
    activity = edition.entities.get("activity")
    if activity is None:
        return None
    fields = (name for name, field in activity.references.items() if field.type.entity == entity)  # type: ignore[attr-defined]
    return next((name for name in fields if name not in ("owner", "unit")), None)


def links(view: EntityView, edition: Edition, record: Record) -> dict[str, int]:
    """What an activity about a record refers to: the record, and its customer."""
    found: dict[str, int] = {}
    name = about_field(edition, view.name)
    if name is not None:
        found[name] = record.id
    customer = view.references.get("customer")
    value = record.values.get("customer")
    if value is not None and customer is not None and name != "customer":
        found["customer"] = value
    return found


def address_of(records: Records, view: EntityView, record: Record) -> str:
    """The mail address that a mail from a record goes to: its own, that of its contact or of its customer."""
    seen = records.actor.sees(records.edition)
    if "email" in seen.entity(view.name).fields and record.values.get("email"):
        return str(record.values["email"])
    for name in ("contact", "customer"):
        number = record.values.get(name)
        field = view.references.get(name)
        if number is None or field is None or "email" not in seen.entity(name).fields:
            continue
        try:
            email = records.get(name, number).values.get("email")
        except RecordNotFound:
            continue
        if email:
            return str(email)
    return ""


def write(
    records: Records,
    config: Config,
    entity: str,
    record_id: int,
    *,
    to: str,
    subject: str,
    text: str,
    files: Sequence[int] = (),
) -> Record:
    """Keeps a mail as an activity of the record, and puts it into the queue, with ``files`` of the record.

    Raises RecordNotFound, RecordInvalid, Conflict.
    """
    view = records.edition.entity(entity)
    record = records.get(entity, record_id)
    values = _checked(to, subject, text)
    sent = _files(records, entity, record_id, files)
    about = links(view, records.edition, record)
    if not about:
        raise Conflict(_("Mails are written from records that activities can be about"))
    if not may_send(config):
        raise Conflict(_("No mail server is set up: the mail was not sent"))
    kept = {"mail_files": "\n".join(one.name for one in sent)} if sent else {}
    made = records.create("activity", {**values, **about, "kind": "mail"}, kept)
    told = {"activity": made.id, "files": [one.id for one in sent]}
    enqueue(records.session, KIND, told, records.actor.user_id)
    return made


def _files(records: Records, entity: str, record_id: int, files: Sequence[int]) -> list[Attachment]:
    """The files that go with a mail. Raises RecordInvalid for what is no file of the record, or too large together."""
    known = {one.id: one for one in attachments.of(records, entity, record_id)}
    wrong = [one for one in files if one not in known]
    if wrong:
        raise RecordInvalid({"files": [_("This record has no file %(number)s", number=wrong[0])]})
    sent = [known[one] for one in dict.fromkeys(files)]
    if sum(one.size for one in sent) > LARGEST:
        raise RecordInvalid(
            {"files": [_("Files of %(number)s MB at most go with a mail", number=LARGEST // MB)]}
        )
    return sent


def _checked(to: str, subject: str, text: str) -> dict[str, Any]:
    errors: dict[str, list[Any]] = {}
    values: dict[str, Any] = {}
    given: tuple[tuple[str, str, types.FieldType, str], ...] = (
        ("to", "mail_to", types.Email(), to.strip()),
        ("subject", "subject", types.Text(), " ".join(subject.split())),
        ("text", "body", types.LongText(), text.strip()),
    )
    for name, field, kind, value in given:
        try:
            values[field] = kind.check(value or None)
        except types.ValueInvalid as error:
            errors[name] = [error.message]
        else:
            if values[field] is None:
                errors[name] = [_("This field needs a value")]
    if errors:
        raise RecordInvalid(errors)
    return values


def work(work: Work) -> None:
    """Sends a mail that somebody wrote; the activity is done by that. One that was removed meanwhile does not leave."""
    number = int(work.arguments["activity"])
    with work.workspace.read() as session:
        edition = work.workspace.edition(session)
        letter = _kept(with_all_rights(Records(session, edition, work.actor)), number)
        sender = session.scalar(sa.select(User.email).where(User.id == work.actor.user_id))
        parts = [_part(session, one) for one in work.arguments.get("files", ())] if letter else []
    if letter is None:
        with work.workspace.write() as session:
            work.finish(session, {"sent": False})
        return
    message = mail.message(mailing(work), letter["mail_to"], letter["subject"], letter["body"])
    del message["Auto-Submitted"]  # somebody wrote it
    message["Reply-To"] = sender
    for name, media_type, data in parts:
        kind, _slash, precise = media_type.partition("/")
        message.add_attachment(data, maintype=kind, subtype=precise, filename=name)
    send_once(work, message)
    with work.workspace.write() as session:
        door = with_all_rights(Records(session, work.workspace.edition(session), work.actor))
        door.update("activity", number, {"done_at": datetime.now(UTC)})
        work.finish(session, {"sent": True})
    door.committed()
    work.workspace.record_faults(door.faults)


def _part(session: Session, number: int) -> tuple[str, str, bytes]:
    """Name, media type and content of a file. Raises Conflict where it was removed meanwhile."""
    file = session.get(Attachment, number)
    if file is None:
        raise Conflict(_("A file of this mail was removed before it was sent: the mail was not sent"))
    return file.name, file.media_type, b"".join(attachments.content(session, file))


def _kept(door: Records, number: int) -> dict[str, Any] | None:
    try:
        letter = dict(door.get("activity", number).values)
    except RecordNotFound:
        return None
    return letter if letter["done_at"] is None and letter["mail_to"] else None


def tell_of_failure(
    session: Session, edition: Edition, job: int, title: Text, user_id: int, state: str
) -> None:
    """Tells who wrote a mail that it was not sent."""
    if state == FAILED:
        notify(session, edition, NOT_SENT.name, [user_id], path=f"jobs/{job}")
