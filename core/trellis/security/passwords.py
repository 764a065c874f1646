"""Passwords: kept as Argon2id hashes. A check takes as long for nobody as for somebody."""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

from trellis.errors import RecordInvalid
from trellis.i18n import translator

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_ = translator("trellis")

SHORTEST = 8
LONGEST = 200


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher().hash(secrets.token_hex())


def hash_password(password: str) -> str:
    """The hash to keep."""
    return _hasher().hash(_bytes(password))


def require_good_password(password: str, email: str) -> None:
    """Raises RecordInvalid for a password that is too short, too long, or the mail address itself."""
    if len(password) < SHORTEST:
        raise RecordInvalid(
            {"password": [_("A password needs at least %(number)s characters", number=SHORTEST)]}
        )
    if len(password) > LONGEST:
        raise RecordInvalid({"password": [_("A password has at most %(number)s characters", number=LONGEST)]})
    if password.strip().lower() == email.strip().lower():
        raise RecordInvalid({"password": [_("The password must not be the mail address")]})


def matches(kept: str | None, password: str) -> bool:
    """Whether ``password`` is the one behind the hash. Without a hash, as slow, it never is."""
    from argon2.exceptions import InvalidHashError, VerificationError

    decoy = _decoy()  # made before either way is taken, so that the first check tells nothing
    try:
        return _hasher().verify(kept or decoy, _bytes(password[: LONGEST + 1])) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(kept)
