"""Who has a calendar to subscribe to; a table of its own, known to each process, so that no backup goes without it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.records.entity import Base
from trellis.records.types import BigId, UtcDateTime


class CalendarFeed(Base):
    """That somebody has a calendar to subscribe to. The secret of its address is kept sealed, and as a digest to find it by."""

    __tablename__ = "calendar_feed"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    sealed: Mapped[str] = mapped_column(sa.Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
