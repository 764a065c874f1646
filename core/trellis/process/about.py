"""Processes about a record that is taken out, erased, or merged into another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.process.tables import INSTANCES, STEPS

_instance, _step = INSTANCES.c, STEPS.c
_AT_ONCE = 500


def said(session: Session, records: Mapping[str, Sequence[int]]) -> Iterator[dict[str, Any]]:
    """The instances about some records (ids by entity), with their variables, as JSON."""
    for part in _parts(records):
        columns = (
            _instance.id,
            _instance.process,
            _instance.state,
            _instance.started_at,
            _instance.variables,
        )
        for row in session.execute(sa.select(*columns).where(part).order_by(_instance.id)).mappings():
            yield {**row, "started_at": row["started_at"].isoformat()}


def forget(session: Session, records: Mapping[str, Sequence[int]]) -> None:
    """Empties the variables of the instances about some records, and what their steps were answered with.

    One that still goes on may stop for lack of them: its page says which, and it can be cancelled.
    """
    for part in _parts(records):
        ids = sa.select(_instance.id).where(part)
        session.execute(sa.update(STEPS).where(_step.instance_id.in_(ids)).values(outcome={}))
        session.execute(sa.update(INSTANCES).where(part).values(variables={}, problem=""))


def hand_over(session: Session, entity: str, other: int, survivor: int) -> None:
    """The instances about a record go on about the one that it was merged into, and stay there."""
    mine = sa.and_(_instance.entity == entity, _instance.record_id == other)
    session.execute(sa.update(INSTANCES).where(mine).values(record_id=survivor))


def _parts(records: Mapping[str, Sequence[int]]) -> Iterator[sa.ColumnElement[bool]]:
    for entity, ids in records.items():
        for first in range(0, len(ids), _AT_ONCE):
            some = list(ids[first : first + _AT_ONCE])
            yield sa.and_(_instance.entity == entity, _instance.record_id.in_(some))
