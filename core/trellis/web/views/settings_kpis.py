"""Settings: KPIs without code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Direction, Kpi, Level, Unit
from trellis.crm.project.rows import DIRECTIONS, LEVELS
from trellis.edition import OWN, EntityView
from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import translator
from trellis.kpi.own import (
    AGGREGATES,
    dates_of,
    declaration_of,
    keys_of,
    left_out,
    numbers_of,
    remove_kpi,
    save_kpi,
    values_of,
)
from trellis.web.display import origin
from trellis.web.filters import builder_words, fields_of
from trellis.web.overlay import dialog_form
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_kpis", __name__)
blueprint.before_request(only_administrators)

UNITS = {
    Unit.COUNT: _("A number"),
    Unit.MONEY: _("Amount"),
    Unit.PERCENT: _("Percent"),
    Unit.RATIO: _("Ratio"),
    Unit.DAYS: _("Days"),
    Unit.HOURS: _("Hours"),
}
FORMULA = "formula"
LABELS = {
    "name": _("Name in REST and formulas"),
    "title": _("Title"),
    "aggregate": _("What is computed"),
    "field": _("Field"),
    "date": _("Belongs to a period by"),
    "breakdowns": _("Can be broken down by"),
    "rule": _("Rule"),
    "expression": _("Formula"),
    "unit": _("Unit of measure"),
    "direction": _("Direction"),
    "level": _("Level"),
}


@blueprint.get("/<workspace>/settings/kpis")
def show(workspace: str) -> str:
    path = f"{base()}/settings/kpis"
    rows = [
        {
            "name": name,
            "title": str(kpi.title),
            "origin": origin(g.edition, kpi.owner),
            "unit": str(UNITS.get(kpi.unit, kpi.unit.value)),
            "formula": str(kpi.formula or ""),
            "edit_url": f"{path}/{name}" if kpi.owner == OWN else "",
            "remove_url": f"{path}/{name}/remove" if kpi.owner == OWN else "",
        }
        for name, kpi in sorted(g.edition.all(Kpi).items(), key=lambda one: one[1].owner != OWN)
    ]
    rows += [
        {
            "name": name,
            "title": title,
            "origin": origin(g.edition, OWN),
            "unit": "",
            "formula": str(_("Not counted now: what it is over is not there, as while a plugin is disabled")),
            "edit_url": f"{path}/{name}" if _has_its_entity(declaration_of(g.session, name)) else "",
            "remove_url": f"{path}/{name}/remove",
        }
        for name, title in left_out(g.session, g.edition.whole)
    ]
    entities = [
        {"title": str(view.info.plural), "url": f"{path}/new?entity={view.name}"}
        for view in g.edition.entities.values()
        if dates_of(view)
    ]
    context = {"rows": rows, "entities": entities, "formula_url": f"{path}/new"}
    return settings_page("settings/kpis.html", "kpis", _("KPIs"), kpis=context)


@blueprint.get("/<workspace>/settings/kpis/new")
def new(workspace: str) -> str:
    entity = request.args.get("entity", "")
    if entity and entity not in g.edition.entities:
        abort(404)
    given = {"aggregate": "count" if entity else FORMULA, "entity": entity, "higher_is_better": True}
    return _page(
        "", {**given, "unit": "count" if entity else "ratio", "direction": "sales", "level": "tactics"}, {}
    )


@blueprint.post("/<workspace>/settings/kpis/new")
def create(workspace: str) -> BaseResponse | tuple[str, int]:
    return _save("")


@blueprint.get("/<workspace>/settings/kpis/<name>")
def edit(workspace: str, name: str) -> str:
    declaration = declaration_of(g.session, name)
    if not _has_its_entity(declaration):
        abort(404)
    return _page(name, declaration, {})


@blueprint.post("/<workspace>/settings/kpis/<name>")
def change(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    if not _has_its_entity(declaration_of(g.session, name)):
        abort(404)
    return _save(name)


def _has_its_entity(declaration: Mapping[str, Any]) -> bool:
    """Whether what is counted is there; without it a form would ask for a formula in its place."""
    return declaration["aggregate"] == FORMULA or declaration["entity"] in g.edition.entities


@blueprint.get("/<workspace>/settings/kpis/rule-fields/<entity>")
def rule_fields(workspace: str, entity: str) -> dict[str, Any]:
    """What the rule builder offers."""
    view = g.edition.entity(entity)
    return {"fields": fields_of(view, g.edition, base()), "days": builder_words()}


@blueprint.get("/<workspace>/settings/kpis/<name>/remove")
def confirm_removal(workspace: str, name: str) -> str:
    declaration = declaration_of(g.session, name)
    dialog = {
        "title": str(_("Stop counting “%(title)s”?", title=declaration["title"])),
        "text": str(_("Its targets and what was reported stay, and come back with a KPI of this name.")),
        "action": f"{base()}/settings/kpis/{name}/remove",
        "verb": str(_("Remove KPI")),
        "danger": True,
        "fields": [],
    }
    return dialog_form(dialog)


@blueprint.post("/<workspace>/settings/kpis/<name>/remove")
def remove(workspace: str, name: str) -> BaseResponse:
    try:
        remove_kpi(g.session, g.edition, g.actor, name)
        toast(_("KPI removed; its targets are kept"))
    except Conflict as error:
        toast(str(error))
    return go(f"{base()}/settings/kpis")


def _save(name: str) -> BaseResponse | tuple[str, int]:
    given = _declaration()
    try:
        saved = save_kpi(
            g.session, g.edition, g.actor, name or request.form.get("name", ""), given, new=not name
        )
    except RecordInvalid as error:
        return _page(name, given, messages(error)), 422
    except Conflict as error:
        return _page(name, given, {"name": [str(error)]}), 422
    toast(_("KPI “%(title)s” saved", title=saved.title))
    return go(f"{base()}/settings/kpis")


def _declaration() -> dict[str, Any]:
    """What the form says of a KPI."""
    form = request.form
    kept: dict[str, Any] = {
        key: form.get(key, "").strip()
        for key in ("title", "aggregate", "unit", "direction", "level", "about")
    }
    kept["higher_is_better"] = form.getlist("higher_is_better")[-1:] == ["true"]
    if kept["aggregate"] == FORMULA:
        return kept | {"expression": form.get("expression", "").strip()}
    rule: Any = None
    with suppress(orjson.JSONDecodeError):
        rule = orjson.loads(form.get("rule") or "null")
    chosen = {key: form.get(key, "") for key in ("entity", "field", "date")}
    breakdowns = [one for one in form.getlist("breakdowns") if one]
    return kept | chosen | {"breakdowns": breakdowns, "rule": rule if isinstance(rule, dict) else None}


def _page(name: str, given: Any, errors: dict[str, list[str]]) -> str:
    path = f"{base()}/settings/kpis"
    view = g.edition.entities.get(given.get("entity") or "")
    fields = [] if name else [_field("name", given, errors, help=_("Small latin letters, digits and _"))]
    fields += [_field("title", given, errors)]
    fields += _of_records(view, given, errors) if view else [_formula_field(given, errors)]
    fields += _common(given, errors)
    problems = [
        {"field": str(LABELS.get(key, key)), "id": key, "text": " ".join(found)}
        for key, found in errors.items()
    ]
    form = {
        "title": str(_("KPI “%(title)s”", title=given["title"]) if name else _("New KPI")),
        "about": str(
            _("Over %(entity)s", entity=view.info.plural) if view else _("A formula over other KPIs")
        ),
        "action": f"{path}/{name or 'new'}",
        "cancel_url": path,
        "hidden": [("entity", view.name)] if view else [("aggregate", FORMULA)],
        "fields": fields,
        "problems": problems,
        "editor": _editor(view, given) if view else None,
        "rule_errors": errors.get("rule", []),
        "known": []
        if view
        else [(key, str(kpi.title)) for key, kpi in g.edition.all(Kpi).items() if key != name],
    }
    return settings_page("settings/kpi.html", "kpis", form["title"], form=form)


def _common(given: Any, errors: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The fields of every KPI."""
    return [
        _choice("unit", given, errors, [(unit.value, title) for unit, title in UNITS.items()]),
        _choice("direction", given, errors, [(key.value, DIRECTIONS[key]) for key in Direction]),
        _choice("level", given, errors, [(key.value, LEVELS[key][0]) for key in Level]),
        {
            **_field("higher_is_better", given, errors, label=_("More is better")),
            "kind": "boolean",
            "value": bool(given.get("higher_is_better")),
            "required": False,
        },
        {
            **_field("about", given, errors, label=_("How it is counted, in words")),
            "kind": "long",
            "required": False,
        },
    ]


