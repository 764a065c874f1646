"""``trellis workspace``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from trellis.cli.output import as_json, opened, print_json, print_table, progress
from trellis.edition import Settings
from trellis.errors import Conflict
from trellis.installation import Installation
from trellis.security.actor import OPERATOR
from trellis.workspace_state import enabled_plugins


@click.group()
def workspace() -> None:
    """Workspaces: one organisation each."""


@workspace.command()
@click.argument("name")
@click.option("--title", default="", help="The organisation's name.")
@click.option("--locale", default="en", show_default=True, help="Language: en or ru.")
@click.option("--currency", default="EUR", show_default=True, help="ISO 4217 code.")
@click.option("--timezone", default="UTC", show_default=True, help="Time zone, such as Europe/Prague.")
def create(name: str, title: str, locale: str, currency: str, timezone: str) -> None:
    """Creates a workspace."""
    with opened() as installation:
        settings = Settings(title=title or name, language=locale, currency=currency, timezone=timezone)
        installation.create_workspace(name, settings)
    click.echo(f"created {name}")


@workspace.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """Lists the workspaces."""
    with opened() as installation:
        rows = [
            {"name": one.name, "title": one.title, "created_at": one.created_at}
            for one in installation.workspaces()
        ]
    if json_:
        print_json(rows)
    else:
        print_table(
            ("Name", "Title", "Created"),
            [(row["name"], row["title"], f"{row['created_at']:%Y-%m-%d}") for row in rows],
        )


@workspace.command()
@click.argument("name")
@as_json
def info(name: str, json_: bool) -> None:
    """Settings, plugins and migrations of a workspace."""
    with opened() as installation:
        data = _info(installation, name)
    if json_:
        print_json(data)
        return
    for key, value in data["settings"].items():
        click.echo(f"{key}: {value}")
    click.echo(f"plugins: {', '.join(data['plugins']) or 'none'}")
    click.echo(
        f"migrations: {', '.join(f'{owner} {revision}' for owner, revision in data['revisions'].items())}"
    )
    if data["behind"]:
        click.echo(f"out of date: {', '.join(data['behind'])}; run `trellis workspace upgrade {name}`")


def _info(installation: Installation, name: str) -> dict[str, Any]:
    found = installation.workspace(name)
    with found.read() as session:
        edition = found.edition(session)
        return {
            "name": name,
            "settings": dataclasses.asdict(edition.settings),
            "plugins": enabled_plugins(session),
            "revisions": found.revisions(session.connection()),
            "behind": found.behind(),
        }


@workspace.command()
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="All workspaces.")
def upgrade(name: str | None, everything: bool) -> None:
    """Brings the tables of a workspace up to date with the installed packages."""
    if (name is None) is not everything:
        raise click.UsageError("give a NAME, or --all")
    with opened() as installation:
        names = [one.name for one in installation.workspaces()] if everything else [str(name)]
        for one in names:
            changed = installation.workspace(one).upgrade()
            click.echo(f"{one}: {'upgraded ' + ', '.join(changed) if changed else 'up to date'}")


@workspace.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Really delete it.")
def delete(name: str, yes: bool) -> None:
    """Deletes a workspace with all its data."""
    with opened() as installation:
        installation.workspace(name)
        if not yes:
            raise Conflict(f"All data of {name} would be deleted for good; say --yes if that is meant")
        installation.delete_workspace(name)
    click.echo(f"deleted {name}")


@workspace.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(name: str, file: Path) -> None:
    """Writes all of a workspace to FILE: records, history, settings, people, plugins' tables. Keep it secret."""
    from trellis.backup import save

    with opened() as installation, progress(f"backing up {name}") as told:
        manifest = save(installation, name, file, told, actor=OPERATOR)
    click.echo(f"saved {name}: {sum(manifest.tables.values())} rows to {file}")


@workspace.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--go-on",
    is_flag=True,
    help="It stands in for one that is lost: timers, reminders and escalations that were still to come go on.",
)
def restore(name: str, file: Path, go_on: bool) -> None:
    """Makes the workspace NAME of a backup, on SQLite or PostgreSQL alike. There must be none of that name."""
    from trellis.backup import restore as restored

    with opened() as installation, progress(f"restoring {name}") as told:
        manifest = restored(installation, name, file, goes_on=go_on, told=told, actor=OPERATOR)
    click.echo(
        f"restored {name}: {sum(manifest.tables.values())} rows of {manifest.made_at:%Y-%m-%d %H:%M} UTC"
    )


@workspace.command()
@click.argument("name")
@click.argument("new")
@click.option("--title", help="The name people see; by default that of the original.")
def copy(name: str, new: str, title: str | None) -> None:
    """Makes the workspace NEW of all that NAME holds, for trying things."""
    from trellis.backup import copy_workspace

    with opened() as installation, progress(f"copying {name}") as told:
        copy_workspace(installation, name, new, title=title, told=told, actor=OPERATOR)
    click.echo(f"copied {name} to {new}")
