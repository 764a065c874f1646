"""A second factor: codes of an app (TOTP, RFC 6238), and recovery codes for the day on which it is lost.

It is asked for after the password of everybody who has an app or a passkey. Attempts count and lock as passwords do.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.control import CodeApp, Identity, Passkey, RecoveryCode, has_second_factor
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.security import attempts, keys, notices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trellis.installation import Installation

_ = translator("trellis")

log = logging.getLogger(__name__)

STEP = 30
DRIFT = 1
"""So many steps the clock of an app may be wrong, either way."""
RECOVERY_CODES = 10
DRAFT_LASTS = 30 * 60
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without those that look like others; 16 of these 32 are 80 bits."""


@dataclass(frozen=True)
class Draft:
    """An app that is being set up: ``secret`` to type, ``address`` for its camera, both again in ``sealed``."""

    secret: str
    address: str
    sealed: str


@dataclass(frozen=True)
class Factors:
    """What somebody has beside the password. ``app_since`` is None without an app for codes."""

    app_since: datetime | None
    passkeys: int
    recovery_codes: int

    def __bool__(self) -> bool:
        return self.app_since is not None or self.passkeys > 0


def factors_of(installation: Installation, identity_id: int) -> Factors:
    """The second factors of somebody."""

    def number(table: type[Passkey] | type[RecoveryCode]) -> sa.ScalarSelect[int]:
        counted = sa.select(sa.func.count()).select_from(table)
        return counted.where(table.identity_id == identity_id).scalar_subquery()

    since = sa.select(CodeApp.created_at).where(CodeApp.identity_id == identity_id).scalar_subquery()
    with installation.control.read() as session:
        row = session.execute(sa.select(since, number(Passkey), number(RecoveryCode))).one()
    return Factors(row[0], row[1], row[2])


def holders(installation: Installation, emails: Iterable[str]) -> set[str]:
    """Those of ``emails`` that have a second factor."""
    query = sa.select(Identity.email).where(Identity.email.in_(list(emails)), has_second_factor())
    with installation.control.read() as session:
        return set(session.scalars(query))


def draft(installation: Installation, identity_id: int, email: str) -> Draft:
    """A new secret for somebody's app. Nothing is kept until :func:`switch_on` gets a code of it."""
    import pyotp

    secret = pyotp.random_base32()
    return _draft(
        installation, secret, email, keys.seal(installation.config, json.dumps([identity_id, secret]))
    )


def draft_again(installation: Installation, identity_id: int, email: str, sealed: str) -> Draft:
    """The draft that was sealed, when its code was not right. Raises RecordInvalid (``code``) for one that has ended."""
    return _draft(installation, _drafted(installation, identity_id, sealed), email, sealed)


def _draft(installation: Installation, secret: str, email: str, sealed: str) -> Draft:
    import pyotp

    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Trellis")
    return Draft(secret, address, sealed)


def switch_on(installation: Installation, identity_id: int, email: str, sealed: str, code: str) -> list[str]:
    """Keeps the app whose draft was ``sealed``, in place of any other, and returns new recovery codes.

    Raises RecordInvalid (``code``) for a code that is not the app's, or a draft that has ended.
    """
    secret = _drafted(installation, identity_id, sealed)
    step = _step_of(secret, code)
    if step is None:
        message = _(
            "This is not the code that the app shows now; look whether the clock of the phone is right"
        )
        raise RecordInvalid({"code": [message]})
    with installation.control.write() as session:
        session.merge(
            CodeApp(identity_id=identity_id, secret=keys.seal(installation.config, secret), last_step=step)
        )
        codes = _renew_codes(session, identity_id)
    notices.tell(installation, email, _("An app for one-time codes was set up"))
    return codes


def _drafted(installation: Installation, identity_id: int, sealed: str) -> str:
    try:
        whose, secret = json.loads(keys.unseal(installation.config, sealed, DRAFT_LASTS))
    except keys.Unreadable:
        whose, secret = None, ""
    if whose != identity_id:
        raise RecordInvalid({"code": [_("This page has ended; begin again")]})
    return str(secret)


def prove(installation: Installation, identity: Identity, code: str, address: str) -> bool:
    """Whether ``code`` is one of the app's or a recovery code of somebody; it is used up. Raises TooMany."""
    named = attempts.second_step(identity.email)
    attempts.begin(installation, named, address)
    if not (_use_app(installation, identity.id, code) or _use_recovery_code(installation, identity, code)):
        return False
    attempts.succeeded(installation, named, address)
    return True


