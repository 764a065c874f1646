"""Settings: roles and their rights."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Direction, FieldRight, Grant, Role, Scope
from trellis.crm.project.rows import DIRECTIONS
from trellis.edition import OWN, EntityView
from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import format_number, plural_translator, translator
from trellis.security.actor import merge_grants
from trellis.security.field_rights import always_readable
from trellis.security.people import User
from trellis.security.roles import remove_role, save_role
from trellis.settings.names import new_name
from trellis.web.display import origin
from trellis.web.overlay import dialog_form
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("settings_roles", __name__)
blueprint.before_request(only_administrators)

SCOPES = {
    Scope.NONE: _("None"),
    Scope.OWN: _("Own"),
    Scope.UNIT: _("My unit"),
    Scope.ALL: _("All"),
}


FIELD_RIGHTS = {
    FieldRight.NONE: _("Hidden"),
    FieldRight.READ: _("Reads only"),
    FieldRight.WRITE: _("Reads and edits"),
}


@blueprint.get("/<workspace>/settings/roles")
def show(workspace: str) -> str:
    people: dict[str, int] = {}
    for names in g.session.scalars(sa.select(User.roles).where(User.deleted_at.is_(None))):
        for name in names:
            people[name] = people.get(name, 0) + 1
    url = f"{base()}/settings/roles"
    rows = [
        {
            "title": str(role.title),
            "description": str(role.description or ""),
            "origin": origin(g.edition, role.owner),
            "people": format_number(people.get(role.name, 0)),
            "rights_text": _rights(role),
            "url": f"{url}/{role.name}",
            "administrator": role.administrator,
            "remove_url": f"{url}/{role.name}/remove" if role.owner == OWN else "",
        }
        for role in g.edition.all(Role).values()
    ]
    roles = {"new_url": f"{url}/new", "rows": rows}
    return settings_page(
        "settings/roles.html", "users", _("Roles"), roles=roles, users_url=f"{base()}/settings/users"
    )


@blueprint.get("/<workspace>/settings/roles/<name>")
def edit(workspace: str, name: str) -> str:
    if name == "new":
        source = g.edition.all(Role).get(request.args.get("copy", ""))
        return _page(None, source, {})
    role = g.edition.all(Role).get(name)
    if role is None:
        abort(404)
    return _page(role, role, {})


@blueprint.post("/<workspace>/settings/roles/<name>")
def save(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    known = g.edition.all(Role).get(name)
    if known is not None and known.owner != OWN:
        abort(403)
    if known is None and name != "new":
        abort(404)
    title = request.form.get("title", "").strip()
    kept_as = name if known else new_name(title, g.edition.all(Role), "role")
    rights: dict[str, dict[str, Any]] = {
        view: {
            "read": request.form.get(f"{view}.read", "none"),
            "create": request.form.get(f"{view}.create") == "true",
            "update": request.form.get(f"{view}.update", "none"),
            "delete": request.form.get(f"{view}.delete", "none"),
        }
        for view in g.edition.entities
    }
    for view in g.edition.entities.values():
        kept = always_readable(view)
        chosen = {name: request.form.get(f"{view.name}/{name}", "write") for name in view.fields}
        rights[view.name]["fields"] = {
            name: "read" if right == "none" and name in kept else right
            for name, right in chosen.items()
            if right != "write" and not (view.fields[name].read_only and right == "read")
        }
    try:
        personal_data = request.form.getlist("personal_data")[-1:] == ["true"]
        _check_title(title, kept_as)
        save_role(g.session, kept_as, title, rights, personal_data=personal_data, actor=g.actor)
    except RecordInvalid as error:
        return _page(known, known, messages(error)), 422
    toast(_("Saved"))
    return go(f"{base()}/settings/roles")


@blueprint.get("/<workspace>/settings/roles/<name>/remove")
def confirm_removal(workspace: str, name: str) -> str:
    role = _own(name)
    dialog = {
        "title": str(_("Remove the role “%(name)s”?", name=str(role.title))),
        "action": request.path,
        "text": str(_("Its rights are gone for good.")),
        "verb": str(_("Remove role")),
        "danger": True,
        "fields": [],
    }
    return dialog_form(dialog)


@blueprint.post("/<workspace>/settings/roles/<name>/remove")
def remove(workspace: str, name: str) -> BaseResponse:
    try:
        remove_role(g.session, _own(name).name, g.actor)
        toast(_("Role removed"))
    except Conflict as error:
        toast(str(error))
    return go(f"{base()}/settings/roles")


def _own(name: str) -> Role:
    role: Role | None = g.edition.all(Role).get(name)
    if role is None or role.owner != OWN:
        abort(404)
    return role


def _check_title(title: str, name: str) -> None:
    """Raises RecordInvalid for a title that another role has: people choose roles by it."""
    others = (one for one in g.edition.all(Role).values() if one.name != name)
    if any(str(one.title).casefold() == title.casefold() for one in others):
        raise RecordInvalid({"title": [_("There is a role of this name already")]})


def _rights(role: Role) -> str:
    if role.administrator:
        return str(_("Everything, settings and people too"))
    grants = merge_grants([role], g.edition.confidential)
    found = [grants.get(name, grants.get("*")) for name in g.edition.entities]
    held = [one for one in found if one is not None]
    return str(
        _n(
            "Sees %(num)s kind of records, changes %(writes)s",
            "Sees %(num)s kinds of records, changes %(writes)s",
            sum(one.read is not Scope.NONE for one in held),
            writes=sum(one.create or one.update is not Scope.NONE for one in held),
        )
    )


def _page(role: Role | None, source: Role | None, errors: dict[str, list[str]]) -> str:
    may_edit = role is None or role.owner == OWN
    title = str(role.title) if role else str(_("New role"))
    field = {
        "id": "title",
        "name": "title",
        "label": str(_("Name")),
        "kind": "text",
        "value": str(role.title) if role else "",
        "required": True,
        "errors": errors.get("title", []),
    }
    context = {
        "title": title,
        "description": str(role.description or "") if role else "",
        "origin": origin(g.edition, role.owner) if role else None,
        "action": request.path,
        "may_edit": may_edit and not (role and role.administrator),
        "copy_url": f"{base()}/settings/roles/new?copy={role.name}"
        if role and not role.administrator
        else "",
        "fields": [field, _personal_data(source)] if may_edit else [],
        "problems": [
            {"field": field["label"] if name == field["name"] else name, "id": name, "text": " ".join(found)}
            for name, found in errors.items()
        ],
        "scopes": [{"value": scope.value, "title": str(text)} for scope, text in SCOPES.items()],
        "groups": _groups(source),
    }
    return settings_page("settings/role.html", "users", title, role=context)


def _personal_data(role: Role | None) -> dict[str, Any]:
    return {
        "id": "personal_data",
        "name": "personal_data",
        "label": str(_("Takes out and erases personal data")),
        "kind": "boolean",
        "value": role is not None and (role.personal_data or role.administrator),
        "help": str(_("Everything that is kept about a person, also what the rights below do not open")),
    }


def _fields(view: EntityView, role: Role | None) -> dict[str, Any]:
    """The matrix of an entity's fields, and in a word how many of them are limited."""
    given = next((grant.fields for grant in role.grants if grant.entity == view.name), {}) if role else {}
    kept = always_readable(view)
    fields = []
    for field in view.fields.values():
        rights = [FieldRight.WRITE] if field.read_only else [FieldRight.WRITE, FieldRight.READ]
        rights += [] if field.name in kept else [FieldRight.NONE]
        right = given.get(field.name, FieldRight.WRITE)
        titles = {FieldRight.WRITE: FIELD_RIGHTS[FieldRight.READ]} if field.read_only else {}
        options = [
            {"value": one.value, "title": str(titles.get(one, FIELD_RIGHTS[one])), "selected": one is right}
            for one in rights
        ]
        fields.append(
            {
                "name": f"{view.name}/{field.name}",
                "title": str(field.label),
                "origin": origin(g.edition, field.owner),
                "options": options,
                "fixed": len(options) == 1,
            }
        )
    limited = sum(name in view.fields for name in given)
    text = _n("%(num)s field limited", "%(num)s fields limited", limited) if limited else _("All fields")
    return {"fields": fields, "fields_text": str(text), "limited": bool(limited)}


def _groups(role: Role | None) -> list[dict[str, Any]]:
    """The rights of a role on every entity, by direction; those that “all others” gives are written out."""
    grants = merge_grants([role], g.edition.confidential) if role else {}
    everything = Scope.ALL if role and role.administrator else None
    groups: dict[str, list[dict[str, Any]]] = {}
    for view in g.edition.entities.values():
        grant = grants.get(view.name) or grants.get("*") or Grant(view.name, read=Scope.NONE)
        row = {
            "entity": view.name,
            "title": str(view.info.plural),
            "origin": origin(g.edition, view.owner),
            "read": (everything or grant.read).value,
            "create": bool(everything) or grant.create,
            "update": (everything or grant.update).value,
            "delete": (everything or grant.delete).value,
            **_fields(view, role),
        }
        groups.setdefault(view.info.direction, []).append(row)
    return [
        {
            "title": str(DIRECTIONS[direction]) if direction in DIRECTIONS else str(_("Other")),
            "rows": groups[direction],
        }
        for direction in [*Direction, ""]
        if direction in groups
    ]
