"""People who sign in. Who may enter is kept by the control database, what they are and may do by each workspace.

A user is written to the workspace first, then the identity and its membership: without the membership nobody can sign
in, so that whatever was interrupted in between can simply be repeated.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Role
from trellis.control import Identity, Membership, identity_of
from trellis.edition import Edition
from trellis.errors import Conflict, RecordInvalid, RecordNotFound
from trellis.i18n import LANGUAGES, known_timezone, translator
from trellis.records.door import Records
from trellis.records.types import Email, ValueInvalid
from trellis.security import attempts, notices, passwords, second_factor
from trellis.security.actor import SYSTEM, Actor
from trellis.security.people import User
from trellis.system import Event

if TYPE_CHECKING:
    from trellis.installation import Installation
    from trellis.workspace import Workspace

_ = translator("trellis")


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of a workspace. ``signs_in`` says whether there is a membership with a password behind it."""

    id: int
    email: str
    name: str
    roles: tuple[str, ...]
    active: bool
    signs_in: bool


def add_user(
    installation: Installation,
    workspace: Workspace,
    email: str,
    name: str = "",
    roles: Sequence[str] = (),
    password: str | None = None,
    actor: Actor = SYSTEM,
) -> int:
    """Makes somebody a user of a workspace and returns the user's id.

    Somebody who signs in to another workspace keeps the password used there, and nobody is told that there is one: not
    by the answer, nor by the time it takes. Raises RecordInvalid for a bad address, role or password, Conflict when there
    is such a user already.
    """
    email = _checked_email(email)
    if password is not None:
        passwords.require_good_password(password, email)
    known = _identity(installation, email)
    if known is not None and _is_member(installation, known, workspace):
        raise Conflict(_("“%(email)s” is a user of this workspace already", email=email))
    user_id = _write_user(workspace, email, name or email.partition("@")[0], roles, actor)
    hashed = passwords.hash_password(password) if password is not None else None
    with installation.control.write() as session:
        identity = identity_of(session, email) or Identity(email=email)
        identity.password = identity.password or hashed
        session.add(identity)
        session.flush()
        session.merge(Membership(workspace=workspace.name, identity_id=identity.id))
    return user_id


def list_users(installation: Installation, workspace: Workspace) -> list[Person]:
    """All users of a workspace, by name."""
    with installation.control.read() as session:
        query = sa.select(Identity.email).join(Membership, Membership.identity_id == Identity.id)
        signing = set(
            session.scalars(
                query.where(
                    Membership.workspace == workspace.name, Identity.active, Identity.password.is_not(None)
                )
            )
        )
    with workspace.read() as session:
        users = session.scalars(sa.select(User).where(User.deleted_at.is_(None)).order_by(User.name, User.id))
        return [
            Person(
                id=user.id,
                email=user.email,
                name=user.name,
                roles=tuple(user.roles),
                active=user.active,
                signs_in=user.active and user.email in signing,
            )
            for user in users
        ]


def find_user(workspace: Workspace, email: str) -> int:
    """The id of the user with this mail address; RecordInvalid when there is none."""
    with workspace.read() as session:
        user_id = session.scalar(
            sa.select(User.id).where(User.email == email.strip().lower(), User.deleted_at.is_(None))
        )
    if user_id is None:
        raise RecordInvalid({"email": [_("There is no user “%(email)s” here", email=email)]})
    return user_id


def set_roles(session: Session, edition: Edition, actor: Actor, user_id: int, roles: Sequence[str]) -> None:
    """Gives a user these roles instead of the present ones; the change is kept in the log."""
    actor.require_administrator()
    _check_roles(edition, roles)
    user = session.get(User, user_id)
    if user is None:
        raise RecordNotFound()
    if list(roles) != user.roles:
        change = {"roles": [list(user.roles), list(roles)]}
        user.roles = list(roles)
        _log_change(session, actor, user, change)


def set_preferences(
    session: Session, actor: Actor, *, language: str | None, formats: str | None, timezone: str | None
) -> None:
    """How the actor reads pages: in which language, with which numbers and dates, in which time zone (None: as usual).

    Raises RecordInvalid that names the wrong one, RecordNotFound when the actor is no user.
    """
    wanted = {"language": language, "formats": formats, "timezone": timezone}
    errors = {
        name: [_("Choose one of: %(known)s", known=", ".join(LANGUAGES))] for name in ("language", "formats")
    }
    errors = {name: found for name, found in errors.items() if wanted[name] not in (None, *LANGUAGES)}
    if timezone is not None and known_timezone(timezone) is None:
        errors["timezone"] = [_("Use a time zone name such as Europe/Prague")]
    if errors:
        raise RecordInvalid(errors)
    user = session.get(User, actor.user_id) if actor.user_id is not None else None
    if user is None:
        raise RecordNotFound()
    changes = {
        name: [getattr(user, name), value] for name, value in wanted.items() if getattr(user, name) != value
    }
    for name, (_old, value) in changes.items():
        setattr(user, name, value)
    if changes:
        _log_change(session, actor, user, changes)


