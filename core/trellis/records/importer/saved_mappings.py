"""Mappings that are used again: one's own that were saved, and those that plugins bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import ImportMapping
from trellis.edition import Edition
from trellis.records.importer.plans import plain_columns
from trellis.records.importer.runs import KEPT
from trellis.security.actor import Actor
from trellis.system import SavedMapping


def save(session: Session, actor: Actor, row: Any, title: str) -> None:
    """Keeps the mapping of an import under a name; one's own of that name is replaced."""
    mine = (SavedMapping.entity == row.entity, SavedMapping.user_id == actor.user_id)
    title = title.strip()[:120]
    session.execute(sa.delete(SavedMapping).where(*mine, SavedMapping.title == title))
    plan = {name: value for name, value in row.plan.items() if name not in KEPT}
    session.add(SavedMapping(entity=row.entity, title=title, user_id=actor.user_id, plan=plan))
    session.flush()


def mine(session: Session, actor: Actor, row: Any) -> Sequence[SavedMapping]:
    """One's own mappings whose columns the file of an import has."""
    names = {one["name"] for one in row.plan["file"]}
    mine = (SavedMapping.entity == row.entity, SavedMapping.user_id == actor.user_id)
    found = session.scalars(sa.select(SavedMapping).where(*mine).order_by(SavedMapping.id.desc())).all()
    return [one for one in found if set(plain_columns(one.plan.get("columns", {}))) <= names]


def ready(edition: Edition, row: Any) -> list[ImportMapping]:
    """The mappings of plugins whose plain columns the file of an import has."""
    names = {one["name"] for one in row.plan["file"]}
    return [
        one
        for one in edition.all(ImportMapping).values()
        if one.entity == row.entity and set(plain_columns(one.columns)) <= names
    ]
