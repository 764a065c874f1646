"""Reading a backup into a new workspace: all of it, or nothing is left."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa

from trellis import migration
from trellis.backup.admission import Admission, admit_all
from trellis.backup.archive import (
    FORMAT,
    MANIFEST,
    PEOPLE,
    BackupInvalid,
    Manifest,
    Told,
    from_plain,
    row_name,
    tables,
)
from trellis.errors import PluginError, RecordInvalid
from trellis.i18n import translator
from trellis.installation import Installation, check_settings
from trellis.jobs.job import STOPPED, WAITING, Job
from trellis.plugins import CORE
from trellis.records import setup
from trellis.records.indexes import create_extension_indexes
from trellis.security.actor import SYSTEM, Actor
from trellis.system import Event, WorkspaceState
from trellis.webhooks.webhook import Webhook
from trellis.workspace import Workspace

_ = translator("trellis")

AT_ONCE = 1000
MOST_UNPACKED, SLACK = 100, 64 * 1024 * 1024
"""How many times its size a backup may unpack to, and what a small one may besides; rows of JSON give some 10 to 30."""
LONGEST = 64 * 1024 * 1024
"""How many bytes are held in memory at once: of the manifest, the people, one row."""
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    AttributeError,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)


def read_manifest(path: Path) -> Manifest:
    """What a backup says of itself. Raises BackupInvalid."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > MOST_UNPACKED * path.stat().st_size + SLACK:
                raise BackupInvalid()
            told = orjson.loads(_whole(archive, MANIFEST))
        if told["format"] != FORMAT:
            raise BackupInvalid(
                _(
                    "This backup was made by another version of Trellis (format %(number)s)",
                    number=told["format"],
                )
            )
        return Manifest.read(told)
    except _BROKEN:
        raise BackupInvalid() from None


def emails_in(path: Path) -> set[str]:
    """The mail addresses of those who could enter the workspace that was saved. Raises BackupInvalid."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {person["email"].lower() for person in _people(archive)}
    except _BROKEN:
        raise BackupInvalid() from None


def _people(archive: zipfile.ZipFile) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in _whole(archive, PEOPLE).splitlines()]


def _whole(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        content = file.read(LONGEST)
        if file.read(1):
            raise ValueError(name)
    return content


def require_readable(installation: Installation, manifest: Manifest) -> None:
    """Raises BackupInvalid when the backup needs a plugin, or a later version of the code, that is not installed here."""
    for plugin in manifest.plugins:
        try:
            installation.plugins.load(plugin)
        except PluginError as error:
            raise BackupInvalid(
                _("The backup needs the plugin “%(name)s”: %(reason)s", name=plugin, reason=error)
            ) from None
    for owner, revision in manifest.revisions.items():
        if owner != CORE and owner not in manifest.plugins:
            raise BackupInvalid()
        plugin_manifest = None if owner == CORE else installation.plugins.load(owner).manifest
        if revision is not None and not migration.is_known(revision, owner, plugin_manifest):
            raise BackupInvalid(
                _("The backup was made by a later version of “%(name)s”; upgrade it here first", name=owner)
            )


def restore(
    installation: Installation,
    name: str,
    path: Path,
    *,
    title: str | None = None,
    goes_on: bool = False,
    told: Told = lambda done, total: None,
    admit: Admission = admit_all,
    actor: Actor = SYSTEM,
) -> Manifest:
    """Makes a workspace of what a backup holds, and lets those in whom ``admit`` names.

    The tables are brought to the revision of the backup, filled, and then upgraded. Jobs that had not ended are stopped; where
    the workspace ``goes_on`` in place of one that is lost, those stay that were to come later: timers, reminders, escalations.
    Raises BackupInvalid, Conflict when there is a workspace of this name, RecordInvalid for a bad name.
    """
    manifest = read_manifest(path)
    require_readable(installation, manifest)
    with installation.new_workspace(name, title or manifest.title or name) as workspace:
        try:
            with zipfile.ZipFile(path) as archive:
                _fill(workspace, archive, manifest, told, title, goes_on)
                people = _people(archive)
            _finish(workspace, manifest, actor)
        except sa.exc.DBAPIError as error:
            raise BackupInvalid(_("The backup is damaged: %(reason)s", reason=error.orig)) from None
        except (*_BROKEN, migration.RevisionUnknown, RecordInvalid) as error:
            raise BackupInvalid(_("The backup is damaged: %(reason)s", reason=error)) from None
    admit(installation, workspace, people)
    return manifest


def _fill(
    workspace: Workspace,
    archive: zipfile.ZipFile,
    manifest: Manifest,
    told: Told,
    title: str | None,
    goes_on: bool,
) -> None:
    done, total = 0, sum(manifest.tables.values())
    with workspace.namespace.connection() as connection:
        workspace.create_tables(connection, manifest.revisions)
        for table in tables():
            if table.name not in manifest.tables:
                continue
            for batch in _batches(archive, table):
                connection.execute(sa.insert(table), batch)
                done += len(batch)
                told(done, total)
            _complete(connection, archive, table)
        connection.execute(sa.update(Event).values(transaction=0))  # numbers of another server's transactions
        unfinished = sa.update(Job).where(Job.finished_at.is_(None))
        if goes_on:  # what was due or under way when the backup was made may have been done since
            unfinished = unfinished.where(sa.or_(Job.state != WAITING, Job.due_at <= manifest.made_at))
        connection.execute(unfinished.values(state=STOPPED, finished_at=datetime.now(UTC)))
        connection.execute(sa.update(Webhook).values(paused=True))  # a copy tells nobody what is tried in it
        if title:
            settings = connection.scalar(sa.select(WorkspaceState.settings))
            connection.execute(
                sa.update(WorkspaceState).values(settings={**(settings or {}), "title": title})
            )
        if connection.dialect.name == "postgresql":
            _go_on_counting(connection, manifest)


def _batches(archive: zipfile.ZipFile, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table; what refers to another row of it is left empty until all are there."""
    own = _own_references(table)
    columns, rows = _rows(archive, table)
    read: list[Callable[[Any], Any] | None] = [from_plain(column) for column in columns]
    while lines := list(islice(rows, AT_ONCE)):
        yield [
            {
                column.name: None
                if column.name in own
                else value
                if convert is None or value is None
                else convert(value)
                for column, convert, value in zip(columns, read, row, strict=True)
            }
            for row in lines
        ]