def _of_records(view: EntityView, given: Any, errors: dict[str, list[str]]) -> list[dict[str, Any]]:
    aggregates = [(key, title) for key, title in AGGREGATES.items() if key != FORMULA]
    known = [("", ""), *((one.name, one.label) for one in (*numbers_of(view), *values_of(view)))]
    return [
        _choice("aggregate", given, errors, aggregates),
        {
            **_choice(
                "field",
                given,
                errors,
                known,
                help=_(
                    "The number for a sum, an average, the smallest or the largest; for different values, what they are of"
                ),
            ),
            "required": False,
        },
        _choice("date", given, errors, [(one.column or "", one.label) for one in dates_of(view)]),
        _breakdowns(view, given, errors),
    ]


def _breakdowns(view: EntityView, given: Any, errors: dict[str, list[str]]) -> dict[str, Any]:
    chosen = given.get("breakdowns") or ()
    options = [
        {"value": one.name, "title": str(one.label), "selected": one.name in chosen} for one in keys_of(view)
    ]
    about = _("Beside unit, employee, channel and segment, where the records have them")
    field = _field("breakdowns", given, errors, help=about)
    return {**field, "kind": "choices", "several": True, "options": options, "required": False}


def _formula_field(given: Any, errors: dict[str, list[str]]) -> dict[str, Any]:
    about = _("Names of KPIs with + − * / and brackets: revenue / orders. Nothing to divide by is no value.")
    return _field("expression", given, errors, help=about)


def _editor(view: EntityView, given: Any) -> dict[str, Any]:
    return {
        "name": "rule",
        "label": str(LABELS["rule"]),
        "value": json.dumps(given.get("rule")),
        "fields_url": f"{base()}/settings/kpis/rule-fields/{view.name}",
        "count_url": f"{base()}/{view.name}/count",
        "text_url": f"{base()}/{view.name}/rule-text",
    }


def _field(
    name: str, given: Any, errors: dict[str, list[str]], *, label: Any = None, help: Any = ""
) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "label": str(label or LABELS[name]),
        "kind": "text",
        "value": request.form.get(name, "") if request.method == "POST" else given.get(name) or "",
        "required": True,
        "errors": errors.get(name, []),
        "help": str(help),
    }


def _choice(
    name: str, given: Any, errors: dict[str, list[str]], known: Any, *, help: Any = ""
) -> dict[str, Any]:
    made = _field(name, given, errors, help=help)
    options = [
        {"value": value, "title": str(title), "selected": value == made["value"]} for value, title in known
    ]
    return {**made, "kind": "choice", "options": options, "no_blank": True}
