"""Settings: the people of the workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import mail
from trellis.contributions import Role
from trellis.errors import Conflict, RecordInvalid, TrellisError
from trellis.i18n import format_number, format_time, translator
from trellis.records.mass import titles_of
from trellis.records.query import ListQuery, Record
from trellis.security import attempts, second_factor
from trellis.security.identities import (
    add_user,
    change_email,
    give_password,
    reset_second_factor,
    set_roles,
)
from trellis.security.people import User
from trellis.web.display import control, person
from trellis.web.overlay import dialog_form
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_users", __name__)
blueprint.before_request(only_administrators)


@blueprint.get("/<workspace>/settings/users")
def show(workspace: str) -> str:
    view = g.edition.entity("user")
    found = ListQuery(view, g.edition, g.actor, sort=("name",), limit=500).page(g.session).items
    roles = dict(g.session.execute(sa.select(User.id, User.roles)).all())
    known = g.edition.all(Role)
    emails = [record.values["email"] for record in found]
    locked = attempts.refused(g.installation, emails)
    protected = second_factor.holders(g.installation, emails)
    rows = [
        {
            "person": person(record.values["name"], record.id),
            "email": record.values["email"],
            "roles": [str(known[name].title) if name in known else name for name in roles.get(record.id, ())],
            "unit": record.titles.get("unit", ""),
            "state": _state(record, locked.get(record.values["email"])),
            "unlock_url": f"{base()}/settings/users/{record.id}/unlock"
            if record.values["email"] in locked
            else "",
            "reset_url": f"{base()}/settings/users/{record.id}/second-factor"
            if record.values["email"] in protected
            else "",
            "url": f"{base()}/user/{record.id}",
            "edit_url": f"{base()}/settings/users/{record.id}",
        }
        for record in found
    ]
    users = {"total": format_number(len(rows)), "add_url": f"{base()}/settings/users/new", "rows": rows}
    return settings_page(
        "settings/users.html", "users", _("Users"), users=users, roles_url=f"{base()}/settings/roles"
    )


def _state(record: Record, locked_until: datetime | None) -> dict[str, str]:
    if not record.values["active"]:
        return {"text": str(_("Closed")), "tone": "neutral"}
    if locked_until is not None:
        return {"text": str(_("Locked until %(time)s", time=format_time(locked_until))), "tone": "warn"}
    return {"text": str(_("Active")), "tone": "good"}


@blueprint.post("/<workspace>/settings/users/<int:user_id>/unlock")
def unlock(workspace: str, user_id: int) -> BaseResponse:
    """Lets somebody sign in again at once after too many failed attempts."""
    user = g.session.get(User, user_id)
    if user is None:
        abort(404)
    attempts.unlock(g.installation, user.email)
    toast(_("%(name)s may try again now", name=user.name))
    return go(f"{base()}/settings/users")


@blueprint.get("/<workspace>/settings/users/<int:user_id>/second-factor")
def ask_reset(workspace: str, user_id: int) -> str:
    user = g.session.get(User, user_id)
    if user is None:
        abort(404)
    dialog = {
        "title": str(_("Reset the second factor of %(name)s", name=user.name)),
        "text": str(
            _(
                "The app, the passkeys and the recovery codes are forgotten; the password alone opens the account"
            )
        ),
        "action": request.path,
        "verb": str(_("Reset")),
        "danger": True,
        "fields": [],
    }
    return dialog_form(dialog)


@blueprint.post("/<workspace>/settings/users/<int:user_id>/second-factor")
def reset_factor(workspace: str, user_id: int) -> BaseResponse:
    """Forgets the second factor of somebody who has lost it."""
    g.signed_in.require_fresh(f"{base()}/settings/users")
    user = g.session.get(User, user_id)
    if user is None:
        abort(404)
    name, email = user.name, user.email
    g.release()  # identities are kept outside the workspace
    try:
        reset_second_factor(g.installation, g.workspace, email, g.actor)
        toast(_("%(name)s signs in by the password alone now", name=name))
    except TrellisError as error:
        toast(str(error))
    return go(f"{base()}/settings/users")


@blueprint.get("/<workspace>/settings/users/new")
def new(workspace: str) -> str:
    return _dialog(None, {}, {})


@blueprint.post("/<workspace>/settings/users/new")
def create(workspace: str) -> BaseResponse | tuple[str, int]:
    given = request.form
    g.release()  # the user and the identity are written by two transactions of their own
    try:
        password = given.get("password") or None
        add_user(
            g.installation,
            g.workspace,
            given.get("email", ""),
            given.get("name", "").strip(),
            _roles(),
            password,
            g.actor,
        )
    except TrellisError as error:
        return _dialog(None, given, messages(error)), 422
    toast(_("%(name)s may sign in now", name=given.get("name") or given.get("email")))
    return go(f"{base()}/settings/users")


@blueprint.get("/<workspace>/settings/users/<int:user_id>")
def edit(workspace: str, user_id: int) -> str:
    user = g.session.get(User, user_id)
    if user is None:
        abort(404)
    return _dialog(user, {}, {})


@blueprint.post("/<workspace>/settings/users/<int:user_id>")
def save(workspace: str, user_id: int) -> BaseResponse | tuple[str, int]:
    user = g.session.get(User, user_id)
    if user is None:
        abort(404)
    active = request.form.getlist("active")[-1:] == ["true"]
    unit, given = request.form.get("unit", ""), request.form
    if given.get("password") or given.get("email", "").strip().lower() not in ("", user.email):
        g.signed_in.require_fresh(f"{base()}/settings/users")
    try:
        if user_id == g.actor.user_id and not (active and _administers(_roles())):
            raise RecordInvalid({"roles": [_("You cannot take your own administrator's rights away")]})
        changes = {"name": given.get("name"), "unit": int(unit) if unit.isdigit() else None, "active": active}
        g.records.update("user", user_id, changes)
        g.session.expire_all()
        set_roles(g.session, g.edition, g.actor, user_id, _roles())
        if given.get("password"):
            give_password(g.installation, g.workspace, user.email, given["password"])
        if given.get("email", "").strip().lower() not in ("", user.email):
            g.release()  # the address is changed by transactions of its own
            change_email(g.installation, g.workspace, user_id, given["email"], g.actor)
    except TrellisError as error:
        return _dialog(g.session.get(User, user_id), given, _at_email(error)), 422
    toast(_("Saved"))
    return go(f"{base()}/settings/users")


def _at_email(error: TrellisError) -> dict[str, list[str]]:
    return {"email": [str(error)]} if isinstance(error, Conflict) else messages(error)


def _roles() -> list[str]:
    return [name for name in request.form.getlist("roles") if name]


def _administers(roles: list[str]) -> bool:
    known = g.edition.all(Role)
    return any(known[name].administrator for name in roles if name in known)


def _dialog(user: User | None, given: Any, errors: dict[str, list[str]]) -> str:
    def field(name: str, label: Any, kind: str = "text", **more: Any) -> dict[str, Any]:
        value = given.get(name) or (getattr(user, name, "") if user else "")
        common = {
            "id": name,
            "name": name,
            "label": str(label),
            "kind": kind,
            "value": value,
            "errors": errors.get(name, []),
        }
        return {**common, **more}

    chosen = request.form.getlist("roles") or (user.roles if user else ["agent"])
    roles = [
        {"value": role.name, "title": str(role.title), "selected": role.name in chosen}
        for role in g.edition.all(Role).values()
    ]
    unit_id = user.unit_id if user else None
    called = titles_of(g.records, "unit", [unit_id]).get(unit_id, "") if unit_id else ""
    unit = control(g.edition, base(), g.edition.entity("user").fields["unit"], unit_id, title=called)
    fields = [
        field("name", _("Full name"), required=True),
        field(
            "email",
            _("E-mail"),
            "email",
            required=True,
            help=str(_("The sign-in moves with the address")) if user else "",
        ),
        field(
            "roles",
            _("Roles"),
            "choices",
            options=roles,
            required=True,
            errors=errors.get("role", []) + errors.get("roles", []),
        ),
        {**unit, "errors": errors.get("unit", [])},
        field(
            "password",
            _("Password"),
            "password",
            value="",
            required=user is None and not mail.may_send(g.installation.config),
            autocomplete="new-password",
            help=str(
                _("Leave it empty to keep the present one")
                if user
                else _("Counts for somebody who is new on this server; others keep their own")
            ),
        ),
    ]
    if user:
        fields.append(field("active", _("Active"), "boolean"))
    dialog = {
        "title": str(_("Edit %(name)s", name=user.name)) if user else str(_("Add a user")),
        "action": f"{base()}/settings/users/{user.id if user else 'new'}",
        "verb": str(_("Save") if user else _("Add a user")),
        "fields": fields,
    }
    return dialog_form(dialog)
