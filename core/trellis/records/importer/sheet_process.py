"""Run as a program of its own: reads a sheet of a spreadsheet and writes as lines of JSON the names of all, then its rows.

A few bytes of a spreadsheet can stand for terabytes of empty cells, and the library that reads it ends its process when
there is no memory left. So it is this process, with limits of memory, time and disk, and not the server.
"""

from __future__ import annotations

import resource
import sys
from datetime import date, datetime
from typing import Any

import orjson
from python_calamine import CalamineWorkbook, SheetTypeEnum

MEMORY = 2 * 1024**3
SECONDS = 15 * 60
DISK = 8 * 1024**3


def plain(value: Any) -> Any:
    """A cell as JSON: what it has no word for is named by its type."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return value if isinstance(value, str | bool | int) or value is None else str(value)


def main(path: str, wanted: str = "") -> int:
    """Reads the sheet of the name ``wanted``, else the first that holds anything. Writes to standard output; what is wrong with the file goes to standard error, with status 1."""
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, DISK),
    ):
        _soft, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        book = CalamineWorkbook.from_path(path)
        names = [one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
        sheets = map(book.get_sheet_by_name, names if wanted not in names else [wanted])
        rows = next((one.iter_rows() for one in sheets if one.start is not None), iter(()))
    except Exception as error:  # the library names what it cannot read in its own types of errors
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    sys.stdout.buffer.write(orjson.dumps(names, option=orjson.OPT_APPEND_NEWLINE))
    for row in rows:
        line = orjson.dumps([plain(cell) for cell in row], option=orjson.OPT_APPEND_NEWLINE)
        sys.stdout.buffer.write(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
