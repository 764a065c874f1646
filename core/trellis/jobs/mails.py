"""Jobs that send one mail: at most once, whatever breaks."""

from __future__ import annotations

import smtplib
from contextlib import suppress
from email.message import EmailMessage

from trellis import mail
from trellis.config import Config
from trellis.errors import Conflict
from trellis.i18n import translator
from trellis.jobs.work import Work

_ = translator("trellis")


def mailing(work: Work) -> Config:
    """How mail is sent here. Raises Conflict where no server is set up, and for a job whose mail may have left already."""
    if work.done:
        raise Conflict(
            _("The server ended while this mail was being sent; it may have left, and is not sent again")
        )
    config = work.installation.config
    if not (config.smtp_url and config.mail_from):
        raise Conflict(_("No mail server is set up: the mail was not sent"))
    return config


def send_once(work: Work, message: EmailMessage) -> None:
    """Hands over the mail of a job. What a server refuses is raised, to be tried again.

    Raises Conflict when the line breaks in between: the mail may have left, and is not sent again.
    """
    connection = mail.connect(mailing(work))
    try:
        work.tell(1, 1)
        connection.send_message(message)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused):
        work.tell(0, 1)
        raise
    except (OSError, smtplib.SMTPException):
        raise Conflict(
            _("The connection broke while this mail was being sent; it may have left, and is not sent again")
        ) from None
    finally:
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()
        connection.close()
