"""Templates of mails: those of plugins and of the organisation, which are for a record, and what they make of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trellis.contributions import Template
from trellis.edition import OWN, Edition
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import LANGUAGES, Text, current_language, translator, use_locale
from trellis.letters.facts import RECORD, SENDER, LetterFacts, written
from trellis.process.expressions import compile_argument
from trellis.process.paths import check_path
from trellis.records.door import Records
from trellis.records.expressions import ExpressionFailed, ExpressionInvalid

_ = translator("trellis")

ENTITY = "mail_template"
LONGEST = 20_000
MOST = 200


@dataclass(frozen=True, kw_only=True)
class MailTemplate:
    """A template of a mail over records of an entity. That of the organisation is called by its number."""

    name: str
    title: str
    entity: str
    language: str
    subject: str
    body: str
    owner: str


def templates_for(records: Records, entity: str) -> list[MailTemplate]:
    """The templates for records of an entity that somebody may use, those of the organisation first."""
    return [*_own(records, entity), *_contributed(records.edition, entity)]


def all_contributed(edition: Edition) -> list[MailTemplate]:
    """The mail templates of plugins."""
    return [*_contributed(edition, None)]


def find(records: Records, entity: str, name: str) -> MailTemplate:
    """The template of that name. Raises RecordNotFound."""
    for one in templates_for(records, entity):
        if one.name == name:
            return one
    raise RecordNotFound()


def draft(records: Records, entity: str, record_id: int, template: MailTemplate) -> tuple[str, str]:
    """Subject and text of a mail from a record, in the language of the template. Raises RecordNotFound, RecordInvalid."""
    records.get(entity, record_id)
    facts = LetterFacts(records, entity, record_id)
    with use_locale(template.language or current_language()):
        subject = filled("subject", template.subject, facts)
        return " ".join(subject.split()), filled("body", template.body, facts)


def filled(field: str, text: str, facts: LetterFacts) -> str:
    """A text of a template, filled in. Raises RecordInvalid that names the field."""
    try:
        return written(compile_argument(text), facts)
    except KeyError as error:
        problem: Any = _("There is no “%(name)s”, or your role does not open it", name=str(error.args[0]))
    except (ExpressionInvalid, ExpressionFailed) as error:
        problem = str(error)
    raise RecordInvalid({field: [problem]})


def problem_of(edition: Edition, entity: str, text: str) -> str | Text:
    """What is wrong with a text of a template for records of an entity; empty when nothing is."""
    try:
        for path in compile_argument(text).paths:
            roots = {RECORD: edition.entities.get(entity), SENDER: edition.entities.get("user")}
            if path[0] not in roots or len(path) == 1:
                known = f"{{{RECORD}.…}}, {{{SENDER}.…}}"
                return _(
                    "“%(name)s” is not known here; begin with %(known)s", name=".".join(path), known=known
                )
            check_path(edition, roots[path[0]], path)
    except ExpressionInvalid as error:
        return str(error)
    except ValueError as error:
        return str(error)
    return ""


def check_template(edition: Edition, template: Template) -> None:
    """The template of a mail fits its entity. Raises ValueError."""
    if template.subject is None:
        return
    if template.language not in LANGUAGES or template.file.suffix != ".txt":
        raise ValueError(f"{template.name}: a mail template is a .txt file in one of {', '.join(LANGUAGES)}")
    for text in (template.subject, template.file.read_text(encoding="utf-8")):
        problem = problem_of(edition, template.entity, text)
        if problem:
            raise ValueError(f"{template.name}: {problem}")


def _own(records: Records, entity: str) -> Iterator[MailTemplate]:
    if ENTITY not in records.edition.entities or not records.actor.may(ENTITY, "read"):
        return
    rule = {
        "all": [
            {"field": "of_entity", "op": "eq", "value": entity},
            {"field": "active", "op": "eq", "value": True},
        ]
    }
    for one in records.list(ENTITY, rule=rule, sort=["name"], limit=MOST).items:
        yield MailTemplate(
            name=str(one.id),
            title=one.values["name"],
            entity=entity,
            language=one.values["language"] or "",
            subject=one.values["subject"],
            body=one.values["body"],
            owner=OWN,
        )


def _contributed(edition: Edition, entity: str | None) -> Iterator[MailTemplate]:
    for one in edition.all(Template).values():
        if one.subject is not None and entity in (None, one.entity):
            yield MailTemplate(
                name=one.name,
                title=str(one.title),
                entity=one.entity,
                language=one.language,
                subject=one.subject,
                body=text_of(edition, one),
                owner=one.owner,
            )


def text_of(edition: Edition, template: Template) -> str:
    """What the file of a template holds, read once."""
    key = ("text of template", template.name)
    text: str = edition.cached(key, lambda: template.file.read_text(encoding="utf-8").strip())
    return text
