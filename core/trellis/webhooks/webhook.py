"""The table of webhooks of a workspace."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.records.entity import Base
from trellis.records.types import BigId, JsonData, UtcDateTime


class Webhook(Base):
    """An address that is told of what is written, with the rights of the user ``user_id``.

    ``entities`` are those that it is told of (all when empty). ``after`` is the id of the last event of the change feed
    that is behind it. ``secret`` is sealed with the key of the installation. ``failures`` counts the attempts since
    ``failing_since`` that were not answered with 2xx; ``problem`` is what the last of them met. One that is ``paused`` keeps
    its place.
    """

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    url: Mapped[str] = mapped_column(sa.String(2000))
    entities: Mapped[list[str]] = mapped_column(JsonData, default=list)
    user_id: Mapped[int] = mapped_column(BigId)
    secret: Mapped[str] = mapped_column(sa.Text)
    paused: Mapped[bool] = mapped_column(default=False)
    after: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    delivered: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(sa.Integer, default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str] = mapped_column(sa.Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
