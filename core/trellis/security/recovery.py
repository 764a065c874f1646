"""A new password by mail: a signed link that ends after an hour and with its first use.

Whoever asks learns nothing: the answer, and the time it takes, are the same for an address that nobody has.
"""

from __future__ import annotations

import contextvars
import hashlib
import hmac
import secrets
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from itsdangerous import BadData, URLSafeTimedSerializer

from trellis import mail
from trellis.control import Identity
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.security import attempts, notices, passwords
from trellis.security.identities import identity_in

if TYPE_CHECKING:
    from trellis.installation import Installation

_ = translator("trellis")

LASTS = timedelta(hours=1)


class LinkInvalid(TrellisError):
    """The link was used, has ended, or was never ours."""

    status = 404
    code = "link_invalid"
    title = _("This link was used or has ended. Ask for a new one")


def ask(installation: Installation, workspace: str, email: str, address: str, secret: str) -> None:
    """Sends a link to somebody who works in ``workspace``. Raises TooMany when it is asked for too often."""
    attempts.begin(installation, f"recovery {email}", address)
    if mail.may_send(installation.config):
        speaking = contextvars.copy_context()  # the reader's language
        send = (_send, installation, workspace, email, secret)
        threading.Thread(target=speaking.run, args=send, daemon=True, name="recovery").start()


def _send(installation: Installation, workspace: str, email: str, secret: str) -> None:
    """Beside the request, so that looking for the address takes nobody's time."""
    identity = identity_in(installation, workspace, email)
    if identity is None:
        return
    link = f"{installation.config.url.rstrip('/')}/{workspace}/recover/{_link(identity, secret)}"
    text = _(
        "Somebody asked for a new password for %(email)s.\n\nChoose it here within an hour:\n%(link)s\n\n"
        "If it was not you, there is nothing to do: the password stays as it is.",
        email=identity.email,
        link=link,
    )
    mail.send_or_log(
        installation.config,
        mail.message(installation.config, identity.email, str(_("A new password")), str(text)),
    )


def check(installation: Installation, link: str, secret: str) -> str:
    """The mail address that a link is for, or LinkInvalid."""
    identity_id, mark = _read(link, secret)
    with installation.control.read() as session:
        identity = session.get(Identity, identity_id)
        if identity is None or not _fits(identity, mark):
            raise LinkInvalid()
        return identity.email


def use(installation: Installation, link: str, password: str, secret: str) -> None:
    """Gives the person behind a link a new password and ends the link and all sessions. RecordInvalid for a bad password."""
    email = check(installation, link, secret)
    passwords.require_good_password(password, email)
    hashed = passwords.hash_password(password)
    identity_id, mark = _read(link, secret)
    with installation.control.write() as session:
        identity = session.get(Identity, identity_id, with_for_update=True)
        if identity is None or not _fits(identity, mark):  # used at the same moment
            raise LinkInvalid()
        identity.password, identity.uniquifier = hashed, secrets.token_hex(32)
    attempts.unlock(installation, email, whole=False)
    notices.tell(installation, email, _("Your password was changed through a link that was sent by mail"))


def _serializer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="trellis recovery")


def _link(identity: Identity, secret: str) -> str:
    return str(_serializer(secret).dumps([identity.id, _mark(identity)]))


def _read(link: str, secret: str) -> tuple[int, str]:
    try:
        identity_id, mark = _serializer(secret).loads(link, max_age=int(LASTS.total_seconds()))
    except (BadData, ValueError, TypeError):
        raise LinkInvalid() from None
    return identity_id, mark


def _mark(identity: Identity) -> str:
    """Changes with the password and when sessions are ended, and with it the link."""
    return hashlib.sha256(f"recovery {identity.uniquifier} {identity.email}".encode()).hexdigest()[:32]


def _fits(identity: Identity, mark: str) -> bool:
    return identity.active and hmac.compare_digest(_mark(identity), mark)
