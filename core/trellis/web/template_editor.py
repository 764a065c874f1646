"""The editor of templates as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, request

from trellis.edition import EntityView
from trellis.i18n import translator
from trellis.records.query import ListQuery
from trellis.web.display import control, title_of
from trellis.web.template_kinds import TemplateKind
from trellis.web.views.lists import base

_ = translator("trellis")


def editor(
    kind: TemplateKind, record_id: int | None, values: Mapping[str, Any], errors: Mapping[str, list[str]]
) -> dict[str, Any]:
    """The editor of a template: its fields, what it may name, and a record to try it on."""
    entity = values["of_entity"]
    view, own = g.edition.entity(entity), g.edition.entity(kind.entity)
    list_url = f"{base()}/{kind.entity}"
    fields = [
        control(g.edition, base(), own.fields[name], values.get(name), errors=errors.get(name))
        for name in kind.edited
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
        "groups": list(kind.fields(view)),
        "preview_url": f"{list_url}/preview",
        "cancel_url": f"{list_url}/{record_id}" if record_id else list_url,
    }


def _first(view: EntityView) -> tuple[int, str] | None:
    """A record to begin with: the newest that the reader may see."""
    query = ListQuery(view, g.edition, g.actor, sort=["-created_at"], fields=[view.info.title_field], limit=1)
    found = query.page(g.session).items
    return (found[0].id, title_of(view, found[0])) if found else None
