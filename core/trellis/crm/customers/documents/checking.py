"""A template of one's own can be read as one before it is kept."""

from __future__ import annotations

from trellis.crm.customers.circulation import numbering
from trellis.crm.customers.documents.entities import LONGEST
from trellis.documents.checking import problem_of
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
    content = values.get("body") or ""
    if len(content) > LONGEST:
        errors["body"] = [_("Text of at most %(most)s characters", most=format_number(LONGEST))]
    elif problem := problem_of(content):
        errors["body"] = [problem]
    if values.get("numbering") and (problem := numbering.problem_of(values["numbering"])):
        errors["numbering"] = [problem]
    if errors:
        raise RecordInvalid(errors)
