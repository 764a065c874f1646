"""Reading a backup into a new workspace: all of it, or nothing is left."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa

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
from trellis.control import Identity, Membership, WorkspaceEntry
from trellis.errors import PluginError
from trellis.i18n import translator
from trellis.installation import Installation
from trellis.jobs.job import STOPPED, Job
from trellis.records.indexes import create_extension_indexes
from trellis.system import Event, WorkspaceState
from trellis.workspace import Workspace

_ = translator("trellis")

AT_ONCE = 1000
LARGEST_MANIFEST = 16 * 1024**2
LONGEST_ROW = 256 * 1024**2
"""Bytes of what is read at once: a small archive may hold more than there is memory."""
_BROKEN = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, EOFError, StopIteration)


def read_manifest(path: Path) -> Manifest:
    """What a backup says of itself. Raises BackupInvalid."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MANIFEST) as file:
            told = orjson.loads(file.read(LARGEST_MANIFEST))
        if told["format"] != FORMAT:
            raise BackupInvalid(
                _(
                    "This backup was made by another version of Trellis (format %(number)s)",
                    number=told["format"],
                )
            )
        return Manifest(**{**told, "made_at": datetime.fromisoformat(told["made_at"])})
    except _BROKEN:
        raise BackupInvalid() from None


def restore(
    installation: Installation,
    name: str,
    path: Path,
    *,
    title: str | None = None,
    told: Told = lambda done, total: None,
) -> Manifest:
    """Makes a workspace of what a backup holds, and lets those in who could enter the one that was saved.

    The tables are brought to the revision of the backup, filled, and then upgraded. Jobs that had not ended are stopped.
    Raises BackupInvalid, Conflict when there is a workspace of this name, RecordInvalid for a bad name.
    """
    manifest = read_manifest(path)
    for plugin in manifest.plugins:
        try:
            installation.plugins.load(plugin)
        except PluginError as error:
            raise BackupInvalid(
                _("The backup needs the plugin “%(name)s”: %(reason)s", name=plugin, reason=error)
            ) from None
    with installation.new_workspace(name, title or manifest.title or name) as workspace:
        try:
            with zipfile.ZipFile(path) as archive:
                _fill(workspace, archive, manifest, told, title)
                people = [orjson.loads(line) for line in archive.read(PEOPLE).splitlines()]
        except (sa.exc.IntegrityError, sa.exc.DataError) as error:
            raise BackupInvalid(_("The backup is damaged: %(reason)s", reason=error.orig)) from None
        except _BROKEN as error:
            raise BackupInvalid(_("The backup is damaged: %(reason)s", reason=error)) from None
        workspace.upgrade()
        _index(workspace)
    _let_in(installation, name, people)
    return manifest


def _fill(
    workspace: Workspace, archive: zipfile.ZipFile, manifest: Manifest, told: Told, title: str | None
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
        connection.execute(unfinished.values(state=STOPPED, finished_at=datetime.now(UTC)))
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
    while line := file.readline(LONGEST_ROW):
        if len(line) == LONGEST_ROW:
            raise ValueError("a row is too long")
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


def _index(workspace: Workspace) -> None:
    with workspace.read() as session:
        edition = workspace.edition(session)
    with workspace.namespace.connection() as connection:
        for view in edition.entities.values():
            create_extension_indexes(connection, view.entity, view.fields.values())


def _let_in(installation: Installation, name: str, people: list[dict[str, Any]]) -> None:
    """Gives those in the backup a membership; who is known here keeps their own password."""
    with installation.control.write() as session:
        assert session.get(WorkspaceEntry, name) is not None
        for person in people:
            identity = session.scalar(sa.select(Identity).where(Identity.email == person["email"]))
            if identity is None:
                identity = Identity(**person)
                session.add(identity)
                session.flush()
            session.add(Membership(workspace=name, identity_id=identity.id))
