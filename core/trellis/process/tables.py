"""The tables of the process engine: versions of diagrams, instances, and the steps that instances entered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.records.entity import Base
from trellis.records.types import BigId, JsonData, UtcDateTime

RUNNING, FAILED, DONE, CANCELLED = "running", "failed", "done", "cancelled"
OPEN = (RUNNING, FAILED)
USER = "userTask"
DECIDED = "decided"
"""In the outcome of a step: which rules of a decision table held, and what they said."""


class ProcessVersion(Base):
    """One content of a diagram, kept as long as instances run on it. ``source`` is who brought it (``gym@0.1.0``)."""

    __tablename__ = "process_version"
    __table_args__ = (sa.UniqueConstraint("process", "digest"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    process: Mapped[str] = mapped_column(sa.String(160))
    number: Mapped[int] = mapped_column(sa.Integer)
    digest: Mapped[str] = mapped_column(sa.String(64))
    diagram: Mapped[bytes] = mapped_column(sa.LargeBinary)
    source: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(BigId)


class ProcessInstance(Base):
    """One run of a process, on the version that it began with.

    ``flow`` is where its tokens stand, without the specification; empty when it has ended. ``variables`` are what its steps
    found out. ``done`` and ``active`` are elements of the diagram; ``problem`` is why it cannot go on, at ``stuck``.
    ``due_at`` is when its next timer fires. What starts instances by itself names a ``key``, so that nothing starts twice.
    """

    __tablename__ = "process_instance"
    __table_args__ = (
        sa.Index("ix_process_instance_process_state", "process", "state", "id"),
        sa.Index("ix_process_instance_record", "entity", "record_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    process: Mapped[str] = mapped_column(sa.String(160))
    version_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("process_version.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(BigId)
    entity: Mapped[str | None] = mapped_column(sa.String(80))
    record_id: Mapped[int | None] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(sa.String(12))
    flow: Mapped[bytes] = mapped_column(sa.LargeBinary)
    variables: Mapped[dict[str, Any]] = mapped_column(JsonData)
    done: Mapped[list[str]] = mapped_column(JsonData)
    active: Mapped[list[str]] = mapped_column(JsonData)
    problem: Mapped[str] = mapped_column(sa.Text, default="")
    stuck: Mapped[str] = mapped_column(sa.String(160), default="")
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_by_id: Mapped[int | None] = mapped_column(BigId)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    key: Mapped[str | None] = mapped_column(sa.String(200), unique=True)
    version: Mapped[int] = mapped_column(sa.Integer, default=1)


class ProcessStep(Base):
    """A task, or a wait, that an instance entered; left when ``left_at`` has a value.

    ``kind`` is the BPMN tag of its element, ``token`` its place in the instance. A task of people is for ``person_id``, or
    for those in :class:`ProcessAudience` while it is nobody's; never for those ``excluded`` (four eyes). ``awaits`` is the
    event that a wait is for. ``by_id`` is who did it, ``outcome`` what they said.
    """

    __tablename__ = "process_step"
    __table_args__ = (
        sa.Index("ix_process_step_instance", "instance_id", "id"),
        sa.Index("ix_process_step_person", "person_id", "left_at", "due_at"),
        sa.Index("ix_process_step_awaits", "awaits"),
        sa.Index("ix_process_step_element", "process", "left_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    instance_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("process_instance.id", ondelete="CASCADE"))
    process: Mapped[str] = mapped_column(sa.String(160))
    element: Mapped[str] = mapped_column(sa.String(160))
    kind: Mapped[str] = mapped_column(sa.String(40))
    token: Mapped[str] = mapped_column(sa.String(36))
    title: Mapped[str] = mapped_column(sa.String(300))
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    person_id: Mapped[int | None] = mapped_column(BigId)
    by_id: Mapped[int | None] = mapped_column(BigId)
    excluded: Mapped[list[int]] = mapped_column(JsonData, default=list)
    awaits: Mapped[str | None] = mapped_column(sa.String(300))
    outcome: Mapped[dict[str, Any]] = mapped_column(JsonData, default=dict)


class ProcessAudience(Base):
    """Whom a task of people is for while nobody has it: ``role:<name>``, ``position:<id>``; never for ``not:<user>``."""

    __tablename__ = "process_audience"
    __table_args__ = (sa.Index("ix_process_audience_audience", "audience", "step_id"),)

    step_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("process_step.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    audience: Mapped[str] = mapped_column(sa.String(160), primary_key=True)


class Absence(Base):
    """Somebody is away from ``starts`` to the day ``ends``, and ``substitute_id`` does their tasks; one for each person."""

    __tablename__ = "absence"
    __table_args__ = (sa.Index("ix_absence_substitute", "substitute_id", "ends"),)

    user_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    starts: Mapped[date] = mapped_column(sa.Date)
    ends: Mapped[date] = mapped_column(sa.Date)
    substitute_id: Mapped[int] = mapped_column(BigId)


INSTANCES = cast(sa.Table, ProcessInstance.__table__)
STEPS = cast(sa.Table, ProcessStep.__table__)
AUDIENCES = cast(sa.Table, ProcessAudience.__table__)
"""The tables themselves: written to without the ORM, which takes as long again."""
