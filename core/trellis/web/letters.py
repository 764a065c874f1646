"""Mails and their templates as pages show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import g, request

from trellis.edition import EntityView
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import Text, current_language, translator, use_locale
from trellis.letters import templates
from trellis.letters.facts import RECORD, SENDER, LetterFacts
from trellis.records.entity import SYSTEM_FIELDS
from trellis.records.query import ListQuery
from trellis.web.display import control, title_of
from trellis.web.views.lists import base

_ = translator("trellis")

_EDITED = ("name", "language", "active", "subject", "body")
_KINDS = {"to": "email", "subject": "text", "text": "long"}


def letter_fields(
    labels: Mapping[str, Text], given: Mapping[str, str], errors: Mapping[str, list[str]]
) -> dict[str, dict[str, Any]]:
    """The fields of a mail, by name."""
    return {
        name: {
            "id": name,
            "name": name,
            "label": str(label),
            "kind": _KINDS[name],
            "value": given.get(name, ""),
            "required": True,
            "errors": errors.get(name, []),
            "options": [],
        }
        for name, label in labels.items()
    }


def editor(
    record_id: int | None, values: Mapping[str, Any], errors: Mapping[str, list[str]]
) -> dict[str, Any]:
    """The editor of a template: its fields, what it may name, and a record to try it on."""
    entity = values["of_entity"]
    view, own = g.edition.entity(entity), g.edition.entity(templates.ENTITY)
    list_url = f"{base()}/{templates.ENTITY}"
    fields = [
        control(g.edition, base(), own.fields[name], values.get(name), errors=errors.get(name))
        for name in _EDITED
        if name in own.fields
    ]
    for one in fields:
        if one["name"] == "active":
            one["value"] = values.get("active", True)
    example = _first(view)
    chooser = {
        "id": "record",
        "name": "record",
        "label": str(_("Try it on")),
        "kind": "reference",
        "value": example[0] if example else None,
        "required": False,
        "search_url": f"{base()}/{entity}/options",
        "options": [{"value": example[0], "title": example[1], "selected": True}] if example else [],
        "errors": [],
    }
    return {
        "action": request.path,
        "entity": entity,
        "records": str(view.info.plural),
        "version": values.get("version", "") if record_id else "",
        "fields": fields,
        "problems": [
            {
                "field": str(own.fields[name].label),
                "id": name,
                "text": " ".join(found),
            }
            for name, found in errors.items()
            if name in own.fields
        ],
        "notes": errors.get("_record", []),
        "chooser": chooser,
        "groups": list(_groups(view)),
        "preview_url": f"{list_url}/preview",
        "cancel_url": f"{list_url}/{record_id}" if record_id else list_url,
    }


def _first(view: EntityView) -> tuple[int, str] | None:
    """A record to begin with: the newest that the reader may see."""
    query = ListQuery(view, g.edition, g.actor, sort=["-created_at"], fields=[view.info.title_field], limit=1)
    found = query.page(g.session).items
    return (found[0].id, title_of(view, found[0])) if found else None


def _groups(view: EntityView) -> Iterator[dict[str, Any]]:
    """The fields that a template may name: of the record, of what it refers to, of who writes."""
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


def preview(entity: str, given: Mapping[str, Any], number: int | None) -> dict[str, Any]:
    """A template filled in with a record, or what is wrong with it."""
    shown: dict[str, Any] = {"subject": "", "body": "", "problems": []}
    for name in ("subject", "body"):
        problem = templates.problem_of(g.edition, entity, given[name] or "")
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
                shown[name] = templates.filled(name, given[name] or "", facts)
            except RecordInvalid as error:
                shown["problems"] += [str(one) for found in error.errors.values() for one in found]
    return shown
