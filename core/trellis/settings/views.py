"""Saved views: lists as people set them up, their own or shared with everybody or a role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Role
from trellis.edition import Edition
from trellis.errors import PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.records.grouping import grouping
from trellis.records.prepared import Fixed
from trellis.records.rules import parse
from trellis.security.actor import Actor
from trellis.system import FirstView, SavedView

_ = translator("trellis")

LONGEST_TITLE = 120
_PARTS = ("rule", "sort", "fields", "group")
_SWITCHES = ("dense", "totals")


@dataclass(frozen=True)
class UsableView:
    """A view that an actor may use, to be read only; ``first`` when it opens the list for them."""

    saved: SavedView
    first: bool


_view = SavedView.__table__.c
_entity, _me = sa.bindparam("entity", "", sa.String()), sa.bindparam("me", 0, sa.BigInteger())
_usable = Fixed(
    sa.select(SavedView.__table__, FirstView.view_id)
    .outerjoin(
        FirstView,
        sa.and_(FirstView.view_id == _view.id, FirstView.entity == _view.entity, FirstView.user_id == _me),
    )
    .where(_view.entity == _entity, sa.or_(_view.user_id.is_(None), _view.user_id == _me))
    .order_by(_view.position, _view.id),
    _entity,
    _me,
)


def usable_views(session: Session, actor: Actor, entity: str) -> Sequence[UsableView]:
    """The views of a list that an actor may use: its own, those of all, and those of its roles."""
    rows = _usable.rows(session.connection(), entity, actor.user_id)
    found = [(SavedView(**dict(zip(_view.keys(), row, strict=False))), row[-1]) for row in rows]
    return [UsableView(saved, first is not None) for saved, first in found if _may_use(actor, saved)]


def _may_use(actor: Actor, saved: SavedView) -> bool:
    return saved.user_id is not None or saved.role is None or saved.role in actor.roles or actor.administrator


def may_change(actor: Actor, saved: SavedView) -> bool:
    """Whether the view is one's own, or a shared one and the actor an administrator."""
    own = saved.user_id is not None and saved.user_id == actor.user_id
    return own or (saved.user_id is None and actor.administrator)


def save_view(
    session: Session,
    edition: Edition,
    actor: Actor,
    entity: str,
    title: str,
    definition: Mapping[str, Any],
    *,
    shared: bool = False,
    role: str | None = None,
) -> SavedView:
    """Keeps a view ``{"rule": ..., "sort": [...], "fields": [...], "dense": true, "group": "city"}``; sharing needs an administrator.

    ``role`` shares it with the people of a role only.
    """
    saved = SavedView(entity=entity, definition=_checked(edition, actor, entity, definition))
    _name(edition, actor, saved, title, shared=shared, role=role)
    session.add(saved)
    session.flush()
    return saved


def rename_view(
    session: Session,
    edition: Edition,
    actor: Actor,
    entity: str,
    view_id: int,
    title: str,
    *,
    shared: bool = False,
    role: str | None = None,
) -> SavedView:
    """Gives a view another name, or shares it otherwise. Raises RecordNotFound, PermissionRefused, RecordInvalid."""
    saved = changeable_view(session, actor, entity, view_id)
    _name(edition, actor, saved, title, shared=shared, role=role)
    session.flush()
    return saved


def redefine_view(
    session: Session, edition: Edition, actor: Actor, entity: str, view_id: int, definition: Mapping[str, Any]
) -> SavedView:
    """Keeps another list under the name of a view. Raises RecordNotFound, PermissionRefused, RecordInvalid."""
    saved = changeable_view(session, actor, entity, view_id)
    saved.definition = _checked(edition, actor, entity, definition)
    session.flush()
    return saved


def delete_view(session: Session, actor: Actor, entity: str, view_id: int) -> SavedView:
    """Removes a view: one's own, or a shared one as an administrator."""
    saved = changeable_view(session, actor, entity, view_id)
    session.delete(saved)
    session.flush()
    return saved


def open_first(session: Session, actor: Actor, entity: str, view_id: int | None) -> None:
    """Lets a list open for the actor in this view; in none for None. Raises RecordNotFound."""
    if actor.user_id is None:
        raise PermissionRefused()
    if view_id is not None:
        usable_view(session, actor, entity, view_id)
    own = (FirstView.user_id == actor.user_id, FirstView.entity == entity)
    session.execute(sa.delete(FirstView).where(*own))
    if view_id is not None:
        session.execute(sa.insert(FirstView).values(user_id=actor.user_id, entity=entity, view_id=view_id))


def usable_view(session: Session, actor: Actor, entity: str, view_id: int) -> SavedView:
    """A view that the actor may use. Raises RecordNotFound."""
    usable = any(one.saved.id == view_id for one in usable_views(session, actor, entity))
    saved = session.get(SavedView, view_id) if usable else None
    if saved is None:
        raise RecordNotFound()
    return saved


def changeable_view(session: Session, actor: Actor, entity: str, view_id: int) -> SavedView:
    """A view that the actor may change. Raises RecordNotFound, PermissionRefused."""
    saved = usable_view(session, actor, entity, view_id)
    if not may_change(actor, saved):
        raise PermissionRefused()
    return saved


def _name(
    edition: Edition, actor: Actor, saved: SavedView, title: str, *, shared: bool, role: str | None
) -> None:
    if not title.strip():
        raise RecordInvalid({"title": [_("Give the view a name")]})
    if shared or role:
        actor.require_administrator()
    if role and role not in edition.all(Role):
        raise RecordInvalid({"role": [_("There is no such role")]})
    saved.title = title.strip()[:LONGEST_TITLE]
    saved.role = role or None
    saved.user_id = None if shared or role else actor.user_id


def _checked(edition: Edition, actor: Actor, entity: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a definition, each in order; the rule may ask only for what the actor may read."""
    seen = actor.sees(edition)
    view = seen.entity(entity)
    for part in ("sort", "fields"):
        names = definition.get(part, [])
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise RecordInvalid({part: [_("Give a list of field names")]})
    if definition.get("rule"):
        parse(definition["rule"], view, seen, listed=True)
    unknown = [name for name in definition.get("fields", ()) if name not in view.fields]
    if unknown:
        raise RecordInvalid({"fields": [_("There is no field “%(name)s”", name=unknown[0])]})
    if definition.get("group"):
        grouping(str(definition["group"]), view)
    kept = {key: definition[key] for key in _PARTS if definition.get(key)}
    return kept | {key: True for key in _SWITCHES if definition.get(key)}
