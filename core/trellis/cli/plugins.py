"""``trellis plugin``."""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from trellis import enabling, migration
from trellis.cli.output import as_json, opened, print_json, print_table
from trellis.config import Config
from trellis.edition import Settings
from trellis.enabling import Preview
from trellis.errors import Conflict, TrellisError
from trellis.installation import Installation
from trellis.plugins import PluginRegistry
from trellis.security.actor import OPERATOR


@click.group()
def plugin() -> None:
    """Plugins: verticals and capabilities."""


@plugin.command(name="list")
@click.argument("workspace", required=False)
@as_json
def list_(workspace: str | None, json_: bool) -> None:
    """Lists what is installed, and its state in a workspace."""
    with opened() as installation:
        rows = _in_workspace(installation, workspace) if workspace else _installed(installation.plugins)
    if json_:
        print_json(rows)
    else:
        print_table(("Plugin", "Title", "Version", "State"), [tuple(row.values())[:4] for row in rows])


def _in_workspace(installation: Installation, name: str) -> list[dict[str, object]]:
    return [
        {
            "plugin": one.name,
            "title": one.title,
            "version": one.version,
            "state": one.state,
            "faults": [
                {"hook": fault.hook, "message": fault.message, "count": fault.count} for fault in one.faults
            ],
        }
        for one in enabling.overview(installation.workspace(name))
    ]


def _installed(plugins: PluginRegistry) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name in plugins.names():
        try:
            manifest = plugins.load(name).manifest
            rows.append(
                {
                    "plugin": name,
                    "title": str(manifest.title),
                    "version": manifest.version,
                    "state": "installed",
                }
            )
        except TrellisError as error:
            rows.append({"plugin": name, "title": "", "version": "", "state": f"broken: {error}"})
    return rows


@plugin.command()
@click.argument("workspace")
@click.argument("name")
@as_json
def preview(workspace: str, name: str, json_: bool) -> None:
    """What enabling a plugin would add; changes nothing."""
    with opened() as installation:
        found = enabling.preview(installation.workspace(workspace), name)
    if json_:
        print_json(_preview(found))
        return
    for kind, number in Counter(one.kind for one in found.added).items():
        titles = ", ".join(one.title for one in found.added if one.kind == kind)
        click.echo(f"{number} {kind}: {titles}")
    for problem in found.problems:
        click.echo(f"problem: {problem}")


def _preview(found: Preview) -> dict[str, object]:
    return {
        "plugin": found.manifest.name,
        "version": found.manifest.version,
        "adds": [
            {"kind": one.kind, "name": one.name, "title": one.title, "entity": one.entity, "cell": one.cell}
            for one in found.added
        ],
        "tables": list(found.tables),
        "problems": [str(problem) for problem in found.problems],
    }


@plugin.command()
@click.argument("workspace")
@click.argument("name")
def enable(workspace: str, name: str) -> None:
    """Enables a plugin in a workspace; all or nothing."""
    with opened() as installation:
        done = enabling.enable(installation.workspace(workspace), name, OPERATOR)
    click.echo(f"enabled {name} {done.manifest.version} in {workspace}")


@plugin.command()
@click.argument("workspace")
@click.argument("name")
def disable(workspace: str, name: str) -> None:
    """Hides what a plugin brought; its data stay."""
    with opened() as installation:
        enabling.disable(installation.workspace(workspace), name, OPERATOR)
    click.echo(f"disabled {name} in {workspace}; its data are kept")


@plugin.command()
@click.argument("workspace")
@click.argument("name")
@click.option(
    "--export",
    "export",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The archive to write first.",
)
@click.option("--yes", is_flag=True, help="Really delete it.")
def purge(workspace: str, name: str, export: Path, yes: bool) -> None:
    """Writes an archive, then deletes the tables and values of a disabled plugin for good."""
    with opened() as installation:
        found = installation.workspace(workspace)
        if not yes:
            raise Conflict(
                f"The data of {name} in {workspace} would be deleted for good; say --yes if that is meant"
            )
        tables = enabling.purge(found, name, export, OPERATOR)
    click.echo(f"purged {name}: {', '.join(tables) or 'no tables'}; the archive is {export}")


@plugin.command()
@click.argument("name")
def check(name: str) -> None:
    """Runs the conformance kit on an installed plugin, or on the package in a folder."""
    from trellis.testing.conformance import check_plugin

    plugins = PluginRegistry()
    if Path(name).is_dir():
        name = _add_folder(plugins, Path(name))
    plugins.load(name)  # what cannot be loaded fails every check, for one reason
    with TemporaryDirectory() as home:
        findings = check_plugin(name, Path(home), plugins)
    for finding in findings:
        click.echo(str(finding))
    if findings:
        raise Conflict(f"{name}: {len(findings)} to mend")
    click.echo(f"{name}: all checks pass")


def _add_folder(plugins: PluginRegistry, folder: Path) -> str:
    """Loads the package with a manifest from a folder that is not installed."""
    sys.path.insert(0, str(folder.resolve()))
    for package in sorted(path.parent.name for path in folder.glob("*/__init__.py")):
        module = importlib.import_module(package)
        if hasattr(module, "manifest"):
            if module.manifest.name not in plugins.names():
                plugins.add(module)
            return str(module.manifest.name)
    raise Conflict(f"There is no package with a manifest in {folder}")


@plugin.command()
@click.argument("name")
@click.option("-m", "--message", required=True, help="What changes, in a few words.")
def revision(name: str, message: str) -> None:
    """Writes the Alembic revision for what the entities of a plugin declare and its migrations lack."""
    from trellis.records.entity import Base

    with TemporaryDirectory() as home:
        installation = Installation(Config(home=Path(home)))
        try:
            workspace = installation.create_workspace("revision", Settings())
            manifest = installation.plugins.load(name).manifest
            for required in manifest.requires:
                enabling.enable(workspace, required)
            folder = Path(importlib.import_module(manifest.package).__file__ or "").parent / "migrations"
            with workspace.namespace.connection() as connection:
                if folder.is_dir() and any(folder.glob("*.py")):
                    migration.upgrade(connection, name, folder)
                written = migration.write_revision(connection, name, folder, Base.metadata, message)
        finally:
            installation.close()
    click.echo(str(written))
