"""Passwords: kept as Argon2id hashes. A check takes as long for nobody as for somebody."""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

from trellis.errors import Message, RecordInvalid
from trellis.i18n import translator

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_ = translator("trellis")

SHORTEST = 12
LONGEST = 200
_ENOUGH = 3
"""The zxcvbn score from which on a password needs more than 10^8 guesses."""
_SHORT_NAME = 3
_READ_BY_ZXCVBN = 60
"""Letters that zxcvbn looks at; its time grows with the cube of them."""
_KEYS = str.maketrans("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,.")
_RUSSIAN = (
    "пароль",
    "привет",
    "любовь",
    "солнышко",
    "наташа",
    "максим",
    "админ",
    "администратор",
    "россия",
    "москва",
)


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
    """Raises RecordInvalid, with the way to mend it, for a password that is short, easily guessed, or has the address in it."""
    problem = _problem(password, email.strip().lower())
    if problem:
        raise RecordInvalid({"password": [problem]})


def _problem(password: str, email: str) -> Message:
    if len(password) < SHORTEST:
        return _("A password needs at least %(number)s characters", number=SHORTEST)
    if len(password) > LONGEST:
        return _("A password has at most %(number)s characters", number=LONGEST)
    name = email.partition("@")[0]
    if email in password.lower() or (len(name) > _SHORT_NAME and name in password.lower()):
        return _("Leave your mail address out of the password")
    if _easily_guessed(password, [part for part in re.split(r"[@._+-]", email) if part]):
        return _("This password is easily guessed; take four words that have nothing to do with each other")
    return ""


def _easily_guessed(password: str, about: list[str]) -> bool:
    from zxcvbn import zxcvbn

    shown = password[:_READ_BY_ZXCVBN]
    spellings = {shown, shown.lower().translate(_KEYS)}  # also typed on the other keyboard layout
    return any(zxcvbn(one, user_inputs=[*about, *_RUSSIAN])["score"] < _ENOUGH for one in spellings)


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
