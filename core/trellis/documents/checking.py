"""A template can be read as one, before anybody makes a document of it."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trellis.contributions import Template
from trellis.edition import Edition
from trellis.errors import Message
from trellis.i18n import LANGUAGES, translator

_ = translator("trellis")

_FILTERS = ("money", "number", "percent", "day", "image")
"""Those that :mod:`filling` adds."""


@lru_cache(maxsize=500)
def problem_of(content: str) -> Message | None:
    """What is wrong with the marks in a text; None when nothing is."""
    reader = ImmutableSandboxedEnvironment()
    reader.filters.update(dict.fromkeys(_FILTERS, str))
    try:
        reader.compile(reader.parse(content))
    except TemplateSyntaxError as error:
        return _("Line %(line)s: %(problem)s", line=error.lineno, problem=error.message or "")
    except RecursionError:
        return _("Too many loops and conditions stand in each other")
    return None


def check_document(_edition: Edition, template: Template) -> None:
    """The template of a document is a file of a kind that can be filled. Raises ValueError."""
    kind = template.file.suffix.lower()
    if template.language not in LANGUAGES or kind not in (".html", ".docx"):
        text = f"a document template is an .html or .docx file in one of {', '.join(LANGUAGES)}"
        raise ValueError(f"{template.name}: {text}; a mail template has a subject")
    if kind == ".html" and (problem := problem_of(template.file.read_text(encoding="utf-8"))):
        raise ValueError(f"{template.name}: {problem}")
