"""Writing a backup: one snapshot of the workspace, table by table, while others go on writing."""

from __future__ import annotations

import dataclasses
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.backup.archive import FORMAT, MANIFEST, PEOPLE, Manifest, Told, row_name, tables, to_plain
from trellis.control import Identity, Membership
from trellis.errors import Conflict, PluginError
from trellis.i18n import translator
from trellis.installation import Installation
from trellis.records import setup
from trellis.security.actor import SYSTEM, Actor
from trellis.system import PluginState

_ = translator("trellis")

AT_ONCE = 1000


def save(
    installation: Installation,
    name: str,
    path: Path,
    told: Told = lambda done, total: None,
    *,
    actor: Actor = SYSTEM,
    copy: str = "",
) -> Manifest:
    """Writes a backup of the workspace to ``path``, whole or not at all; the log says so afterwards, and of what ``copy`` it is.

    Raises WorkspaceNotFound, and Conflict when a plugin that left tables here is not installed any more.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with (
            zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive,
            installation.workspace(name).namespace.snapshot() as session,
        ):
            os.chmod(part, 0o600)  # it holds everything that the workspace holds
            manifest = _manifest(installation, name, session)
            archive.writestr(MANIFEST, orjson.dumps(dataclasses.asdict(manifest)))
            with archive.open(PEOPLE, "w") as file:
                _write(file, _people(installation, name))
            _tables(session, archive, manifest, told)
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    with installation.workspace(name).write() as session:
        about = {"title": manifest.title or name, "copy": copy, "made_at": manifest.made_at.isoformat()}
        setup.note(session, actor, setup.BACKUP, None, about)
    return manifest


def _manifest(installation: Installation, name: str, session: Session) -> Manifest:
    workspace = installation.workspace(name)
    states = session.execute(sa.select(PluginState.name, PluginState.version)).all()
    for plugin, _version in states:
        try:
            installation.plugins.load(plugin)
        except PluginError:
            raise Conflict(
                _(
                    "The plugin “%(name)s” has data here and its package is not installed: install it, or purge it",
                    name=plugin,
                )
            ) from None
    return Manifest(
        format=FORMAT,
        workspace=name,
        title=workspace.edition(session).settings.title,
        made_at=datetime.now(UTC),
        revisions=workspace.revisions(session.connection()),
        plugins={plugin: version for plugin, version in states},
        tables={str(table.name): _count(session, table) for table in _present(session)},
    )


def _present(session: Session) -> list[sa.Table]:
    """The tables that this workspace has: those of plugins that were never enabled here are missing."""
    there = set(sa.inspect(session.connection()).get_table_names())
    return [table for table in tables() if table.name in there]


def _count(session: Session, table: sa.Table) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _tables(session: Session, archive: zipfile.ZipFile, manifest: Manifest, told: Told) -> None:
    done, total = 0, sum(manifest.tables.values())
    inspected = sa.inspect(session.connection())
    for table in _present(session):
        there = {column["name"] for column in inspected.get_columns(table.name)}
        columns = [column for column in table.columns if column.name in there]
        rows = session.execute(sa.select(*columns), execution_options={"yield_per": AT_ONCE})
        with archive.open(row_name(table.name), "w", force_zip64=True) as file:
            _write(file, [[str(column.name) for column in columns]])
            for batch in rows.partitions():
                _write(file, ([to_plain(value) for value in row] for row in batch))
                done += len(batch)
                told(done, total)


def _people(installation: Installation, name: str) -> Iterator[Mapping[str, Any]]:
    """Who may enter, with the digest of their password, so that they can sign in where the backup is read."""
    query = sa.select(Identity.email, Identity.password, Identity.active).join(Membership)
    with installation.control.read() as session:
        for row in session.execute(query.where(Membership.workspace == name)).mappings():
            yield dict(row)


def _write(file: IO[bytes], lines: Iterable[Any]) -> None:
    for line in lines:
        file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
