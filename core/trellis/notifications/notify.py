"""Telling people: the one way, for the core as for plugins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import NotificationKind
from trellis.edition import Edition
from trellis.jobs.queue import enqueue
from trellis.notifications.choices import chosen_for
from trellis.notifications.tables import Notification
from trellis.notifications.words import to_kept
from trellis.records.query import ListQuery
from trellis.security.actor import Actor
from trellis.security.recognition import actor_by_id

MAIL_JOB = "notification_mail"

_note = Notification.__table__.c


def notify(
    session: Session,
    edition: Edition,
    kind: str,
    people: Iterable[int | None],
    *,
    about: tuple[str, int] | None = None,
    by: Actor | None = None,
    path: str = "",
    key: str = "",
    told: dict[str, Any] | None = None,
) -> list[int]:
    """Tells people, by their ids, of something of a ``kind``, in this transaction; who of them is told.

    Left out are: ``by``, who caused it; those who chose not to be told; those who do not work here; and those who may not
    see the record that it is ``about``, as (entity, id). It leads to that record, or to the page ``path`` of the workspace.
    ``told`` are values for the text of the kind: words, numbers, moments and translatable texts. With a ``key`` nobody is told
    twice, whatever happens.
    """
    declared = edition.all(NotificationKind)[kind]
    reached = []
    for person in dict.fromkeys(people):
        if person is None or (by is not None and by.user_id == person):
            continue
        chosen = chosen_for(session, declared, person)
        if not (chosen.in_app or chosen.mail) or not _may_know(session, edition, person, about):
            continue
        once = f"{kind}:{key}:{person}" if key else None
        if once is not None and session.scalar(sa.select(_note.id).where(_note.key == once)) is not None:
            continue
        values = {
            "user_id": person,
            "kind": kind,
            "at": datetime.now(UTC),
            "who": by.name[:200] if by is not None else "",
            "entity": about[0] if about else None,
            "record_id": about[1] if about else None,
            "path": path,
            "told": to_kept(told or {}),
            "in_app": chosen.in_app,
            "key": once,
        }
        made = session.scalar(sa.insert(Notification).values(**values).returning(Notification.id))
        if chosen.mail:
            enqueue(session, MAIL_JOB, {"notification": made}, person, asked=False)
        reached.append(person)
    return reached


def _may_know(session: Session, edition: Edition, person: int, about: tuple[str, int] | None) -> bool:
    """Whether somebody works here, and may see a record."""
    actor = actor_by_id(session, edition, person)
    if actor is None:
        return False
    return about is None or sees(session, edition, actor, *about)


def sees(session: Session, edition: Edition, actor: Actor, entity: str, record_id: int) -> bool:
    """Whether somebody may see a record."""
    if not actor.may(entity, "read"):
        return False
    view = edition.whole.entity(entity)
    query = ListQuery(view, edition.whole, actor, ids=[record_id], limit=1)
    return bool(session.scalar(query.count_statement(limit=1)))
