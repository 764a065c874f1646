"""Backups and copies that are asked for in the browser: made by jobs, for administrators."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.orm import Session

from trellis.backup.copying import copy_workspace
from trellis.backup.saving import save
from trellis.installation import Installation
from trellis.jobs import Work, enqueue
from trellis.security.actor import Actor

BACKUP, COPY = "backup", "copy"


def ask_backup(session: Session, actor: Actor) -> int:
    """Puts a backup into the queue; returns the number of the job. Raises PermissionRefused."""
    actor.require_administrator()
    return enqueue(session, BACKUP, {}, actor.user_id)


def ask_copy(installation: Installation, session: Session, actor: Actor, new: str, title: str) -> int:
    """Puts a copy into the queue; returns the number of the job. Raises PermissionRefused, RecordInvalid, Conflict."""
    actor.require_administrator()
    installation.require_free(new)
    return enqueue(session, COPY, {"new": new, "title": title}, actor.user_id)


def work_backup(work: Work) -> None:
    """The job."""
    with TemporaryDirectory(prefix="trellis-backup-") as folder:
        path = Path(folder) / "workspace.zip"
        manifest = save(work.installation, work.workspace.name, path, work.tell)
        filename = f"{manifest.workspace}-{manifest.made_at:%Y-%m-%d-%H%M}.zip"
        work.finish_with(path, filename, rows=sum(manifest.tables.values()))


def work_copy(work: Work) -> None:
    """The job. One that was killed after the copy was there finds it, and says so as any refusal."""
    new = work.arguments["new"]
    copy_workspace(
        work.installation, work.workspace.name, new, title=work.arguments["title"] or None, told=work.tell
    )
    with work.workspace.write() as session:
        work.finish(session, {"workspace": new})
