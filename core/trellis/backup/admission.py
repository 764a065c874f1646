"""Who may enter a workspace that was made of a backup."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Role
from trellis.control import Identity, Membership
from trellis.installation import Installation
from trellis.security.identities import add_user
from trellis.security.people import ApiToken, User
from trellis.workspace import Workspace

ADMINISTRATOR = "administrator"

Admission = Callable[[Installation, Workspace, Sequence[Mapping[str, Any]]], None]
"""Lets people into a new workspace; called with those who could enter the one that was saved."""


def admit_all(installation: Installation, workspace: Workspace, people: Sequence[Mapping[str, Any]]) -> None:
    """Everybody in the backup, for whoever runs the server; who is known here keeps their own password."""
    with installation.control.write() as session:
        for person in people:
            identity = session.scalar(sa.select(Identity).where(Identity.email == person["email"]))
            if identity is None:
                identity = Identity(**person)
                session.add(identity)
                session.flush()
            session.add(Membership(workspace=workspace.name, identity_id=identity.id))


def admit_chosen(emails: Collection[str], administrator: str = "") -> Admission:
    """Of the people in the backup those with these ``emails`` who sign in here already, and one ``administrator``.

    For a file that somebody sent: it makes nobody a user of the server, brings no password, and its API tokens, whoever
    may have written their digests into it, open nothing.
    """

    def admit(installation: Installation, workspace: Workspace, people: Sequence[Mapping[str, Any]]) -> None:
        with workspace.write() as session:
            session.execute(sa.delete(ApiToken))
        if administrator:
            _make_administrator(installation, workspace, administrator)
        wanted = {str(one["email"]).lower() for one in people} & set(emails) - {administrator}
        with installation.control.write() as session:
            found = session.scalars(sa.select(Identity.id).where(Identity.email.in_(wanted)))
            session.add_all(Membership(workspace=workspace.name, identity_id=one) for one in found.all())

    return admit


def _make_administrator(installation: Installation, workspace: Workspace, email: str) -> None:
    with workspace.read() as session:
        known = session.execute(sa.select(User.name, User.roles).where(User.email == email)).first()
        there = workspace.edition(session).all(Role)
    name, roles = (known.name, known.roles) if known else ("", [])
    kept = [role for role in roles if role in there and role != ADMINISTRATOR]
    add_user(installation, workspace, email, name, [*kept, ADMINISTRATOR])
