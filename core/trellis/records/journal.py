"""The one log: an event for each change of a record, who made it, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.records.bulk import insert_rows
from trellis.records.events import Change
from trellis.security.actor import Actor
from trellis.system import Event

EVENTS = cast(sa.Table, Event.__table__)


def signed(actor: Actor, entity: str) -> dict[str, Any]:
    """What all events of a write have in common."""
    return {
        "at": datetime.now(UTC),
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "source": actor.source,
        "entity": entity,
    }


def keep(session: Session, actor: Actor, entity: str, changes: Sequence[Change]) -> None:
    """Writes the events of changes."""
    rows = [
        {"record_id": change.id, "action": change.action, "changes": change.changes} for change in changes
    ]
    if rows:
        insert_rows(session, EVENTS, signed(actor, entity), rows)
