"""``trellis import`` and ``trellis export``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from trellis.cli.output import as_json, opened, print_json, progress
from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.security.actor import SYSTEM

_ = translator("trellis")


@click.command(name="import")
@click.argument("workspace")
@click.argument("entity")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--map", "mapping", help="A mapping: a JSON file, or the name of one that a plugin brings.")
@click.option(
    "--key", help="The field that tells whether a record exists already; the external id by default."
)
@click.option("--encoding", help="Of a text file, such as cp1251; found out by default.")
@click.option("--dry-run", is_flag=True, help="Check everything and write nothing.")
@click.option(
    "--errors",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where rejected rows go, with their reasons.",
)
@as_json
def import_(
    workspace: str,
    entity: str,
    file: Path,
    mapping: str | None,
    key: str | None,
    encoding: str | None,
    dry_run: bool,
    errors: Path | None,
    json_: bool,
) -> None:
    """Imports records from CSV, XLSX or JSON lines; creates, or updates by key."""
    from trellis.records.importer import run_import
    from trellis.records.importer.rejected import sentence

    with opened() as installation, progress(file.name) as told:
        found = installation.workspace(workspace)
        result = run_import(
            found,
            SYSTEM,
            entity,
            file,
            mapping=mapping,
            key=key,
            encoding=encoding,
            dry_run=dry_run,
            errors=errors,
            told=told,
        )
        found.record_faults(result.faults)
    if json_:
        print_json({**result.to_json(), "dry_run": dry_run})
        return
    would = "would be " if dry_run else ""
    counts = ("created", "updated", "unchanged", "skipped", "rejected")
    parts = [f"{name} {getattr(result, name)}" for name in counts]
    parts += [f"made {number} {entity}" for entity, number in result.made.items()]
    click.echo(would + ", ".join(parts))
    for one in result.rejections[:10]:
        click.echo(f"row {one.row}: {sentence(one.errors)}", err=True)
    if result.rejected > 10:
        click.echo(
            f"and {result.rejected - 10} more"
            + (f", all in {errors}" if errors else "; see them all with --errors FILE"),
            err=True,
        )


@click.command()
@click.argument("workspace")
@click.argument("entity")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--filter", "rule", help="A rule in JSON; all records by default.")
@click.option("--fields", help="Fields by name, a,b; all by default.")
def export(workspace: str, entity: str, file: Path, rule: str | None, fields: str | None) -> None:
    """Exports records to CSV, XLSX or JSON lines, by the file's ending."""
    from trellis.records.exporter import Export, write_file

    try:
        only = json.loads(rule) if rule else None
    except json.JSONDecodeError:
        raise RuleInvalid(_("The filter is not valid JSON")) from None
    with opened() as installation:
        found = installation.workspace(workspace)
        with found.read() as session:
            edition = found.edition(session)
            asked = Export(
                entity=entity, fields=fields.split(",") if fields else None, rule=only, sort=("id",)
            )
            view, columns = edition.entity(entity), asked.columns(edition)
            number = write_file(file, view, columns, asked.rows(session, edition, SYSTEM))
    click.echo(f"exported {number} to {file}")
