"""Run as a program of its own: fills a template, and writes the document to standard output.

A template is made by people, and a loop in it may have no end, or a document no limit. So it is this process, with limits
of memory, time and size, and not the server. Templates are Jinja's in its sandbox: they read what they are given and can
call nothing else; there are no files to include.

Standard input is JSON: ``format`` (html, docx, pdf), ``language``, ``title``, ``wide`` (pages lie across), ``seconds`` of the processor (for a
template of ours, which may be long), ``template`` (text of HTML, or the path of a
Word file), ``data`` (:mod:`trellis.documents.values`).
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import resource
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import ChainableUndefined, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

MEMORY = 2 * 1024**3
SECONDS = 5
SIZE = 20 * 1024**2
PIXEL = 25.4 / 96
"""Millimetres of a pixel, as browsers print it."""
WIDEST = 170
"""Millimetres of the text on a page."""
AHEAD = "--ahead"
"""The option of a program that is started before it is asked: it loads all that a document may need."""
WRONG, TOO_LARGE = 2, 3
"""Statuses of what the template has done; its message goes to standard error."""


class Missing(ChainableUndefined):
    """What a template names and is not there: nothing where a value is empty, an error where the name is wrong."""

    def __str__(self) -> str:
        if self._undefined_obj is None or isinstance(self._undefined_obj, Missing):
            return ""
        raise UndefinedError(f"“{self._undefined_name}”")

    __html__ = __str__


class Figure(Decimal):
    """A number that is printed as people write it."""

    text: str

    def __str__(self) -> str:
        return self.text


class Day(date):
    """A day, printed in the language of the document."""

    text: str

    def __str__(self) -> str:
        return self.text


class Moment(datetime):
    """A moment, printed in the language of the document."""

    text: str

    def __str__(self) -> str:
        return self.text


class Chosen(str):
    """One of the choices of a field: printed by its title, equal to its value too."""

    value: str

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) or self.value == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


class Flag(int):
    """Yes or no."""

    text: str

    def __str__(self) -> str:
        return self.text


class Picture(str):
    """A picture, called by the name of its file. It stands where it is printed, or is given to the filter ``image``."""

    data: bytes
    ending: str
    pixels: int


Drawn = Callable[[Picture, float | None], Any]
"""Draws a picture, so many millimetres wide, into a document of a kind."""


class Linked(dict[str, Any]):
    """A record: its fields by their names, printed by its title."""

    text: str

    def __str__(self) -> str:
        return self.text


def revived(told: Any) -> Any:
    """A value of :mod:`trellis.documents.values` as a template meets it."""
    if isinstance(told, list):
        return [revived(one) for one in told]
    if not isinstance(told, dict) or "kind" not in told:
        return {name: revived(one) for name, one in told.items()} if isinstance(told, dict) else told
    made: Any
    match told["kind"]:
        case "figure":
            made = Figure(told["value"])
        case "day":
            made = Day.fromisoformat(told["value"])
        case "moment":
            made = Moment.fromisoformat(told["value"])
        case "flag":
            made = Flag(told["value"])
        case "choice":
            chosen = Chosen(told["text"])
            chosen.value = told["value"]
            return chosen
        case "picture":
            picture = Picture(told["text"])
            picture.data, picture.ending = base64.b64decode(told["data"]), told["format"]
            picture.pixels = told["width"]
            return picture
        case _:
            made = Linked({name: revived(one) for name, one in told["fields"].items()})
    made.text = told["text"]
    return made


def in_html(picture: Picture, width: float | None) -> Markup:
    """A picture in the text itself, so that the document is one file."""
    kind = "jpeg" if picture.ending == "jpg" else picture.ending
    data = base64.b64encode(picture.data).decode()
    wide = f' width="{width / PIXEL:.0f}"' if width else ""
    return Markup('<img src="data:image/{};base64,{}" alt="{}"{}>').format(kind, data, picture, Markup(wide))


def in_word(word: Any) -> Drawn:
    """Draws pictures into a Word file, no wider than its text is on a usual page."""
    from docx.shared import Mm
    from docxtpl import InlineImage

    def draw(picture: Picture, width: float | None) -> Any:
        wide = width or min(picture.pixels * PIXEL, WIDEST)
        return InlineImage(word, io.BytesIO(picture.data), width=Mm(wide))

    return draw


def millimetres(width: Any) -> float | None:
    """A width as templates write it: ``"4cm"``, ``"40mm"`` or 40. Raises ValueError."""
    if width is None or width == "":
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(mm|cm)?", str(width))
    wide = float(found[1]) * (10 if found[2] == "cm" else 1) if found else 0
    if not 0 < wide <= WIDEST:
        raise ValueError(f"image: “{width}” is no width such as 4cm, up to {WIDEST} mm")
    return wide


def environment(language: str, currency: str, draw: Drawn) -> ImmutableSandboxedEnvironment:
    """Where templates are filled: with the filters ``money``, ``number``, ``percent`` and ``day`` for what they compute.

    ``image`` draws a picture as wide as it is told.
    """
    from trellis.i18n import format_date, format_money, format_number, format_percent

    def shown(value: Any) -> Any:
        return "" if value is None else draw(value, None) if isinstance(value, Picture) else value

    def image(value: Any, width: Any = None) -> Any:
        if value is None or isinstance(value, Missing):
            return ""
        if not isinstance(value, Picture):
            raise ValueError(f"image: “{value}” is no picture")
        return draw(value, millimetres(width))

    made = ImmutableSandboxedEnvironment(autoescape=True, undefined=Missing, finalize=shown)
    made.globals.clear()
    made.filters.update(
        money=lambda value, of=currency: format_money(plain(value), of),
        number=lambda value, decimals=None: format_number(plain(value), decimals),
        percent=lambda value: format_percent(plain(value)),
        day=lambda value: format_date(value, date(1, 1, 1)),
        image=image,
    )
    return made


def plain(value: Any) -> Decimal:
    """A number that a template has computed."""
    return Decimal(value) if isinstance(value, Decimal | int) else Decimal(repr(value))


def filled(asked: dict[str, Any]) -> bytes:
    """The document."""
    data = revived(asked["data"])
    of = asked["language"], data["organisation"]["currency"]
    if asked["format"] == "docx":
        from docxtpl import DocxTemplate

        word = DocxTemplate(asked["template"])
        made = environment(*of, in_word(word))
        word.render(data, jinja_env=made, autoescape=True)
        written = io.BytesIO()
        word.save(written)
        return written.getvalue()
    text = environment(*of, in_html).from_string(asked["template"]).render(data)
    return text.encode() if asked["format"] == "html" else printed(asked, text)


def printed(asked: dict[str, Any], text: str) -> bytes:
    """HTML as PDF. Its pictures stand beside the program in a folder of their own, which is all that it can read."""
    import typst

    from trellis.documents.markup import nodes_of

    nodes, pictures = nodes_of(text)
    content = {
        "language": asked["language"],
        "title": asked["title"],
        "nodes": nodes,
        "wide": bool(asked.get("wide")),
    }
    program = Path(__file__).with_name("page.typ")
    with TemporaryDirectory(prefix="trellis-pdf-") as folder:
        page = Path(folder) / program.name
        page.write_bytes(program.read_bytes())
        for name, data in pictures.items():
            (Path(folder) / name).write_bytes(data)
        try:
            return typst.compile(str(page), root=folder, sys_inputs={"document": json.dumps(content)})
        except typst.TypstError as error:
            raise ValueError(error.message) from None


def _load() -> None:
    """Loads the libraries for each kind of document by making a small one of it."""
    import docx

    word = io.BytesIO()
    page = docx.Document()
    page.add_paragraph("{{ 1 | money }}")
    page.save(word)
    word.seek(0)
    data: dict[str, Any] = {"organisation": {"name": "", "currency": "EUR"}}
    asked = {"language": "en", "title": "", "data": data}
    filled({**asked, "format": "docx", "template": word})
    filled({**asked, "format": "pdf", "template": "{{ 1 | money }}"})


def main() -> int:
    """Reads what is asked, writes the document."""
    from trellis.i18n import use_locale

    if AHEAD in sys.argv:
        _load()
    told = sys.stdin.buffer.read()
    if not told:  # nobody needs it any more
        return 0
    asked = json.loads(told)
    for limit, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, asked.get("seconds", SECONDS))):
        _soft, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        with use_locale(asked["language"]):
            written = filled(asked)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        print(f"{line or ''}\t{' '.join(str(error).split())[:300]}", file=sys.stderr)
        return WRONG
    except (MemoryError, OverflowError):
        return TOO_LARGE
    if len(written) > SIZE:
        return TOO_LARGE
    sys.stdout.buffer.write(written)
    sys.stdout.flush()
    os._exit(0)  # to take everything down takes as long as a short document


if __name__ == "__main__":
    sys.exit(main())
