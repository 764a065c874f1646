"""Records that were merged into others: where they went, under which external id they were known, and what was moved."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.records.bulk import among
from trellis.records.entity import Base
from trellis.records.types import BigId, JsonData, UtcDateTime


class Merged(Base):
    """The record ``record_id`` is part of ``survivor_id`` now, and ``external_id`` means that too.

    ``fields`` maps what the survivor took over to [before, after] as JSON values, ``cleared`` what the other had to give up
    for that; ``moved`` maps ``entity.field`` to the ids of the records that referred to the other one.
    """

    __tablename__ = "merged"
    __table_args__ = (sa.Index("ix_merged_external_id", "entity", "external_id"),)

    entity: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    record_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    survivor_id: Mapped[int] = mapped_column(BigId, index=True)
    external_id: Mapped[str | None] = mapped_column(sa.String(200))
    fields: Mapped[dict[str, Any]] = mapped_column(JsonData)
    cleared: Mapped[dict[str, Any]] = mapped_column(JsonData)
    moved: Mapped[dict[str, list[int]]] = mapped_column(JsonData)
    user_id: Mapped[int | None] = mapped_column(BigId)
    user_name: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


_merged = Merged.__table__.c


def survivor_of(session: Session, entity: str, record_id: int) -> int | None:
    """The record that this one is part of now, through several merges; None when it was never merged."""
    return _survivors(session, entity, _merged.record_id == record_id).get(record_id)


def known_as(session: Session, entity: str, external_ids: Collection[str]) -> dict[str, int]:
    """The records that are meant by external ids of records merged into them."""
    named = sa.select(_merged.external_id, _merged.record_id).where(
        _merged.entity == entity, among(session, _merged.external_id, external_ids)
    )
    found = session.execute(named).all()
    if not found:
        return {}
    survivors = _survivors(session, entity, _merged.record_id.in_([row.record_id for row in found]))
    return {row.external_id: survivors[row.record_id] for row in found}


def _survivors(session: Session, entity: str, which: sa.ColumnElement[bool]) -> dict[int, int]:
    """Where merged records have ended, by their own numbers: each chain of merges is followed to its last."""
    here = _merged.entity == entity
    first = sa.select(_merged.record_id, _merged.survivor_id, sa.literal(1).label("step")).where(here, which)
    steps = first.cte("steps", recursive=True)
    further = sa.select(steps.c.record_id, _merged.survivor_id, steps.c.step + 1).where(
        here, _merged.record_id == steps.c.survivor_id
    )
    steps = steps.union(further)
    chains = sa.select(steps.c.record_id, steps.c.survivor_id).order_by(steps.c.step)
    return dict(map(tuple, session.execute(chains)))  # of each the last step counts


def parts_of(session: Session, entity: str, record_id: int) -> list[Merged]:
    """The records that were merged into this one, the newest first."""
    query = sa.select(Merged).where(_merged.entity == entity, _merged.survivor_id == record_id)
    return list(session.scalars(query.order_by(_merged.at.desc())))