def _complete(connection: sa.Connection, archive: zipfile.ZipFile, table: sa.Table) -> None:
    """Sets what refers to other rows of the same table."""
    own = _own_references(table)
    if not own:
        return
    columns, rows = _rows(archive, table)
    names = [column.name for column in columns]
    for row in rows:
        values = {
            name: value for name, value in zip(names, row, strict=True) if name in own and value is not None
        }
        if values:
            row_id = row[names.index("id")]
            connection.execute(sa.update(table).where(table.c.id == row_id).values(**values))


def _rows(archive: zipfile.ZipFile, table: sa.Table) -> tuple[list[sa.Column[Any]], Iterator[list[Any]]]:
    lines = _lines(archive.open(row_name(table.name)))
    columns = [table.columns[name] for name in orjson.loads(next(lines))]
    return columns, map(orjson.loads, lines)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LONGEST):
        if len(line) == LONGEST:
            raise ValueError(file.name)
        yield line


def _own_references(table: sa.Table) -> set[str]:
    return {key.parent.name for key in table.foreign_keys if key.column.table is table}


def _go_on_counting(connection: sa.Connection, manifest: Manifest) -> None:
    """PostgreSQL counts ids in sequences, which know nothing of rows that brought their own."""
    for table in tables():
        if table.name in manifest.tables and "id" in table.columns and table.columns["id"].primary_key:
            quoted = connection.dialect.identifier_preparer.quote(table.name)
            sequence = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(quoted, "id")))
            if sequence:
                highest = connection.scalar(sa.select(sa.func.max(table.c.id)))
                connection.execute(sa.select(sa.func.setval(sequence, highest or 1, highest is not None)))


def _finish(workspace: Workspace, manifest: Manifest, actor: Actor) -> None:
    """Upgrades what was read, checks its settings, makes the indexes, and says in the log where all came from. A file from elsewhere may hold anything."""
    workspace.upgrade()
    with workspace.read() as session:
        edition = workspace.edition(session)
    check_settings(workspace.name, edition.settings)
    with workspace.namespace.connection() as connection:
        for view in edition.entities.values():
            create_extension_indexes(connection, view.entity, view.fields.values())
    about = {"title": manifest.title or manifest.workspace, "made_at": manifest.made_at.isoformat()}
    with workspace.write() as session:  # of the people here the one who asked may be another, or none
        setup.note(session, replace(actor, user_id=None), setup.BACKUP, None, about, action="restored")
