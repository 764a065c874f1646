"""Settings: the stages of lifecycles, what they ask of a record and when it may leave them; funnels of one's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import orjson
from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Lifecycle, Stage
from trellis.edition import OWN, EntityView, Settings
from trellis.errors import RecordInvalid
from trellis.i18n import Text, translator
from trellis.records.entity import Field
from trellis.records.exits import words_of
from trellis.records.numbers import NumberUnclear, read_number
from trellis.settings.funnels import ENTITY, FIELD, checked_terms, declared
from trellis.system import WorkspaceState
from trellis.web.display import origin
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages, whole_number
from trellis.web.views.settings import only_administrators, settings_page
from trellis.workspace_state import lock, settings_of

_ = translator("trellis")

blueprint = Blueprint("settings_funnels", __name__)
blueprint.before_request(only_administrators)

SPARE = 3
"""Empty rows for further stages."""


@blueprint.get("/<workspace>/settings/funnels")
def index(workspace: str) -> str:
    rows = [
        {
            "title": str(lifecycle.title),
            "entity": str(view.info.plural),
            "origin": origin(g.edition, lifecycle.owner),
            "stages": " → ".join(str(stage.title) for stage in lifecycle.stages),
            "rules": [
                f"{stage.title}: {stage.exit_text or words_of(g.edition, g.actor, view, stage)}"
                for stage in lifecycle.stages
                if stage.exit is not None
            ],
            "url": f"{base()}/settings/funnels/{lifecycle.name}",
        }
        for view in g.edition.entities.values()
        for lifecycle in view.lifecycles
    ]
    lifecycles = {"rows": rows, "new_url": f"{base()}/settings/funnels/new"}
    return settings_page("settings/funnels.html", "funnels", _("Stages and funnels"), lifecycles=lifecycles)


@blueprint.get("/<workspace>/settings/funnels/new")
def new(workspace: str) -> str:
    usual = g.edition.entity(ENTITY).lifecycles[0]
    stages = [("", str(stage.title)) for stage in usual.stages if stage.kind == "open"]
    return _new_page("", stages, {})


@blueprint.post("/<workspace>/settings/funnels/new")
def create(workspace: str) -> BaseResponse | tuple[str, int]:
    title, stages = request.form.get("title", ""), _stages()
    try:
        name, funnel = declared(g.edition, title, stages)
    except RecordInvalid as error:
        return _new_page(title, stages, messages(error)), 422
    funnels = {**g.edition.settings.funnels, name: funnel}
    g.workspace.save_settings(g.session, {"funnels": funnels}, g.actor)
    toast(_("Saved"))
    return go(f"{base()}/settings/funnels/{name}")


@blueprint.get("/<workspace>/settings/funnels/<name>")
def show(workspace: str, name: str) -> str:
    view, lifecycle = _lifecycle(name)
    return _page(view, lifecycle, {stage.value: _decided(stage) for stage in lifecycle.stages}, {})


@blueprint.post("/<workspace>/settings/funnels/<name>")
def save(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    view, lifecycle = _lifecycle(name)
    settings, changed = _present(name)
    terms: dict[str, dict[str, Any]] = {}
    errors: dict[str, list[str | Text]] = {}
    for stage in lifecycle.stages:
        terms[stage.value] = _terms(view, stage, errors)
    if changed:
        return _page(view, lifecycle, terms, {}, _changed(lifecycle)), 409
    changes: dict[str, Any] = {"stage_terms": {**settings.stage_terms, name: terms}}
    try:
        if errors:
            raise RecordInvalid(errors)
        checked_terms(g.edition, view, terms)
        if lifecycle.owner == OWN:
            _name, funnel = declared(g.edition, request.form.get("title", ""), _stages(), name)
            for gone in _require_empty(lifecycle, funnel):
                del terms[gone]
            changes["funnels"] = {**settings.funnels, name: funnel}
    except RecordInvalid as error:
        return _page(view, lifecycle, terms, messages(error)), 422
    g.workspace.save_settings(g.session, changes, g.actor)
    toast(_("Saved"))
    return go(f"{base()}/settings/funnels")


@blueprint.post("/<workspace>/settings/funnels/<name>/forget")
def forget(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    """Gives stages back what they came with; of one's own, takes the funnel away where nothing is in it."""
    view, lifecycle = _lifecycle(name)
    settings, changed = _present(name)
    if changed:
        terms = {stage.value: _decided(stage) for stage in lifecycle.stages}
        return _page(view, lifecycle, terms, {}, _changed(lifecycle)), 409
    changes: dict[str, Any] = {"stage_terms": {k: v for k, v in settings.stage_terms.items() if k != name}}
    if lifecycle.owner == OWN:
        try:
            _require_empty(lifecycle, {"stages": []})
        except RecordInvalid as error:
            terms = {stage.value: _decided(stage) for stage in lifecycle.stages}
            return _page(view, lifecycle, terms, messages(error)), 422
        changes["funnels"] = {key: one for key, one in settings.funnels.items() if key != name}
    g.workspace.save_settings(g.session, changes, g.actor)
    toast(
        _("“%(label)s” is as it came again", label=lifecycle.title)
        if lifecycle.owner != OWN
        else _("Removed")
    )
    return go(f"{base()}/settings/funnels")


