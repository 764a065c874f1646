"""Passkeys (WebAuthn): keys that a person's device keeps and uses after a finger, a face or a PIN.

One signs in alone, answers as the second factor, and shows that it is still the same person. The device answers a
challenge, for this site only; each answer counts once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.config import Config
from trellis.control import Identity, Passkey, SpentChallenge
from trellis.errors import RecordInvalid, RecordNotFound, TrellisError
from trellis.i18n import translator
from trellis.security import notices, second_factor

if TYPE_CHECKING:
    from webauthn.authentication.verify_authentication_response import VerifiedAuthentication

    from trellis.installation import Installation

_ = translator("trellis")

LASTS = timedelta(minutes=5)
"""For so long a challenge may be answered."""
MOST = 20
LONGEST_NAME = 120
LONGEST_ANSWER = 20_000


class PasskeyRefused(TrellisError):
    """The answer is not that of a passkey known here, or was given before."""

    status = 401
    code = "passkey_refused"
    title = _("This passkey does not open anything here")


@dataclass(frozen=True)
class Site:
    """What a passkey belongs to: a host name, and the address of the pages that may ask for it."""

    host: str
    origin: str


def site_of(config: Config, asked: str) -> Site | None:
    """The site of the configured address, else of the one that was ``asked``.

    None where browsers offer no passkeys: they want https, or localhost.
    """
    parts = urlsplit(config.url or asked)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host == "localhost"):
        return None
    return Site(host, f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}")


def new_challenge() -> str:
    """What a device shall sign."""
    return secrets.token_urlsafe(32)


def registration(
    installation: Installation, identity_id: int, email: str, site: Site, challenge: str
) -> dict[str, Any]:
    """What the browser asks a device for, to make a new passkey of somebody."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    present = passkeys_of(installation, identity_id)
    handle = present[0].handle if present else secrets.token_urlsafe(64)
    options = generate_registration_options(
        rp_id=site.host,
        rp_name="Trellis",
        user_id=base64url_to_bytes(handle),
        user_name=email,
        challenge=base64url_to_bytes(challenge),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in present
        ],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return dict(json.loads(options_to_json(options)))


def register(
    installation: Installation,
    identity: Identity,
    site: Site,
    challenge: str,
    handle: str,
    name: str,
    answer: str,
) -> list[str]:
    """Keeps the passkey that a device made; recovery codes, if the person has none yet.

    ``handle`` is that of the registration's options. Raises RecordInvalid (``name``, ``passkey``).
    """
    from webauthn import verify_registration_response
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    if not name.strip():
        raise RecordInvalid({"name": [_("Give the passkey a name, for instance that of the device")]})
    try:
        made = verify_registration_response(
            credential=answer[:LONGEST_ANSWER],
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise RecordInvalid({"passkey": [_("The device's answer does not fit; try again")]}) from None
    kept = Passkey(
        identity_id=identity.id,
        handle=handle,
        credential=bytes_to_base64url(made.credential_id),
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=name.strip()[:LONGEST_NAME],
    )
    with installation.control.write() as session:
        session.get_one(Identity, identity.id, with_for_update=True)  # one at a time for each person
        _spend(session, challenge)
        _require_room(session, kept)
        session.add(kept)
        session.flush()
        codes = second_factor.first_codes(session, identity.id)
    notices.tell(installation, identity.email, _("The passkey “%(name)s” was added", name=name.strip()))
    return codes


def _require_room(session: Session, kept: Passkey) -> None:
    mine = sa.select(sa.func.count()).select_from(Passkey).where(Passkey.identity_id == kept.identity_id)
    if session.scalar(mine) >= MOST:  # type: ignore[operator]
        raise RecordInvalid({"passkey": [_("There are %(number)s passkeys; remove one first", number=MOST)]})
    if session.scalar(sa.select(Passkey.id).where(Passkey.credential == kept.credential)) is not None:
        raise RecordInvalid({"passkey": [_("The device's answer does not fit; try again")]})


def request(
    installation: Installation, site: Site, challenge: str, identity_id: int | None
) -> dict[str, Any]:
    """What the browser asks devices for: a passkey of somebody, or of anybody who has one for this site."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

    present = passkeys_of(installation, identity_id) if identity_id is not None else ()
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=base64url_to_bytes(challenge),
        allow_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in present
        ],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(json.loads(options_to_json(options)))


def prove(installation: Installation, site: Site, challenge: str, answer: str) -> Identity:
    """The active identity whose passkey answered ``challenge``. Raises PasskeyRefused."""
    credential, handle = _named(answer)
    query = sa.select(Passkey, Identity).join(Identity, Identity.id == Passkey.identity_id)
    with installation.control.write() as session:
        found = session.execute(query.where(Passkey.credential == credential).with_for_update()).first()
        if found is None or not found[1].active or not hmac.compare_digest(found[0].handle, handle):
            raise PasskeyRefused()
        passkey, identity = found
        verified = _verified(passkey, site, challenge, answer)
        _spend(session, challenge)
        passkey.sign_count, passkey.last_used_at = verified.new_sign_count, datetime.now(UTC)
        session.flush()
        session.expunge_all()
    return identity


def _named(answer: str) -> tuple[str, str]:
    """Which key of whom a device says that it used; empty for what says nothing."""
    try:
        read = json.loads(answer[:LONGEST_ANSWER])
        credential, handle = read["id"], read["response"].get("userHandle") or ""
        credential.encode("ascii"), handle.encode("ascii")
        return credential, handle
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PasskeyRefused() from None


def _verified(passkey: Passkey, site: Site, challenge: str, answer: str) -> VerifiedAuthentication:
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise PasskeyRefused() from None


def _spend(session: Session, challenge: str) -> None:
    """Notes that a challenge was answered. Raises PasskeyRefused when it was before."""
    now = datetime.now(UTC)
    digest = hashlib.sha256(challenge.encode()).hexdigest()
    try:
        with session.begin_nested():
            session.add(SpentChallenge(digest=digest, spent_at=now))
    except sa.exc.IntegrityError:
        raise PasskeyRefused() from None
    ended = SpentChallenge.spent_at < now - 2 * LASTS
    session.execute(sa.delete(SpentChallenge).where(ended), execution_options={"synchronize_session": False})


def passkeys_of(installation: Installation, identity_id: int) -> Sequence[Passkey]:
    """The passkeys of somebody, the oldest first."""
    query = sa.select(Passkey).where(Passkey.identity_id == identity_id).order_by(Passkey.id)
    with installation.control.read() as session:
        found = session.scalars(query).all()
        session.expunge_all()
        return found


def remove(installation: Installation, identity_id: int, email: str, passkey_id: int) -> str:
    """Forgets a passkey of somebody and returns its name. Raises RecordNotFound for anybody else's."""
    with installation.control.write() as session:
        kept = session.get(Passkey, passkey_id)
        if kept is None or kept.identity_id != identity_id:
            raise RecordNotFound()
        name = kept.name
        session.delete(kept)
        session.flush()
        second_factor.forget_codes(session, identity_id)
    notices.tell(installation, email, _("The passkey “%(name)s” was removed", name=name))
    return name
