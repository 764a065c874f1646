"""One's own profile: language, notifications, the password, the second factor, the browsers one has signed in with, and API tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.errors import RecordInvalid, TooMany, TrellisError
from trellis.i18n import format_date, format_datetime, plural_translator, translator, zone_names
from trellis.notifications import choices
from trellis.process import absences
from trellis.records import types
from trellis.records.entity import Field
from trellis.security import browser_sessions, second_factor
from trellis.security.identities import change_password, set_preferences
from trellis.security.passkeys import passkeys_of
from trellis.security.people import LANGUAGES, User
from trellis.security.tokens import Limits, issue_token, revoke_token, tokens_of
from trellis.web import language, passkeys
from trellis.web import session as sessions
from trellis.web.display import control, origin
from trellis.web.shell import page, toast
from trellis.web.views import feeds
from trellis.web.views.lists import base, go, messages, whole_number

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("profile", __name__)

DAYS = (30, 90, 365)
Errors = dict[str, list[str]]


@blueprint.get("/<workspace>/profile")
def show(workspace: str) -> str:
    return _page({})


@blueprint.post("/<workspace>/profile/preferences")
def preferences(workspace: str) -> BaseResponse | tuple[str, int]:
    """How one reads pages: language, numbers and dates, time zone."""
    given = {name: request.form.get(name, "").strip() or None for name in ("language", "formats", "timezone")}
    try:
        set_preferences(g.session, g.actor, **given)
    except RecordInvalid as error:
        return _page(messages(error), preferred=given), 422
    toast(_("Saved"))
    return language.remember(go(f"{base()}/profile"), given["language"] or "")


@blueprint.post("/<workspace>/profile/password")
def password(workspace: str) -> BaseResponse | tuple[str, int, dict[str, str]]:
    """A new password for oneself; every other session ends, this one goes on."""
    given = request.form
    g.release()  # the password is checked and kept outside the workspace
    try:
        identity = change_password(
            g.installation,
            g.email,
            given.get("current", ""),
            given.get("password", ""),
            request.remote_addr or "",
        )
    except TooMany as error:
        found = {"current": [str(error.detail)]}
        return _page(found), error.status, {"Retry-After": str(error.seconds)}
    except TrellisError as error:
        return _page(messages(error)), error.status, {}
    browser_sessions.end_others(g.installation, identity.id, g.signed_in.number)
    sessions.sign_in(g.installation, identity)
    toast(_("The password is changed. Other browsers are signed out"))
    return go(f"{base()}/profile")


@blueprint.post("/<workspace>/profile/absence")
def absence(workspace: str) -> BaseResponse | tuple[str, int]:
    """When one is away, and who does one's tasks meanwhile."""
    given = {field.name: request.form.get(field.name, "").strip() for field in _ABSENCE}
    if "back" in request.form:
        absences.clear(g.session, g.actor.user_id)
        toast(_("Your tasks are yours alone again"))
        return go(f"{base()}/profile")
    try:
        values = {field.name: _checked(field, given[field.name]) for field in _ABSENCE}
        absences.keep(g.session, g.edition, g.actor.user_id, **values)
    except RecordInvalid as error:
        return _page(messages(error), absent=given), 422
    toast(_("Saved"))
    return go(f"{base()}/profile")


def _checked(field: Field, text: str) -> Any:
    try:
        return field.type.check(text or None)
    except types.ValueInvalid as error:
        raise RecordInvalid({field.name: [error.message]}) from None


@blueprint.post("/<workspace>/profile/sessions/end")
def end_others(workspace: str) -> BaseResponse:
    browser_sessions.end_others(g.installation, g.signed_in.identity_id, g.signed_in.number)
    toast(_("Other browsers are signed out"))
    return go(f"{base()}/profile")


@blueprint.post("/<workspace>/profile/sessions/<int:number>/end")
def end_one(workspace: str, number: int) -> BaseResponse:
    browser_sessions.end(g.installation, g.signed_in.identity_id, number)
    toast(_("Signed out there"))
    return go(f"{base()}/profile")


