"""The tables of the segment engine beside the members: the organisation's own segments, lists, and who entered or left."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.records.entity import Base
from trellis.records.types import BigId, JsonData, UtcDateTime


class SegmentEvent(Base):
    """A record entered (``change`` 1) or left (-1) a segment: append-only."""

    __tablename__ = "segment_event"
    __table_args__ = (
        sa.Index("ix_segment_event_segment_at", "segment", "at"),
        sa.Index("ix_segment_event_record_id", "record_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    segment: Mapped[str] = mapped_column(sa.String(160))
    record_id: Mapped[int] = mapped_column(BigId)
    change: Mapped[int] = mapped_column(sa.SmallInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class OwnSegment(Base):
    """A segment of the organisation's own: by ``rule``, or a list of chosen members where it has none."""

    __tablename__ = "own_segment"

    name: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    entity: Mapped[str] = mapped_column(sa.String(80))
    title: Mapped[str] = mapped_column(sa.String(120))
    description: Mapped[str] = mapped_column(sa.Text, default="")
    tone: Mapped[str] = mapped_column(sa.String(20), default="neutral")
    rule: Mapped[dict[str, Any] | None] = mapped_column(JsonData)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SegmentListed(Base):
    """A record that somebody put into a list."""

    __tablename__ = "segment_listed"
    __table_args__ = (
        sa.Index("ix_segment_listed_record_id", "record_id"),
        {"sqlite_with_rowid": False},
    )

    segment: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    record_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


SEGMENT_EVENT = cast(sa.Table, SegmentEvent.__table__)
SEGMENT_LISTED = cast(sa.Table, SegmentListed.__table__)
