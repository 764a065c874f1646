"""The tables of notifications: what people were told, and how they want to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.records.entity import Base
from trellis.records.types import BigId, JsonData, UtcDateTime

_UNREAD = sa.text("read_at IS NULL")


class Notification(Base):
    """Something that somebody was told, at ``at``, caused by ``who``.

    It is about the record ``entity``/``record_id``, if about any; ``path`` is the page that it leads to, in the workspace,
    where that is not the record. ``told`` holds what its sentence needs beside that. What is told once names a ``key``.
    One that is not ``in_app`` went by mail alone.
    """

    __tablename__ = "notification"
    __table_args__ = (
        sa.Index("ix_notification_user", "user_id", "id"),
        sa.Index(
            "ix_notification_unread", "user_id", "in_app", sqlite_where=_UNREAD, postgresql_where=_UNREAD
        ),
        sa.Index("ix_notification_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(sa.String(160))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    who: Mapped[str] = mapped_column(sa.String(200), default="")
    entity: Mapped[str | None] = mapped_column(sa.String(80))
    record_id: Mapped[int | None] = mapped_column(BigId)
    path: Mapped[str] = mapped_column(sa.String(200), default="")
    told: Mapped[dict[str, Any]] = mapped_column(JsonData, default=dict)
    in_app: Mapped[bool] = mapped_column(sa.Boolean)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    key: Mapped[str | None] = mapped_column(sa.String(250), unique=True)


class NotificationChoice(Base):
    """How somebody wants to be told of what is of a kind."""

    __tablename__ = "notification_choice"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    in_app: Mapped[bool] = mapped_column(sa.Boolean)
    mail: Mapped[bool] = mapped_column(sa.Boolean)
