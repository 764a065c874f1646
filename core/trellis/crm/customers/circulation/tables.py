"""What is kept of a document beside its record: versions, and the steps of its approvals with their sign-off."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.records.entity import Base
from trellis.records.types import BigId, UtcDateTime

WAITING, OPEN, DONE, REFUSED, SKIPPED = "waiting", "open", "done", "refused", "skipped"
"""States of a step: its turn has not come, it waits for somebody, it was approved or signed, rejected, or is not needed."""


class DocumentVersion(Base):
    """A file of a document; the highest ``number`` is the present one. ``sha256`` is of its bytes as they were kept."""

    __tablename__ = "document_version"
    __table_args__ = (sa.UniqueConstraint("document_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    document_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("document.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(sa.Integer)
    attachment_id: Mapped[int | None] = mapped_column(
        BigId, sa.ForeignKey("attachment.id", ondelete="SET NULL"), index=True
    )
    sha256: Mapped[str] = mapped_column(sa.String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_id: Mapped[int | None] = mapped_column(BigId)
    made_by: Mapped[str] = mapped_column(sa.String(200))


class DocumentStep(Base):
    """A step of an approval of a version; each sending is a ``round`` of its own, its turns follow each other.

    ``assigned`` is ``person:<id>``, ``position:<id>`` or ``role:<name>``; ``instance_id`` the run of the process that puts it
    before people. ``by_name`` decided ``at``, having before them the bytes with ``sha256``.
    """

    __tablename__ = "document_step"
    __table_args__ = (
        sa.Index("ix_document_step_document", "document_id", "round", "turn", "id"),
        sa.Index("ix_document_step_assigned", "assigned", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    document_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("document.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("document_version.id", ondelete="CASCADE"), index=True
    )
    round: Mapped[int] = mapped_column(sa.Integer)
    turn: Mapped[int] = mapped_column(sa.Integer)
    name: Mapped[str] = mapped_column(sa.String(200))
    action: Mapped[str] = mapped_column(sa.String(12))
    assigned: Mapped[str] = mapped_column(sa.String(170))
    days: Mapped[int | None] = mapped_column(sa.Integer)
    state: Mapped[str] = mapped_column(sa.String(12))
    sent_by_id: Mapped[int | None] = mapped_column(BigId)
    instance_id: Mapped[int | None] = mapped_column(BigId)
    by_id: Mapped[int | None] = mapped_column(BigId)
    by_name: Mapped[str] = mapped_column(sa.String(200), default="")
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    sha256: Mapped[str] = mapped_column(sa.String(64), default="")