def _present(name: str) -> tuple[Settings, bool]:
    """The settings as nobody can change them until this has been written; whether they are others than the form was made of."""
    lock(g.session.connection())
    settings = settings_of(g.session.get_one(WorkspaceState, 1, populate_existing=True).settings)
    return settings, request.form.get("seen") != _digest(settings, name)


def _digest(settings: Settings, name: str) -> str:
    """Says which settings of a lifecycle a form was made of."""
    kept = orjson.dumps(
        [settings.funnels.get(name), settings.stage_terms.get(name)], option=orjson.OPT_SORT_KEYS
    )
    return hashlib.sha256(kept).hexdigest()[:16]


def _changed(lifecycle: Lifecycle) -> str:
    stages = " → ".join(str(one.title) for one in lifecycle.stages)
    text = _(
        "Not saved: somebody else has changed this meanwhile. There is now: %(stages)s. What you typed is kept; save again "
        "to write it over that",
        stages=stages,
    )
    return str(text)


def _lifecycle(name: str) -> tuple[EntityView, Lifecycle]:
    for view in g.edition.entities.values():
        for one in view.lifecycles:
            if one.name == name:
                return view, one
    abort(404)


def _stages() -> list[tuple[str, str]]:
    """The open stages of the form as (value, title); a new one has no value yet."""
    return list(zip(request.form.getlist("stage-value"), request.form.getlist("stage-title"), strict=False))


def _require_empty(lifecycle: Lifecycle, funnel: Mapping[str, Any]) -> list[str]:
    """The stages that are to go, all of them with the funnel. Raises RecordInvalid when opportunities are in one."""
    kept = {one["value"] for one in funnel["stages"]}
    gone = [
        one.value for one in lifecycle.stages if one.value not in kept and (one.kind == "open" or not kept)
    ]
    inside = [
        {"field": FIELD, "op": "eq", "value": lifecycle.name},
        {"field": "stage", "op": "in", "value": gone},
    ]
    if gone and (number := g.records.count(ENTITY, rule={"all": inside})):
        text = _("There are opportunities in what is to go (%(number)s); move them first", number=number)
        raise RecordInvalid({"stages": [text]})
    return gone


def _asked(view: EntityView) -> list[Field]:
    """The fields that a stage can ask for."""
    return [one for one in view.fields.values() if not one.read_only and not one.always_required]


def _decided(stage: Stage) -> dict[str, Any]:
    return {
        "probability": stage.probability,
        "days": stage.days,
        "requires": list(stage.requires),
        "exit": stage.exit,
        "exit_text": str(stage.exit_text),
    }


def _terms(view: EntityView, stage: Stage, errors: dict[str, list[str | Text]]) -> dict[str, Any]:
    """What the form decides for a stage."""
    form, name = request.form, stage.value
    chosen = form.getlist(f"{name}.requires")
    found: dict[str, Any] = {"requires": [one.name for one in _asked(view) if one.name in chosen]}
    if stage.kind != "open":
        return found
    chance, days = form.get(f"{name}.probability", "").strip(" %"), form.get(f"{name}.days", "").strip()
    found |= {
        "probability": None,
        "days": None,
        "exit": None,
        "exit_text": form.get(f"{name}.exit_text", "").strip(),
    }
    if chance:
        try:
            found["probability"] = float(read_number(chance, None, by_program=False) / Decimal(100))
        except NumberUnclear as error:
            errors[f"{name}.probability"] = [error.message]
    if days:
        number = whole_number(days)
        found["days"] = -1 if number is None else number
    if form.get(f"{name}.choice") == "rule":
        with suppress(orjson.JSONDecodeError):
            found["exit"] = orjson.loads(form.get(f"{name}.exit", "")) or None
        if found["exit"] is None:
            errors[f"{name}.exit"] = [_("Add a comparison to the rule")]
    return found


