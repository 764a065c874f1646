"""Addresses that open something without a sign-in: what they hold is signed, so that whatever was never given out is refused
before any database is asked.
"""

from __future__ import annotations

from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from trellis.config import Config
from trellis.security.keys import secret_key


def signed(config: Config, purpose: str, *values: Any) -> str:
    """The last part of an address. What is signed for one purpose opens nothing of another."""
    return str(_signer(config, purpose).dumps(values))


def opened(config: Config, purpose: str, link: str) -> list[Any] | None:
    """What was signed; None for what was never given out here."""
    try:
        found = _signer(config, purpose).loads(link)
    except (BadData, ValueError, TypeError):
        return None
    return found if isinstance(found, list) else None


def _signer(config: Config, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key(config), salt=f"trellis {purpose}")