def _use_app(installation: Installation, identity_id: int, code: str) -> bool:
    with installation.control.read() as session:
        sealed = session.scalar(sa.select(CodeApp.secret).where(CodeApp.identity_id == identity_id))
    if sealed is None:
        return False
    try:
        step = _step_of(keys.unseal(installation.config, sealed), code)
    except keys.Unreadable:
        log.warning(
            "the key that sealed the second factor of identity %s is not the present one", identity_id
        )
        return False
    if step is None:
        return False
    unused = sa.update(CodeApp).where(CodeApp.identity_id == identity_id, CodeApp.last_step < step)
    with installation.control.write() as session:
        return bool(session.execute(unused.values(last_step=step)).rowcount)  # type: ignore[attr-defined]


def _step_of(secret: str, code: str) -> int | None:
    """The thirty seconds around now in which an app shows ``code``."""
    import pyotp

    given = "".join(code.split()).encode("utf-8", "surrogatepass")
    now = _present_step()
    app = pyotp.HOTP(secret)
    steps = range(now - DRIFT, now + DRIFT + 1)
    return next((step for step in steps if hmac.compare_digest(app.at(step).encode(), given)), None)


def _present_step() -> int:
    return int(time.time()) // STEP


def _use_recovery_code(installation: Installation, identity: Identity, code: str) -> bool:
    used = sa.delete(RecoveryCode).where(
        RecoveryCode.identity_id == identity.id, RecoveryCode.digest == _digest(identity.id, code)
    )
    with installation.control.write() as session:
        found = bool(session.execute(used).rowcount)  # type: ignore[attr-defined]
    if found:
        notices.tell(installation, identity.email, _("A recovery code was used"))
    return found


def new_codes(installation: Installation, identity_id: int, email: str) -> list[str]:
    """Recovery codes in place of the present ones; they are shown now and never again."""
    with installation.control.write() as session:
        codes = _renew_codes(session, identity_id)
    notices.tell(installation, email, _("New recovery codes were made"))
    return codes


def first_codes(session: Session, identity_id: int) -> list[str]:
    """Recovery codes for somebody who has none; in the transaction that brings the first factor."""
    there = session.scalar(sa.select(sa.exists().where(RecoveryCode.identity_id == identity_id)))
    return [] if there else _renew_codes(session, identity_id)


def _renew_codes(session: Session, identity_id: int) -> list[str]:
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.identity_id == identity_id))
    codes = [_new_code() for _number in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(identity_id=identity_id, digest=_digest(identity_id, code)) for code in codes
    )
    session.flush()
    return codes


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _number in range(16))
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def _digest(identity_id: int, code: str) -> str:
    """What is kept of a code: it is random enough to need no more salt. Spaces, strokes and capitals do not count."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(f"{identity_id} {plain}".encode("utf-8", "surrogatepass")).hexdigest()


def switch_off(installation: Installation, identity_id: int, email: str) -> None:
    """Forgets somebody's app; the recovery codes too, unless a passkey is left."""
    with installation.control.write() as session:
        session.execute(sa.delete(CodeApp).where(CodeApp.identity_id == identity_id))
        forget_codes(session, identity_id)
    notices.tell(installation, email, _("The app for one-time codes was switched off"))


def forget_codes(session: Session, identity_id: int) -> None:
    """Forgets the recovery codes of somebody who has no second factor any more."""
    left = sa.select(Identity.id).where(Identity.id == identity_id, has_second_factor())
    if session.scalar(left) is None:
        session.execute(sa.delete(RecoveryCode).where(RecoveryCode.identity_id == identity_id))


def forget(installation: Installation, identity_id: int, email: str) -> None:
    """Forgets everything that somebody has beside the password: for one who has lost it all."""
    with installation.control.write() as session:
        for table in (CodeApp, Passkey, RecoveryCode):
            session.execute(sa.delete(table).where(table.identity_id == identity_id))
    attempts.unlock(installation, email)
    notices.tell(installation, email, _("Your second factor and passkeys were reset"))


def copy(session: Session, identity_id: int, to: int) -> None:
    """Gives the app of somebody to another identity of the same person; a passkey or a recovery code is of one alone."""
    app = session.get(CodeApp, identity_id)
    if app is not None:
        session.add(CodeApp(identity_id=to, secret=app.secret, last_step=app.last_step))