def _new_page(title: str, stages: list[tuple[str, str]], errors: dict[str, list[str]]) -> str:
    form = {
        "heading": str(_("New funnel")),
        "action": f"{base()}/settings/funnels/new",
        "cancel_url": f"{base()}/settings/funnels",
        "own": _own(title, stages, errors),
        "stages": [],
        "forget": "",
        "problems": _problems(errors, {}),
    }
    return settings_page("settings/funnel.html", "funnels", _("New funnel"), form=form)


def _page(
    view: EntityView,
    lifecycle: Lifecycle,
    terms: Mapping[str, Mapping[str, Any]],
    errors: dict[str, list[str]],
    told: str = "",
) -> str:
    url, own = f"{base()}/settings/funnels/{lifecycle.name}", lifecycle.owner == OWN
    stages = [(one.value, str(one.title)) for one in lifecycle.stages if one.kind == "open"]
    posted = request.method == "POST" and "stage-title" in request.form
    form = {
        "heading": str(lifecycle.title),
        "origin": origin(g.edition, lifecycle.owner),
        "entity": str(view.info.plural),
        "action": url,
        "told": told,
        "seen": _digest(g.edition.settings, lifecycle.name),
        "cancel_url": f"{base()}/settings/funnels",
        "own": _own(
            request.form.get("title", "") if posted else str(lifecycle.title),
            _stages() if posted else stages,
            errors,
        )
        if own
        else None,
        "stages": [_stage(view, one, terms.get(one.value, {}), errors) for one in lifecycle.stages],
        "forget": f"{url}/forget" if own or lifecycle.name in g.edition.settings.stage_terms else "",
        "forget_text": str(_("Remove the funnel") if own else _("Back to what it came with")),
        "problems": _problems(errors, {one.value: str(one.title) for one in lifecycle.stages}),
    }
    return settings_page("settings/funnel.html", "funnels", form["heading"], form=form)


def _own(title: str, stages: list[tuple[str, str]], errors: dict[str, list[str]]) -> dict[str, Any]:
    rows = [(value, text) for value, text in stages if value or text.strip()]
    return {
        "title": title,
        "rows": [{"value": value, "title": text} for value, text in [*rows, *[("", "")] * SPARE]],
        "title_errors": errors.get("title", []),
        "errors": errors.get("stages", []),
    }


def _problems(errors: Mapping[str, list[str]], titles: Mapping[str, str]) -> list[dict[str, str]]:
    found = []
    for name, texts in errors.items():
        stage, _dot, attribute = name.rpartition(".")
        where = f"{stage}-{attribute}" if stage else name
        found.append({"field": titles.get(stage, ""), "id": where, "text": " ".join(texts)})
    return found


def _stage(
    view: EntityView, stage: Stage, terms: Mapping[str, Any], errors: Mapping[str, list[str]]
) -> dict[str, Any]:
    name, url = stage.value, f"{base()}/{view.name}"
    chance, rule = terms.get("probability"), terms.get("exit")
    chosen = "rule" if rule is not None or f"{name}.exit" in errors else "none"
    return {
        "name": name,
        "title": str(stage.title),
        "open": stage.kind == "open",
        "probability": "" if chance is None else f"{(Decimal(str(chance)) * 100).normalize():f}",
        "days": "" if terms.get("days") in (None, -1) else terms["days"],
        "requires": [
            {"value": one.name, "title": str(one.label), "selected": one.name in terms.get("requires", ())}
            for one in _asked(view)
        ],
        "exit_text": terms.get("exit_text") or "",
        "choices": [
            {"value": "none", "title": str(_("At any time")), "chosen": chosen == "none"},
            {"value": "rule", "title": str(_("When the record fits a rule")), "chosen": chosen == "rule"},
        ],
        "errors": {
            one: errors.get(f"{name}.{one}", [])
            for one in ("probability", "days", "requires", "exit", "exit_text")
        },
        "editor": {
            "name": f"{name}.exit",
            "label": str(_("May go on from “%(stage)s”", stage=stage.title)),
            "value": json.dumps(rule),
            "fields_url": f"{url}/rule-fields",
            "count_url": f"{url}/count",
            "text_url": f"{url}/rule-text",
        },
    }
