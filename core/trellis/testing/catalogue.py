"""Catalogues of translations: gathering the texts of a package, and telling which have no translation.

``uv run python -m trellis.testing.catalogue trellis`` brings the ``.po`` files of a package up to date with its texts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from trellis.i18n import LANGUAGES
from trellis.process.diagram import read
from trellis.process.forms import texts as texts_of_element

METHODS = [
    ("**.py", "python"),
    ("**.html", "jinja2"),
    ("**.bpmn", "trellis.testing.catalogue:texts_of_diagram"),
]
KEYWORDS = {"_": None, "_n": (1, 2), "gettext": None, "ngettext": (1, 2)}


def texts_of_diagram(
    file: IO[bytes], keywords: Sequence[str], comments: Sequence[str], options: Mapping[str, str]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """The texts of a diagram that people read, as Babel asks for them."""
    diagram = read(file.read())
    for element in diagram.elements.values():
        for text in texts_of_element(element):
            yield 1, "_", text, []
    for name in (*(flow.name for flow in diagram.flows.values()), *diagram.lanes.values()):
        if name:
            yield 1, "_", name, []


@cache
def texts(package: str) -> Catalog:
    """All texts of a package that people read, without translations; gathered once in a process, which takes seconds."""
    catalogue = Catalog(fuzzy=False)
    folder = str(files(package))
    options = {"**.html": {"trimmed": "true", "silent": "false"}}
    found = extract_from_dir(folder, METHODS, options, KEYWORDS)
    for filename, _line, message, _comments, context in found:
        catalogue.add(message, None, [(Path(filename).as_posix(), 1)], context=context)
    return catalogue


def path_of(package: str, language: str) -> Path:
    """The catalogue of a package in one language."""
    return Path(str(files(package))) / "locale" / language / "LC_MESSAGES" / "messages.po"


def missing(package: str, language: str) -> Iterator[str]:
    """The texts of a package that have no complete translation."""
    path = path_of(package, language)
    known = Catalog()
    if path.is_file():
        with path.open("rb") as file:
            known = read_po(file, locale=language)
    for message in texts(package):
        if not message.id:
            continue
        entry = known.get(message.id if isinstance(message.id, str) else message.id[0])
        forms = (entry.string if entry is not None else "") or ""
        complete = bool(forms) if isinstance(forms, str) else all(forms)
        if entry is None or not complete or entry.fuzzy:
            yield message.id if isinstance(message.id, str) else message.id[0]


def update(package: str, language: str) -> Path:
    """Writes the catalogue with the texts of now: translations are kept, new texts stand without one."""
    path = path_of(package, language)
    kept = Catalog(locale=language, project=package, fuzzy=False)
    if path.is_file():
        with path.open("rb") as file:
            kept = read_po(file, locale=language)
    kept.update(texts(package), no_fuzzy_matching=True)
    kept.obsolete.clear()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, kept, width=120, sort_output=True, no_location=True)
    return path


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for one in LANGUAGES[1:]:
            written = update(name, one)
            sys.stdout.write(f"{written}: {len(list(missing(name, one)))} without a translation\n")
