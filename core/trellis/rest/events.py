"""The change feed: everything written, in the order in which it was committed, for ever.

A reader keeps the id of the last event it has seen and asks for what came ``after`` it. Ids alone would not do on
PostgreSQL, where a transaction can commit after one that took higher ids: events are ordered by transaction, and only those
older than every transaction that still writes in this workspace are shown, so that nothing can appear before what was read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from flask import Response, g

from trellis.contributions import Segment
from trellis.database import WRITERS, namespace_number
from trellis.edition import EntityView
from trellis.records.events import ENTERED, LEFT
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.system import Event

PER_PAGE, MOST_PER_PAGE = 100, 500
_event = Event.__table__.c
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


@blueprint.get("/events")
def events(workspace: str) -> Response:
    arguments = Arguments()
    after = arguments.number("after", 0, 0, LARGEST_ID)
    limit = arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE)
    entity = arguments.text("entity")
    arguments.end()
    views = [g.edition.entity(entity)] if entity else list(g.edition.entities.values())
    query = sa.select(Event.__table__).where(_readable(views), *_finished())
    if after:
        query = query.where(_follows(after))
    rows = g.session.execute(query.order_by(_event.transaction, _event.id).limit(limit)).mappings().all()
    return answer({"items": [_written(row) for row in rows], "next": str(rows[-1]["id"] if rows else after)})


def _follows(after: int) -> sa.ColumnElement[bool]:
    """Events after the place of ``after``, whether it is an event or not: who may not read it does not learn that."""
    nearest = sa.select(_event.transaction).where(_event.id <= after).order_by(_event.id.desc()).limit(1)
    transaction = g.session.scalar(nearest)
    if transaction is None:  # before the first
        return sa.true()
    later = sa.and_(_event.transaction == transaction, _event.id > after)
    return sa.and_(_event.transaction >= transaction, sa.or_(_event.transaction > transaction, later))


def _finished() -> list[sa.ColumnElement[bool]]:
    """Written by a transaction that is over, as are all before it. SQLite has one writer at a time.

    The horizon is found by a statement of its own: the events are read in a later snapshot, which sees all below it.
    """
    if g.session.get_bind().dialect.name != "postgresql":
        return []
    key = {"writers": WRITERS, "namespace": namespace_number(g.workspace.namespace.schema)}
    return [_event.transaction < g.session.scalar(HORIZON, key)]


def _readable(views: list[EntityView]) -> sa.ColumnElement[bool]:
    """Events of records that the actor may read, in the bin or not."""
    everything = [view.name for view in views if g.actor.sees_all(view.name)]
    conditions: list[sa.ColumnElement[bool]] = [_event.entity.in_(everything)]
    for view in views:
        if view.name not in everything and g.actor.may(view.name, "read"):
            ids = sa.select(view.entity.id).where(
                g.actor.visible(view.entity), view.entity.id == _event.record_id
            )
            conditions.append(sa.and_(_event.entity == view.name, ids.correlate(Event.__table__).exists()))
    return sa.or_(*conditions)


def _written(row: Any) -> dict[str, Any]:
    """An event, without fields that this edition does not have."""
    fields = g.edition.entity(row["entity"]).fields
    return {
        "id": row["id"],
        "at": row["at"],
        "entity": row["entity"],
        "record_id": row["record_id"],
        "action": row["action"],
        "changes": _changes(row, fields),
        "actor": {"id": row["actor_id"], "name": row["actor_name"]},
        "source": row["source"],
    }


def _changes(row: Any, fields: Collection[str]) -> dict[str, Any]:
    """What changed: fields of the edition, or a segment of it that the record entered or left."""
    changes: dict[str, Any] = row["changes"]
    if row["action"] in (ENTERED, LEFT):
        return changes if any(name in g.edition.all(Segment) for name in changes["segment"]) else {}
    return {name: pair for name, pair in changes.items() if name in fields}