def _log_change(session: Session, actor: Actor, user: User, changes: dict[str, list[Any]]) -> None:
    user.version, user.updated_at = user.version + 1, datetime.now(UTC)
    session.add(
        Event(
            at=user.updated_at,
            actor_id=actor.user_id,
            actor_name=actor.name,
            source=actor.source,
            entity="user",
            record_id=user.id,
            action="updated",
            changes=changes,
        )
    )
    session.flush()


def give_password(installation: Installation, workspace: Workspace, email: str, password: str) -> None:
    """A new password from an administrator of ``workspace``; the sessions of the person end.

    Raises RecordInvalid for somebody who works in other workspaces too: it would open those as well.
    """
    known = _identity(installation, email)
    if known is None or not _is_member(installation, known, workspace):
        raise RecordNotFound()
    if known.password is not None and _works_elsewhere(installation, known, workspace):
        message = _("This person works in other workspaces too and changes the password alone")
        raise RecordInvalid({"password": [message]})
    set_password(installation, email, password)
    attempts.unlock(installation, email, whole=False)
    notices.tell(installation, email, _("An administrator gave you a new password"))


def reset_second_factor(installation: Installation, workspace: Workspace, email: str, actor: Actor) -> None:
    """Forgets the app, the passkeys and the recovery codes of a user of ``workspace`` who has lost them.

    Raises RecordNotFound for nobody's address, and Conflict for somebody who works in other workspaces too unless the
    system itself asks: it would open those as well.
    """
    actor.require_administrator()
    known = _identity(installation, email)
    if known is None or not _is_member(installation, known, workspace):
        raise RecordNotFound()
    if actor != SYSTEM and _works_elsewhere(installation, known, workspace):
        message = _("Whoever runs the server can do this: trellis user reset-second-factor")
        raise Conflict(message)
    second_factor.forget(installation, known.id, email)
    end_sessions(installation, email)


def change_email(
    installation: Installation, workspace: Workspace, user_id: int, email: str, actor: Actor
) -> None:
    """Gives a user another mail address and moves the sign-in to it, with its password; the sessions go on.

    Somebody who works in other workspaces keeps the old address there; whoever signs in to another workspace with the new
    one enters with the password used there. Raises RecordInvalid for a bad address, Conflict for that of another user
    here. The sign-in moves first; whatever was interrupted in between can be repeated.
    """
    actor.require_administrator()
    email = _checked_email(email)
    with workspace.read() as session:
        user = session.get(User, user_id)
        if user is None:
            raise RecordNotFound()
        old = user.email
        taken = session.scalar(sa.select(User.id).where(User.email == email, User.id != user_id))
    if taken is not None:
        raise Conflict(_("“%(email)s” is a user of this workspace already", email=email))
    if email == old:
        return
    _move_sign_in(installation, workspace, old, email)
    with workspace.write() as session:
        user = session.get_one(User, user_id)
        user.email = email
        _log_change(session, actor, user, {"email": [old, email]})
    happened = _("The mail address of your sign-in was changed from %(old)s to %(new)s", old=old, new=email)
    for address in (old, email):
        notices.tell(installation, address, happened)


def _move_sign_in(installation: Installation, workspace: Workspace, old: str, new: str) -> None:
    with installation.control.write() as session:
        identity, other = identity_of(session, old), identity_of(session, new)
        here = None if identity is None else session.get(Membership, (workspace.name, identity.id))
        if identity is None or here is None:  # never could sign in, or was moved before it was interrupted
            return
        if other is None and not _works_elsewhere(installation, identity, workspace):
            identity.email = new
            return
        moved = other or Identity(email=new, password=identity.password)
        session.add(moved)
        session.delete(here)
        session.flush()
        if other is None:
            second_factor.copy(session, identity.id, moved.id)
        session.merge(Membership(workspace=workspace.name, identity_id=moved.id))


def set_password(installation: Installation, email: str, password: str) -> None:
    """Gives somebody a new password and ends their sessions."""
    passwords.require_good_password(password, email)
    hashed = passwords.hash_password(password)
    with installation.control.write() as session:
        identity = identity_of(session, email)
        if identity is None:
            raise RecordNotFound()
        identity.password, identity.uniquifier = hashed, secrets.token_hex(32)


