"""Who is asking: one SELECT finds the user, the revision of the edition and what the actor is made of.

Actors are kept with their edition and made anew when the user, the tree of units or the edition has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.records.prepared import Fixed
from trellis.security.actor import Actor, limited
from trellis.security.people import ApiToken, Unit, User
from trellis.security.roles import actor_from
from trellis.security.tokens import digest
from trellis.system import WorkspaceState

if TYPE_CHECKING:
    from trellis.workspace import Workspace

_TOUCH_AFTER = timedelta(hours=1)

_state, _user, _token, _unit = (table.__table__.c for table in (WorkspaceState, User, ApiToken, Unit))
_tree = sa.select(
    sa.func.coalesce(sa.func.sum(_unit.version), 0)
).scalar_subquery()  # rises with each change of a unit
_wanted = (
    _state.revision,
    _user.id,
    _user.version,
    _user.name,
    _user.email,
    _user.language,
    _user.formats,
    _user.timezone,
    _user.roles,
    _user.unit_id,
    _tree.label("tree"),
)
_works_here = sa.and_(_user.active, _user.deleted_at.is_(None))
_digest, _email, _id = (
    sa.bindparam("digest", "", sa.String()),
    sa.bindparam("email", "", sa.String()),
    sa.bindparam("id", 0, sa.BigInteger()),
)
_of_token = Fixed(
    sa.select(*_wanted, _token.id, _token.last_used_at, _token.read_only, _token.entities, _token.expires_at)
    .select_from(WorkspaceState.__table__)
    .outerjoin(ApiToken.__table__, sa.and_(_token.digest == _digest, _token.revoked_at.is_(None)))
    .outerjoin(User.__table__, sa.and_(_user.id == _token.user_id, _works_here)),
    _digest,
)
_of_email = Fixed(
    sa.select(*_wanted)
    .select_from(WorkspaceState.__table__)
    .outerjoin(User.__table__, sa.and_(_user.email == _email, _works_here)),
    _email,
)
_of_id = Fixed(
    sa.select(*_wanted)
    .select_from(WorkspaceState.__table__)
    .outerjoin(User.__table__, sa.and_(_user.id == _id, _works_here)),
    _id,
)


class _Row(NamedTuple):
    """Who was found, and the state of the workspace; the second half is that of a token."""

    revision: int
    id: int | None
    version: int
    name: str
    email: str
    language: str | None
    formats: str | None
    timezone: str | None
    roles: list[str]
    unit_id: int | None
    tree: int
    token_id: int | None = None
    last_used_at: datetime | None = None
    read_only: bool = False
    entities: Sequence[str] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """Somebody known to the workspace. ``token_id`` is set when it is time to note that the token was used."""

    edition: Edition
    actor: Actor
    email: str
    language: str | None
    formats: str | None
    timezone: str | None
    token_id: int | None = None
    read_only: bool = False


def by_token(workspace: Workspace, session: Session, token: str, source: str) -> Recognised | None:
    """The user behind an API token; None for a token that is unknown here, revoked, or of somebody inactive."""
    row = _found(session, _of_token, digest(token))
    if row.id is None or (row.expires_at is not None and row.expires_at <= datetime.now(UTC)):
        return None
    used = row.last_used_at
    due = used is None or datetime.now(UTC) - used > _TOUCH_AFTER
    found = _recognised(workspace, session, row, source, row.token_id if due else None)
    if not row.read_only and not row.entities:
        return found
    actor = limited(found.actor, read_only=row.read_only, entities=row.entities)
    edition = actor.sees(found.edition)
    return replace(found, actor=actor, edition=edition, read_only=row.read_only)


def by_email(workspace: Workspace, session: Session, email: str, source: str) -> Recognised | None:
    """The active user with this mail address, in small letters."""
    row = _found(session, _of_email, email)
    return None if row.id is None else _recognised(workspace, session, row, source, None)


def by_id(workspace: Workspace, session: Session, user_id: int) -> Recognised | None:
    """The active user with this number: who works in the background acts for them."""
    row = _found(session, _of_id, user_id)
    return None if row.id is None else _recognised(workspace, session, row, "system", None)


def actor_by_id(session: Session, edition: Edition, user_id: int) -> Actor | None:
    """What the active user with this number may do: who is to be told of something."""
    row = _found(session, _of_id, user_id)
    return None if row.id is None else _actor(session, edition, row, "system")


def note_use(session: Session, token_id: int) -> None:
    """Keeps when a token was last used, to the hour."""
    statement = sa.update(ApiToken.__table__).where(_token.id == token_id)  # type: ignore[arg-type]
    session.execute(statement.values(last_used_at=datetime.now(UTC)))


def _found(session: Session, statement: Fixed, value: Any) -> _Row:
    (row,) = statement.rows(session.connection(), value)
    return _Row(*row)


def _recognised(
    workspace: Workspace, session: Session, row: _Row, source: str, token_id: int | None
) -> Recognised:
    edition = workspace.edition(session, row.revision)
    actor = _actor(session, edition, row, source)
    return Recognised(
        edition=actor.sees(edition),
        actor=actor,
        email=row.email,
        language=row.language,
        formats=row.formats,
        timezone=row.timezone,
        token_id=token_id,
    )


def _actor(session: Session, edition: Edition, row: _Row, source: str) -> Actor:
    key = ("actor", row.id, row.version, row.tree, source)
    found: Actor = edition.cached(key, lambda: actor_from(session, edition, row, source))
    return found
