"""A template of one's own can be read as one before it is kept."""

from __future__ import annotations

from jinja2 import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trellis.crm.customers.documents.entities import LONGEST
from trellis.errors import Message, RecordInvalid
from trellis.i18n import format_number, translator
from trellis.records.events import BeforeSave

_ = translator("trellis")


def check(event: BeforeSave) -> None:
    """Its records are there, and its marks are whole. Raises RecordInvalid that names the field."""
    if event.action not in ("created", "updated"):
        return
    values = {**event.before, **event.values}
    errors: dict[str, list[Message]] = {}
    entity = values.get("of_entity")
    if entity and entity not in event.actor.sees(event.edition).entities:
        errors["of_entity"] = [_("There are no records “%(name)s”", name=entity)]
    if values.get("content") and (problem := _problem(values["content"])):
        errors["content"] = [problem]
    if errors:
        raise RecordInvalid(errors)


def _problem(content: str) -> Message | None:
    if len(content) > LONGEST:
        return _("Text of at most %(most)s characters", most=format_number(LONGEST))
    reader = ImmutableSandboxedEnvironment()
    try:
        reader.parse(content)
    except TemplateSyntaxError as error:
        return _("Line %(line)s: %(problem)s", line=error.lineno, problem=error.message or "")
    except RecursionError:
        return _("Too many loops and conditions stand in each other")
    return None
