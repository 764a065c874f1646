"""Backups, copies and workspaces from backups that are asked for in the browser: made by jobs, for administrators."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

import orjson
from sqlalchemy.orm import Session

from trellis import files
from trellis.backup.admission import admit_chosen
from trellis.backup.archive import Manifest
from trellis.backup.copying import copy_workspace
from trellis.backup.restoring import emails_in, read_manifest, require_readable, restore
from trellis.backup.saving import save
from trellis.errors import Conflict, RecordNotFound
from trellis.i18n import translator
from trellis.installation import Installation
from trellis.jobs import Work, enqueue
from trellis.security.actor import Actor

_ = translator("trellis")

BACKUP, COPY, RESTORE = "backup", "copy", "restore"
KEPT = timedelta(days=1)
"""How long a backup that was sent waits to be looked at."""


@dataclass(frozen=True)
class Sent:
    """A backup that an administrator sent: what it says of itself, and the mail addresses of its people."""

    token: str
    manifest: Manifest
    emails: frozenset[str]


def ask_backup(session: Session, actor: Actor) -> int:
    """Puts a backup into the queue; returns the number of the job. Raises PermissionRefused."""
    actor.require_administrator()
    return enqueue(session, BACKUP, {}, actor.user_id)


def ask_copy(installation: Installation, session: Session, actor: Actor, new: str, title: str) -> int:
    """Puts a copy into the queue; returns the number of the job. Raises PermissionRefused, RecordInvalid, Conflict."""
    actor.require_administrator()
    installation.require_free(new)
    return enqueue(session, COPY, {"new": new, "title": title}, actor.user_id)


def keep_sent(installation: Installation, session: Session, actor: Actor, path: Path) -> str:
    """Checks a backup that was sent and keeps it for a day; returns the token it is found by. Raises BackupInvalid."""
    actor.require_administrator()
    require_readable(installation, read_manifest(path))
    token = secrets.token_hex(16)
    about = {"manifest": dataclasses.asdict(read_manifest(path)), "emails": sorted(emails_in(path))}
    with NamedTemporaryFile(prefix="trellis-restore-") as file:
        file.write(orjson.dumps(about))
        file.flush()
        files.keep(session, about_name(token), Path(file.name), KEPT)
    files.keep(session, sent_name(token), path, KEPT)
    return token


def find_sent(session: Session, actor: Actor, token: str) -> Sent:
    """What a backup that was sent says of itself. Raises PermissionRefused, and RecordNotFound when it is not kept (any more)."""
    actor.require_administrator()
    about = b"".join(files.content(session, about_name(token)))
    if not about:
        raise RecordNotFound()
    told = orjson.loads(about)
    return Sent(token, Manifest.read(told["manifest"]), frozenset(told["emails"]))


def sent_name(token: str) -> str:
    """The name that a backup that was sent is kept under."""
    return f"restore/{token}"


def about_name(token: str) -> str:
    """The name that what it says of itself is kept under."""
    return f"restore/{token}/about"


def ask_restore(
    installation: Installation,
    session: Session,
    actor: Actor,
    token: str,
    new: str,
    title: str,
    emails: Collection[str],
    administrator: str,
) -> int:
    """Puts the making of a workspace from a backup that was sent into the queue; returns the number of the job.

    ``emails`` are let in where the backup has them, ``administrator`` in any case (empty: nobody).
    Raises PermissionRefused, RecordInvalid, Conflict.
    """
    actor.require_administrator()
    installation.require_free(new)
    arguments = {
        "token": token,
        "new": new,
        "title": title,
        "emails": sorted(emails),
        "administrator": administrator,
    }
    return enqueue(session, RESTORE, arguments, actor.user_id)


def work_restore(work: Work) -> None:
    """The job. One that was killed after the workspace was there finds it, and says so as any refusal."""
    told = work.arguments
    with TemporaryDirectory(prefix="trellis-restore-") as folder:
        path = Path(folder) / "workspace.zip"
        with work.workspace.read() as session:
            if not files.bring(session, sent_name(told["token"]), path):
                raise Conflict(_("The backup that was sent is not kept any more; send it again"))
        admit = admit_chosen(told["emails"], told["administrator"])
        restore(
            work.installation,
            told["new"],
            path,
            title=told["title"] or None,
            told=work.tell,
            admit=admit,
            actor=work.actor,
        )
    with work.workspace.write() as session:
        files.forget(session, sent_name(told["token"]))
        files.forget(session, about_name(told["token"]))
        work.finish(session, {"workspace": told["new"]})


def work_backup(work: Work) -> None:
    """The job."""
    with TemporaryDirectory(prefix="trellis-backup-") as folder:
        path = Path(folder) / "workspace.zip"
        manifest = save(work.installation, work.workspace.name, path, work.tell, actor=work.actor)
        filename = f"{manifest.workspace}-{manifest.made_at:%Y-%m-%d-%H%M}.zip"
        work.finish_with(path, filename, rows=sum(manifest.tables.values()))


def work_copy(work: Work) -> None:
    """The job. One that was killed after the copy was there finds it, and says so as any refusal."""
    new = work.arguments["new"]
    copy_workspace(
        work.installation,
        work.workspace.name,
        new,
        title=work.arguments["title"] or None,
        told=work.tell,
        actor=work.actor,
    )
    with work.workspace.write() as session:
        work.finish(session, {"workspace": new})
