"""People, passwords and roles: what may be given, what is kept, what can be repeated."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from trellis.control import Identity, Membership
from trellis.edition import Settings
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.security import passwords
from trellis.security.actor import SYSTEM, Actor
from trellis.security.identities import (
    add_user,
    authenticate,
    end_sessions,
    list_users,
    set_password,
    set_roles,
)
from trellis.security.people import User
from trellis.security.tokens import new_token, revoke_token, tokens_of
from trellis.system import Event
from trellis.workspace import Workspace

PASSWORD = "a long password"


def identity(installation: Installation, email: str) -> Identity:
    with installation.control.read() as session:
        found = session.scalar(sa.select(Identity).where(Identity.email == email))
        assert found is not None
        session.expunge_all()
        return found


def test_somebody_added_signs_in_and_has_the_roles(installation: Installation, workspace: Workspace) -> None:
    user_id = add_user(installation, workspace, " Anna@Acme.Test ", "Anna", ["manager", "agent"], PASSWORD)
    (person,) = list_users(installation, workspace)
    assert (person.id, person.email, person.roles, person.signs_in) == (
        user_id,
        "anna@acme.test",
        ("manager", "agent"),
        True,
    )
    assert authenticate(installation, "acme", "ANNA@acme.test", PASSWORD) is not None
    kept = identity(installation, "anna@acme.test").password
    assert kept is not None
    assert kept.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("email", "roles", "password", "field"),
    [
        ("anna", [], None, "email"),
        ("", [], None, "email"),
        ("anna@acme.test", ["king"], None, "roles"),
        ("anna@acme.test", [], "short", "password"),
        ("anna@acme.test", [], "x" * 201, "password"),
        ("anna@acme.test", [], "Anna@acme.test", "password"),
    ],
)
def test_bad_people_are_refused_and_nothing_is_kept(
    installation: Installation, workspace: Workspace, email: str, roles: list[str], password: Any, field: str
) -> None:
    with pytest.raises(RecordInvalid) as refused:
        add_user(installation, workspace, email, "Anna", roles, password)
    assert list(refused.value.errors) == [field]
    assert list_users(installation, workspace) == []
    with installation.control.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Identity)) == 0


def test_adding_twice_is_a_conflict(installation: Installation, workspace: Workspace) -> None:
    add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    with pytest.raises(Conflict):
        add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)


def test_adding_somebody_can_be_repeated_after_a_crash_in_between(
    installation: Installation, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(installation.control, "write", crash)
    with pytest.raises(KeyboardInterrupt):
        add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    monkeypatch.undo()
    assert [person.signs_in for person in list_users(installation, workspace)] == [False]
    add_user(installation, workspace, "anna@acme.test", "Anna", ["manager"], PASSWORD)
    (person,) = list_users(installation, workspace)
    assert (person.roles, person.signs_in) == (("manager",), True)


def test_one_identity_enters_two_workspaces_with_one_password(
    installation: Installation, workspace: Workspace
) -> None:
    other = installation.create_workspace("other", Settings())
    add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    assert authenticate(installation, "other", "anna@acme.test", PASSWORD) is None
    add_user(installation, other, "anna@acme.test", "Anna", ["reader"], "another long password")
    assert authenticate(installation, "other", "anna@acme.test", "another long password") is None
    assert authenticate(installation, "other", "anna@acme.test", PASSWORD) is not None
    assert [list_users(installation, one)[0].roles for one in (workspace, other)] == [("agent",), ("reader",)]


def test_whoever_may_not_enter_cannot_be_told_from_whoever_is_unknown(
    installation: Installation, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    add_user(installation, workspace, "mute@acme.test", "Mute", ["agent"])
    checks: list[str] = []
    verify = type(passwords._hasher()).verify

    def counted(self: Any, kept: str, given: str) -> bool:
        checks.append(kept)
        return verify(self, kept, given)

    monkeypatch.setattr(type(passwords._hasher()), "verify", counted)
    for email, password in (
        ("anna@acme.test", "wrong password"),
        ("nobody@acme.test", PASSWORD),
        ("mute@acme.test", PASSWORD),
        ("", ""),
        ("anna@acme.test", "x" * 100_000),
        ("anna@acme.test\x00", "\ud800"),
    ):
        checks.clear()
        assert authenticate(installation, "acme", email, password) is None, email
        assert len(checks) == 1, email  # the same work for each


def test_inactive_people_do_not_enter(installation: Installation, workspace: Workspace) -> None:
    user_id = add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    for act in (
        lambda records: records.update("user", user_id, {"active": False}),
        lambda records: records.update("user", user_id, {"active": True}),
        lambda records: records.delete("user", user_id),
    ):
        with workspace.write() as session:
            act(Records(session, workspace.edition(session), SYSTEM))
        found = authenticate(installation, "acme", "anna@acme.test", PASSWORD)
        with workspace.read() as session:
            user = session.get_one(User, user_id)
            assert (found is not None) == (user.active and user.deleted_at is None)


def test_a_new_password_ends_the_sessions(installation: Installation, workspace: Workspace) -> None:
    add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    before = identity(installation, "anna@acme.test").uniquifier
    set_password(installation, "anna@acme.test", "another password")
    changed = identity(installation, "anna@acme.test").uniquifier
    end_sessions(installation, "anna@acme.test")
    assert len({before, changed, identity(installation, "anna@acme.test").uniquifier}) == 3
    assert authenticate(installation, "acme", "anna@acme.test", PASSWORD) is None
    assert authenticate(installation, "acme", "anna@acme.test", "another password") is not None
    with pytest.raises(RecordNotFound):
        set_password(installation, "nobody@acme.test", "another password")


def test_an_old_hash_is_renewed_when_its_owner_signs_in(
    installation: Installation, workspace: Workspace
) -> None:
    from argon2 import PasswordHasher

    add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    weak = PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    with installation.control.write() as session:
        session.execute(sa.update(Identity).values(password=weak))
    assert authenticate(installation, "acme", "anna@acme.test", PASSWORD) is not None
    renewed = identity(installation, "anna@acme.test").password
    assert renewed is not None
    assert renewed != weak
    assert not passwords.is_outdated(renewed)


def test_roles_are_given_by_administrators_only_and_logged(
    installation: Installation, workspace: Workspace
) -> None:
    user_id = add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"])
    with workspace.write() as session:
        edition = workspace.edition(session)
        with pytest.raises(PermissionRefused):
            set_roles(session, edition, Actor(user_id=user_id, name="Anna"), user_id, ["administrator"])
        with pytest.raises(RecordInvalid):
            set_roles(session, edition, SYSTEM, user_id, ["king"])
        set_roles(session, edition, SYSTEM, user_id, ["manager"])
        event = session.scalars(sa.select(Event).order_by(Event.id.desc())).first()
        assert event is not None
        assert (event.entity, event.record_id, event.changes) == (
            "user",
            user_id,
            {"roles": [["agent"], ["manager"]]},
        )


def test_a_token_is_ended_by_its_owner_or_an_administrator(
    installation: Installation, workspace: Workspace
) -> None:
    user_id = add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"])
    new_token(workspace, "anna@acme.test", "one")
    new_token(workspace, "anna@acme.test", "two")
    with pytest.raises(RecordInvalid):
        new_token(workspace, "nobody@acme.test")
    with workspace.write() as session:
        two, one = tokens_of(session, user_id)
        assert (one.title, two.title) == ("one", "two")
        with pytest.raises(RecordNotFound):
            revoke_token(session, Actor(user_id=user_id + 1, name="Boris"), one.id)
        revoke_token(session, Actor(user_id=user_id, name="Anna"), one.id)
        assert [kept.title for kept in tokens_of(session, user_id)] == ["two"]
        revoke_token(session, SYSTEM, two.id)
        assert list(tokens_of(session, user_id)) == []


def test_members_of_a_deleted_workspace_keep_their_identity(
    installation: Installation, workspace: Workspace
) -> None:
    add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    installation.delete_workspace("acme")
    with installation.control.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Membership)) == 0
    assert authenticate(installation, None, "anna@acme.test", PASSWORD) is not None
