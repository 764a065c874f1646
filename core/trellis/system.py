"""System tables of a workspace: state, settings, plugins, the contribution ledger, faults, and the log of events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler

from trellis.records.entity import Base
from trellis.records.types import BigId, JsonData, UtcDateTime


class WorkspaceState(Base):
    """One row: the revision of the edition and the organisation's settings."""

    __tablename__ = "workspace_state"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, default=1)
    revision: Mapped[int] = mapped_column(sa.Integer, default=1)
    settings: Mapped[dict[str, Any]] = mapped_column(JsonData, default=dict)


class PluginState(Base):
    """A plugin that is, or was, enabled here. Kept when it is disabled; removed when it is purged."""

    __tablename__ = "plugin_state"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    version: Mapped[str] = mapped_column(sa.String(40))
    title: Mapped[str] = mapped_column(sa.String(200))
    enabled: Mapped[bool] = mapped_column(sa.Boolean)
    quarantined: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerEntry(Base):
    """One contribution and its owner (``plugin@version``): known also when the package is gone."""

    __tablename__ = "contribution_ledger"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plugin: Mapped[str] = mapped_column(sa.String(80), index=True)
    version: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(160))
    entity: Mapped[str | None] = mapped_column(sa.String(80))


class PluginFault(Base):
    """Errors of a plugin in one hook: first and last time, count, and the last traceback.

    ``recent`` adds up their weights since ``recent_since``: what quarantines the plugin.
    """

    __tablename__ = "plugin_fault"

    plugin: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    hook: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    message: Mapped[str] = mapped_column(sa.Text)
    trace: Mapped[str] = mapped_column(sa.Text)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    count: Mapped[int] = mapped_column(sa.Integer, default=1)
    recent: Mapped[int] = mapped_column(sa.Integer, default=0, server_default="0")
    recent_since: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OwnField(Base):
    """An extension field that an administrator added; ``declaration`` is its JSON form."""

    __tablename__ = "own_field"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    entity: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    declaration: Mapped[dict[str, Any]] = mapped_column(JsonData)
    position: Mapped[int] = mapped_column(sa.Integer, default=0)


class FieldCondition(Base):
    """The rules under which a field is required and shown, as the organisation decided."""

    __tablename__ = "field_condition"

    entity: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    field: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    required_when: Mapped[dict[str, Any] | None] = mapped_column(JsonData)
    visible_when: Mapped[dict[str, Any] | None] = mapped_column(JsonData)


class SavedView(Base):
    """A list as somebody set it up: rule, columns, sort, density.

    ``user_id`` is empty for a view that is shared: with everybody, or with the people of a ``role``.
    """

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity: Mapped[str] = mapped_column(sa.String(80), index=True)
    title: Mapped[str] = mapped_column(sa.String(120))
    user_id: Mapped[int | None] = mapped_column(BigId)
    role: Mapped[str | None] = mapped_column(sa.String(80))
    definition: Mapped[dict[str, Any]] = mapped_column(JsonData)
    position: Mapped[int] = mapped_column(sa.Integer, default=0)


class FirstView(Base):
    """The view in which a list opens for somebody."""

    __tablename__ = "first_view"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    entity: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    view_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("saved_view.id", ondelete="CASCADE"))


class Arrangement(Base):
    """A dashboard as somebody arranged it: ``layout`` has the names of the cards ``shown``, in order, and of those ``hidden``."""

    __tablename__ = "arrangement"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    dashboard: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    layout: Mapped[dict[str, Any]] = mapped_column(JsonData)


