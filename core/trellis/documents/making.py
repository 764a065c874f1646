"""A document about a record, made of a template by a process of its own (:mod:`filling`)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from trellis.documents import filling
from trellis.documents.ready import answer
from trellis.documents.values import data_of
from trellis.errors import Message, RecordInvalid
from trellis.i18n import translator, use_locale
from trellis.records.door import Records

_ = translator("trellis")

HTML, PDF, WORD = "html", "pdf", "docx"
_PATIENCE = 60
"""Seconds of the clock; those of the processor are limited in the process."""
_UNSAFE = re.compile(r"[^\w .,()№-]+")


@dataclass(frozen=True, kw_only=True)
class DocumentTemplate:
    """A template as it is filled: ``content`` is HTML; ``word`` is the path of a Word file instead.

    ``numbering`` is the pattern of its documents' numbers, ``route`` the approval route that is proposed for them.
    """

    name: str
    title: str
    entity: str
    language: str
    content: str = ""
    word: Path | None = None
    numbering: str = ""
    route: int | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """What can be made of it, the usual one first. One without content is a Word file."""
        return (PDF, HTML) if self.content else (WORD,)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file that was made; ``about`` is what its record is called."""

    title: str
    about: str
    filename: str
    content: bytes


def make(
    records: Records,
    template: DocumentTemplate,
    record_id: int,
    format: str = "",
    told: Mapping[str, Any] = MappingProxyType({}),
) -> Document:
    """Fills a template with a record as the actor may read it; ``told`` is what it may say of the document itself.

    Raises RecordNotFound; RecordInvalid that says what is wrong with the template, or that the format is none of its formats.
    """
    ending = format or template.formats[0]
    if ending not in template.formats:
        known = ", ".join(template.formats)
        raise RecordInvalid({"format": [_("This template makes %(formats)s", formats=known)]})
    if ending == WORD and template.word is None:
        raise RecordInvalid(
            {"template": [_("Attach a Word file (.docx) to the template, or give it content")]}
        )
    timezone = records.edition.settings.timezone
    with use_locale(template.language, timezone, template.language):
        pictures = template.word is not None or "image" in template.content or "logo" in template.content
        data = data_of(records, template.entity, record_id, pictures=pictures) | {"document": dict(told)}
    about = data["record"]["text"]
    title = f"{template.title} {about}"
    asked = {
        "format": ending,
        "language": template.language,
        "title": title,
        "template": template.content if template.word is None else str(template.word),
        "data": data,
    }
    content = fill(asked)
    name = " ".join(_UNSAFE.sub(" ", title).split())
    return Document(title=title, about=about, filename=f"{name[:120]}.{ending}", content=content)


def fill(asked: Mapping[str, Any]) -> bytes:
    """What the program makes of what it is asked (:mod:`filling`). Raises RecordInvalid for what the template does."""
    try:
        status, written, said = answer(orjson.dumps(asked), _PATIENCE)
    except subprocess.TimeoutExpired:
        raise RecordInvalid({"template": [_TOO_MUCH]}) from None
    if status == 0:
        return written
    if status == filling.WRONG:
        line, _tab, problem = said.decode(errors="replace").strip("\n").partition("\t")
        raise RecordInvalid({"template": [_said(line, problem)]})
    raise RecordInvalid({"template": [_TOO_MUCH]})


_TOO_MUCH = _("The template takes too long, or makes too large a document; look at its loops")


def _said(line: str, problem: str) -> Message:
    if line.isdecimal():
        return _("The template is wrong in line %(line)s: %(problem)s", line=line, problem=problem)
    return _("The template names what is not there, or does what it may not: %(problem)s", problem=problem)
