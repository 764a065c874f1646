"""Reading files row by row: CSV of any usual encoding and delimiter, spreadsheets, JSON lines.

A file is read to its end before anything is imported (:func:`open_source`), so that a broken one imports nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import orjson

from trellis.i18n import Text, translator
from trellis.records.importer import totals
from trellis.records.importer.delimited import LOOKED_AT, Form, ending, form_of, head_of, lines, unique
from trellis.records.importer.encodings import ImportFailed, encoding_of, is_text_encoding
from trellis.records.importer.sheets import Sheet

_ = translator("trellis")

NUMBER, PROBLEM = "_row", "_problem"
"""The columns that a file of rejected rows has more than the file it came from."""
LINE = "_line"
"""In a file of rejected rows, a line that could not be read as JSON."""
OURS = (NUMBER, PROBLEM, LINE)


class Row(NamedTuple):
    """A row: its number in the file (the first row of data is 1), its cells by column, and what is wrong with it."""

    number: int
    cells: dict[str, Any]
    problem: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that can be read to its end.

    ``columns`` are those of its header, or all keys of its objects; ``count`` is about how many rows it has.
    ``typed`` says that values have types (JSON): a number there is not a text made of digits. ``sheets`` are those of a spreadsheet.
    ``totals`` are the rows at the end, by number, that sum up the others and are no records.
    """

    path: Path
    columns: Sequence[str]
    count: int
    rows: Callable[[], Iterator[Row]]
    typed: bool = False
    delimiter: str = ","
    sheets: Sequence[str] = ()
    totals: Mapping[int, Row] = field(default_factory=dict)


def open_source(
    path: Path,
    *,
    delimiter: str | None = None,
    header: Sequence[str] | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Source:
    """Opens a file by its ending. Raises ImportFailed, with the line where there is one, when it cannot be read.

    ``delimiter`` is a character or ``whitespace``; ``header`` names the columns of a file that has none; ``sheet`` is that of a
    spreadsheet, else the first that holds anything.
    """
    if not path.is_file():
        raise ImportFailed(_("There is no file %(path)s", path=str(path)))
    if encoding is not None and not is_text_encoding(encoding):
        raise ImportFailed(_("There is no encoding “%(name)s”; such are utf-8, cp1251", name=encoding))
    kind = path.suffix.lower()
    if kind in (".xlsx", ".xlsm", ".xls", ".ods"):
        return _spreadsheet(path, header, sheet)
    if kind in (".jsonl", ".ndjson", ".json"):
        return _json_lines(path, encoding or encoding_of(path))
    return _delimited(path, form_of(path, encoding, delimiter, header, [NUMBER, PROBLEM]))


def _delimited(path: Path, form: Form) -> Source:
    last = ending(path, form, totals.LOOKED_AT)
    return Source(
        path=path,
        columns=form.header,
        count=last[-1][0] if last else 0,
        totals=_totals(form.header, last),
        rows=lambda: _rows(form.header, lines(path, form)),
        delimiter=form.delimiter,
    )


def _rows(header: Sequence[str], found: Iterator[Sequence[Any]]) -> Iterator[Row]:
    """Rows of cells under a header. Rows that came back from an earlier import keep their number in the first file."""
    returned = header.index(NUMBER) if NUMBER in header else None
    width = len(header)
    for number, cells in enumerate(found, start=1):
        if not any(cells):
            continue
        row = dict(zip(header, cells, strict=False))
        if returned is not None and len(cells) > returned and str(cells[returned]).isdecimal():
            number = int(cells[returned])
        if len(cells) == width or (len(cells) > width and not any(cells[width:])):
            yield Row(number, row)
        else:
            problem = _("The row has %(cells)s cells, the header %(names)s", cells=len(cells), names=width)
            yield Row(number, row, problem)


def _totals(header: Sequence[str], last: Sequence[tuple[int, Sequence[Any]]]) -> dict[int, Row]:
    found = (
        [] if NUMBER in header else totals.trailing(last)
    )  # rows that came back were taken for records before
    return {
        number: Row(number, dict(zip(header, cells, strict=False)))
        for number, cells in last
        if number in found
    }


def _spreadsheet(path: Path, header: Sequence[str] | None, name: str | None) -> Source:
    sheet = Sheet(path, name)
    start = list(islice(sheet.rows(), LOOKED_AT))
    above = head_of(start)
    if not above:
        raise ImportFailed(_("%(file)s is empty", file=path.name))
    given = ["" if cell is None else cell for cell in start[above - 1]]
    if header is not None and given[-2:] != [NUMBER, PROBLEM]:
        above, given = 0, list(header)
    names = unique(given)
    return Source(
        path=path,
        columns=names,
        count=sheet.count - above,
        rows=lambda: _rows(names, islice(sheet.rows(), above, None)),
        sheets=sheet.names,
        totals=_totals(names, [(number - above, cells) for number, cells in sheet.ending if number > above]),
    )


def _json_lines(path: Path, encoding: str) -> Source:
    keys: dict[str, None] = {}
    number, wrong = 0, None
    for row in _objects(path, encoding):
        number += 1
        wrong = wrong or row.problem
        if row.problem is None:
            keys.update(dict.fromkeys(row.cells))
    if wrong is not None and not keys:  # it is something else altogether
        raise ImportFailed(_("%(file)s: %(problem)s", file=path.name, problem=str(wrong)))
    columns = [*keys, *((LINE,) if wrong is not None else ())]
    return Source(path=path, columns=columns, count=number, rows=lambda: _objects(path, encoding), typed=True)


def _objects(path: Path, encoding: str) -> Iterator[Row]:
    with path.open(encoding=encoding) as file:
        for number, line in enumerate(_decoded(path, file), start=1):
            if not line.strip():
                continue
            yield _object(line, number)


def _object(line: str, number: int) -> Row:
    """A line of a file; one that is no object of JSON stands in its row as it is, under :data:`LINE`, to be mended there."""
    told = number
    try:
        data = orjson.loads(line)
        if isinstance(data, dict):
            told = data[NUMBER] if isinstance(data.get(NUMBER), int) else number
            if isinstance(data.get(LINE), str):
                line = data[LINE]
                data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        problem = _("Line %(line)s is not valid JSON (%(problem)s)", line=told, problem=error.msg)
        return Row(told, {LINE: line.rstrip("\r\n")}, problem)
    if not isinstance(data, dict):
        problem = _("A line must be an object of fields and values")
        return Row(told, {LINE: line.rstrip("\r\n")}, problem)
    return Row(told, data)


def _decoded(path: Path, file: TextIO) -> Iterator[str]:
    try:
        yield from file
    except UnicodeError as error:
        encoding = getattr(error, "encoding", file.encoding)
        raise ImportFailed(
            _("%(file)s is not valid %(encoding)s", file=path.name, encoding=encoding)
        ) from None
