"""The two kinds of templates that people write: of mails and of documents. Both have the same editor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nh3
from flask import g

from trellis.contributions import Template
from trellis.crm.customers.documents.entities import TEMPLATE
from trellis.documents.checking import problem_of as problem_of_marks
from trellis.documents.making import HTML, DocumentTemplate, make
from trellis.documents.values import names_of
from trellis.edition import Edition, EntityView
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import Text, current_language, translator, use_locale
from trellis.letters import templates as mails
from trellis.letters.facts import RECORD, SENDER, LetterFacts
from trellis.records.entity import SYSTEM_FIELDS

_ = translator("trellis")

_SHOWN = nh3.ALLOWED_TAGS - {"map", "area"}
_SILENT = {"script", "style", "title"}
_ATTRIBUTES = {
    "td": {"colspan", "align"},
    "th": {"colspan", "align"},
    "p": {"align"},
    "img": {"src", "alt", "width"},
}
_SCHEMES = {"http", "https", "mailto", "data"}


def _kept(tag: str, name: str, value: str) -> str | None:
    """Only pictures that stand in the text itself are shown, and nothing else of that kind is a link."""
    if name == "src":
        return value if value.startswith(("data:image/png;", "data:image/jpeg;")) else None
    return None if name == "href" and value.lower().lstrip().startswith("data:") else value


@dataclass(frozen=True, kw_only=True)
class Brought:
    """A template that a plugin brings, to be made one's own: ``values`` are the fields that it fills."""

    name: str
    title: str
    entity: str
    owner: str
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class TemplateKind:
    """What the editor has to know of a kind. ``edited`` are its fields in their order.

    ``fields`` yields groups of what a template may name; ``preview`` is what it makes of a record, or what is wrong with it.
    """

    entity: str
    new: Text
    edited: Sequence[str]
    brought: Callable[[Edition], Iterator[Brought]]
    fields: Callable[[EntityView], Iterator[dict[str, Any]]]
    preview: Callable[[str, Mapping[str, Any], int | None], dict[str, Any]]


def _mails_brought(edition: Edition) -> Iterator[Brought]:
    for one in mails.all_contributed(edition):
        values = {"language": one.language, "subject": one.subject, "body": one.body}
        yield Brought(name=one.name, title=one.title, entity=one.entity, owner=one.owner, values=values)


def _documents_brought(edition: Edition) -> Iterator[Brought]:
    for one in edition.all(Template).values():
        if one.subject is None and one.file.suffix.lower() == ".html":
            values = {"language": one.language, "body": mails.text_of(edition, one)}
            yield Brought(
                name=one.name, title=str(one.title), entity=one.entity, owner=one.owner, values=values
            )


def _mail_fields(view: EntityView) -> Iterator[dict[str, Any]]:
    """The fields of the record, of what it refers to, and of who writes."""
    edition = g.actor.sees(g.edition)
    yield {
        "title": str(view.info.title),
        "open": True,
        "fields": list(_named(edition.entity(view.name), RECORD)),
    }
    for name, field in edition.entity(view.name).references.items():
        target = edition.entities.get(field.type.entity)
        if target is not None and name != "unit" and g.actor.may(target.name, "read"):
            yield {
                "title": str(field.label),
                "open": False,
                "fields": list(_named(target, f"{RECORD}.{name}")),
            }
    fields = list(_named(edition.entity("user"), SENDER))
    yield {"title": str(_("Who writes")), "open": False, "fields": fields}


def _named(view: EntityView, start: str) -> Iterator[dict[str, str]]:
    for name, field in view.fields.items():
        if name not in SYSTEM_FIELDS and field.type.kind not in ("json",):
            yield {"label": str(field.label), "text": f"{{{start}.{name}}}"}


def _document_fields(view: EntityView) -> Iterator[dict[str, Any]]:
    """The fields of the record and of what it refers to, and loops over the lists that refer to it."""
    for place, group in enumerate(names_of(g.actor.sees(g.edition), g.actor, view)):
        fields = [{"label": label, "text": text} for label, text in group.marks]
        yield {"title": group.title, "open": not place, "fields": fields}


def _mail_preview(entity: str, given: Mapping[str, Any], number: int | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"subject": "", "body": "", "problems": []}
    for name in ("subject", "body"):
        problem = mails.problem_of(g.edition, entity, given[name] or "")
        if problem:
            shown["problems"].append(str(problem))
    if shown["problems"] or number is None:
        return shown
    try:
        g.records.get(entity, number)
    except RecordNotFound:
        return shown
    facts = LetterFacts(g.records, entity, number)
    with use_locale(given["language"] or current_language()):
        for name in ("subject", "body"):
            try:
                shown[name] = mails.filled(name, given[name] or "", facts)
            except RecordInvalid as error:
                shown["problems"] += [str(one) for found in error.errors.values() for one in found]
    return shown


def _document_preview(entity: str, given: Mapping[str, Any], number: int | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"problems": []}
    body = given["body"] or ""
    if problem := problem_of_marks(body):
        return {"problems": [str(problem)]}
    if number is None or not body:
        return shown
    template = DocumentTemplate(
        name="", title="", entity=entity, language=given["language"] or current_language(), content=body
    )
    try:
        made = make(g.records, template, number, HTML, {"number": "…", "version": 1})
    except RecordNotFound:
        return shown
    except RecordInvalid as error:
        return {"problems": [str(one) for found in error.errors.values() for one in found]}
    text = made.content.decode(errors="replace")
    html = nh3.clean(
        text,
        tags=_SHOWN,
        attributes=_ATTRIBUTES,
        clean_content_tags=_SILENT,
        attribute_filter=_kept,
        url_schemes=_SCHEMES,
    )
    return shown | {"html": html}


KINDS = {
    one.entity: one
    for one in (
        TemplateKind(
            entity=mails.ENTITY,
            new=_("New mail template"),
            edited=("name", "language", "active", "subject", "body"),
            brought=_mails_brought,
            fields=_mail_fields,
            preview=_mail_preview,
        ),
        TemplateKind(
            entity=TEMPLATE,
            new=_("New document template"),
            edited=("name", "language", "numbering", "body"),
            brought=_documents_brought,
            fields=_document_fields,
            preview=_document_preview,
        ),
    )
}
