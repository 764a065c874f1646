"""The state row of a workspace: its settings, its revision, and which plugins are enabled."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Settings
from trellis.system import PluginState, WorkspaceState


def settings_of(stored: Mapping[str, Any]) -> Settings:
    """Settings as kept; keys of a newer version are ignored."""
    known = {one.name for one in dataclasses.fields(Settings)} - {"rated"}
    return Settings(**{key: value for key, value in stored.items() if key in known})


def enabled_plugins(session: Session) -> list[str]:
    """Names of the plugins enabled here, those without need of others first (by name otherwise)."""
    query = sa.select(PluginState.name).where(PluginState.enabled, sa.not_(PluginState.quarantined))
    return list(session.scalars(query.order_by(PluginState.name)))


def lock(connection: sa.Connection) -> None:
    """Lets one process at a time change plugins or tables of a workspace, until the transaction ends."""
    if connection.dialect.name == "postgresql":  # on SQLite a writing transaction is alone anyway
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(current_schema()))"))


def raise_revision(connection: sa.Connection) -> None:
    """Makes every process build the edition anew."""
    connection.execute(sa.update(WorkspaceState).values(revision=WorkspaceState.revision + 1))
