"""The jobs of notifications: a mail to somebody who wants one, and forgetting what is old."""

from __future__ import annotations

import sqlalchemy as sa

from trellis import mail
from trellis.contributions import NotificationKind
from trellis.i18n import translator
from trellis.jobs.mails import mailing, send_once
from trellis.jobs.work import Work
from trellis.notifications.inbox import Inbox, forget_old
from trellis.notifications.tables import Notification
from trellis.security.people import User

_ = translator("trellis")

FORGET_JOB = "notification_forget"
_LONGEST_SUBJECT = 150


def work_mail(work: Work) -> None:
    """Sends a notification in the language of its reader, at most once; nothing about what they may not see by now.

    Where no mail server is set up nothing is sent, and nothing fails.
    """
    config = work.installation.config
    letter = _letter(work) if config.smtp_url and config.mail_from else None
    if letter is None:
        with work.workspace.write() as session:
            work.finish(session, {"sent": False})
        return
    to, subject, text = letter
    send_once(work, mail.message(mailing(work), to, subject, text))


def work_forget(work: Work) -> None:
    """Removes what was told long ago, once a day."""
    with work.workspace.write() as session:
        forget_old(session)
        work.finish(session, {})


def _letter(work: Work) -> tuple[str, str, str] | None:
    """Address, subject and text; None when there is nothing to tell any more."""
    with work.workspace.read() as session:
        edition = work.workspace.edition(session)
        query = sa.select(Notification.__table__).where(Notification.id == work.arguments["notification"])
        row = session.execute(query).first()
        if row is None or row.read_at is not None or row.kind not in edition.all(NotificationKind):
            return None
        (entry,) = Inbox(session, edition, work.actor).entries([row])
        to = session.scalar(sa.select(User.email).where(User.id == work.actor.user_id)) or ""
    if not entry.path:
        return None
    base = (
        f"{work.installation.config.url.rstrip('/')}/{work.workspace.name}"
        if work.installation.config.url
        else ""
    )
    why = _("You get this mail because you chose so in your profile.")
    lines = [
        entry.text,
        f"{base}/{entry.path}" if base else "",
        f"{why} {base}/profile#notifications" if base else str(why),
    ]
    return to, " ".join(entry.text.split())[:_LONGEST_SUBJECT], "\n\n".join(one for one in lines if one)
