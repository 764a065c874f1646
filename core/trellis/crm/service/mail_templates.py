"""Templates of mails that the organisation made."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped

from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.letters.templates import LONGEST, problem_of
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.events import BeforeSave
from trellis.records.types import Boolean, Choice, LongText, Text
from trellis.security.people import LANGUAGES

_ = translator("trellis")

_CONTENT = _("What it says")


class MailTemplate(Entity):
    """A mail over records of an entity, with their fields in braces: ``{record.name}``, ``{sender.name}``."""

    __tablename__ = "mail_template"
    __entity__ = EntityInfo(
        name="mail_template",
        title=_("Mail template"),
        plural=_("Mail templates"),
        new=_("New mail template"),
        icon="mail-plus",
        direction="service",
        level="operations",
        subtitle_field="of_entity",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    of_entity: Mapped[str] = column(
        Text(80, names="entity"),
        label=_("Records"),
        required=True,
        in_list=True,
        indexed=True,
    )
    language: Mapped[str | None] = column(
        Choice(LANGUAGES), label=_("Language"), help=_("That of the writer when left empty"), in_list=True
    )
    active: Mapped[bool] = column(Boolean(), label=_("In use"), required=True, default=True, in_list=True)
    subject: Mapped[str] = column(
        Text(), label=_("Subject"), required=True, searchable=True, in_list=True, group=_CONTENT
    )
    body: Mapped[str] = column(LongText(), label=_("Text"), required=True, searchable=True, group=_CONTENT)


def check(event: BeforeSave) -> None:
    """Its records are there, and what stands in its braces. Raises RecordInvalid."""
    template = {**event.before, **event.values}
    entity = template.get("of_entity")
    if entity is None or event.action not in ("created", "updated"):
        return
    if entity not in event.edition.entities:
        raise RecordInvalid({"of_entity": [_("There is no entity “%(entity)s”", entity=str(entity)[:80])]})
    errors: dict[str, list[Any]] = {}
    for name in ("subject", "body"):
        text = template.get(name) or ""
        problem = problem_of(event.edition, entity, text)
        if problem:
            errors[name] = [problem]
        elif len(text) > LONGEST:
            errors[name] = [_("At most %(most)s characters", most=LONGEST)]
    if errors:
        raise RecordInvalid(errors)
