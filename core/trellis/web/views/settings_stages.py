"""Settings: the rules under which customers stand in the stages of their lifecycle."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import orjson
from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Rule
from trellis.crm.customers import standing
from trellis.crm.customers.stages import TITLES
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.saying import in_words
from trellis.segments import engine as segments
from trellis.settings.stages import NEVER, checked, usual_rule
from trellis.web.display import origin
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_stages", __name__)
blueprint.before_request(only_administrators)


@blueprint.get("/<workspace>/settings/stages")
def show(workspace: str) -> str:
    return _page(g.edition.settings.stage_rules, {})


@blueprint.post("/<workspace>/settings/stages")
def save(workspace: str) -> BaseResponse | tuple[str, int]:
    given: dict[str, Rule] = {}
    try:
        given, missing = _given()
        rules = checked(g.edition, given)
        if missing:
            raise RecordInvalid({stage: [_("Add a comparison to the rule")] for stage in missing})
    except RecordInvalid as error:
        return _page(given, messages(error)), 422
    g.workspace.save_settings(g.session, {"stage_rules": rules}, g.actor)
    segments.lock(g.session)
    standing.refresh(g.session, g.workspace.compose(g.session))
    toast(_("Saved"))
    return go(request.path)


def _given() -> tuple[dict[str, Rule], list[str]]:
    """The rules of the form by stage, and the stages that are to have one and have none."""
    rules: dict[str, Rule] = {}
    missing = []
    for stage in TITLES:
        match request.form.get(f"{stage}.choice"):
            case "never":
                rules[stage] = NEVER
            case "rule":
                rule = None
                with suppress(orjson.JSONDecodeError):
                    rule = orjson.loads(request.form.get(stage, ""))
                if rule:
                    rules[stage] = rule
                else:
                    missing.append(stage)
    return rules, missing


def _page(own: Any, errors: dict[str, list[str]]) -> str:
    form = {
        "action": request.path,
        "stages": [_stage(stage, own.get(stage), errors.get(stage, [])) for stage in reversed(list(TITLES))],
        "problems": [
            {"field": str(TITLES[stage]), "id": f"{stage}-rule", "text": " ".join(found)}
            for stage, found in errors.items()
        ],
    }
    return settings_page("settings/stages.html", "stages", _("Customer lifecycle"), form=form)


def _stage(stage: str, rule: Rule | None, problems: list[str]) -> dict[str, Any]:
    usual = usual_rule(g.edition, stage)
    view = g.edition.entity("customer")
    words = in_words(g.records, view, usual.rule) if usual.rule != {"all": []} else ""
    chosen = "rule" if problems else "usual" if rule is None else "never" if rule == NEVER else "rule"
    titles = {
        "usual": _("As it came: %(rule)s", rule=words) if words else _("As it came: every customer"),
        "rule": _("When a customer fits a rule"),
        "never": _("Never by itself"),
    }
    url = f"{base()}/customer"
    return {
        "name": stage,
        "title": str(TITLES[stage]),
        "origin": origin(g.edition, usual.owner),
        "choices": [
            {"value": value, "title": str(title), "chosen": value == chosen}
            for value, title in titles.items()
        ],
        "errors": problems,
        "editor": {
            "name": stage,
            "label": str(TITLES[stage]),
            "value": json.dumps(rule if rule is not None and rule != NEVER else usual.rule),
            "fields_url": f"{url}/rule-fields",
            "count_url": f"{url}/count",
            "text_url": f"{url}/rule-text",
        },
    }
