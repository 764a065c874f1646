"""How a worker hears that a workspace may have something to do, in whatever process it was caused."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Protocol

import psycopg

from trellis.jobs.queue import CHANNEL


class Bell(Protocol):
    """Tells which workspaces may have something to do."""

    def wait(self, seconds: float) -> set[str] | None:
        """Waits at most so long; the names of workspaces that something happened in. None: some may have been missed."""

    def close(self) -> None:
        """Listens no longer."""


class FileBell:
    """SQLite: each commit changes the file of the workspace, or its log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[int, int]] = {}

    def wait(self, seconds: float) -> set[str]:
        time.sleep(seconds)
        return self.look()

    def look(self) -> set[str]:
        """The workspaces whose files are not as they were."""
        changed = set()
        for entry in os.scandir(self._folder) if self._folder.is_dir() else ():
            name, _dot, ending = entry.name.partition(".db")
            if ending not in ("", "-wal"):
                continue
            try:
                state = entry.stat()
            except FileNotFoundError:  # a log that was just removed
                continue
            mark = (state.st_mtime_ns, state.st_size)
            if self._known.get(entry.name) != mark:
                self._known[entry.name] = mark
                changed.add(name)
        return changed

    def close(self) -> None:
        self._known.clear()


class ListenBell:
    """PostgreSQL: who enqueues a job notifies; the notice arrives with the commit."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self._prefix = prefix
        self._connection: psycopg.Connection | None = None

    def wait(self, seconds: float) -> set[str] | None:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True)
                self._connection.execute(f"LISTEN {CHANNEL}")
                return None
            heard = self._connection.notifies(timeout=seconds, stop_after=1)
            return {notice.payload.removeprefix(self._prefix) for notice in heard}
        except (
            psycopg.OperationalError
        ):  # the server is away; what was missed is found when all are looked at
            self.close()
            time.sleep(seconds)
            return set()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
