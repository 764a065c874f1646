"""Journeys of the organisation (MC5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import BigId, Choice, DateTime, Json, LongText, Option, Text

_ = translator("trellis")

DRAFT, RUNNING, PAUSED, STOPPED = "draft", "running", "paused", "stopped"
STATES = (
    Option(DRAFT, _("Draft")),
    Option(RUNNING, _("Running"), "good"),
    Option(PAUSED, _("Paused"), "warn"),
    Option(STOPPED, _("Stopped")),
)


class Journey(Entity):
    """What customers get step by step: ``plan`` is the draft, ``published_id`` the version with which they begin now."""

    __tablename__ = "journey"
    __entity__ = EntityInfo(
        name="journey",
        title=_("Journey"),
        plural=_("Journeys"),
        about=_(
            "A journey leads customers step by step: mails, waits, tasks. Those of the edition can "
            "be taken over"
        ),
        new=_("New journey"),
        icon="route",
        direction="marketing",
        level="operations",
        row="MC5",
        subtitle_field="state",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    about: Mapped[str | None] = column(LongText(), label=_("Description"))
    state: Mapped[str] = column(
        Choice(STATES), label=_("State"), required=True, default=DRAFT, read_only=True, in_list=True
    )
    started_at: Mapped[datetime | None] = column(DateTime(), label=_("Started"), read_only=True, in_list=True)
    brought_as: Mapped[str | None] = column(
        Text(160), label=_("Made from"), help=_("The journey of the edition that it began as"), read_only=True
    )
    plan: Mapped[dict[str, Any] | None] = column(
        Json(), label=_("Plan"), help=_("Its steps and terms, as its editor writes them")
    )
    published_id: Mapped[int | None] = mapped_column(BigId)
