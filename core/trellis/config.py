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
    """

    home: Path
    database_url: str = ""

    @classmethod
    def from_environment(cls) -> Config:
        """The configuration that ``TRELLIS_HOME`` and ``TRELLIS_DATABASE_URL`` give."""
        home = Path(os.environ.get("TRELLIS_HOME") or "trellis-data").absolute()
        return cls(home=home, database_url=os.environ.get("TRELLIS_DATABASE_URL", ""))

    @property
    def on_postgresql(self) -> bool:
        """Workspaces are schemas of one PostgreSQL database."""
        return bool(self.database_url)
