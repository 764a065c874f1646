"""Settings: their second navigation, and the general ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.marketing.contacting import usual
from trellis.errors import RecordInvalid
from trellis.i18n import month_names, translator, weekday_names
from trellis.installation import check_settings
from trellis.web.shell import page, toast
from trellis.web.views.lists import base, go, messages, whole_number

_ = translator("trellis")

blueprint = Blueprint("settings", __name__)

LANGUAGES = {"en": _("English"), "ru": _("Russian")}
_DAYS = tuple(map(str, range(7)))
SECTIONS = (
    (
        _("Workspace"),
        (
            ("general", _("General")),
            ("users", _("Users and roles")),
            ("organisation", _("Organisation")),
            ("logo", _("Logo")),
            ("security", _("Security")),
        ),
    ),
    (
        _("Edition"),
        (
            ("plugins", _("Verticals")),
            ("fields", _("Fields")),
            ("kpis", _("KPIs")),
            ("value", _("Customer value")),
            ("funnels", _("Stages and funnels")),
            ("stages", _("Customer lifecycle")),
        ),
    ),
    (
        _("System"),
        (
            ("audit", _("Audit trail")),
            ("jobs", _("Background jobs")),
            ("webhooks", _("Webhooks")),
            ("backup", _("Backup and copies")),
            ("health", _("System health")),
        ),
    ),
)


def settings_page(template: str, here: str, title: Any, **context: Any) -> str:
    """A page of the settings, for administrators only."""
    nav = [
        {
            "title": str(heading),
            "items": [
                {"title": str(one), "url": f"{base()}/settings/{path}", "current": path == here}
                for path, one in items
            ],
        }
        for heading, items in SECTIONS
    ]
    crumbs = [(_("Settings"), "settings")]
    return page(template, title=title, crumbs=crumbs, icon="settings-2", settings_nav=nav, **context)


@blueprint.before_request
def only_administrators() -> None:
    if not g.actor.administrator:
        abort(403)


@blueprint.get("/<workspace>/settings")
def index(workspace: str) -> BaseResponse:
    return go(f"{base()}/settings/general")


@blueprint.get("/<workspace>/settings/general")
def general(workspace: str) -> str:
    return _form(dataclasses.asdict(g.edition.settings), {})


@blueprint.post("/<workspace>/settings/general")
def save_general(workspace: str) -> BaseResponse | tuple[str, int]:
    given: dict[str, Any] = {
        name: request.form.get(name, "").strip() for name in ("title", "language", "currency", "timezone")
    }
    for name in ("first_weekday", "fiscal_month"):
        text = request.form.get(name, str(getattr(g.edition.settings, name)))
        given[name] = whole_number(text) if text.isdecimal() else text
    given["mailing"] = _mailing()
    try:
        check_settings(workspace, replace(g.edition.settings, **given))
    except RecordInvalid as error:
        return _form(given, messages(error)), 422
    g.workspace.save_settings(g.session, given, g.actor)
    toast(_("Saved"))
    return go(request.path)


def _form(values: dict[str, Any], errors: dict[str, list[str]]) -> str:
    errors = {"language" if name == "locale" else name: found for name, found in errors.items()}
    options = [
        {"value": code, "title": str(title), "selected": values["language"] == code}
        for code, title in LANGUAGES.items()
    ]
    fields = [
        _field("title", _("Name"), values, errors),
        {
            **_field("language", _("Language"), values, errors),
            "kind": "choice",
            "options": options,
            "no_blank": True,
        },
        _field("currency", _("Currency"), values, errors),
        _field("timezone", _("Time zone"), values, errors),
        _choice("first_weekday", _("First day of the week"), enumerate(weekday_names()), values, errors),
        _choice(
            "fiscal_month", _("First month of the fiscal year"), enumerate(month_names(), 1), values, errors
        ),
    ]
    problems = [{"field": name, "id": name, "text": " ".join(found)} for name, found in errors.items()]
    groups = [(_("Workspace"), fields), (_("Mails to many: journeys and surveys"), _sending(values, errors))]
    form = {
        "action": request.path,
        "groups": [{"title": str(title), "fields": found} for title, found in groups],
        "problems": problems,
    }
    return settings_page("settings/general.html", "general", _("General"), form=form)


def _mailing() -> dict[str, Any]:
    """The terms of mails that go to many; those of before where the form does not have them."""
    if "quiet_from" not in request.form:
        return dict(g.edition.settings.mailing)
    texts = {name: request.form.get(name, "").strip() for name in ("quiet_from", "quiet_to")}
    numbers = {name: whole_number(request.form.get(name, "")) or 0 for name in ("limit", "limit_days")}
    days = sorted({int(one) for one in request.form.getlist("quiet_days") if one in _DAYS})
    return {**texts, **numbers, "quiet_days": days}


def _sending(values: dict[str, Any], errors: dict[str, list[str]]) -> list[dict[str, Any]]:
    terms = {**usual(g.edition), **values["mailing"]}
    hours = str(_("By the clock of the customer, else of the workspace; empty: none"))
    days = [
        {"value": str(one), "title": title, "selected": one in terms["quiet_days"]}
        for one, title in enumerate(weekday_names())
    ]
    at_most = str(_("New journeys begin with these terms, surveys follow them"))
    open_hours = {"required": False, "help": hours}
    return [
        {**_field("quiet_from", _("Quiet from"), terms, errors), **open_hours},
        {**_field("quiet_to", _("Quiet until"), terms, errors), **open_hours},
        {
            **_field("quiet_days", _("Quiet days"), terms, errors),
            "kind": "choices",
            "several": True,
            "options": days,
            "required": False,
        },
        {**_field("limit", _("Messages at most"), terms, errors), "help": at_most},
        _field("limit_days", _("In so many days"), terms, errors),
    ]


def _choice(
    name: str,
    label: Any,
    known: Iterable[tuple[int, str]],
    values: dict[str, Any],
    errors: dict[str, list[str]],
) -> dict[str, Any]:
    options = [{"value": value, "title": title, "selected": value == values[name]} for value, title in known]
    help_ = str(_("Periods in filters and segments follow it: this week, this quarter, this year"))
    made = _field(name, label, values, errors)
    return {**made, "kind": "choice", "options": options, "no_blank": True, "help": help_}


def _field(name: str, label: Any, values: dict[str, Any], errors: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "label": str(label),
        "kind": "text",
        "value": values[name],
        "required": True,
        "errors": errors.get(name, []),
    }
