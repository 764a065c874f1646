"""Exporting in the background: the file is made by a job and kept for the one who asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.orm import Session

from trellis.jobs import Work, enqueue
from trellis.records.exporter import Export, write_file
from trellis.security.actor import Actor

KIND = "export"
TOLD_EVERY = 5000


def start(session: Session, actor: Actor, export: Export, ending: str, total: int) -> int:
    """Puts an export into the queue; returns the number of the job. ``ending`` is csv, xlsx or jsonl."""
    arguments = {**dataclasses.asdict(export), "ending": ending, "total": total}
    return enqueue(session, KIND, arguments, actor.user_id)


def work(work: Work) -> None:
    """The job."""
    asked = dict(work.arguments)
    ending, total = asked.pop("ending"), asked.pop("total")
    export = Export(**asked)
    with TemporaryDirectory(prefix="trellis-export-") as folder:
        path = Path(folder) / f"{export.entity}.{ending}"
        with work.workspace.read() as session:
            edition = work.actor.sees(work.workspace.edition(session))
            rows = told(work, export.rows(session, edition, work.actor), total)
            view, columns = edition.entity(export.entity), export.columns(edition)
            number = write_file(path, view, columns, rows, labelled=export.labelled)
        work.finish_with(path, path.name, rows=number)


def told(work: Work, rows: Iterator[Any], total: int) -> Iterator[Any]:
    """The same rows, while the job tells how many there were."""
    for number, row in enumerate(rows):
        if number % TOLD_EVERY == 0:
            work.tell(number, max(total, number))
        yield row
