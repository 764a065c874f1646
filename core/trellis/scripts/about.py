"""Conversations of a person who is taken out, erased, or merged into another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.scripts.tables import PASSAGES, RUN, RUNS

_passage, _run = PASSAGES.c, RUNS.c
_AT_ONCE = 500


def said(session: Session, records: Mapping[str, Sequence[int]]) -> Iterator[dict[str, Any]]:
    """What was answered in the conversations among some records (ids by entity), as JSON."""
    for some in _parts(records.get(RUN, ())):
        columns = (_passage.run_id, _passage.at, _passage.step, _passage.choice, _passage.field)
        query = sa.select(*columns, _passage.value, _passage.remark).where(_passage.run_id.in_(some))
        for row in session.execute(query.order_by(_passage.id)).mappings():
            yield {**row, "at": row["at"].isoformat()}


def forget(session: Session, records: Mapping[str, Sequence[int]]) -> None:
    """Empties what was typed and filled in these conversations; which way they went stays."""
    for some in _parts(records.get(RUN, ())):
        empty = {"value": None, "before": None, "remark": ""}
        session.execute(sa.update(PASSAGES).where(_passage.run_id.in_(some)).values(empty))


def hand_over(session: Session, entity: str, other: int, survivor: int) -> None:
    """The conversations beside a record are beside the one that it was merged into."""
    beside = _run.of_entity == entity, _run.record == other
    session.execute(sa.update(RUNS).where(*beside).values(record=survivor))


def _parts(ids: Sequence[int]) -> Iterator[list[int]]:
    for first in range(0, len(ids), _AT_ONCE):
        yield list(ids[first : first + _AT_ONCE])
