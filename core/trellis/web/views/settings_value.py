"""Settings: what the analytics of customer value assume. Figures follow when somebody looks next."""

from __future__ import annotations

import dataclasses
from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.analytics import product_figures
from trellis.crm.analytics.assumptions import Assumptions
from trellis.crm.analytics.organisation import DECIDED
from trellis.crm.analytics.product_figures import ASSUMPTIONS as PRODUCTS
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.jobs import enqueue
from trellis.records.types import Percent
from trellis.web.display import control, read_form
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_value", __name__)
blueprint.before_request(only_administrators)

Errors = dict[str, list[str]]


@blueprint.get("/<workspace>/settings/value")
def show(workspace: str) -> str:
    return _page({}, {})


@blueprint.post("/<workspace>/settings/value")
def save(workspace: str) -> BaseResponse | tuple[str, int]:
    typed = {key: request.form.getlist(key)[-1] for key in request.form}
    decided: dict[str, Any] = dict(g.edition.settings.analytics)
    errors: Errors = {}
    for one in DECIDED:
        given = {
            field.name: read_form(field, typed[_key(one, field.name)])
            for field in one.declared(g.edition)
            if _key(one, field.name) in typed
        }
        try:
            decided[one.name] = one.checked(g.edition, given)
        except RecordInvalid as error:
            errors |= {_key(one, name): texts for name, texts in messages(error).items()}
    if errors:
        return _page(typed, errors), 422
    known = g.edition.settings.analytics
    g.workspace.save_settings(g.session, {"analytics": decided}, g.actor)
    if decided.get(PRODUCTS.name) != known.get(PRODUCTS.name):
        enqueue(g.session, product_figures.KIND, {}, None)
    toast(_("Saved"))
    return go(request.path)


def _key(assumptions: Assumptions, name: str) -> str:
    return f"{assumptions.name}/{name}"


def _page(typed: dict[str, str], errors: Errors) -> str:
    groups, labels = [], {}
    for one in DECIDED:
        values = one.of(g.edition)
        fields = []
        for field in one.declared(g.edition):
            key = _key(one, field.name)
            labels[key] = str(field.label)
            named = dataclasses.replace(field, name=key)
            made = control(
                g.edition, base(), named, typed.get(key, values[field.name]), errors=errors.get(key, [])
            )
            addon = "%" if isinstance(field.type, Percent) else ""
            fields.append({**made, "no_blank": True, "origin": None, "addon": addon})
        groups.append({"title": str(one.title), "about": str(one.about), "fields": fields})
    problems = [
        {"field": labels.get(key, key), "id": key, "text": " ".join(found)} for key, found in errors.items()
    ]
    form = {"action": request.path, "groups": groups, "problems": problems}
    return settings_page("settings/value.html", "value", _("Customer value"), form=form)
