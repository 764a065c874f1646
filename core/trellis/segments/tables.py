"""The tables of the segment engine: who is a member now, and who entered or left when."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.records.entity import Base
from trellis.records.types import BigId, UtcDateTime


class SegmentMember(Base):
    """A record that was in a segment when it was last refreshed; of which entity, the segment says."""

    __tablename__ = "segment_member"
    __table_args__ = (
        sa.Index("ix_segment_member_record_id_segment", "record_id", "segment"),
        {"sqlite_with_rowid": False},
    )

    segment: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    record_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)


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


SEGMENT_MEMBER = cast(sa.Table, SegmentMember.__table__)
SEGMENT_EVENT = cast(sa.Table, SegmentEvent.__table__)
