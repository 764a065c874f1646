"""What commands share: the installation they work on, and how they print."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
import orjson

from trellis.config import Config
from trellis.installation import Installation

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")


@contextmanager
def opened() -> Iterator[Installation]:
    """The installation that the environment names."""
    installation = Installation(Config.from_environment())
    try:
        yield installation
    finally:
        installation.close()


def print_json(data: Any) -> None:
    """Prints data as JSON."""
    click.echo(orjson.dumps(data, default=str, option=orjson.OPT_INDENT_2).decode())


def print_table(heads: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[int] = ()) -> None:
    """Prints rows under heads; columns whose index is in ``right`` stand right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, head in enumerate(heads):
        table.add_column(head, justify="right" if index in right else "left")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console(soft_wrap=True).print(table)


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, silence elsewhere. Yields a function that says how much of how much is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
