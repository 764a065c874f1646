"""Run as a program of its own: reads the first sheet of a spreadsheet and writes its rows as lines of JSON.

A few bytes of a spreadsheet can stand for terabytes of empty cells, and the library that reads it ends its process when
there is no memory left. So it is this process, with limits of memory, time and disk, and not the server.
"""

from __future__ import annotations

import resource
import sys
from datetime import date, datetime
from typing import Any

import orjson
from python_calamine import CalamineWorkbook

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


def main(path: str) -> int:
    """Writes to standard output; what is wrong with the file goes to standard error, with status 1."""
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, DISK),
    ):
        _soft, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows()
    except Exception as error:  # the library names what it cannot read in its own types of errors
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    for row in rows:
        line = orjson.dumps([plain(cell) for cell in row], option=orjson.OPT_APPEND_NEWLINE)
        sys.stdout.buffer.write(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
