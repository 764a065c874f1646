"""Who is in which segment: kept by the segment engine, asked by rules, lists and figures."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.records.entity import Base
from trellis.records.types import BigId, UtcDateTime


class SegmentMember(Base):
    """A record that is in a segment, as it was last counted; of which entity, the segment says."""

    __tablename__ = "segment_member"
    __table_args__ = (
        sa.Index("ix_segment_member_record_id_segment", "record_id", "segment"),
        {"sqlite_with_rowid": False},
    )

    segment: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    record_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)


SEGMENT_MEMBER = cast(sa.Table, SegmentMember.__table__)
