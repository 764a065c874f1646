"""Tables of figures: as they stand on a page, and the same rows as a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from flask import Response, abort, request

from trellis.i18n import NBSP, Text, currency_symbol, format_number
from trellis.records.tables import writing

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table with its heads. ``texts`` are the rows for people, ``rows`` the same for programs.

    The heads of the columns in ``money`` name the ``currency`` for people; their figures stand alone. The columns in
    ``words`` hold no figures. ``urls`` are where the rows lead: what they are called then is a link.
    """

    name: str
    title: Text
    heads: Sequence[Text]
    texts: Sequence[Sequence[str]]
    rows: Sequence[Sequence[Any]]
    currency: str = ""
    money: Sequence[int] = ()
    words: Sequence[int] = (0,)
    urls: Sequence[str] = ()

    def context(self) -> dict[str, Any]:
        """What the macro ``data_table`` shows, with the addresses of its files."""
        given = request.args.to_dict()
        return {
            "title": str(self.title),
            "columns": [
                f"{one},{NBSP}{currency_symbol(self.currency)}" if column in self.money else str(one)
                for column, one in enumerate(self.heads)
            ],
            "rows": self.texts,
            "words": self.words,
            "urls": self.urls,
            "files": [
                (ending.upper(), f"?{urlencode({**given, 'table': self.name, 'format': ending})}")
                for ending in FORMATS
            ],
        }

    def file(self, ending: str) -> Response:
        """The rows under heads in the reader's language."""
        heads = [str(one) for one in self.heads]
        return table_file(self.name, heads, (dict(zip(heads, row, strict=True)) for row in self.rows), ending)


def amount_text(amount: Decimal | float | None) -> str:
    """An amount under a head that names its currency."""
    return "–" if amount is None else format_number(amount, 2)


def table_file(name: str, columns: Sequence[str], rows: Iterable[dict[str, Any]], ending: str) -> Response:
    """A file of rows to save; 404 for an ending that is not known."""
    if ending not in FORMATS:
        abort(404)
    with TemporaryDirectory(prefix="trellis-export-") as folder:
        path = Path(folder) / f"{name}.{ending}"
        with writing(path, columns) as write:
            for row in rows:
                write(row)
        headers = {"Content-Disposition": f'attachment; filename="{path.name}"'}
        return Response(path.read_bytes(), content_type=FORMATS[ending], headers=headers)


def asked_file(sheets: Sequence[Sheet]) -> Response | None:
    """The file that the address asks for, if it asks for one of these."""
    wanted = request.args.get("table")
    if not wanted:
        return None
    found = next((one for one in sheets if one.name == wanted), None)
    return found.file(request.args.get("format", "csv")) if found else abort(404)
