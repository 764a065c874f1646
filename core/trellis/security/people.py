"""The people of a workspace: users, and the tree of units with positions that access scopes follow (MG2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.i18n import translator
from trellis.records.entity import Base, Entity, EntityInfo, column
from trellis.records.types import (
    BigId,
    Boolean,
    Choice,
    Email,
    JsonData,
    LongText,
    Option,
    Reference,
    Text,
    UtcDateTime,
)

_ = translator("trellis")


LANGUAGES = (Option("en", _("English")), Option("ru", _("Russian")))


class Unit(Entity):
    """An organisational unit: a node of the tree that scopes and breakdowns follow."""

    __tablename__ = "unit"
    __entity__ = EntityInfo(
        name="unit",
        title=_("Unit"),
        plural=_("Units"),
        new=_("New unit"),
        icon="network",
        direction="management",
        level="tactics",
        row="MG2",
        sort="name",
        tree="parent",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    code: Mapped[str | None] = column(Text(40), label=_("Code"), in_list=True)
    parent_id: Mapped[int | None] = column(Reference("unit"), label=_("Part of"), in_list=True)


class Position(Entity):
    """A position in a unit, held by a user (MG2)."""

    __tablename__ = "position"
    __entity__ = EntityInfo(
        name="position",
        title=_("Position"),
        plural=_("Positions"),
        new=_("New position"),
        icon="id-card",
        direction="management",
        level="tactics",
        row="MG2",
        sort="name",
        tree="reports_to",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    holder_id: Mapped[int | None] = column(Reference("user"), label=_("Held by"), in_list=True)
    reports_to_id: Mapped[int | None] = column(Reference("position"), label=_("Reports to"), in_list=True)
    duties: Mapped[str | None] = column(LongText(), label=_("Duties"))


class User(Entity):
    """A person who works in this workspace. Who may sign in is kept by the control database, under the same mail address."""

    __tablename__ = "user"
    __entity__ = EntityInfo(
        name="user",
        title=_("User"),
        plural=_("Users"),
        new=_("New user"),
        icon="circle-user",
        direction="management",
        level="tactics",
        row="MG2",
        subtitle_field="email",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Full name"), required=True, searchable=True, in_list=True, indexed=True
    )
    email: Mapped[str] = column(
        Email(), label=_("E-mail"), required=True, unique=True, searchable=True, in_list=True
    )
    active: Mapped[bool] = column(Boolean(), label=_("Active"), default=True, in_list=True)
    language: Mapped[str | None] = column(Choice(LANGUAGES), label=_("Language"))
    formats: Mapped[str | None] = column(Choice(LANGUAGES), label=_("Numbers and dates as in"))
    timezone: Mapped[str | None] = column(Text(60), label=_("Time zone"))
    roles: Mapped[list[str]] = mapped_column(JsonData, default=list, server_default="[]")


class OwnRole(Base):
    """A role that the organisation made, or its own version of a plugin's role; ``grants`` as JSON."""

    __tablename__ = "own_role"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(200))
    administrator: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    personal_data: Mapped[bool] = mapped_column(sa.Boolean, default=False, server_default=sa.false())
    grants: Mapped[dict[str, Any]] = mapped_column(JsonData, default=dict)


class ApiToken(Base):
    """A token for REST; only its SHA-256 is kept. ``entities``, when there are any, are all that it reaches."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    title: Mapped[str] = mapped_column(sa.String(120), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_only: Mapped[bool] = mapped_column(sa.Boolean, default=False, server_default=sa.false())
    entities: Mapped[list[str]] = mapped_column(JsonData, default=list, server_default="[]")
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
