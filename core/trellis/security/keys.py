"""The installation's secret key: it signs sessions and links, and what it seals can be read with it alone."""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trellis.config import Config

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Unreadable(Exception):
    """Sealed with another key, too old, or never sealed by this installation."""


def secret_key(config: Config) -> str:
    """The key of the configuration, or the installation's own, made when it is first asked for."""
    return config.secret_key or _own_key(config.home / "secret_key")


def seal(config: Config, text: str) -> str:
    """``text`` as nobody without the key can read or change it."""
    return _cipher(config).encrypt(text.encode()).decode()


def unseal(config: Config, sealed: str, seconds: int | None = None) -> str:
    """What was sealed, within so many ``seconds`` if given. Raises Unreadable."""
    from cryptography.fernet import InvalidToken

    try:
        return _cipher(config).decrypt(sealed.encode("utf-8", "surrogatepass"), seconds).decode()
    except InvalidToken:
        raise Unreadable() from None


def _cipher(config: Config) -> Fernet:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), 32, salt=None, info=b"trellis seal").derive(secret_key(config).encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def _own_key(path: Path) -> str:
    """The key kept in ``path``. Several processes that start at once agree on one: only one of them can link it."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
