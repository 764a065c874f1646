"""Where rows without a key go on after an import was killed: what tells the file and how many rows are done.

A row with a key is looked up, and nothing else has to be known of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.errors import Conflict
from trellis.i18n import translator
from trellis.system import ImportProgress
from trellis.workspace import Workspace

_ = translator("trellis")


class ImportedTwice(Conflict):
    """Two processes import the same file without a key."""


class Progress:
    """How many rows of a file are done, counted in the transaction that writes their records."""

    def __init__(self, workspace: Workspace, path: Path, asked: Sequence[object]) -> None:
        self.key = _fingerprint(path, asked)
        with workspace.write() as session:
            known = session.get(ImportProgress, self.key)
            if known is None:
                known = ImportProgress(fingerprint=self.key, rows=0, at=datetime.now(UTC))
                session.add(known)
            self.done = known.rows

    def reach(self, session: Session, done: int) -> None:
        """The rows up to ``done`` are written. Raises ImportedTwice when another import of the file wrote them too."""
        here = (ImportProgress.fingerprint == self.key, ImportProgress.rows == self.done)
        moved = sa.update(ImportProgress).where(*here).values(rows=done, at=datetime.now(UTC))
        if session.execute(moved).rowcount != 1:  # type: ignore[attr-defined]
            raise ImportedTwice(_("This file is being imported by another process"))


def forget(session: Session, key: str) -> None:
    """All rows of a file are done: the next import of it starts anew."""
    session.execute(sa.delete(ImportProgress).where(ImportProgress.fingerprint == key))


def _fingerprint(path: Path, asked: Sequence[object]) -> str:
    digest = hashlib.blake2b(repr(asked).encode(), digest_size=24)
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
    return digest.hexdigest()