@blueprint.post("/<workspace>/profile/tokens")
def add_token(workspace: str) -> str | tuple[str, int]:
    """A new token; it is on this page and nowhere else."""
    g.signed_in.require_fresh(f"{base()}/profile")
    given = request.form
    days = given.get("days", "")
    try:
        if not given.get("title", "").strip():
            raise RecordInvalid({"title": [_("Say what the token is for")]})
        expires_at = datetime.now(UTC) + timedelta(days=int(days)) if days in map(str, DAYS) else None
        entities = [name for name in given.getlist("entities") if name]
        limits = Limits(given.get("reach") != "write", entities, expires_at)
        token = issue_token(g.session, g.edition, g.actor.user_id, given["title"], limits, g.actor)
    except RecordInvalid as error:
        return _page(messages(error)), 422
    return _page({}, token)


@blueprint.post("/<workspace>/profile/tokens/<int:token_id>/revoke")
def revoke(workspace: str, token_id: int) -> BaseResponse:
    revoke_token(g.session, g.actor, token_id)
    toast(_("The token opens nothing any more"))
    return go(f"{base()}/profile")


def _page(
    errors: Errors,
    token: str = "",
    preferred: Mapping[str, str | None] | None = None,
    absent: Mapping[str, Any] | None = None,
) -> str:
    profile = {
        "absence": _absence(errors, absent),
        "preferences": _preference_fields(errors, preferred),
        "email": g.email,
        "url": f"{base()}/profile",
        "password": _password_fields(errors),
        "problems": [
            {"field": str(_FIELDS.get(name, name)), "id": name, "text": " ".join(found)}
            for name, found in errors.items()
        ],
        "notifications": _notifications(),
        "calendar": _calendar() if g.actor.may("activity", "read") else None,
        "sessions": _sessions(),
        "tokens": _tokens(),
        "token": token,
        "token_fields": _token_fields(errors),
        "factor": _factor(),
        "confirm_url": "" if g.signed_in.fresh else f"{base()}/confirm?next={base()}/profile",
    }
    return page("profile.html", title=_("My profile"), icon="user-cog", profile=profile)


_FIELDS = {
    "current": _("Present password"),
    "password": _("New password"),
    "title": _("What for"),
    "entities": _("Records"),
    "language": _("Language"),
    "formats": _("Numbers and dates as in"),
    "timezone": _("Time zone"),
    "starts": _("First day"),
    "ends": _("Last day"),
    "substitute": _("Who does my tasks"),
}
_ABSENCE = (
    Field(name="starts", type=types.Date(), label=_FIELDS["starts"], required=True),
    Field(name="ends", type=types.Date(), label=_FIELDS["ends"], required=True),
    Field(name="substitute", type=types.Reference("user"), label=_FIELDS["substitute"], required=True),
)


def _absence(errors: Errors, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """When one is away, or was last."""
    kept = absences.of(g.session, g.actor.user_id) if g.actor.user_id is not None else None
    values: Mapping[str, Any] = given or (
        {"starts": kept.starts, "ends": kept.ends, "substitute": kept.substitute_id} if kept else {}
    )
    chosen = whole_number(str(values.get("substitute") or ""))
    name = g.session.scalar(sa.select(User.name).where(User.id == chosen)) if chosen else None
    return {
        "planned": kept is not None,
        "fields": [
            control(
                g.edition,
                base(),
                field,
                values.get(field.name),
                title=name or "",
                errors=errors.get(field.name),
            )
            for field in _ABSENCE
        ],
    }


def _field(name: str, kind: str, errors: Errors, **more: Any) -> dict[str, Any]:
    label = str(_FIELDS.get(name, name))
    common = {"id": name, "name": name, "label": label, "kind": kind, "value": "", "required": True}
    return {**common, "errors": errors.get(name, []), **more}


def _preference_fields(errors: Errors, given: Mapping[str, str | None] | None) -> list[dict[str, Any]]:
    kept = g.session.get_one(User, g.actor.user_id)
    values = given or {name: getattr(kept, name) for name in ("language", "formats", "timezone")}

    def options(name: str, usual: Any, known: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"value": value, "title": str(title), "selected": value == (values[name] or "")}
            for value, title in [("", usual), *known]
        ]

    languages = [(str(one.value), one.label) for one in LANGUAGES]
    zones = list(zone_names().items())
    usual = _("As in the workspace: %(zone)s", zone=g.edition.settings.timezone)
    more: dict[str, Any] = {"required": False, "no_blank": True}
    return [
        _field(
            "language",
            "choice",
            errors,
            options=options("language", _("As the browser asks"), languages),
            **more,
        ),
        _field(
            "formats", "choice", errors, options=options("formats", _("As the language"), languages), **more
        ),
        _field("timezone", "choice", errors, options=options("timezone", usual, zones), **more),
    ]


