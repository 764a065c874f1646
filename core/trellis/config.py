"""Settings of an installation, read from the environment once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Config:
    """Where an installation keeps its state.

    ``home`` (``TRELLIS_HOME``, default ``./trellis-data``) holds SQLite files, the session key and uploads;
    ``database_url`` (``TRELLIS_DATABASE_URL``) switches to PostgreSQL; empty means SQLite files under ``home``.
    ``secret_key`` (``TRELLIS_SECRET_KEY``) signs sessions, where several machines must share it; empty means a key of
    its own, made once and kept in ``home``.
    """

    home: Path
    database_url: str = ""
    secret_key: str = ""

    @classmethod
    def from_environment(cls) -> Config:
        """The configuration that ``TRELLIS_HOME``, ``TRELLIS_DATABASE_URL`` and ``TRELLIS_SECRET_KEY`` give."""
        return cls(
            home=Path(os.environ.get("TRELLIS_HOME") or "trellis-data").absolute(),
            database_url=os.environ.get("TRELLIS_DATABASE_URL", ""),
            secret_key=os.environ.get("TRELLIS_SECRET_KEY", ""),
        )

    @property
    def on_postgresql(self) -> bool:
        """Workspaces are schemas of one PostgreSQL database."""
        return bool(self.database_url)
