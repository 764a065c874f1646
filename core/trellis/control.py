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
    proved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the person last showed who they are, by a password or a passkey."""


class CodeApp(ControlBase):
    """The app that shows somebody's one-time codes (TOTP). ``secret`` is sealed with the installation's key.

    ``last_step`` is the thirty seconds whose code was used last: neither it nor an older one opens anything again.
    """

    __tablename__ = "code_app"

    identity_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("identity.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    secret: Mapped[str] = mapped_column(sa.String(255))
    last_step: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=lambda: datetime.now(UTC))


class RecoveryCode(ControlBase):
    """One of the codes that open once when the second factor is lost; only its digest is kept, and gone when it is used."""

    __tablename__ = "recovery_code"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    identity_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("identity.id", ondelete="CASCADE"), index=True
    )


class Passkey(ControlBase):
    """The public half of a key that somebody's device keeps (WebAuthn).

    ``handle`` is what the device calls the person by: random, and the same for all passkeys of one. ``credential`` is
    what it calls the key by; both are written in base64url. ``sign_count`` grows with each use where the device counts.
    """

    __tablename__ = "passkey"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    identity_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("identity.id", ondelete="CASCADE"), index=True
    )
    handle: Mapped[str] = mapped_column(sa.String(86))
    credential: Mapped[str] = mapped_column(sa.String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary)
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    name: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=lambda: datetime.now(UTC))
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SpentChallenge(ControlBase):
    """A question that a passkey has answered: the same answer is not taken twice."""

    __tablename__ = "spent_challenge"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(UtcDateTime)


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


def has_second_factor() -> sa.ColumnElement[bool]:
    """Whether the identity of a query has an app for codes or a passkey."""
    app = sa.exists().where(CodeApp.identity_id == Identity.id)
    return sa.or_(app, sa.exists().where(Passkey.identity_id == Identity.id))


def workspaces_of(session: Session, identity: Identity) -> list[WorkspaceEntry]:
    """The workspaces that an identity may enter, by title."""
    query = (
        sa.select(WorkspaceEntry)
        .join(Membership, Membership.workspace == WorkspaceEntry.name)
        .where(Membership.identity_id == identity.id)
        .order_by(WorkspaceEntry.title)
    )
    return list(session.scalars(query))
