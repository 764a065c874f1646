"""The change feed: everything written, in the order in which it was committed, for ever.

A reader keeps the id of the last event it has seen and asks for what came ``after`` it. Ids alone would not do on
PostgreSQL, where a transaction can commit after one that took higher ids: events are ordered by transaction, and only those
older than every transaction that still writes in this workspace are shown, so that nothing can appear before what was read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.database import WRITERS, Namespace, namespace_number
from trellis.edition import Edition, EntityView
from trellis.records.events import ENTERED, LEFT
from trellis.security.actor import Actor
from trellis.system import Event

_event = Event.__table__.c
_LATEST = (_event.transaction.desc(), _event.id.desc())
HORIZON = sa.text("""
    SELECT coalesce(min(running), txid_snapshot_xmax(txid_current_snapshot()))
    FROM txid_snapshot_xip(txid_current_snapshot()) AS running
    WHERE running % 4294967296 IN (
        SELECT number.transactionid::text::bigint
        FROM pg_locks AS writer JOIN pg_locks AS number USING (virtualtransaction)
        WHERE writer.locktype = 'advisory' AND number.locktype = 'transactionid' AND number.mode = 'ExclusiveLock'
            AND writer.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND writer.classid = :writers AND writer.objid = :namespace)
""")
"""The oldest transaction that is writing in this workspace, or the next one; others on the server do not matter."""


class Feed:
    """The events of a workspace that ``actor`` may read, of records in the bin or not."""

    def __init__(self, session: Session, namespace: Namespace, edition: Edition, actor: Actor) -> None:
        self._session = session
        self._namespace = namespace
        self._edition = edition
        self._actor = actor

    def page(self, after: int, limit: int, entities: Sequence[str] = ()) -> list[dict[str, Any]]:
        """The next events after the event of that id (0 for the first), as JSON takes them; only of some ``entities`` when named.

        Raises EntityNotFound.
        """
        views = [self._edition.entity(name) for name in entities] or list(self._edition.entities.values())
        query = sa.select(Event.__table__).where(self._readable(views), *self._finished())
        if after:
            query = query.where(self._follows(after))
        rows = self._session.execute(query.order_by(_event.transaction, _event.id).limit(limit))
        return [self._written(row) for row in rows.mappings()]

    def end(self) -> int:
        """The id of the last event that can be read now, by whomever; 0 when there is none."""
        query = sa.select(_event.id).where(*self._finished()).order_by(*_LATEST).limit(1)
        return self._session.scalar(query) or 0

    def _follows(self, after: int) -> sa.ColumnElement[bool]:
        """Events after the place of ``after``, whether it is an event or not: who may not read it does not learn that."""
        nearest = sa.select(_event.transaction).where(_event.id <= after).order_by(_event.id.desc()).limit(1)
        transaction = self._session.scalar(nearest)
        if transaction is None:  # before the first
            return sa.true()
        later = sa.and_(_event.transaction == transaction, _event.id > after)
        return sa.and_(_event.transaction >= transaction, sa.or_(_event.transaction > transaction, later))

    def _finished(self) -> list[sa.ColumnElement[bool]]:
        """Written by a transaction that is over, as are all before it. SQLite has one writer at a time.

        The horizon is found by a statement of its own: the events are read in a later snapshot, which sees all below it.
        """
        schema = self._namespace.schema
        if schema is None:
            return []
        key = {"writers": WRITERS, "namespace": namespace_number(schema)}
        return [_event.transaction < self._session.scalar(HORIZON, key)]

    def _readable(self, views: Sequence[EntityView]) -> sa.ColumnElement[bool]:
        everything = [view.name for view in views if self._actor.sees_all(view.name)]
        conditions: list[sa.ColumnElement[bool]] = [_event.entity.in_(everything)]
        for view in views:
            if view.name not in everything and self._actor.may(view.name, "read"):
                ids = sa.select(view.entity.id).where(
                    self._actor.visible(view.entity), view.entity.id == _event.record_id
                )
                conditions.append(
                    sa.and_(_event.entity == view.name, ids.correlate(Event.__table__).exists())
                )
        return sa.or_(*conditions)

    def _written(self, row: Any) -> dict[str, Any]:
        """An event, without fields that this edition does not have."""
        fields = self._edition.entity(row["entity"]).fields
        return {
            "id": row["id"],
            "at": row["at"],
            "entity": row["entity"],
            "record_id": row["record_id"],
            "action": row["action"],
            "changes": self._changes(row, fields),
            "actor": {"id": row["actor_id"], "name": row["actor_name"]},
            "source": row["source"],
        }

    def _changes(self, row: Any, fields: Collection[str]) -> dict[str, Any]:
        """What changed: fields of the edition, or a segment of it that the record entered or left."""
        changes: dict[str, Any] = row["changes"]
        if row["action"] in (ENTERED, LEFT):
            return changes if any(name in self._edition.all(Segment) for name in changes["segment"]) else {}
        return {name: pair for name, pair in changes.items() if name in fields}


def newest(session: Session) -> int:
    """The id of the last event that is committed, though one before it may still be on its way; 0 when there is none."""
    return session.scalar(sa.select(_event.id).order_by(*_LATEST).limit(1)) or 0