class current_transaction(sa.sql.functions.GenericFunction[int]):
    """The number of the writing transaction: orders the change feed on PostgreSQL; SQLite has one writer and needs none."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(current_transaction, "sqlite")
def _on_sqlite(_element: current_transaction, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "0"


@compiles(current_transaction, "postgresql")
def _on_postgresql(_element: current_transaction, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "txid_current()"


class Event(Base):
    """The append-only log of writes: audit trail and change feed (outbox) in one, written with the record itself.

    ``changes`` maps field to [old, new] as JSON values. ``source`` is the face: web, rest, cli, import, system.
    """

    __tablename__ = "event"
    __table_args__ = (
        sa.Index("ix_event_record", "entity", "record_id", "id"),
        sa.Index("ix_event_feed", "transaction", "id"),
        sa.Index("ix_event_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(BigId)
    actor_name: Mapped[str] = mapped_column(sa.String(200))
    source: Mapped[str] = mapped_column(sa.String(20))
    entity: Mapped[str] = mapped_column(sa.String(80))
    record_id: Mapped[int | None] = mapped_column(BigId)
    action: Mapped[str] = mapped_column(sa.String(20))
    changes: Mapped[dict[str, Any]] = mapped_column(JsonData)
    transaction: Mapped[int] = mapped_column(sa.BigInteger, server_default=current_transaction())


class Numbering(Base):
    """The last number given in a series."""

    __tablename__ = "numbering"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    last: Mapped[int] = mapped_column(sa.BigInteger)


class IdempotentCall(Base):
    """A REST call that named an ``Idempotency-Key``, and its answer, so that asking again does nothing twice.

    ``status`` is empty while the call is at work in transactions of its own (an import).
    """

    __tablename__ = "idempotent_call"

    user_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[int | None] = mapped_column(sa.Integer)
    headers: Mapped[dict[str, Any]] = mapped_column(JsonData, default=dict)
    body: Mapped[str] = mapped_column(sa.Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ImportRun(Base):
    """An import that was asked for, and its result.

    ``state`` is where it stands (draft, waiting, running, done, failed, stopped, undoing, undone); ``plan`` what was asked
    for; ``total`` about how many rows its file has. The job ``job_id`` does the work and knows how far it is.
    """

    __tablename__ = "import_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(BigId, index=True)
    entity: Mapped[str] = mapped_column(sa.String(80))
    filename: Mapped[str] = mapped_column(sa.String(255))
    dry_run: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rows: Mapped[int] = mapped_column(sa.Integer, default=0)
    result: Mapped[dict[str, Any]] = mapped_column(JsonData, default=dict)
    problem: Mapped[str] = mapped_column(sa.Text, default="")
    state: Mapped[str] = mapped_column(sa.String(12), default="", server_default="")
    plan: Mapped[dict[str, Any]] = mapped_column(JsonData, default=dict, server_default="{}")
    total: Mapped[int] = mapped_column(sa.Integer, default=0, server_default="0")
    job_id: Mapped[int | None] = mapped_column(BigId)


class FilePart(Base):
    """A piece of a file that people sent or that was made for them: ``import/5/source``, ``job/7``.

    Such files stand in the database, so that every process of every machine can read them.
    """

    __tablename__ = "file_part"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    kept_until: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[bytes] = mapped_column(sa.LargeBinary)


class ImportBatch(Base):
    """The events that one transaction of an import wrote: by them the import can be undone."""

    __tablename__ = "import_batch"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("import_run.id", ondelete="CASCADE"), index=True)
    first_event: Mapped[int] = mapped_column(sa.BigInteger)
    last_event: Mapped[int] = mapped_column(sa.BigInteger)
    transaction: Mapped[int] = mapped_column(sa.BigInteger)


class MassChange(Base):
    """An act on many records at once, and the events that it wrote: by them it can be undone, by the one who did it."""

    __tablename__ = "mass_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    user_id: Mapped[int | None] = mapped_column(BigId)
    entity: Mapped[str] = mapped_column(sa.String(80))
    act: Mapped[str] = mapped_column(sa.String(12))
    first_event: Mapped[int] = mapped_column(sa.BigInteger)
    last_event: Mapped[int] = mapped_column(sa.BigInteger)
    transaction: Mapped[int] = mapped_column(sa.BigInteger)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SavedMapping(Base):
    """How the columns of a file that comes again become fields; ``plan`` is a mapping in JSON."""

    __tablename__ = "saved_mapping"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity: Mapped[str] = mapped_column(sa.String(80), index=True)
    title: Mapped[str] = mapped_column(sa.String(120))
    user_id: Mapped[int | None] = mapped_column(BigId)
    plan: Mapped[dict[str, Any]] = mapped_column(JsonData)


class ImportProgress(Base):
    """How many rows of a file are imported, where its records have no key: a killed import goes on from there."""

    __tablename__ = "import_progress"

    fingerprint: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    rows: Mapped[int] = mapped_column(sa.Integer, default=0)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
