"""Templates, instructions, and what people are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trellis.contributions.base import Contribution
from trellis.i18n import Text as Label


@dataclass(frozen=True, kw_only=True)
class NotificationKind(Contribution):
    """Something that people are told of by ``trellis.notify``: each chooses whether in the app, by mail, or not at all.

    ``text`` is a sentence with the values that are told: ``%(who)s`` (who caused it), ``%(title)s`` and ``%(entity)s`` (the
    record it is about) and those that ``notify`` was given. ``in_app`` and ``mail`` hold until somebody has chosen.
    """

    text: Label
    icon: str = "bell"
    in_app: bool = True
    mail: bool = False


@dataclass(frozen=True, kw_only=True)
class Template(Contribution):
    """A template over a record of ``entity``, in one language: of a document (.docx or .html), or of a mail.

    One with a ``subject`` is of a mail: its file is the text (.txt), and holds fields of the record and of its references
    as ``{record.name}`` and ``{record.owner.name}``, and of who writes as ``{sender.name}``. A document has marks of Jinja:
    ``{{ record.name }}``, ``{% for line in related.order_line %}``, ``{{ record["gym.card"] }}``. ``numbering`` is
    the pattern of its numbers, ``C-{year}-{number:4}``.
    """

    entity: str
    file: Path
    language: str = "en"
    subject: str | None = None
    numbering: str = ""


@dataclass(frozen=True, kw_only=True)
class Instruction(Contribution):
    """An article for staff, attached to positions, a process or an entity; ``body`` is Markdown."""

    body: Label
    entity: str | None = None
    positions: Sequence[str] = ()
