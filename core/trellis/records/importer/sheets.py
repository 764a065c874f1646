"""Spreadsheets, read by a process of their own (:mod:`sheet_process`): whatever a file holds, the server goes on."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from trellis.i18n import translator
from trellis.records.importer import sheet_process
from trellis.records.importer.encodings import ImportFailed
from trellis.records.importer.totals import LOOKED_AT

_ = translator("trellis")


class Sheet:
    """A sheet of a file: rows, kept in a file that is gone with this object. ``names`` are those of all its sheets, ``ending`` its last rows by number."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        """Reads the sheet of that name, else the first that holds anything.

        Raises ImportFailed for what is no spreadsheet, is too large to be read as one, or has no such sheet.
        """
        self._kept = tempfile.NamedTemporaryFile(prefix="trellis-sheet-")  # noqa: SIM115 - closed with the object
        command = [
            sys.executable,
            "-P",
            sheet_process.__file__,
            str(path.absolute()),
            *([name] if name else []),
        ]
        done = subprocess.run(command, stdout=self._kept, stderr=subprocess.PIPE, check=False)
        if done.returncode == 1:
            problem = done.stderr.decode(errors="replace").strip()
            raise ImportFailed(
                _("%(file)s cannot be read as a spreadsheet: %(problem)s", file=path.name, problem=problem)
            )
        if done.returncode:  # it was ended: by the lack of memory, or of time
            raise ImportFailed(
                _("%(file)s is too large to be read as a spreadsheet; save it as CSV", file=path.name)
            )
        with open(self._kept.name, "rb") as file:
            self.names: list[str] = orjson.loads(file.readline())
            ending = deque(enumerate(file, start=1), maxlen=LOOKED_AT)
        self.count = ending[-1][0] if ending else 0
        self.ending = [(number, _cells(line)) for number, line in ending]
        if name and name not in self.names:
            known = ", ".join(self.names)
            raise ImportFailed(
                _(
                    "%(file)s has no sheet “%(name)s”; it has: %(known)s",
                    file=path.name,
                    name=name,
                    known=known,
                )
            )

    def rows(self) -> Iterator[list[Any]]:
        """All rows, the header too."""
        with open(self._kept.name, "rb") as file:
            file.readline()
            for line in file:
                yield _cells(line)


def _cells(line: bytes) -> list[Any]:
    return [_value(cell) for cell in orjson.loads(line)]


def _value(cell: Any) -> Any:
    if not isinstance(cell, dict):
        return cell
    kind, text = next(iter(cell.items()))
    return date.fromisoformat(text) if kind == "date" else datetime.fromisoformat(text)
