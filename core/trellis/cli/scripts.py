"""``trellis script``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import orjson

from trellis.cli.output import as_json, opened, print_json, print_table
from trellis.contributions import Script
from trellis.edition import OWN
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.records.door import Records
from trellis.records.query import Record
from trellis.scripts import own
from trellis.scripts.content import to_json
from trellis.scripts.tables import SCRIPT
from trellis.security.actor import SYSTEM

_ = translator("trellis")

MOST = 500


@click.group()
def script() -> None:
    """Conversation scripts of a workspace."""


@script.command(name="list")
@click.argument("workspace")
@as_json
def list_(workspace: str, json_: bool) -> None:
    """Lists the scripts of the edition and of the organisation, with their state."""
    with _door(workspace) as records:
        rows = list(_rows(records))
    if json_:
        print_json(rows)
    else:
        heads = ("Script", "Title", "From", "State", "Version")
        print_table(heads, [tuple(row.values())[:5] for row in rows], right=(4,))


def _rows(records: Records) -> Iterator[dict[str, Any]]:
    for one in records.edition.all(Script).values():
        if own.number_of(one.name) is None:
            told = {"script": one.name, "title": str(one.title), "plugin": one.owner, "state": "in use"}
            yield {**told, "version": None, "entities": list(one.entities)}
    for record in records.list(SCRIPT, sort=["id"], limit=MOST).items:
        values = record.values
        yield {
            "script": own.name_of(record.id),
            "title": values["name"],
            "plugin": OWN,
            "state": values["state"],
            "version": values["published"],
            "entities": values["draft"]["entities"],
        }


@script.command()
@click.argument("workspace")
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(workspace: str, name: str, file: Path) -> None:
    """Writes a script into a JSON file: what is in use of it, else its draft."""
    with _door(workspace) as records:
        used = records.edition.all(Script).get(name)
        content = to_json(used, words=True) if used else _mine(records, name).values["draft"]
    file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    click.echo(f"{name} goes to {file}")


@script.command(name="import")
@click.argument("workspace")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--script", "name", help="The script of the organisation that gets this draft; else a new one.")
@click.option("--replaces", help="The script of the edition that a new one is offered instead of.")
@click.option("--publish", "use", is_flag=True, help="Put it to use at once.")
@as_json
def import_(
    workspace: str, file: Path, name: str | None, replaces: str | None, use: bool, json_: bool
) -> None:
    """Reads a script from a JSON file, as a draft."""
    content = _read(file)
    with _door(workspace) as records:
        values = {"name": content.get("title") or file.stem, "draft": content}
        if name is None:
            made = records.create(SCRIPT, {**values, "replaces": replaces})
        else:
            made = records.update(SCRIPT, _mine(records, name).id, values)
        if use:
            made = own.publish(records, made.id)
    _tell(made, json_)


@script.command()
@click.argument("workspace")
@click.argument("name")
@as_json
def publish(workspace: str, name: str, json_: bool) -> None:
    """Puts the draft of a script of the organisation to use."""
    with _door(workspace) as records:
        made = own.publish(records, _mine(records, name).id)
    _tell(made, json_)


@contextmanager
def _door(workspace: str) -> Iterator[Records]:
    with opened() as installation:
        found = installation.workspace(workspace)
        with found.write() as session:
            records = Records(session, found.edition(session), SYSTEM)
            yield records
        records.committed()
        found.record_faults(records.faults)


def _mine(records: Records, name: str) -> Record:
    """A script of the organisation. Raises RecordNotFound."""
    number = own.number_of(name)
    if number is None:
        raise RecordNotFound(_("There is no script “%(name)s” of the organisation here", name=name))
    return records.get(SCRIPT, number)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise RecordInvalid({"draft": [str(error)]}) from None
    if not isinstance(content, dict):
        raise RecordInvalid({"draft": [_("Give an object with entities, steps and outcomes")]})
    return content


def _tell(record: Record, json_: bool) -> None:
    values = record.values
    told = {
        "script": own.name_of(record.id),
        "title": values["name"],
        "state": values["state"],
        "version": values["published"],
    }
    if json_:
        print_json(told)
    else:
        click.echo(f"{told['script']}: {told['title']}, {told['state']}")
