"""Reading rows from CSV (any usual encoding and delimiter), XLSX and JSON lines, one at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trellis.errors import TrellisError
from trellis.i18n import Text, translator

_ = translator("trellis")

SAMPLE = 256 * 1024
DELIMITERS = ",;\t|"
WHITESPACE = "whitespace"


class ImportFailed(TrellisError):
    """The file cannot be read as what it says it is; nothing was imported from the part that cannot be read."""

    status = 422
    code = "import_failed"


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its number in the file (the first row of data is 1), its cells by column, and what is wrong with it."""

    number: int
    cells: dict[str, Any]
    problem: Text | None = None


def read_rows(
    path: Path, *, delimiter: str | None = None, header: Sequence[str] | None = None
) -> Iterator[Row]:
    """The rows of a file, by its ending. Raises ImportFailed when it cannot be read; says the line where it can.

    ``delimiter`` is a character or ``whitespace``; ``header`` names the columns of a file that has none.
    """
    if not path.is_file():
        raise ImportFailed(_("There is no file %(path)s", path=str(path)))
    ending = path.suffix.lower()
    if ending in (".xlsx", ".xlsm", ".xls", ".ods"):
        return _spreadsheet(path, header)
    if ending in (".jsonl", ".ndjson", ".json"):
        return _json_lines(path)
    return _csv(path, delimiter, header)


def encoding_of(path: Path) -> str:
    """The encoding of a text file: what its first bytes say, UTF-8 where it fits, else the most likely one."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x00" in sample:
        raise ImportFailed(_("%(file)s is not a text file", file=path.name))
    try:
        sample[: sample.rfind(b"\n") + 1 or len(sample)].decode("utf-8")
        return "utf-8-sig"
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(sample, cp_isolation=["cp1251", "cp1252", "cp1250", "latin_1"]).best()
        return best.encoding if best is not None else "latin_1"


def _csv(path: Path, delimiter: str | None, header: Sequence[str] | None) -> Iterator[Row]:
    encoding = encoding_of(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            lines = _split(file) if delimiter == WHITESPACE else _csv_lines(file, delimiter)
            names = list(header) if header else next(lines, None)
            if names is None:
                return
            names = [str(name).strip() for name in names]
            for number, cells in enumerate(lines, start=1):
                if cells:
                    yield _row(number, names, cells)
    except UnicodeDecodeError as error:
        raise ImportFailed(
            _(
                "%(file)s is not valid %(encoding)s near byte %(byte)s",
                file=path.name,
                encoding=encoding,
                byte=error.start,
            )
        ) from None
    except csv.Error as error:
        raise ImportFailed(_("%(file)s: %(problem)s", file=path.name, problem=str(error))) from None


def _csv_lines(file: Any, delimiter: str | None) -> Iterator[list[str]]:
    start = file.read(SAMPLE)
    file.seek(0)
    if delimiter is None:
        first = start.split("\n", 1)[0]
        delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num}: {error}") from None


def _split(file: Any) -> Iterator[list[str]]:
    for line in file:
        yield line.split()


def _row(number: int, names: Sequence[str], cells: Sequence[Any]) -> Row:
    if len(cells) > len(names) and any(str(cell).strip() for cell in cells[len(names) :]):
        problem = _("The row has %(cells)s cells, the header %(names)s", cells=len(cells), names=len(names))
        return Row(number, dict(zip(names, cells, strict=False)), problem)
    return Row(number, dict(zip(names, cells, strict=False)))


def _spreadsheet(path: Path, header: Sequence[str] | None) -> Iterator[Row]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        rows = book.get_sheet_by_index(0).iter_rows()
    except (CalamineError, OSError, IndexError) as error:
        raise ImportFailed(
            _("%(file)s cannot be read: %(problem)s", file=path.name, problem=str(error))
        ) from None
    names: list[str] | None = [str(name) for name in header] if header else None
    number = 0
    for cells in rows:
        if names is None:
            names = [str(cell).strip() for cell in cells]
            continue
        number += 1
        if any(cell != "" for cell in cells):
            yield _row(number, names, [_cell(cell) for cell in cells])


def _cell(value: Any) -> Any:
    """A cell of a spreadsheet: whole numbers come as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _json_lines(path: Path) -> Iterator[Row]:
    with path.open(encoding=encoding_of(path)) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                data = json.loads(line)
            except json.JSONDecodeError as error:
                raise ImportFailed(
                    _(
                        "%(file)s, line %(line)s: not valid JSON (%(problem)s)",
                        file=path.name,
                        line=number,
                        problem=error.msg,
                    )
                ) from None
            if isinstance(data, dict):
                yield Row(number, data)
            else:
                yield Row(number, {}, _("A line must be an object of fields and values"))
