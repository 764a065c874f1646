"""What is kept of conversation scripts: those of one's own, the versions that were run, and the runs with their paths."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.contributions import ScriptResult
from trellis.i18n import translator
from trellis.records.entity import Base, Entity, EntityInfo, column
from trellis.records.types import (
    BigId,
    Choice,
    DateTime,
    Integer,
    Json,
    JsonData,
    LongText,
    Option,
    Reference,
    Text,
    UtcDateTime,
)

_ = translator("trellis")

SCRIPT, RUN = "script", "script_run"
DRAFT, PUBLISHED, WITHDRAWN = "draft", "published", "withdrawn"
RUNNING, DONE, STOPPED = "running", "done", "stopped"
ANSWER, OBJECTION = "answer", "objection"
SCRIPT_STATES = (
    Option(DRAFT, _("Draft")),
    Option(PUBLISHED, _("In use"), "good"),
    Option(WITHDRAWN, _("Out of use")),
)
STATES = (
    Option(RUNNING, _("Goes on"), "info"),
    Option(DONE, _("Came to an end"), "good"),
    Option(STOPPED, _("Broken off"), "warn"),
)
RESULTS = (
    Option(ScriptResult.GOOD, _("Good"), "good"),
    Option(ScriptResult.NEUTRAL, _("Neither")),
    Option(ScriptResult.BAD, _("Bad"), "danger"),
)


class OwnScript(Entity):
    """A script of one's own: ``draft`` is what is worked on, the version ``published`` is what is run."""

    __tablename__ = "script"
    __entity__ = EntityInfo(
        name=SCRIPT,
        title=_("Script of one's own"),
        plural=_("Scripts of one's own"),
        about=_(
            "A script says what to ask and where each answer leads. Those of the edition can be taken over"
        ),
        new=_("New script"),
        icon="messages-square",
        direction="market",
        level="operations",
        row="MK4",
        sort="name",
        confidential=True,
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    state: Mapped[str] = column(
        Choice(SCRIPT_STATES),
        label=_("State"),
        required=True,
        default=DRAFT,
        read_only=True,
        in_list=True,
    )
    published: Mapped[int | None] = column(Integer(), label=_("Version in use"), read_only=True, in_list=True)
    replaces: Mapped[str | None] = column(
        Text(160, names="script"),
        label=_("Instead of"),
        help=_("The script that it is offered instead of"),
    )
    draft: Mapped[dict[str, Any] | None] = column(
        Json(), label=_("Steps"), help=_("Steps, answers, objections and outcomes, as the editor writes them")
    )


class ScriptVersion(Base):
    """One content of a script, kept for the runs on it. ``source`` is who brought it (``retail@0.1.0``, ``own``)."""

    __tablename__ = "script_version"
    __table_args__ = (sa.UniqueConstraint("script", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    script: Mapped[str] = mapped_column(sa.String(160))
    number: Mapped[int] = mapped_column(sa.Integer)
    digest: Mapped[str] = mapped_column(sa.String(64))
    content: Mapped[dict[str, Any]] = mapped_column(JsonData)
    source: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(BigId)


class ScriptRun(Entity):
    """A conversation by a script beside a record, on the version that it began with. Its owner is who leads it."""

    __tablename__ = "script_run"
    __entity__ = EntityInfo(
        name=RUN,
        title=_("Conversation"),
        plural=_("Conversations"),
        about=_("Conversations are held on the pages of customers and cases, by “Script”"),
        icon="messages-square",
        direction="market",
        level="operations",
        row="MK4",
        title_field="title",
        subtitle_field="outcome",
        sort="-started_at",
        date_field="started_at",
        timeline=True,
        beside=("of_entity", "record"),
        by_hand=False,
    )
    __table_args__ = (sa.Index("ix_script_run_beside", "of_entity", "record"),)

    title: Mapped[str | None] = column(
        Text(300), label=_("Script"), read_only=True, searchable=True, indexed=True
    )
    script: Mapped[str | None] = column(
        Text(160, names="script"), label=_("Name of the script"), read_only=True, indexed=True
    )
    number: Mapped[int | None] = column(
        Integer(additive=False), label=_("Version of the script"), read_only=True
    )
    state: Mapped[str] = column(
        Choice(STATES), label=_("State"), required=True, default=RUNNING, read_only=True, in_list=True
    )
    result: Mapped[str | None] = column(Choice(RESULTS), label=_("Result"), read_only=True, in_list=True)
    outcome: Mapped[str | None] = column(Text(300), label=_("Outcome"), read_only=True, in_list=True)
    path: Mapped[str | None] = column(LongText(), label=_("Path"), read_only=True, in_list=True)
    customer_id: Mapped[int | None] = column(
        Reference("customer"), label=_("Customer"), read_only=True, in_list=True
    )
    lead_id: Mapped[int | None] = column(Reference("lead"), label=_("Lead"), read_only=True)
    opportunity_id: Mapped[int | None] = column(
        Reference("opportunity"), label=_("Opportunity"), read_only=True
    )
    case_id: Mapped[int | None] = column(Reference("case"), label=_("Case"), read_only=True)
    started_at: Mapped[datetime | None] = column(
        DateTime(), label=_("Began"), read_only=True, in_list=True, indexed=True
    )
    ended_at: Mapped[datetime | None] = column(DateTime(), label=_("Ended"), read_only=True)
    of_entity: Mapped[str | None] = column(
        Text(80, names="entity"), label=_("Kind of record"), read_only=True
    )
    record: Mapped[int | None] = column(
        Integer(additive=False), label=_("Number of the record"), read_only=True
    )
    step: Mapped[str | None] = column(Text(60), label=_("Key of the step"), read_only=True)
    ending: Mapped[str | None] = column(Text(60), label=_("Key of the outcome"), read_only=True)


class ScriptPassage(Base):
    """An answer that was given, or an objection that was made, at a step of a run; ``undone`` when it was taken back.

    ``value`` is what it wrote to ``field``, ``before`` what stood there, both as JSON; ``remark`` is what was typed where
    it fills no field.
    """

    __tablename__ = "script_passage"
    __table_args__ = (sa.Index("ix_script_passage_run", "run_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("script_run.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[str] = mapped_column(sa.String(12))
    choice: Mapped[str] = mapped_column(sa.String(60))
    field: Mapped[str] = mapped_column(sa.String(160), default="")
    value: Mapped[Any] = mapped_column(JsonData, nullable=True)
    before: Mapped[Any] = mapped_column(JsonData, nullable=True)
    remark: Mapped[str] = mapped_column(sa.Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    undone: Mapped[bool] = mapped_column(sa.Boolean, default=False)


VERSIONS = cast(sa.Table, ScriptVersion.__table__)
RUNS = cast(sa.Table, ScriptRun.__table__)
PASSAGES = cast(sa.Table, ScriptPassage.__table__)
