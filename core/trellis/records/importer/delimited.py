"""Text files of rows: their delimiter and header found out, their lines cut into cells."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from trellis.i18n import translator
from trellis.records.cells import restored
from trellis.records.importer.encodings import ImportFailed, encoding_of

_ = translator("trellis")

DELIMITERS = ",;\t|~^"
WHITESPACE = "whitespace"
LOOKED_AT = 50
LONGEST_CELL = 1024 * 1024


@dataclass(frozen=True)
class Form:
    """How a text file holds its rows: those behind the first ``above``, of which the last is the header where it has one."""

    encoding: str
    delimiter: str
    header: Sequence[str]
    above: int = 1


def form_of(
    path: Path,
    encoding: str | None,
    delimiter: str | None,
    header: Sequence[str] | None,
    returned: Sequence[str],
) -> Form:
    """The form of a file: what is given, and what its first lines tell.

    A file of rejected rows (its last columns are ``returned``) is read as it was written, whatever the file that the
    rows came from looked like.
    """
    encoding = encoding or encoding_of(path)
    found = _delimiter(path, encoding)
    above, first = _head(path, encoding, found)
    if [cell.strip() for cell in first[-len(returned) :]] == list(returned):
        return Form(encoding, found, unique(first), above)
    if header is not None:
        return Form(encoding, delimiter or found, unique(header), above=0)
    if delimiter is not None and delimiter != found:
        above, first = _head(path, encoding, delimiter)
    return Form(encoding, delimiter or found, unique(first), above)


def _head(path: Path, encoding: str, delimiter: str) -> tuple[int, list[str]]:
    """How many lines there are with the header, and the header."""
    start = list(islice(lines(path, Form(encoding, delimiter, [], above=0)), LOOKED_AT))
    above = head_of(start)
    if not above:
        raise ImportFailed(_("%(file)s is empty", file=path.name))
    return above, start[above - 1]


def head_of(start: Sequence[Sequence[object]]) -> int:
    """Which of the first rows is the header, from 1; 0 where all are empty.

    What stands above it, as the title of a report does, fills less than half as many cells as rows usually do, or one
    where many rows fill three.
    """
    filled = [sum(1 for cell in cells if cell is not None and str(cell).strip()) for cells in start]
    rows = sorted(number for number in filled if number) or [1]
    usual, many = rows[len(rows) // 2], rows[len(rows) * 3 // 4]
    heads = (
        place
        for place, number in enumerate(filled, start=1)
        if number and number * 2 >= usual and (number > 1 or many < 3)
    )
    return next(heads, 0)


def unique(header: Sequence[object]) -> list[str]:
    """Names of columns, each different from the others: of two alike the second gets a number."""
    found: dict[str, None] = {}
    for cell in header:
        name, number = str(cell).strip(), 2
        while name in found:
            name, number = f"{str(cell).strip()} ({number})", number + 1
        found[name] = None
    return list(found)


def lines(path: Path, form: Form) -> Iterator[list[str]]:
    """The rows of cells below the header. Raises ImportFailed, which says the line, where they cannot be read."""
    with path.open(encoding=form.encoding, newline="") as file:
        found = _split(file) if form.delimiter == WHITESPACE else _csv(file, form.delimiter)
        number = 0
        try:
            for number, cells in enumerate(found, start=1):
                if number > form.above:
                    yield cells
        except csv.Error as error:
            raise ImportFailed(_("%(file)s, %(problem)s", file=path.name, problem=str(error))) from None
        except UnicodeError as error:  # a file that is no UTF-16 at all has no place where it is not valid
            problem = _(
                "%(file)s, after row %(row)s: not valid %(encoding)s",
                file=path.name,
                row=number,
                encoding=getattr(error, "encoding", form.encoding),
            )
            raise ImportFailed(problem) from None


def ending(path: Path, form: Form, most: int) -> list[tuple[int, list[str]]]:
    """Reads a file to its end: the last rows with their numbers, of which the last says how many there are."""
    return list(deque(enumerate(lines(path, form), start=1), maxlen=most))


def _csv(file: TextIO, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    done = 0
    try:
        for cells in reader:
            yield [restored(cell) if cell[:1] == "'" else cell for cell in cells]
            done = reader.line_num
    except csv.Error as error:
        raise csv.Error(f"line {done + 1}: {error}") from None


def _split(file: TextIO) -> Iterator[list[str]]:
    for line in file:
        yield line.split()


def _delimiter(path: Path, encoding: str) -> str:
    """The delimiter that cuts the first lines into the most cells, the same number in each."""
    with path.open(encoding=encoding, newline="") as file:
        try:
            start = [line for line in islice(file, LOOKED_AT) if line.strip()]
        except UnicodeError:
            return DELIMITERS[0]  # reading it will tell where
    scores = {one: _agreement(start, one) for one in DELIMITERS}
    best = max(scores, key=lambda one: scores[one])
    if scores[best][1] > 1:
        return best
    widths = {len(line.split()) for line in start}
    # Words of a title part at spaces too: a table of three columns or more, in all lines alike, is meant as one.
    return WHITESPACE if len(start) > 1 and len(widths) == 1 and widths.pop() > 2 else DELIMITERS[0]


def _agreement(start: Sequence[str], delimiter: str) -> tuple[float, int]:
    """(share of rows that are as wide as most, their width); nothing where that is one column."""
    try:
        rows = [cells for cells in csv.reader(start, delimiter=delimiter) if cells]
    except csv.Error:
        return (0.0, 0)
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    return (sum(len(cells) == width for cells in rows) / len(rows), width) if width > 1 else (0.0, 0)
