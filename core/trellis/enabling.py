"""The life of a plugin in a workspace: preview, enable, disable, enable again, purge. All or nothing each time."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import migration
from trellis.contributions import Contribution, Manifest
from trellis.database import OnConnection
from trellis.edition import Edition
from trellis.errors import Conflict, EditionInvalid, PluginError
from trellis.i18n import translator
from trellis.plugins import Fault, core_version, version_problem
from trellis.process import schedule
from trellis.quarantine import about, release
from trellis.records import setup
from trellis.records.indexes import create_extension_indexes, drop_extension_indexes
from trellis.search import index as search
from trellis.security.actor import SYSTEM, Actor
from trellis.system import LedgerEntry, PluginFault, PluginState
from trellis.workspace import Workspace
from trellis.workspace_state import enabled_plugins, lock, raise_revision

_ = translator("trellis")


@dataclass(frozen=True)
class Added:
    """One contribution that a plugin would add: its kind, name, title and place in the model."""

    kind: str
    name: str
    title: str
    entity: str | None = None
    cell: tuple[str, str] | None = None


@dataclass(frozen=True)
class Preview:
    """What enabling a plugin would do. ``problems`` is empty when it can be enabled."""

    manifest: Manifest
    added: tuple[Added, ...]
    tables: tuple[str, ...]
    problems: tuple[PluginError, ...]


@dataclass(frozen=True)
class PluginInfo:
    """A plugin as the administrator sees it: installed, known to this workspace, or both.

    ``state``: available, enabled, disabled, quarantined, missing (known here, no longer installed), broken (its code
    cannot be loaded), upgradable (enabled, and the installed version is newer).
    """

    name: str
    state: str
    version: str
    manifest: Manifest | None
    title: str
    counts: Mapping[str, int]
    faults: Sequence[PluginFault]
    problem: str = ""


def preview(workspace: Workspace, name: str) -> Preview:
    """What enabling ``name`` would add here, and what stands against it. Changes nothing."""
    manifest = workspace.plugins.load(name).manifest
    with workspace.read() as session:
        before, after = _with(workspace, session, name)
    tables = tuple(view.entity.__tablename__ for view in after.entities.values() if view.owner == name)
    return Preview(manifest, tuple(added(after, name)), tables, tuple(_problems(before, after, manifest)))


def added(edition: Edition, plugin: str) -> list[Added]:
    """Everything in an edition that one plugin brought."""
    found: list[Added] = []
    for view in edition.entities.values():
        if view.owner == plugin:
            cell = (view.info.direction, view.info.level) if view.info.direction else None
            found.append(Added("entity", view.name, str(view.info.plural), cell=cell))
        found += [
            Added("field", one.name, str(one.label), view.name)
            for one in view.fields.values()
            if one.is_extension and one.owner == plugin
        ]
    for kind, named in edition.contributions.items():
        found += [_added(kind, one) for one in named.values() if one.owner == plugin]
    return found


def _added(kind: type[Contribution], one: Contribution) -> Added:
    entity = getattr(one, "entity", None)
    cell = (one.cell.direction.value, one.cell.level.value) if one.cell else None
    return Added(
        _snake(kind.__name__), one.name, str(one.title), entity if isinstance(entity, str) else None, cell
    )


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def enable(workspace: Workspace, name: str, actor: Actor = SYSTEM) -> Preview:
    """Enables a plugin: its tables, indexes and contributions, in one transaction. Enabling again is harmless.

    Raises PluginError (not installed, cannot be loaded, its migration fails) or EditionInvalid (it does not fit here);
    the workspace is then as it was.
    """
    plugin = workspace.plugins.load(name)
    with workspace.namespace.connection() as connection:
        lock(connection)
        with OnConnection(connection) as session:
            before, after = _with(workspace, session, name)
            problems = _problems(before, after, plugin.manifest)
            if problems:
                raise EditionInvalid(problems)
        revisions = migration.revisions_of(name, plugin.manifest)
        if revisions is not None:
            try:
                migration.upgrade(connection, name, revisions)
            except Exception as error:  # revisions are code of the plugin
                raise PluginError(name, "migration", f"{type(error).__name__}: {error}") from error
        for view in after.entities.values():
            ours = [one for one in view.fields.values() if one.owner == name]
            create_extension_indexes(connection, view.entity, ours)
        search.keep(connection, after)
        with OnConnection(connection) as session:
            before_it = _known(session, name)
            _remember(connection, plugin.manifest, added(after, name))
            setup.note(session, actor, setup.PLUGIN, before_it, _known(session, name))
            schedule.plan(session, after)
        raise_revision(connection)
    return Preview(plugin.manifest, tuple(added(after, name)), (), ())


def disable(workspace: Workspace, name: str, actor: Actor = SYSTEM) -> None:
    """Hides everything a plugin brought. Its tables, values and settings stay. Works when its package is gone."""
    with workspace.namespace.connection() as connection:
        lock(connection)
        state = connection.execute(sa.select(PluginState).where(PluginState.name == name)).mappings().first()
        if state is None or not state["enabled"]:
            raise Conflict(_("The plugin “%(name)s” is not enabled here", name=name))
        needed = _needed_by(workspace, connection, name)
        if needed:
            raise Conflict(_("“%(name)s” is needed by: %(others)s", name=name, others=", ".join(needed)))
        with OnConnection(connection) as session:
            before = _known(session, name)
            connection.execute(
                sa.update(PluginState)
                .where(PluginState.name == name)
                .values(enabled=False, quarantined=False, changed_at=datetime.now(UTC))
            )
            setup.note(session, actor, setup.PLUGIN, before, _known(session, name))
        workspace.keep_search(connection)
        raise_revision(connection)


def let_out(workspace: Workspace, name: str, actor: Actor = SYSTEM) -> None:
    """Takes a plugin out of quarantine. Raises Conflict when it is not there."""
    with workspace.write() as session:
        if not release(session, name, actor):
            raise Conflict(_("The plugin “%(name)s” is not in quarantine here", name=name))
    with workspace.namespace.connection() as connection:
        workspace.keep_search(connection)


def purge(workspace: Workspace, name: str, export: Path, actor: Actor = SYSTEM) -> list[str]:
    """Writes everything of a disabled plugin to the archive ``export``, then deletes it for good. Returns the tables.

    Works when its package is gone: it goes by the tables' names and by the ledger.
    """
    with workspace.namespace.connection() as connection:
        lock(connection)
        state = connection.execute(sa.select(PluginState).where(PluginState.name == name)).mappings().first()
        if state is None:
            raise Conflict(_("The plugin “%(name)s” was never enabled here", name=name))
        if state["enabled"]:
            raise Conflict(_("Disable “%(name)s” before it is purged", name=name))
        fields = _ledger_fields(connection, name)
        _archive(connection, name, dict(state), fields, export)
        _forget_fields(connection, fields)
        tables = migration.drop_tables(connection, name)
        search.forget(connection, tables)
        for table in (LedgerEntry, PluginFault):
            connection.execute(sa.delete(table).where(table.plugin == name))
        with OnConnection(connection) as session:
            setup.note(session, actor, setup.PLUGIN, _known(session, name), None)
        connection.execute(sa.delete(PluginState).where(PluginState.name == name))
        raise_revision(connection)
        return tables


def _known(session: Session, name: str) -> dict[str, str] | None:
    """A plugin as it stands in the log; None where it was never enabled or is purged."""
    state = session.get(PluginState, name, populate_existing=True)
    return None if state is None else about(state)


def overview(workspace: Workspace) -> list[PluginInfo]:
    """All plugins, installed or known here, by name."""
    with workspace.read() as session:
        states = {state.name: state for state in session.scalars(sa.select(PluginState))}
        faults: dict[str, list[PluginFault]] = {}
        for fault in session.scalars(sa.select(PluginFault).order_by(PluginFault.hook)):
            faults.setdefault(fault.plugin, []).append(fault)
        edition = workspace.edition(session)
        session.expunge_all()
    names = sorted({*workspace.plugins.names(), *states})
    return [_info(workspace, edition, name, states.get(name), faults.get(name, [])) for name in names]


def _info(
    workspace: Workspace, edition: Edition, name: str, state: PluginState | None, faults: list[PluginFault]
) -> PluginInfo:
    manifest, problem = None, ""
    try:
        manifest = workspace.plugins.load(name).manifest
    except PluginError as error:
        problem = str(error)
    if state is not None and state.quarantined:
        label = "quarantined"
    elif manifest is None:
        label = "broken" if name in workspace.plugins.names() else "missing"
    elif state is None:
        label = "available"
    elif not state.enabled:
        label = "disabled"
    else:
        label = "upgradable" if state.version != manifest.version else "enabled"
    counts: dict[str, int] = {}
    for one in added(edition, name):
        counts[one.kind] = counts.get(one.kind, 0) + 1
    version = state.version if state is not None else manifest.version if manifest is not None else ""
    title = str(manifest.title) if manifest is not None else state.title if state is not None else name
    return PluginInfo(name, label, version, manifest, title, counts, faults, problem)


def _with(workspace: Workspace, session: Session, name: str) -> tuple[Edition, Edition]:
    enabled = enabled_plugins(session)
    others = [one for one in enabled if one != name]
    return workspace.compose(session, others), workspace.compose(session, [*others, name])


def _problems(before: Edition, after: Edition, manifest: Manifest) -> list[PluginError]:
    """What stands against a plugin: requirements, and faults that were not there without it."""
    problems = []
    wrong_core = version_problem(manifest.core, core_version())
    if wrong_core:
        problems.append(PluginError(manifest.name, "manifest", wrong_core))
    enabled = {plugin.name for plugin in before.plugins}
    missing = [name for name in manifest.requires if name not in enabled]
    if missing:
        problems.append(PluginError(manifest.name, "manifest", f"enable first: {', '.join(missing)}"))
    known = {(fault.plugin, fault.hook, fault.message) for fault in before.faults}
    new: list[Fault] = [
        fault for fault in after.faults if (fault.plugin, fault.hook, fault.message) not in known
    ]
    return problems + [fault.error() for fault in new]


def _remember(connection: sa.Connection, manifest: Manifest, contributions: Sequence[Added]) -> None:
    values = {
        "version": manifest.version,
        "title": str(manifest.title),
        "enabled": True,
        "quarantined": False,
    }
    values["changed_at"] = datetime.now(UTC)
    connection.execute(sa.delete(PluginState).where(PluginState.name == manifest.name))
    connection.execute(sa.insert(PluginState).values(name=manifest.name, **values))
    connection.execute(sa.delete(LedgerEntry).where(LedgerEntry.plugin == manifest.name))
    common = {"plugin": manifest.name, "version": manifest.version}
    rows = [{**common, "kind": one.kind, "name": one.name, "entity": one.entity} for one in contributions]
    if rows:
        connection.execute(sa.insert(LedgerEntry), rows)


def _needed_by(workspace: Workspace, connection: sa.Connection, name: str) -> list[str]:
    needed = []
    for other in connection.scalars(
        sa.select(PluginState.name).where(PluginState.enabled, PluginState.name != name)
    ):
        try:
            if name in workspace.plugins.load(other).manifest.requires:
                needed.append(other)
        except PluginError:
            continue  # a package that is gone needs nothing
    return needed


def _ledger_fields(connection: sa.Connection, name: str) -> dict[str, list[str]]:
    """Extension fields of a plugin by the table of the entity they extend."""
    query = sa.select(LedgerEntry.entity, LedgerEntry.name).where(
        LedgerEntry.plugin == name, LedgerEntry.kind == "field"
    )
    fields: dict[str, list[str]] = {}
    for entity, field in connection.execute(query):
        fields.setdefault(str(entity).replace(".", "_"), []).append(field)
    return fields


def _archive(
    connection: sa.Connection,
    name: str,
    state: dict[str, Any],
    fields: Mapping[str, Sequence[str]],
    export: Path,
) -> None:
    """A zip of JSON lines: a file a table, and one for the extension values of each extended table."""
    found = sa.MetaData()
    tables = [one for one in sa.inspect(connection).get_table_names() if one.startswith(f"{name}_")]
    found.reflect(connection, only=tables, resolve_fks=False)
    with zipfile.ZipFile(export, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "plugin.json", json.dumps({**state, "tables": tables, "fields": fields}, default=str, indent=1)
        )
        for table in tables:
            with archive.open(f"tables/{table}.jsonl", "w") as file:
                for row in connection.execute(sa.select(found.tables[table])).mappings():
                    file.write((json.dumps(dict(row), default=str, ensure_ascii=False) + "\n").encode())
        for table, names in fields.items():
            if table in tables:
                continue
            with archive.open(f"fields/{table}.jsonl", "w") as file:
                extended = sa.table(table, sa.column("id"), sa.column("extra", sa.JSON()))
                for record_id, extra in connection.execute(sa.select(extended.c.id, extended.c.extra)):
                    kept = {key: extra[key] for key in names if key in (extra or {})}
                    if kept:
                        file.write(
                            (json.dumps({"id": record_id, **kept}, ensure_ascii=False) + "\n").encode()
                        )


def _forget_fields(connection: sa.Connection, fields: Mapping[str, Sequence[str]]) -> None:
    """Removes extension values and their indexes; by SQL, since the package may be gone."""
    known = set(sa.inspect(connection).get_table_names())
    for table, names in fields.items():
        if table not in known:
            continue
        drop_extension_indexes(connection, table, names)
        for field in names:
            _forget_field(connection, table, field)


def _forget_field(connection: sa.Connection, table: str, field: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote(table)
    if connection.dialect.name == "postgresql":
        statement = sa.text(f"UPDATE {quoted} SET extra = extra - :field WHERE extra ? :field")
        connection.execute(statement, {"field": field})
    else:
        path = f'$."{field}"'
        statement = sa.text(
            f"UPDATE {quoted} SET extra = json_remove(extra, :path) WHERE json_type(extra, :path) IS NOT NULL"
        )
        connection.execute(statement, {"path": path})
