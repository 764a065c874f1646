"""Reasons for losing an opportunity, as people are offered them (SA3)."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import Boolean, LongText, Text

_ = translator("trellis")


class LostReason(Entity):
    """A reason for losing that people are offered; an opportunity keeps the words, also those that are none of these."""

    __tablename__ = "lost_reason"
    __entity__ = EntityInfo(
        name="lost_reason",
        title=_("Reason for losing"),
        plural=_("Reasons for losing"),
        new=_("New reason"),
        icon="circle-x",
        direction="sales",
        level="tactics",
        row="SA3",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, unique=True
    )
    description: Mapped[str | None] = column(LongText(), label=_("When it is chosen"), in_list=True)
    active: Mapped[bool] = column(Boolean(), label=_("Offered"), default=True, in_list=True)