def _password_fields(errors: Errors) -> list[dict[str, Any]]:
    advice = _("At least 12 characters; four words that have nothing to do with each other are good")
    return [
        _field("current", "password", errors, autocomplete="current-password"),
        _field("password", "password", errors, autocomplete="new-password", help=str(advice)),
    ]


def _token_fields(errors: Errors) -> list[dict[str, Any]]:
    def option(value: object, title: Any) -> dict[str, Any]:
        return {"value": str(value), "title": str(title), "selected": False}

    lasting = [option(days, _n("%(num)s day", "%(num)s days", days)) for days in DAYS]
    entities = [
        option(view.name, view.info.plural)
        for view in g.edition.entities.values()
        if g.actor.may(view.name, "read")
    ]
    reach = [option("read", _("Reads only")), option("write", _("Reads and edits"))]
    everything = str(_("None chosen means all that your roles open"))
    return [
        _field("title", "text", errors, maxlength=120),
        _field("reach", "choice", errors, label=str(_("May")), options=reach, no_blank=True),
        _field("entities", "choices", errors, options=entities, required=False, help=everything),
        _field(
            "days",
            "choice",
            errors,
            label=str(_("Ends after")),
            options=[*lasting, option("", _("Never"))],
            no_blank=True,
        ),
    ]


def _notifications() -> dict[str, Any]:
    """How one wants to be told of each kind."""
    found = choices.chosen_by(g.session, g.edition, g.actor.user_id)
    return {
        "rows": [
            {
                "name": one.kind.name,
                "title": str(one.kind.title),
                "origin": origin(g.edition, one.kind.owner),
                "in_app": one.in_app,
                "mail": one.mail,
            }
            for one in found
        ],
        "mails": bool(g.installation.config.smtp_url and g.installation.config.mail_from),
    }


def _calendar() -> dict[str, Any]:
    """The calendar that other programs may subscribe to; its address is for who has just shown that it is them."""
    address = feeds.address()
    return {
        "on": address is not None,
        "address": address if g.signed_in.fresh else "",
        "url": f"{base()}/profile/calendar",
    }


def _sessions() -> list[dict[str, Any]]:
    found = browser_sessions.sessions_of(g.installation, g.signed_in.identity_id)
    return [
        {
            "device": browser_sessions.device_name(one.device),
            "address": one.address,
            "used": format_datetime(one.last_used_at),
            "here": one.id == g.signed_in.number,
            "end_url": f"{base()}/profile/sessions/{one.id}/end",
        }
        for one in found
    ]


def _factor() -> dict[str, Any]:
    """The second factor as the profile shows it."""
    url, who = f"{base()}/profile", g.signed_in.identity_id
    found = second_factor.factors_of(g.installation, who)
    left = _n("%(num)s is left", "%(num)s are left", found.recovery_codes)
    return {
        "app_since": format_date(found.app_since) if found.app_since else "",
        "set_up_url": f"{url}/second-factor",
        "off_url": f"{url}/second-factor/off",
        "codes_left": str(left) if found else "",
        "codes_url": f"{url}/second-factor/codes",
        "passkeys": [
            {
                "name": one.name,
                "added": format_date(one.created_at),
                "used": format_datetime(one.last_used_at) if one.last_used_at else str(_("Not yet")),
                "remove_url": f"{url}/passkeys/{one.id}/remove",
            }
            for one in passkeys_of(g.installation, who)
        ],
        "passkey": passkeys.asking(f"{url}/passkeys", _("Add a passkey"), new=True),
    }


def _tokens() -> list[dict[str, Any]]:
    known = g.edition.entities
    return [
        {
            "title": one.title,
            "may": str(_("Reads only") if one.read_only else _("Reads and edits")),
            "entities": ", ".join(str(known[name].info.plural) for name in one.entities if name in known)
            or str(_("All")),
            "ends": format_date(one.expires_at) if one.expires_at else str(_("Never")),
            "used": format_datetime(one.last_used_at),
            "revoke_url": f"{base()}/profile/tokens/{one.id}/revoke",
        }
        for one in tokens_of(g.session, g.actor.user_id)
    ]
