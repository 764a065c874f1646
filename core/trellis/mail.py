"""Mail: one message at a time, by SMTP."""

from __future__ import annotations

import logging
import smtplib
import ssl
import threading
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate, make_msgid
from typing import Any
from urllib.parse import unquote, urlsplit

from trellis.config import Config

log = logging.getLogger(__name__)

TIMEOUT = 20
PROBED = 5
"""Seconds that a look at the mail server may take where somebody waits for it."""
UNSUBSCRIBE = "List-Unsubscribe"
ONE_CLICK = "List-Unsubscribe=One-Click"
_PORTS = {"smtp": 587, "smtps": 465}


def may_send(config: Config) -> bool:
    """Whether this installation can send mail that leads back to it."""
    return bool(config.smtp_url and config.mail_from and config.url)


class _WholeAddresses(EmailPolicy):
    """Leaves an address that is longer than a line as it is: encoded, as the library does it, no program follows it."""

    def fold(self, name: str, value: Any) -> str:
        return f"{name}: {value}{self.linesep}" if name == UNSUBSCRIBE else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name == UNSUBSCRIBE:
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


def message(config: Config, to: str, subject: str, text: str, unsubscribe: str = "") -> EmailMessage:
    """A plain message. Raises ValueError for a line break where there can be none.

    ``unsubscribe`` is where its reader, or the reader's program by one POST, says that such mails are not wanted (RFC 8058).
    """
    mail = EmailMessage(policy=_WholeAddresses())
    if unsubscribe:
        mail[UNSUBSCRIBE], mail[f"{UNSUBSCRIBE}-Post"] = f"<{unsubscribe}>", ONE_CLICK
    mail["From"], mail["To"], mail["Subject"] = config.mail_from, to, subject
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=config.mail_from.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def connect(config: Config, timeout: float = TIMEOUT) -> smtplib.SMTP:
    """A connection to the mail server, signed in; the caller closes it. Raises OSError or smtplib.SMTPException."""
    server = urlsplit(config.smtp_url)
    try:
        host, port = server.hostname or "localhost", server.port or _PORTS.get(server.scheme, 587)
    except ValueError:  # its message may hold a part of the password
        reason = "TRELLIS_SMTP_URL cannot be read; write special characters of the password as %XX"
        raise smtplib.SMTPException(reason) from None
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
    else:
        connection = smtplib.SMTP(host, port, timeout=timeout)
    try:
        connection.ehlo()
        if server.scheme == "smtp" and connection.has_extn("starttls"):
            connection.starttls(context=context)
            connection.ehlo()
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
    except BaseException:
        connection.close()
        raise
    return connection


def send(config: Config, mail: EmailMessage) -> None:
    """Hands a message to the mail server. Raises OSError or smtplib.SMTPException when it cannot."""
    with connect(config) as connection:
        connection.send_message(mail)


def send_soon(config: Config, mail: EmailMessage) -> threading.Thread:
    """Sends a message beside the request, which takes as long whether there is one to send or not."""
    thread = threading.Thread(target=send_or_log, args=(config, mail), daemon=True, name="mail")
    thread.start()
    return thread


def send_or_log(config: Config, mail: EmailMessage) -> None:
    """Sends a message; that it cannot be sent is for the log alone."""
    try:
        send(config, mail)
    except (OSError, smtplib.SMTPException):
        log.exception("a mail could not be sent")