def change_password(
    installation: Installation, email: str, current: str, password: str, address: str = ""
) -> Identity:
    """A new password from the person, who proves the present one; all sessions end. Returns the identity as it is now.

    A wrong present password counts as a failed sign-in. Raises RecordInvalid (``current``, ``password``), TooMany.
    """
    passwords.require_good_password(password, email)
    if authenticate(installation, None, email, current, address) is None:
        raise RecordInvalid({"current": [_("This is not the present password")]})
    set_password(installation, email, password)
    notices.tell(installation, email, _("Your password was changed"))
    changed = _identity(installation, email)
    assert changed is not None
    return changed


def end_sessions(installation: Installation, email: str) -> None:
    """Signs somebody out of every browser."""
    with installation.control.write() as session:
        identity = identity_of(session, email)
        if identity is not None:
            identity.uniquifier = secrets.token_hex(32)


def authenticate(
    installation: Installation, workspace: str | None, email: str, password: str, address: str = ""
) -> Identity | None:
    """The identity behind a mail address and password, if it may enter ``workspace`` (or any, for None).

    A wrong password, an unknown address and a missing membership all answer None, and take as long. Raises TooMany
    after many failures for this mail address or from this network ``address``, whether anybody has it or not.
    """
    attempts.begin(installation, email, address)
    identity = _authenticated(installation, workspace, email, password)
    if identity is not None:
        attempts.succeeded(installation, email, address)
    return identity


def _authenticated(
    installation: Installation, workspace: str | None, email: str, password: str
) -> Identity | None:
    try:
        identity = _identity(installation, _checked_email(email))
    except RecordInvalid:  # what is no address is nobody's
        identity = None
    fits = passwords.matches(identity.password if identity is not None else None, password)
    if identity is None or not fits or not identity.active:
        return None
    if workspace is not None and not works_in(installation, identity, workspace):
        return None
    if identity.password and passwords.is_outdated(identity.password):
        with installation.control.write() as session:
            session.get_one(Identity, identity.id).password = passwords.hash_password(password)
    return identity


def identity_in(installation: Installation, workspace: str, email: str) -> Identity | None:
    """The identity of an active user of a workspace; None for anybody else."""
    try:
        identity = _identity(installation, _checked_email(email))
    except RecordInvalid:
        return None
    if identity is None or not identity.active or not works_in(installation, identity, workspace):
        return None
    return identity


def _checked_email(email: str) -> str:
    try:
        checked = Email().check(email)
    except ValueInvalid as error:
        raise RecordInvalid({"email": [error.message]}) from None
    if checked is None:
        raise RecordInvalid({"email": [_("This field needs a value")]})
    return str(checked)


def _identity(installation: Installation, email: str) -> Identity | None:
    with installation.control.read() as session:
        identity = identity_of(session, email)
        session.expunge_all()
        return identity


def _is_member(installation: Installation, identity: Identity, workspace: Workspace) -> bool:
    with installation.control.read() as session:
        return session.get(Membership, (workspace.name, identity.id)) is not None


def _works_elsewhere(installation: Installation, identity: Identity, workspace: Workspace) -> bool:
    query = sa.select(Membership.workspace).where(
        Membership.identity_id == identity.id, Membership.workspace != workspace.name
    )
    with installation.control.read() as session:
        return session.scalars(query).first() is not None


def works_in(installation: Installation, identity: Identity, name: str) -> bool:
    """Member of a workspace, and its active user."""
    workspace = installation.workspace(name)
    if not _is_member(installation, identity, workspace):
        return False
    with workspace.read() as session:
        query = sa.select(User.id).where(User.email == identity.email, User.active, User.deleted_at.is_(None))
        return session.scalar(query) is not None


def _check_roles(edition: Edition, roles: Sequence[str]) -> None:
    known = edition.all(Role)
    unknown = [role for role in roles if role not in known]
    if unknown:
        message = _(
            "There is no role “%(name)s”; there are: %(known)s", name=unknown[0], known=", ".join(known)
        )
        raise RecordInvalid({"roles": [message]})


def _write_user(workspace: Workspace, email: str, name: str, roles: Sequence[str], actor: Actor) -> int:
    with workspace.write() as session:
        edition = workspace.edition(session)
        _check_roles(edition, roles)
        records = Records(session, edition, actor)
        user = session.scalar(sa.select(User).where(User.email == email))
        if user is None:
            user_id = records.create("user", {"email": email, "name": name}).id
        else:
            user_id = user.id
            if user.deleted_at is not None:
                records.restore("user", user_id)
            records.update("user", user_id, {"name": name, "active": True})
            session.expire_all()
        set_roles(session, edition, actor, user_id, roles)
    records.committed()
    return user_id
