"""The control database: which workspaces exist, who may sign in, and who belongs where. Nothing else."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from trellis.records.types import BigId, UtcDateTime


class ControlBase(DeclarativeBase):
    """Declarative base of the control database."""


class WorkspaceEntry(ControlBase):
    """A workspace of this installation."""

    __tablename__ = "workspace"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=lambda: datetime.now(UTC))


class Identity(ControlBase):
    """Somebody who may sign in. ``uniquifier`` changes to end all their sessions."""

    __tablename__ = "identity"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    password: Mapped[str | None] = mapped_column(sa.String(255))
    active: Mapped[bool] = mapped_column(sa.Boolean, default=True)
    uniquifier: Mapped[str] = mapped_column(sa.String(64), unique=True, default=lambda: secrets.token_hex(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=lambda: datetime.now(UTC))


class Membership(ControlBase):
    """An identity may enter a workspace; what it may do there is kept in the workspace, by its user of the same mail."""

    __tablename__ = "membership"

    workspace: Mapped[str] = mapped_column(
        sa.ForeignKey("workspace.name", ondelete="CASCADE"), primary_key=True
    )
    identity_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("identity.id", ondelete="CASCADE"), primary_key=True
    )


class BrowserSession(ControlBase):
    """A browser in which somebody has signed in. Its cookie names this row; without the row it opens nothing."""

    __tablename__ = "browser_session"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    identity_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("identity.id", ondelete="CASCADE"), index=True
    )
    device: Mapped[str] = mapped_column(sa.String(200))
    address: Mapped[str] = mapped_column(sa.String(200))
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FailedSignIns(ControlBase):
    """How often signing in failed for one mail address, or from one network address, and until when it is refused.

    ``key`` is a digest, so that what strangers typed is not kept.
    """

    __tablename__ = "failed_sign_ins"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    count: Mapped[int] = mapped_column(sa.Integer)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    refused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


def identity_of(session: Session, email: str) -> Identity | None:
    """The identity of a mail address, in any case."""
    return session.scalar(sa.select(Identity).where(Identity.email == email.strip().lower()))


def workspaces_of(session: Session, identity: Identity) -> list[WorkspaceEntry]:
    """The workspaces that an identity may enter, by title."""
    query = (
        sa.select(WorkspaceEntry)
        .join(Membership, Membership.workspace == WorkspaceEntry.name)
        .where(Membership.identity_id == identity.id)
        .order_by(WorkspaceEntry.title)
    )
    return list(session.scalars(query))
