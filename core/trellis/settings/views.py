"""Saved views: lists as people set them up, their own or shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.errors import PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.records.rules import parse
from trellis.security.actor import Actor
from trellis.system import SavedView

_ = translator("trellis")


def views_of(session: Session, actor: Actor, entity: str) -> Sequence[SavedView]:
    """The views of a list that an actor may use: shared ones and its own."""
    mine = sa.or_(SavedView.user_id.is_(None), SavedView.user_id == actor.user_id)
    query = sa.select(SavedView).where(SavedView.entity == entity, mine)
    return session.scalars(query.order_by(SavedView.position, SavedView.id)).all()


def save_view(
    session: Session,
    edition: Edition,
    actor: Actor,
    entity: str,
    title: str,
    definition: Mapping[str, Any],
    *,
    shared: bool = False,
) -> SavedView:
    """Keeps a view ``{"rule": ..., "sort": [...], "fields": [...]}``; sharing needs an administrator."""
    view = edition.entity(entity)
    if not title.strip():
        raise RecordInvalid({"title": [_("Give the view a name")]})
    if shared:
        actor.require_administrator()
    for part in ("sort", "fields"):
        names = definition.get(part, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise RecordInvalid({part: [_("Give a list of field names")]})
    if definition.get("rule"):
        parse(definition["rule"], view, edition)
    unknown = [name for name in definition.get("fields", ()) if name not in view.fields]
    if unknown:
        raise RecordInvalid({"fields": [_("There is no field “%(name)s”", name=unknown[0])]})
    saved = SavedView(
        entity=entity,
        title=title.strip()[:120],
        user_id=None if shared else actor.user_id,
        definition={key: definition[key] for key in ("rule", "sort", "fields") if definition.get(key)},
    )
    session.add(saved)
    session.flush()
    return saved


def delete_view(session: Session, actor: Actor, view_id: int) -> None:
    """Removes a view: one's own, or any as an administrator."""
    saved = session.get(SavedView, view_id)
    if saved is None or (saved.user_id not in (None, actor.user_id) and not actor.administrator):
        raise RecordNotFound()
    if saved.user_id is None and not actor.administrator:
        raise PermissionRefused()
    session.delete(saved)
