"""The tables of journeys: versions of plans, customers on their way, the steps behind them, and messages (MC5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.records.entity import Base
from trellis.records.types import BigId, JsonData, UtcDateTime

ACTIVE, DONE, REACHED, LEFT, ENDED = "active", "done", "reached", "left", "ended"
"""States of a member: on the way, at the end, at the goal, left by a step, taken out by people."""
HELD, FAILED = "held", "failed"
"""Outcomes of a step beside those: it was left out for a reason, or went wrong."""
WAITING, SENDING, SENT, UNCLEAR = "waiting", "sending", "sent", "unclear"
"""States of a message; :data:`FAILED` is one, too."""


class JourneyVersion(Base):
    """One content of a plan, kept as long as customers are on it."""

    __tablename__ = "journey_version"
    __table_args__ = (sa.UniqueConstraint("journey_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    journey_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("journey.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(sa.Integer)
    plan: Mapped[dict[str, Any]] = mapped_column(JsonData)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(BigId)


class JourneyMember(Base):
    """A customer on a journey, for the ``round``-th time, on the version that they began with.

    ``step`` is where they stand since ``since``; it is gone on with at ``due_at``, by an index: who waits costs nothing. Those
    of the ``control`` group stand at no step until their time for the goal is over.
    """

    __tablename__ = "journey_member"
    __table_args__ = (
        sa.UniqueConstraint("journey_id", "customer_id", "round"),
        sa.Index(
            "ix_journey_member_due",
            "journey_id",
            "due_at",
            "id",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
        sa.Index("ix_journey_member_state", "journey_id", "state", "step", "id"),
        sa.Index("ix_journey_member_customer", "customer_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    journey_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("journey.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("journey_version.id", ondelete="CASCADE"))
    customer_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("customer.id", ondelete="CASCADE"))
    round: Mapped[int] = mapped_column(sa.Integer)
    control: Mapped[bool] = mapped_column(sa.Boolean)
    state: Mapped[str] = mapped_column(sa.String(12))
    step: Mapped[str] = mapped_column(sa.String(40))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class JourneyPassage(Base):
    """A step that a customer has behind them, with how it ended and why."""

    __tablename__ = "journey_passage"
    __table_args__ = (
        sa.Index("ix_journey_passage_step", "version_id", "step", "outcome"),
        sa.Index("ix_journey_passage_member", "member_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("journey_member.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(BigId)
    step: Mapped[str] = mapped_column(sa.String(40))
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(sa.String(12))
    reason: Mapped[str] = mapped_column(sa.String(300))


class JourneyMessage(Base):
    """A mail of a step on its way; once sent, ``activity_id`` is where it stands on the customer's timeline.

    ``job_id`` is who sends it: claimed before it leaves, so that it leaves at most once.
    """

    __tablename__ = "journey_message"
    __table_args__ = (
        sa.Index(
            "ix_journey_message_open",
            "journey_id",
            "id",
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
        ),
        sa.Index("ix_journey_message_customer", "customer_id", "created_at"),
        sa.Index("ix_journey_message_member", "member_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    journey_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("journey.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("journey_member.id", ondelete="CASCADE"))
    customer_id: Mapped[int] = mapped_column(BigId)
    step: Mapped[str] = mapped_column(sa.String(40))
    template: Mapped[str] = mapped_column(sa.String(160))
    state: Mapped[str] = mapped_column(sa.String(12))
    problem: Mapped[str] = mapped_column(sa.String(300))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activity_id: Mapped[int | None] = mapped_column(BigId)
    job_id: Mapped[int | None] = mapped_column(BigId)


VERSIONS = cast(sa.Table, JourneyVersion.__table__)
MEMBERS = cast(sa.Table, JourneyMember.__table__)
PASSAGES = cast(sa.Table, JourneyPassage.__table__)
MESSAGES = cast(sa.Table, JourneyMessage.__table__)
"""The tables themselves: written to without the ORM, many rows at once."""
