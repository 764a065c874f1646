"""Settings of an installation, read from the environment once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from trellis.uploads import Limits


@dataclass(frozen=True, kw_only=True)
class Config:
    """Where an installation keeps its state.

    ``home`` (``TRELLIS_HOME``, default ``./trellis-data``) holds SQLite files, the session key and uploads;
    ``database_url`` (``TRELLIS_DATABASE_URL``) switches to PostgreSQL; empty means SQLite files under ``home``.
    ``secret_key`` (``TRELLIS_SECRET_KEY``) signs sessions and seals secrets, where several machines must share it; empty
    means a key of its own, made once and kept in ``home``. ``api_rate`` (``TRELLIS_API_RATE``, default 60000) is how many REST calls a
    minute one token may make of one server process, 0 for any number. ``proxies`` (``TRELLIS_PROXIES``, default 0) is how
    many reverse proxies stand in front, whose word on a visitor's address is taken. Mail needs ``smtp_url``
    (``TRELLIS_SMTP_URL``: ``smtp://user:password@host:587`` or ``smtps://...:465``), ``mail_from``
    (``TRELLIS_MAIL_FROM``) and ``url`` (``TRELLIS_URL``), the address under which people reach this server.
    ``uploads`` (``TRELLIS_UPLOAD_LIMITS``) is how large what people send may be. ``webhooks_inside``
    (``TRELLIS_WEBHOOKS_INSIDE``, 1 or 0) lets webhooks go to addresses of this machine and its own network, and over http.
    """

    home: Path
    database_url: str = ""
    secret_key: str = ""
    api_rate: int = 0
    proxies: int = 0
    smtp_url: str = ""
    mail_from: str = ""
    url: str = ""
    uploads: Limits = field(default_factory=Limits)
    webhooks_inside: bool = False

    @classmethod
    def from_environment(cls) -> Config:
        """The configuration that the variables named above give; ValueError for a number that is none."""
        return cls(
            home=Path(os.environ.get("TRELLIS_HOME") or "trellis-data").absolute(),
            database_url=os.environ.get("TRELLIS_DATABASE_URL", ""),
            secret_key=os.environ.get("TRELLIS_SECRET_KEY", ""),
            api_rate=_number("TRELLIS_API_RATE", 60_000),
            proxies=_number("TRELLIS_PROXIES", 0),
            smtp_url=os.environ.get("TRELLIS_SMTP_URL", ""),
            mail_from=os.environ.get("TRELLIS_MAIL_FROM", ""),
            url=os.environ.get("TRELLIS_URL", ""),
            uploads=Limits.parse(os.environ.get("TRELLIS_UPLOAD_LIMITS", "")),
            webhooks_inside=bool(_number("TRELLIS_WEBHOOKS_INSIDE", 0)),
        )

    @property
    def on_postgresql(self) -> bool:
        """Workspaces are schemas of one PostgreSQL database."""
        return bool(self.database_url)


def _number(variable: str, usual: int) -> int:
    text = os.environ.get(variable, "")
    if text and not text.isdecimal():
        raise ValueError(f"{variable} is {text!r}; give a whole number, 0 or more")
    return int(text) if text else usual
