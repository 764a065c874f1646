"""What exists in this edition for whoever asks: entities with their fields, stages and rights."""

from __future__ import annotations

from typing import Any, get_args

from flask import Response, g

from trellis.contributions import Lifecycle, Rule
from trellis.edition import EntityView
from trellis.errors import EntityNotFound
from trellis.records import exits
from trellis.records.conditions import told
from trellis.records.entity import Field
from trellis.records.rules import operators
from trellis.records.types import Choice, Money, Reference, Text
from trellis.rest.answers import answer
from trellis.rest.arguments import no_arguments
from trellis.rest.calls import blueprint
from trellis.security.actor import Act

ACTS = get_args(Act)


@blueprint.get("/entities")
def entities(workspace: str) -> Response:
    no_arguments()
    views = [view for view in g.edition.entities.values() if _known(view)]
    return answer({"items": [_brief(view) for view in views]})


@blueprint.get("/entities/<name:entity>")
def entity(workspace: str, entity: str) -> Response:
    no_arguments()
    view = g.edition.entity(entity)
    if not _known(view):
        raise EntityNotFound(entity)
    fields = [_field(view, field) for field in view.fields.values()]
    lifecycles = [_lifecycle(view, one) for one in view.lifecycles]
    return answer({**_brief(view), "fields": fields, "lifecycles": lifecycles})


def _known(view: EntityView) -> bool:
    return any(g.actor.may(view.name, act) for act in ACTS)


def _brief(view: EntityView) -> dict[str, Any]:
    info = view.info
    return {
        "name": view.name,
        "title": str(info.title),
        "plural": str(info.plural),
        "plugin": view.owner,
        "direction": info.direction or None,
        "level": info.level or None,
        "title_field": info.title_field,
        "parent": info.parent,
        "permissions": {act: str(g.actor.scope(view.name, act)) for act in ACTS},
    }


def _field(view: EntityView, field: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": field.name,
        "type": field.type.name,
        "label": str(field.label),
        "help": str(field.help) if field.help else None,
        "plugin": field.owner,
        "extension": field.is_extension,
        "required": field.always_required,
        "required_when": told(g.edition, view, _required_when(field)),
        "visible_when": told(g.edition, view, field.visible_when),
        "read_only": field.read_only,
        "unique": field.unique,
        "searchable": field.searchable,
        "personal": field.personal,
        "operators": [operator.value for operator in operators(field, g.edition)],
    }
    match field.type:
        case Choice(options=options):
            shown["choices"] = [{"value": option.value, "label": str(option.label)} for option in options]
        case Reference(entity=target):
            shown["entity"] = target
        case Money(currency=currency):
            shown["currency"] = currency if currency in view.fields else g.edition.settings.currency
        case Text(length=length):
            shown["length"] = length
    return shown


def _required_when(field: Field) -> Rule | None:
    """A field that is required and hidden under a rule is required while it is shown."""
    return field.visible_when if field.required else field.required_when


def _lifecycle(view: EntityView, lifecycle: Lifecycle) -> dict[str, Any]:
    return {
        "name": lifecycle.name,
        "title": str(lifecycle.title),
        "plugin": lifecycle.owner,
        "field": lifecycle.field,
        "when": dict([lifecycle.when]) if lifecycle.when else None,
        "stages": [
            {
                "value": stage.value,
                "title": str(stage.title),
                "kind": stage.kind,
                "probability": stage.probability,
                "requires": list(stage.requires),
                "moves": list(stage.moves),
                "exit": exits.told(g.edition, view, stage.exit),
                "exit_text": str(stage.exit_text) or None,
            }
            for stage in lifecycle.stages
        ],
    }
