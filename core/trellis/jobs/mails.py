"""Handing over mails: at most once, whatever breaks; by a job of its own, or many over one connection."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any, TypeVar

from trellis import mail
from trellis.config import Config
from trellis.errors import Conflict
from trellis.i18n import translator
from trellis.jobs.queue import enqueue
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


GONE, REFUSED, PUT_OFF, DOUBTFUL = "gone", "refused", "put_off", "doubtful"
Letter = TypeVar("Letter")
ON_ONE_LINE = 50
"""Mails that go over one connection: servers close those that take too many."""
TOLD_EVERY = 10
_GOOD_BYE = 421
"""The server closes the connection."""


@dataclass(frozen=True)
class Handed:
    """How a mail was handed over: gone, refused for good, put off, or nobody knows whether the server had it.

    ``error`` is to be raised when that has been kept: nothing more is to be done over this connection, or for this address.
    """

    how: str
    problem: str = ""
    error: Exception | None = None


def hand_over(connection: smtplib.SMTP, message: EmailMessage) -> Handed:
    """Hands one of many mails to a server."""
    try:
        connection.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        if code >= 500:
            return Handed(REFUSED, f"{code} {_read(text)}")
        closed = smtplib.SMTPServerDisconnected(_read(text))
        return Handed(PUT_OFF, error=closed if code == _GOOD_BYE else error)
    except smtplib.SMTPDataError as error:
        if error.smtp_code >= 500:
            return Handed(REFUSED, f"{error.smtp_code} {_read(error.smtp_error)}")
        return Handed(PUT_OFF, error=error)
    except smtplib.SMTPNotSupportedError as error:  # an address that this server cannot write
        return Handed(REFUSED, str(error))
    except smtplib.SMTPResponseException as error:
        return Handed(PUT_OFF, error=error)
    except (OSError, smtplib.SMTPException) as error:  # the line broke
        return Handed(DOUBTFUL, error=error)
    return Handed(GONE)


@dataclass
class Later:
    """Mails of a job that may not leave yet: one job more, for the first moment at which one of them may."""

    at: datetime | None = None

    def note(self, at: datetime) -> None:
        """A mail is passed over until a moment."""
        self.at = at if self.at is None else min(at, self.at)

    def enqueue(self, work: Work, kind: str, arguments: Mapping[str, Any]) -> None:
        """Has what was passed over sent then, on behalf of whoever caused this job."""
        if self.at is not None:
            with work.workspace.write() as session:
                enqueue(session, kind, arguments, work.actor.user_id, self.at)


def send_waiting(
    work: Work,
    waits: Callable[[int], object],
    claim: Callable[[int], tuple[int, Letter | None]],
    post: Callable[[smtplib.SMTP, Letter], Handed],
    total: int = 0,
) -> int:
    """Mails what waits, one after the other; how many left. Raises what a server put off, so that it is tried again later.

    ``waits`` says whether there is something behind a number, ``claim`` takes the next and commits that, with its number,
    ``post`` hands it over and keeps how that went. About ``total`` are expected.
    """
    sent = done = last = 0
    put_off: Exception | None = None
    while waits(last):
        with mail.connect(work.installation.config) as connection:
            for _place in range(ON_ONE_LINE):
                last, letter = claim(last)
                if letter is None:
                    break
                done += 1
                handed = post(connection, letter)
                sent += handed.how == GONE
                if handed.error is not None and not isinstance(handed.error, smtplib.SMTPRecipientsRefused):
                    raise handed.error
                put_off = handed.error or put_off
                if done % TOLD_EVERY == 0:
                    work.tell(done, max(total, done))
    if put_off is not None:
        raise put_off
    return sent


def _read(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text
