"""Settings: the rules under which a field is required and shown."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import orjson
from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Rule
from trellis.edition import EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import Text, translator
from trellis.records.conditions import ATTRIBUTES
from trellis.records.entity import Field
from trellis.settings.conditions import decide, decided, forget
from trellis.web.display import origin
from trellis.web.filters import builder_words, fields_of
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_conditions", __name__)
blueprint.before_request(only_administrators)

ALWAYS: Rule = {"all": []}
CHOICES: dict[str, tuple[tuple[str, Text], ...]] = {
    "required_when": (
        ("none", _("No")),
        ("always", _("Always")),
        ("rule", _("When the record fits a rule")),
    ),
    "visible_when": (("none", _("Always")), ("rule", _("When the record fits a rule"))),
}
TITLES = {"required_when": _("Required"), "visible_when": _("Shown on forms and record pages")}


@blueprint.get("/<workspace>/settings/fields/<entity>/<name>/rules")
def show(workspace: str, entity: str, name: str) -> str:
    view, declared = _field(entity, name)
    return _page(view, declared, {})


@blueprint.post("/<workspace>/settings/fields/<entity>/<name>/rules")
def save(workspace: str, entity: str, name: str) -> BaseResponse | tuple[str, int]:
    view, declared = _field(entity, name)
    rules: dict[str, Rule | None] = dict.fromkeys(ATTRIBUTES)
    try:
        rules = {attribute: _given(attribute) for attribute in ATTRIBUTES}
        decide(g.session, g.edition, entity, name, rules, g.actor)
    except RecordInvalid as error:
        return _page(view, declared.under(**rules), messages(error)), 422
    toast(_("Rules of “%(label)s” saved", label=declared.label))
    return go(f"{base()}/settings/fields?entity={entity}")


@blueprint.post("/<workspace>/settings/fields/<entity>/<name>/rules/forget")
def reset(workspace: str, entity: str, name: str) -> BaseResponse:
    _view, declared = _field(entity, name)
    forget(g.session, entity, name, g.actor)
    toast(_("“%(label)s” has the rules again that it came with", label=declared.label))
    return go(f"{base()}/settings/fields?entity={entity}")


@blueprint.get("/<workspace>/settings/fields/<entity>/<name>/rule-fields")
def rule_fields(workspace: str, entity: str, name: str) -> dict[str, Any]:
    """What the rule builder offers: the other fields of the record."""
    view, declared = _field(entity, name)
    offered = [one for one in fields_of(view, g.edition, base()) if one["name"] != declared.name]
    return {"fields": offered, "days": builder_words()}


def _field(entity: str, name: str) -> tuple[EntityView, Field]:
    view: EntityView = g.edition.entity(entity)
    declared = view.fields.get(name)
    if declared is None or declared.read_only:
        abort(404)
    return view, declared


def _given(attribute: str) -> Rule | None:
    """The rule of the form. Raises RecordInvalid when it is to be one and has no comparison."""
    match request.form.get(f"{attribute}.choice"):
        case "always":
            return ALWAYS
        case "rule":
            with suppress(orjson.JSONDecodeError):
                if rule := orjson.loads(request.form.get(attribute, "")):
                    return rule  # type: ignore[no-any-return]
            raise RecordInvalid({attribute: [_("Add a comparison to the rule")]})
    return None


def _page(view: EntityView, declared: Field, errors: dict[str, list[str]]) -> str:
    url = f"{base()}/settings/fields/{view.name}/{declared.name}"
    rules = {
        "title": str(_("Rules of “%(label)s”", label=declared.label)),
        "entity": str(view.info.plural),
        "origin": origin(g.edition, declared.owner),
        "action": f"{url}/rules",
        "cancel_url": f"{base()}/settings/fields?entity={view.name}",
        "forget_url": f"{url}/rules/forget" if decided(g.session, view.name, declared.name) else "",
        "parts": [
            _part(view, declared, attribute, url, errors.get(attribute, [])) for attribute in ATTRIBUTES
        ],
        "problems": [
            {"field": str(TITLES[name]), "id": f"{name}-none", "text": " ".join(found)}
            for name, found in errors.items()
        ],
    }
    return settings_page("settings/conditions.html", "fields", rules["title"], rules=rules)


def _part(view: EntityView, declared: Field, attribute: str, url: str, errors: list[str]) -> dict[str, Any]:
    rule = getattr(declared, attribute)
    asked = request.form.get(f"{attribute}.choice") if request.method == "POST" else None
    chosen = asked or ("none" if rule is None else "always" if rule == ALWAYS else "rule")
    fixed = declared.required and (attribute == "required_when" or not declared.is_extension)
    return {
        "name": attribute,
        "title": str(TITLES[attribute]),
        "choices": [
            {"value": value, "title": str(title), "chosen": value == chosen}
            for value, title in CHOICES[attribute]
        ],
        "fixed": str(_FIXED[attribute]) if fixed else "",
        "errors": errors,
        "editor": {
            "name": attribute,
            "label": str(TITLES[attribute]),
            "value": json.dumps(rule if chosen == "rule" else None),
            "fields_url": f"{url}/rule-fields",
            "count_url": f"{base()}/{view.name}/count",
            "text_url": f"{base()}/{view.name}/rule-text",
        },
    }


_FIXED = {
    "required_when": _("Always, as the field was declared"),
    "visible_when": _("Always: every record must have a value here"),
}
