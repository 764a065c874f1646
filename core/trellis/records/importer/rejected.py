"""The rows that were not imported, with their reasons, as a file of the same kind: to be mended and imported again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import TracebackType

from trellis.i18n import translator
from trellis.records.importer.delimited import WHITESPACE
from trellis.records.importer.encodings import ImportFailed
from trellis.records.importer.readers import NUMBER, PROBLEM, Row, Source
from trellis.records.tables import DELIMITED, JSON_LINES, Write, writing

_ = translator("trellis")

SPREADSHEET = ".xlsx"


def sentence(errors: Mapping[str, Sequence[str]]) -> str:
    """The reasons of a row on one line, each after its field; those of the row as a whole stand for themselves."""
    told = [(name, " ".join(found)) for name, found in errors.items()]
    return "; ".join(text if name == "_record" else f"{name}: {text}" for name, text in told)


class RejectedRows:
    """Writes rejected rows beside ``path``, and puts the file in its place at the end: it may be the one that is read.

    A file of an earlier import is removed when nothing is rejected: its rows are not rejected any more. ImportFailed says
    before the first row that there is no folder for it.
    """

    def __init__(self, path: Path | None, source: Source) -> None:
        self._path = path
        self._source = source
        self._write: Write | None = None
        self._open = ExitStack()

    def __enter__(self) -> RejectedRows:
        if self._path is not None and not self._path.parent.is_dir():
            folder = str(self._path.parent)
            raise ImportFailed(_("There is no folder %(folder)s for the rejected rows", folder=folder))
        return self

    def add(self, row: Row, errors: Mapping[str, Sequence[str]]) -> None:
        """Writes one row and what is wrong with it."""
        if self._path is None:
            return
        if self._write is None:
            self._write = self._open.enter_context(self._writing(self._path.suffix.lower()))
        self._write({**row.cells, NUMBER: row.number, PROBLEM: sentence(errors)})

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._open.close()
        if self._path is None:
            return
        if self._write is not None:
            os.replace(self._part, self._path)
        elif not (self._path.exists() and self._path.samefile(self._source.path)):
            with suppress(FileNotFoundError):
                self._path.unlink()

    @property
    def _part(self) -> Path:
        assert self._path is not None
        return self._path.with_name(f".{self._path.name}.part")

    def _writing(self, ending: str) -> AbstractContextManager[Write]:
        names = [name for name in self._source.columns if name not in (NUMBER, PROBLEM)]
        delimiter = "," if self._source.delimiter == WHITESPACE else self._source.delimiter
        known = ending if ending in (*DELIMITED, *JSON_LINES, SPREADSHEET) else ".csv"
        return writing(self._part, [*names, NUMBER, PROBLEM], ending=known, delimiter=delimiter)
