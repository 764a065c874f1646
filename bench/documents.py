"""A document of two pages: a Word file filled, and the same as PDF, by the program that fills templates.

Two pages are a table of forty lines with formatted money, a loop, conditions and totals.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import docx
from trellis.documents.making import fill

from bench.setting import arguments

LINES = 40
TEXT = (
    "{{ record.number }}, {{ organisation.name }}: what was agreed stands below, in the order in which it was agreed. "
    * 3
)
ROW = ("{{ one.place }}", "{{ one.name }}", "{{ one.amount }}", "{{ (one.amount * 2) | money }}")


def main() -> None:
    """Prints the median and the slowest of each format."""
    given = arguments(LINES, rounds=30)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "offer.docx"
        _word(path)
        for format, template in (("docx", str(path)), ("pdf", _html())):
            asked = {
                "format": format,
                "language": "en",
                "title": "Offer",
                "template": template,
                "data": _data(given.size),
            }
            fill(asked)
            seconds = []
            for _round in range(given.rounds):
                time.sleep(1)  # as long as nobody makes one
                began = time.perf_counter()
                fill(asked)
                seconds.append(time.perf_counter() - began)
            print(
                f"{format}: {statistics.median(seconds) * 1000:.0f} ms, at most {max(seconds) * 1000:.0f} ms"
            )


def _word(path: Path) -> None:
    """A Word template of two pages."""
    word = docx.Document()
    word.add_heading("{{ record.number }}")
    for _part in range(4):
        word.add_paragraph(TEXT)
    table = word.add_table(rows=3, cols=len(ROW))
    table.rows[0].cells[0].text = "{%tr for one in related.lines %}"
    for cell, text in zip(table.rows[1].cells, ROW, strict=True):
        cell.text = text
    table.rows[2].cells[0].text = "{%tr endfor %}"
    word.add_paragraph("{% if record.paid %}Paid{% else %}To be paid: {{ record.amount }}{% endif %}")
    word.save(str(path))


def _html() -> str:
    """The same in HTML."""
    row = "".join(f"<td>{text}</td>" for text in ROW)
    table = f"<table>{{% for one in related.lines %}}<tr>{row}</tr>{{% endfor %}}</table>"
    paragraphs = f"<p>{TEXT}</p>" * 4
    end = "<p>{% if record.paid %}Paid{% else %}To be paid: {{ record.amount }}{% endif %}</p>"
    return f"<h1>{{{{ record.number }}}}</h1>{paragraphs}{table}{end}"


def _data(lines: int) -> dict[str, Any]:
    def amount(value: int) -> dict[str, Any]:
        return {"kind": "figure", "value": f"{value}.50", "text": f"€{value}.50"}

    def record(fields: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "record", "text": "A-1", "fields": fields}

    paid = {"kind": "flag", "value": False, "text": "No"}
    return {
        "record": record({"number": "A-1", "paid": paid, "amount": amount(123400)}),
        "related": {
            "lines": [
                record(
                    {"place": str(place), "name": f"Linen tablecloth {place}", "amount": amount(place * 37)}
                )
                for place in range(1, lines + 1)
            ]
        },
        "organisation": {"name": "Linen", "currency": "EUR"},
    }


if __name__ == "__main__":
    main()
