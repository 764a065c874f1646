"""``trellis new``: the beginning of a package that a vendor goes on from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

import click
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from trellis.cli.output import opened
from trellis.errors import Conflict
from trellis.records import types
from trellis.records.entity import Field
from trellis.settings.fields import own_fields

_NAME = re.compile(r"[a-z][a-z0-9_]{1,29}")
_PLACES = {
    "pyproject.toml": "",
    "README.md": "",
    "test_plugin.py": "tests/",
    **{f"{module}.py": "trellis_{name}/" for module in ("__init__", "fields", "segments", "kpis", "demo")},
}
RUSSIAN = {
    "Customer number": "Номер клиента",
    "With a customer number": "С номером клиента",
    "Average order of the edition": "Средний заказ редакции",
    "Revenue of the period through the number of orders": "Выручка периода, делённая на число заказов",
}


@click.group()
def new() -> None:
    """Begins a package."""


@new.command()
@click.argument("name")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Where; by default ./trellis-crm-NAME."
)
@click.option("--from-workspace", help="Take over the fields that administrators added in this workspace.")
def vertical(name: str, folder: Path | None, from_workspace: str | None) -> None:
    """Writes a vertical that passes ``trellis plugin check``, to go on from."""
    if not _NAME.fullmatch(name):
        raise Conflict("A plugin's name has small latin letters, digits and _, and begins with a letter")
    dashed = name.replace("_", "-")
    folder = folder or Path(f"trellis-crm-{dashed}")
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty")
    own = _fields_of(from_workspace) if from_workspace else []
    title = name.replace("_", " ").capitalize()
    values = {"name": name, "dashed": dashed, "title": title, "fields": "".join(_written(own, name))}
    for file, place in _PLACES.items():
        template = files("trellis.cli").joinpath("scaffold", f"{file}.template").read_text(encoding="utf-8")
        path = folder / place.format(name=name) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(template).substitute(values), encoding="utf-8")
    _write_catalogue(folder / f"trellis_{name}", [title, *(text for one in own for text in _texts(one))])
    click.echo(f"{folder}: go on with `trellis plugin check {folder}`")


def _fields_of(workspace: str) -> list[Field]:
    with opened() as installation, installation.workspace(workspace).read() as session:
        return own_fields(session)


def _written(fields: Sequence[Field], name: str) -> Iterator[str]:
    """The fields of administrators as contributions of the package."""
    for field in fields:
        flags = [flag for flag in ("required", "indexed", "in_list", "searchable") if getattr(field, flag)]
        parts = [
            f'name="{name}.{field.name.partition(".")[2]}"',
            f'entity="{field.entity}"',
            f"type={_type(field.type)}",
            f"label=_({str(field.label)!r})",
            *([f"help=_({str(field.help)!r})"] if field.help else []),
            *(f"{flag}=True" for flag in flags),
        ]
        yield f"    trellis.Field({', '.join(parts)}),\n"


def _type(field_type: types.FieldType) -> str:
    if isinstance(field_type, types.Choice):
        options = ", ".join(
            f"types.Option({one.value!r}, _({str(one.label)!r}))" for one in field_type.options
        )
        return f"types.Choice(({options},))"
    if isinstance(field_type, types.Reference):
        return f"types.Reference({field_type.entity!r})"
    return f"types.{type(field_type).__name__}()"


def _texts(field: Field) -> Iterator[str]:
    yield str(field.label)
    if field.help:
        yield str(field.help)
    if isinstance(field.type, types.Choice):
        yield from (str(one.label) for one in field.type.options)


def _write_catalogue(package: Path, texts: Sequence[str]) -> None:
    """The Russian texts; those of the vendor stand as they are, to be translated."""
    catalogue = Catalog(locale="ru", project=package.name, fuzzy=False)
    for text in (*RUSSIAN, *texts):
        catalogue.add(text, RUSSIAN.get(text, text))
    path = package / "locale" / "ru" / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, sort_output=True, no_location=True)
