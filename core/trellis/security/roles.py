"""Roles that the organisation made or changed, and the actor that a user is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import FieldRight, Grant, Role, Scope
from trellis.edition import Edition
from trellis.errors import Conflict, RecordInvalid, RecordNotFound
from trellis.i18n import Text, translator
from trellis.records import setup
from trellis.security.actor import SYSTEM, Actor, merge_grants
from trellis.security.field_rights import merge_field_rules
from trellis.security.people import OwnRole, Unit, User
from trellis.workspace_state import raise_revision

_ = translator("trellis")


def own_roles(session: Session) -> list[Role]:
    """The roles kept in the workspace, as contributions."""
    return [
        Role(
            name=role.name,
            title=Text(role.title),
            administrator=role.administrator,
            personal_data=role.personal_data,
            grants=tuple(grant_from_json(entity, rights) for entity, rights in role.grants.items()),
        )
        for role in session.scalars(sa.select(OwnRole).order_by(OwnRole.name))
    ]


def grant_from_json(entity: str, rights: Mapping[str, Any]) -> Grant:
    """A grant as kept: ``{"read": "all", "create": true, "update": "own", "delete": "none"}``."""
    try:
        return Grant(
            entity,
            read=Scope(rights.get("read", "none")),
            create=bool(rights.get("create", False)),
            update=Scope(rights.get("update", "none")),
            delete=Scope(rights.get("delete", "none")),
            fields=_field_rights(entity, rights.get("fields", {})),
        )
    except ValueError:
        known = ", ".join(scope.value for scope in Scope)
        raise RecordInvalid({entity: [_("A scope is one of: %(known)s", known=known)]}) from None


def _field_rights(entity: str, rights: Mapping[str, Any]) -> dict[str, FieldRight]:
    try:
        return {name: FieldRight(right) for name, right in rights.items() if right != FieldRight.WRITE}
    except ValueError:
        known = ", ".join(right.value for right in FieldRight)
        raise RecordInvalid({entity: [_("A right on a field is one of: %(known)s", known=known)]}) from None


def grant_to_json(grant: Grant) -> dict[str, Any]:
    """The opposite of :func:`grant_from_json`."""
    return {
        "read": grant.read.value,
        "create": grant.create,
        "update": grant.update.value,
        "delete": grant.delete.value,
        "fields": {name: right.value for name, right in grant.fields.items()},
    }


def remove_role(session: Session, name: str, actor: Actor = SYSTEM) -> None:
    """Removes a role of the organisation. Raises Conflict while people have it: they would lose their rights unseen."""
    users = session.execute(
        sa.select(User.name, User.roles).where(User.deleted_at.is_(None)).order_by(User.name)
    )
    holders = [one.name for one in users if name in one.roles]
    if holders:
        raise Conflict(
            _("People have this role: %(names)s. Give them another one first", names=", ".join(holders))
        )
    role = session.get(OwnRole, name)
    if role is None:
        raise RecordNotFound()
    setup.note(session, actor, setup.ROLE, _about(role), None)
    session.delete(role)
    session.flush()
    raise_revision(session.connection())


def actor_of(session: Session, edition: Edition, email: str, source: str) -> Actor:
    """The actor that the user with this mail address is; RecordNotFound when there is no such active user."""
    user = session.scalar(
        sa.select(User).where(User.email == email.strip().lower(), User.deleted_at.is_(None))
    )
    if user is None or not user.active:
        raise RecordNotFound()
    return actor_from(session, edition, user, source)


def actor_from(session: Session, edition: Edition, user: Any, source: str) -> Actor:
    """The actor that a user is; ``user`` is a User or a row with its id, name, roles and unit_id."""
    roles: Sequence[Role] = [
        known for name in user.roles if (known := edition.all(Role).get(name)) is not None
    ]
    return Actor(
        user_id=user.id,
        name=user.name,
        roles=tuple(user.roles),
        units=units_below(session, user.unit_id),
        administrator=any(role.administrator for role in roles),
        personal_data=any(role.personal_data for role in roles),
        grants=merge_grants(roles, edition.confidential),
        confidential=edition.confidential,
        fields=merge_field_rules(roles),
        source=source,
    )


def units_below(session: Session, unit_id: int | None) -> tuple[int, ...]:
    """A unit, and behind it all units below it in the tree, by id."""
    if unit_id is None:
        return ()
    tree = sa.select(Unit.id).where(Unit.id == unit_id).cte("tree", recursive=True)
    tree = tree.union(sa.select(Unit.id).where(Unit.parent_id == tree.c.id))
    below = session.scalars(sa.select(tree.c.id).where(tree.c.id != unit_id))
    return unit_id, *below


def save_role(
    session: Session,
    name: str,
    title: str,
    rights: Mapping[str, Mapping[str, Any]],
    *,
    personal_data: bool = False,
    actor: Actor = SYSTEM,
) -> None:
    """Keeps a role of the organisation. Raises RecordInvalid for a missing title or an unknown scope."""
    if not title:
        raise RecordInvalid({"title": [_("Give the role a name")]})
    grants = {entity: grant_to_json(grant_from_json(entity, given)) for entity, given in rights.items()}
    known = session.get(OwnRole, name)
    before = _about(known) if known is not None else None
    role = known or OwnRole(name=name)
    role.title, role.administrator, role.grants = title, False, grants
    role.personal_data = personal_data
    session.add(role)
    session.flush()
    setup.note(session, actor, setup.ROLE, before, _about(role))
    raise_revision(session.connection())


def _about(role: OwnRole) -> dict[str, Any]:
    """A role as the log has it: a scope of none is no right, and not named."""
    grants = {
        entity: {act: right for act, right in rights.items() if right != Scope.NONE.value}
        for entity, rights in role.grants.items()
    }
    return {
        "title": role.title,
        "name": role.name,
        "personal_data": role.personal_data,
        "grants": grants,
    }
